using System.Data.Common;
using System.Globalization;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Health;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;

namespace Mangrove.Vault.Incidents;

/// <summary>
/// Breach response (design/threats.md, 45 CFR 164.400 to 164.414): the record of an incident from the first word to the last, its
/// containment in one act, what the log says of its extent, the four factors, what was sent, and what was learned. Kept by
/// administrators and privacy officers. Every change is an entry in its own transaction.
/// </summary>
/// <remarks>What people write and which patients are touched is sealed and stands in no entry and no letter.</remarks>
public sealed partial class IncidentDesk : IDisposable
{
    /// <summary>Fewest signs of a text.</summary>
    public const int LeastWords = 20;

    /// <summary>Most signs of a text.</summary>
    public const int MostWords = 4_000;

    private const int MostListed = 200;

    private readonly Store store;
    private readonly AuditLog journal;
    private readonly IdentityDesk identity;
    private readonly Sessions sessions;
    private readonly GlassDesk glass;
    private readonly IntegrationDirectory programs;
    private readonly KeyDesk keys;
    private readonly Door door;
    private readonly Receipt.Log log;
    private readonly Standings standings;
    private readonly TimeProvider clock;
    private readonly string folder;

    internal IncidentDesk(Store store, string folder, AuditLog journal, IdentityDesk identity, GlassDesk glass, IntegrationDirectory programs, KeyDesk keys, Door door, Receipt.Log log, Standings standings, TimeProvider clock)
    {
        this.store = store;
        this.folder = folder;
        this.journal = journal;
        this.identity = identity;
        sessions = identity.Sessions;
        this.glass = glass;
        this.programs = programs;
        this.keys = keys;
        this.door = door;
        this.log = log;
        this.standings = standings;
        this.clock = clock;
    }

    private static Error Missing { get; } = new("not-found", "Not found, or not yours to open.");

    private static Error IsClosed { get; } = new("incident.closed", "This incident is closed. Open a new one and name this one in its remark.");

    private static Error Words { get; } = new("incident.words", string.Create(CultureInfo.InvariantCulture, $"Write at least {LeastWords} and at most {MostWords} characters."));

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Whether incidents are this person's work: administrators, and those who answer for privacy.</summary>
    public bool Keeps(Actor actor) => glass.IsTold(actor);

    /// <summary>Begins the record of an incident; whoever keeps incidents is told on the screen, and by a letter where there is mail.</summary>
    /// <param name="actor">Administrator or privacy officer.</param>
    /// <param name="kind">What happened.</param>
    /// <param name="known">When the hospital came to know of it; not after now.</param>
    /// <param name="agentKnew">The day on which a member of staff or an agent knew already; null where that is no earlier.</param>
    /// <param name="lead">Who answers for it: an active account that keeps incidents.</param>
    /// <param name="words">What is known, 20 to 4,000 characters.</param>
    /// <param name="finding">The entry of the log that the watch found; null where it began otherwise.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Its number, or <c>incident.kind</c>, <c>incident.known</c>, <c>incident.agent</c>, <c>incident.lead</c>, <c>incident.words</c>.</returns>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    public Task<Result<int>> Begin(Actor actor, IncidentKind kind, DateTimeOffset known, DateOnly? agentKnew, StaffId lead, string? words, long? finding, CancellationToken cancel) => Run<int>(
        actor,
        "OPEN_INCIDENT",
        "incidents",
        async change =>
        {
            if (kind == IncidentKind.Unchosen || !Enum.IsDefined(kind))
            {
                return new Error("incident.kind", "Choose what happened.");
            }

            if (known > clock.GetUtcNow())
            {
                return new Error("incident.known", "The hospital cannot have come to know of it after now. Give the date and the time.");
            }

            var own = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(known, clock.LocalTimeZone).DateTime);
            if (agentKnew > own)
            {
                return new Error("incident.agent", "The day on which somebody knew already lies before the hospital knew. Leave it empty where nobody did.");
            }

            if (!IsText(words))
            {
                return Words;
            }

            await Serialise(change, cancel);
            var keepers = await Keepers(change.Connection, cancel);
            if (!keepers.Exists(one => one.Staff == lead))
            {
                return new Error("incident.lead", "Choose who answers for it: an administrator or a privacy officer with an active account.");
            }

            var number = Convert.ToInt32(await change.Connection.Scalar("SELECT COALESCE(MAX(number), 0) + 1 FROM incident", cancel), CultureInfo.InvariantCulture);
            var id = Ids.New();
            await change.Connection.Run(
                "INSERT INTO incident (id, number, kind, known, agent_knew, opened, opened_by, lead, finding, risk) VALUES (@id, @number, @kind, @known, @agent, @now, @by, @lead, @finding, 0)",
                cancel,
                ("@id", id),
                ("@number", (long)number),
                ("@kind", (long)kind),
                ("@known", known.ToUnixTimeMilliseconds()),
                ("@agent", agentKnew is { } day && day < own ? (long)day.DayNumber : null),
                ("@now", Now),
                ("@by", (long)actor.Staff.Number),
                ("@lead", (long)lead.Number),
                ("@finding", finding));
            await Write(change.Connection, Ids.New(), id, IncidentWriting.Remark, actor, words!, cancel);
            foreach (var one in keepers.Where(one => one.Staff != actor.Staff))
            {
                await change.Connection.Run(
                    "INSERT INTO incident_notice (incident, account, officer, created) VALUES (@incident, @account, @officer, @now)",
                    cancel,
                    ("@incident", id),
                    ("@account", one.Account),
                    ("@officer", one.Officer ? 1L : 0L),
                    ("@now", Now));
            }

            // Mail is kept in places that no hospital controls: the kind and the number are all that stands there.
            var letters = await Outbox.Put(
                change.Connection,
                $"incident:{number.ToString(CultureInfo.InvariantCulture)}",
                MailAudience.Administrators | MailAudience.PrivacyOfficer,
                string.Create(CultureInfo.InvariantCulture, $"Mangrove: incident {number}"),
                string.Create(CultureInfo.InvariantCulture, $"{actor.Staff} opened incident {number} ({Code(kind)}).\nThe page Incidents of Mangrove (/admin/incidents) says more, and counts the days within which others are told. Answers to this letter are not read.\n"),
                clock.GetUtcNow(),
                cancel);
            return new Acted<int>(number, Resource(number), string.Create(CultureInfo.InvariantCulture, $"none -> open, {Code(kind)}, lead {lead}, {keepers.Count(one => one.Staff != actor.Staff)} told, {letters} letters"));
        },
        cancel);

    /// <summary>Every incident, the newest first, with how far it has come. Looking is an entry.</summary>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    public async Task<IReadOnlyList<IncidentFile>> List(Actor actor, CancellationToken cancel)
    {
        var act = Sessions.Act("LIST_INCIDENTS", "incidents", null);
        await Require(actor, act, cancel);
        await log.Note(actor, act, cancel);
        return await All(cancel);
    }

    /// <summary>One incident with everything that was written about it. Looking is an entry, durable before a word is opened.</summary>
    /// <returns>The file, or <c>not-found</c>.</returns>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    /// <exception cref="SealBroken">A text was changed in the database.</exception>
    public async Task<Result<IncidentFile>> Open(Actor actor, int number, CancellationToken cancel)
    {
        var act = Sessions.Act("VIEW_INCIDENT", Resource(number), null);
        await Require(actor, act, cancel);
        await using var connection = await store.Open(cancel);
        if (await One(connection, number, cancel) is not { } found)
        {
            return Missing;
        }

        await log.Note(actor, act with { NamedFields = ["incident_words"] }, cancel);
        var texts = await connection.Query(
            "SELECT id, kind, staff, written, words FROM incident_words WHERE incident = @id AND kind <> @impact ORDER BY written, kind",
            row => new IncidentText(
                row.Guid(0),
                (IncidentWriting)row.GetInt64(1),
                new StaffId((int)row.GetInt64(2)),
                Wall(row.GetInt64(3)),
                Encoding.UTF8.GetString(identity.Pepper.Open(IncidentSealing.Use, row.Bytes(4), IncidentSealing.Address(row.Guid(0), found.Id)))),
            cancel,
            ("@id", found.Id),
            ("@impact", (long)IncidentWriting.Impact));
        return await Fill(connection, found, texts, cancel);
    }

    /// <summary>Adds a dated remark.</summary>
    /// <returns>The incident's number, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.words</c>.</returns>
    public Task<Result<int>> Remark(Actor actor, int number, string? words, CancellationToken cancel) => On(
        actor,
        "REMARK_INCIDENT",
        number,
        async (change, incident) =>
        {
            if (!IsText(words))
            {
                return Words;
            }

            await Write(change.Connection, Ids.New(), incident.Id, IncidentWriting.Remark, actor, words!, cancel);
            return Done(incident, "remark written");
        },
        cancel);

    /// <summary>How many incidents this person was told of and has not seen.</summary>
    public async Task<int> Unseen(Actor actor, CancellationToken cancel)
    {
        if (!Keeps(actor))
        {
            return 0;
        }

        await using var connection = await store.Open(cancel);
        return (int)(long)(await connection.Scalar(
            "SELECT COUNT(*) FROM incident_notice JOIN account ON account.id = incident_notice.account WHERE account.number = @number AND incident_notice.seen IS NULL",
            cancel,
            ("@number", (long)actor.Staff.Number)))!;
    }

    /// <summary>The person says that they have seen the incident. The receipt is an entry.</summary>
    /// <returns>The incident's number, or <c>not-found</c>, <c>incident.seen</c>.</returns>
    public Task<Result<int>> See(Actor actor, int number, CancellationToken cancel) => On(
        actor,
        "SEE_INCIDENT",
        number,
        async (change, incident) => await change.Connection.Run(
            "UPDATE incident_notice SET seen = @now WHERE incident = @id AND seen IS NULL AND account = (SELECT id FROM account WHERE number = @number)",
            cancel,
            ("@now", Now),
            ("@id", incident.Id),
            ("@number", (long)actor.Staff.Number)) == 0
            ? new Error("incident.seen", "You were not told of this incident, or have said already that you have seen it.")
            : Done(incident, "seen"),
        cancel);

    /// <summary>Says that a step is not to be done, and why. Never who leads the incident, and never a step that was done.</summary>
    /// <returns>The incident's number, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.step</c>, <c>incident.own-waiver</c>, <c>incident.words</c>.</returns>
    public Task<Result<int>> Waive(Actor actor, int number, IncidentStep step, string? words, CancellationToken cancel) => On(
        actor,
        "WAIVE_INCIDENT_STEP",
        number,
        async (change, incident) =>
        {
            var standing = (await Fill(change.Connection, incident, [], cancel)).Steps.FirstOrDefault(one => one.Step == step);
            if (standing is not { Settled: false })
            {
                return new Error("incident.step", "Choose a step that is neither done nor waived.");
            }

            if (actor.Staff == incident.Lead)
            {
                return new Error("incident.own-waiver", "You lead this incident. Another administrator or privacy officer waives a step of it.");
            }

            if (!IsText(words))
            {
                return Words;
            }

            await Write(change.Connection, Ids.New(), incident.Id, IncidentWriting.Waiver, actor, words!, cancel);
            await change.Connection.Run(
                "INSERT INTO incident_waiver (incident, step, at, staff) VALUES (@incident, @step, @now, @by)",
                cancel,
                ("@incident", incident.Id),
                ("@step", (long)step),
                ("@now", Now),
                ("@by", (long)actor.Staff.Number));
            return Done(incident, $"{Code(step)}: open -> waived");
        },
        cancel);

    /// <summary>Closes an incident whose every step is done or waived.</summary>
    /// <returns>The incident's number, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.steps-open</c>.</returns>
    public Task<Result<int>> Close(Actor actor, int number, CancellationToken cancel) => On(
        actor,
        "CLOSE_INCIDENT",
        number,
        async (change, incident) =>
        {
            var open = (await Fill(change.Connection, incident, [], cancel)).Steps.Where(one => !one.Settled).Select(one => Code(one.Step)).ToList();
            if (open.Count > 0)
            {
                return new Error("incident.steps-open", $"Not done yet: {string.Join(", ", open)}. Do it, or let somebody who does not lead the incident waive it with a reason.");
            }

            await change.Connection.Run("UPDATE incident SET closed = @now, closed_by = @by WHERE id = @id AND closed IS NULL", cancel, ("@now", Now), ("@by", (long)actor.Staff.Number), ("@id", incident.Id));
            return Done(incident, "reviewed -> closed");
        },
        cancel);

    public void Dispose() => copying.Dispose();

    /// <summary>The open incidents of which somebody is still to be told, without their words: for alarms. No entry of its own.</summary>
    public async Task<IReadOnlyList<IncidentFile>> Owing(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var owing = new List<IncidentFile>();
        foreach (var one in await Read(connection, "WHERE closed IS NULL ORDER BY number", cancel))
        {
            if (await Fill(connection, one, [], cancel) is var file && !file.Steps.Single(step => step.Step == IncidentStep.Notify).Settled)
            {
                owing.Add(file);
            }
        }

        return owing;
    }

    private async Task<IReadOnlyList<IncidentFile>> All(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var files = new List<IncidentFile>();
        foreach (var one in await Read(connection, string.Create(CultureInfo.InvariantCulture, $"ORDER BY number DESC LIMIT {MostListed}"), cancel))
        {
            files.Add(await Fill(connection, one, [], cancel));
        }

        return files;
    }

    internal static string Code(IncidentKind kind) => kind switch
    {
        IncidentKind.StolenDevice => "stolen-device",
        IncidentKind.StolenCredential => "stolen-credential",
        IncidentKind.StaffMisuse => "staff-misuse",
        IncidentKind.LostPaper => "lost-paper",
        IncidentKind.Malware => "malware",
        IncidentKind.ForeignProgram => "foreign-program",
        _ => "other",
    };

    internal static string Code(IncidentStep step) => step switch
    {
        IncidentStep.Tell => "tell",
        IncidentStep.Contain => "contain",
        IncidentStep.RotateKeys => "rotate-keys",
        IncidentStep.KeepLog => "keep-log",
        IncidentStep.Impact => "impact",
        IncidentStep.Risk => "risk",
        IncidentStep.Notify => "notify",
        _ => "review",
    };

    private static string Resource(int number) => string.Create(CultureInfo.InvariantCulture, $"incident:{number}");

    private static bool IsText(string? words) => words?.Trim().Length is >= LeastWords and <= MostWords;

    private static Acted<int> Done(Incident incident, string reason) => new(incident.Number, incident.Name, reason);

    private static DateTimeOffset Wall(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    /// <summary>Holds the one row that changes of accounts and incidents pass, on every server.</summary>
    private static Task<int> Serialise(SessionChange change, CancellationToken cancel) => change.Connection.Run("UPDATE staff_number SET last = last WHERE id = 1", cancel);

    private static Task<List<(Guid Account, StaffId Staff, bool Officer)>> Keepers(DbConnection connection, CancellationToken cancel) => connection.Query(
        """
        SELECT account.id, account.number, privacy_officer.since FROM account LEFT JOIN privacy_officer ON privacy_officer.account = account.id
        WHERE account.state = @active AND (account.role = @admin OR privacy_officer.since IS NOT NULL) ORDER BY account.number
        """,
        row => (row.Guid(0), new StaffId((int)row.GetInt64(1)), row.LongOrNull(2) is not null),
        cancel,
        ("@active", (int)AccountState.Active),
        ("@admin", (int)Role.Admin));

    private async Task Require(Actor actor, Request act, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(actor);
        if ((standings.Refusal(actor) ?? (Keeps(actor) ? null : new Error("access.role", "Your role may not do this."))) is { } refusal)
        {
            await log.Refuse(actor, act, refusal, cancel);
            throw new Refused(refusal.Code, refusal.Message);
        }
    }

    /// <summary>One act: its entry is written inside its transaction; refused, it leaves the refusal as an entry and nothing else.</summary>
    private async Task<Result<T>> Run<T>(Actor actor, string action, string resource, Func<SessionChange, Task<Acted<T>>> act, CancellationToken cancel)
    {
        await Require(actor, Sessions.Act(action, resource, null), cancel);
        var done = door.ReadOnly ? new Acted<T>(default, null, null, CopyMark.Refusal) : await sessions.Change(
            async change =>
            {
                var acted = await act(change);
                if (acted.Refusal is null)
                {
                    await log.Note(actor, Sessions.Act(action, acted.Resource!, acted.Reason), cancel);
                }
                else
                {
                    change.Keep = false;
                }

                return acted;
            },
            cancel);
        if (done.Refusal is { } refusal)
        {
            await log.Refuse(actor, Sessions.Act(action, done.Resource ?? resource, null), refusal, cancel);
            return refusal;
        }

        return done.Value!;
    }

    /// <summary>An act on an incident that is open.</summary>
    private Task<Result<int>> On(Actor actor, string action, int number, Func<SessionChange, Incident, Task<Acted<int>>> act, CancellationToken cancel) => Run<int>(
        actor,
        action,
        Resource(number),
        async change =>
        {
            await Serialise(change, cancel);
            return await One(change.Connection, number, cancel) is not { } incident ? Missing
                : incident.Closed is not null ? IsClosed
                : await act(change, incident);
        },
        cancel);

    private Task<int> Write(DbConnection connection, Guid row, Guid incident, IncidentWriting kind, Actor by, string words, CancellationToken cancel) =>
        Write(connection, row, incident, kind, by, Encoding.UTF8.GetBytes(words.Trim()), cancel);

    private Task<int> Write(DbConnection connection, Guid row, Guid incident, IncidentWriting kind, Actor by, byte[] words, CancellationToken cancel) => connection.Run(
        "INSERT INTO incident_words (id, incident, kind, staff, written, words) VALUES (@id, @incident, @kind, @staff, @now, @words)",
        cancel,
        ("@id", row),
        ("@incident", incident),
        ("@kind", (long)kind),
        ("@staff", (long)by.Staff.Number),
        ("@now", Now),
        ("@words", identity.Pepper.Seal(IncidentSealing.Use, words, IncidentSealing.Address(row, incident))));
}
