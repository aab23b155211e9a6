using System.Data.Common;
using System.Globalization;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Glass;

/// <summary>
/// Emergency access ("break the glass", seeds 6 and design/threats.md): a clinician opens one record that is closed to them, for
/// sixty minutes, with a second factor, a reason and a text. The access, its entry in the log and the notices to those who
/// answer for it are one transaction: there is none that nobody was told of. Within 24 hours a justification is owed, which somebody
/// else reviews; without one the right is suspended.
/// </summary>
/// <remarks>Both times run by <see cref="EffectiveClock"/>. What people write is sealed and stands in no entry and no letter.</remarks>
public sealed partial class GlassDesk
{
    /// <summary>How long a record stays open.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(60);

    /// <summary>Within which a justification is owed.</summary>
    public static readonly TimeSpan JustifyWithin = TimeSpan.FromHours(24);

    /// <summary>Fewest signs of a reason or a justification.</summary>
    public const int LeastWords = 20;

    /// <summary>Most signs of what somebody writes.</summary>
    public const int MostWords = 2_000;

    private readonly Store store;
    private readonly IdentityDesk identity;
    private readonly Sessions sessions;
    private readonly Door door;
    private readonly Receipt.Log log;
    private readonly Standings standings;
    private readonly TimeProvider clock;
    private readonly EffectiveClock time;
    private volatile HashSet<int> officers = [];

    internal GlassDesk(Store store, IdentityDesk identity, Door door, Receipt.Log log, Standings standings, TimeProvider clock)
    {
        this.store = store;
        this.identity = identity;
        sessions = identity.Sessions;
        this.door = door;
        this.log = log;
        this.standings = standings;
        this.clock = clock;
        time = new EffectiveClock(store, clock);
    }

    /// <summary>
    /// Raised after something changed that people are told of at once: an access began or ended, a notice was put in. Handlers MUST
    /// NOT throw and MUST NOT block.
    /// </summary>
    public event EventHandler? Changed;

    private static Error NotNeeded { get; } = new("glass.not-needed", "This record is open to you already. Go back and open it.");

    private static Error Suspended { get; } = new(
        "glass.suspended",
        "Your right to open records in an emergency is suspended, because a justification was not written in time. A colleague can open the record. Write the justification and ask an administrator to lift the suspension.");

    private static Error NoFactor { get; } = new(
        "glass.factor-missing",
        "This needs a second factor and your account has none: a PIN is not enough. A colleague with one can open the record. Set up a phone or a passkey on the page Your account, for the next time.");

    private static Error Nobody { get; } = new("glass.nobody-to-tell", "There is nobody who would be told: no other administrator or privacy officer has an active account. Tell whoever runs the server; a colleague who cares for the patient can open the record.");

    private static Error Unchosen { get; } = new("glass.reason", "Choose one of the reasons.");

    private static Error Words { get; } = new("glass.words", string.Create(CultureInfo.InvariantCulture, $"Write at least {LeastWords} and at most {MostWords} characters: what is happening, and what you need from the record."));

    /// <summary>Opens a record in an emergency. The session goes on under a new token (threats S3).</summary>
    /// <param name="token">Of the live session.</param>
    /// <param name="patient">Whose record.</param>
    /// <param name="reason">Of the fixed list.</param>
    /// <param name="words">What is happening, 20 to 2,000 characters.</param>
    /// <param name="proof">The person's second factor; never the PIN.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The session under its new token, or <c>session.ended</c>, <c>downtime.read-only</c>, <c>access.device</c>, <c>access.department</c>,
    /// <c>glass.role</c>, <c>glass.reason</c>, <c>glass.words</c>, <c>glass.not-needed</c>, <c>glass.suspended</c>,
    /// <c>glass.nobody-to-tell</c>, <c>glass.factor-missing</c>, <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>,
    /// <c>passkey.expired</c>, <c>passkey.count</c>. Each refusal is an entry.
    /// </returns>
    /// <exception cref="AuditUnavailable">The log cannot be written: nothing is opened.</exception>
    public async Task<Result<SignedIn>> Break(string? token, PatientRef patient, GlassReason reason, string? words, FactorProof proof, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        var actor = session.Actor;
        var act = new Request { Action = "BREAK_GLASS", Purpose = Purpose.Treatment, Patients = [patient] };
        if (await Refusal(actor, patient, reason, words, cancel) is { } unwilling)
        {
            await log.Refuse(actor, act, unwilling, cancel);
            return unwilling;
        }

        var fresh = Token.New();
        var id = Ids.New();
        var (refused, renewed) = await sessions.Change<(Error? Refused, LiveSession? Session)>(
            async change =>
            {
                var stands = await MayBreak(change, session, proof, cancel);
                var under = stands is null ? await change.Renew(session, Token.Hash(fresh)!, cancel) : null;
                if (under is null)
                {
                    change.Keep = false;
                    return (stands ?? Sessions.HasEnded, null);
                }

                await Keep(change, id, session, patient, reason, words!.Trim(), act, cancel);
                return (null, under);
            },
            cancel);
        if (refused is not null)
        {
            await log.Refuse(actor, act, refused, cancel);
            return refused;
        }

        Changed?.Invoke(this, EventArgs.Empty);
        return new SignedIn(fresh, renewed!.Actor);
    }

    /// <summary>Whether the person may ask for it at all now; what stands against it, for the page that asks. Changes nothing and is no entry.</summary>
    public async Task<Error?> Stands(Actor actor, CancellationToken cancel)
    {
        if ((door.ReadOnly ? CopyMark.Refusal : RoleRefusal(actor)) is { } refusal)
        {
            return refusal;
        }

        await using var connection = await store.Open(cancel);
        var accounts = await connection.Query("SELECT id FROM account WHERE number = @number", row => row.Guid(0), cancel, ("@number", actor.Staff.Number));
        return accounts is not [var account] ? Sessions.HasEnded
            : await IsSuspended(connection, account, cancel) ? Suspended
            : !await SecondFactors.Has(connection, account, cancel) ? NoFactor
            : null;
    }

    /// <summary>Whether this role opens records in an emergency.</summary>
    public static bool Breaks(Actor actor)
    {
        ArgumentNullException.ThrowIfNull(actor);
        return actor.May(Rights.BreakGlass);
    }

    /// <summary>Closes a record that the actor opened in an emergency.</summary>
    /// <returns>Whether it was open.</returns>
    public async Task<bool> Close(Actor actor, PatientRef patient, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var closed = await sessions.Change(
            async change =>
            {
                var ended = await change.EndGlass(actor, GlassEnd.Closed, patient.Id, cancel);
                change.Keep = ended > 0;
                change.AfterCommit = () => standings.Glass.Drop(actor.SessionId, patient.Id);
                return ended > 0;
            },
            cancel);
        if (closed)
        {
            Changed?.Invoke(this, EventArgs.Empty);
        }

        return closed;
    }

    /// <summary>What of a patient's record is open to this session by an emergency access; null when nothing is.</summary>
    public GlassLive? LiveOn(Actor actor, PatientId patient)
    {
        ArgumentNullException.ThrowIfNull(actor);
        return standings.IsOpen(actor.SessionId) && standings.Glass.Of(actor.SessionId, patient) is { } one
            ? new GlassLive(one.Id, one.Reason, one.Opened, TimeSpan.FromMilliseconds(Math.Max(0, one.Until - time.Now)))
            : null;
    }

    /// <summary>Writes the justification of an access of one's own.</summary>
    /// <returns>The access, or <c>not-found</c>, <c>glass.words</c>, <c>glass.justified</c>.</returns>
    public async Task<Result<GlassGrant>> Justify(Actor actor, Guid id, string? words, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var act = Act("JUSTIFY_GLASS", id, null);
        var done = await sessions.Change<Result<GlassGrant>>(
            async change =>
            {
                change.Keep = false;
                if (Standing(actor) is { } outside)
                {
                    return outside;
                }

                if (await One(change.Connection, id, cancel) is not { } found || found.Staff != actor.Staff)
                {
                    return Missing;
                }

                if (found.Justified is not null || found.Standing == GlassStanding.Reviewed)
                {
                    return new Error("glass.justified", "The justification is written already, or the access is reviewed. Whoever reviews it asks for more where something is missing.");
                }

                if (!IsText(words))
                {
                    return Words;
                }

                await Write(change.Connection, id, GlassWriting.Justification, actor, null, words!.Trim(), cancel);
                await change.Connection.Run("UPDATE glass SET justified = @now, outcome = NULL WHERE id = @id", cancel, ("@now", Now), ("@id", id));
                await log.Note(actor, act with { Patients = [found.Patient], Reason = found.Overdue is null ? "in time" : "late" }, cancel);
                change.Keep = true;
                return found with { Justified = clock.GetUtcNow() };
            },
            cancel);
        if (done.Error is { } error)
        {
            await log.Refuse(actor, act, error, cancel);
            return error;
        }

        Changed?.Invoke(this, EventArgs.Empty);
        return done;
    }

    /// <summary>The accesses of the actor, the newest first: without what was written.</summary>
    public async Task<IReadOnlyList<GlassGrant>> Own(Actor actor, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var connection = await store.Open(cancel);
        return await Read(connection, "WHERE account.number = @number ORDER BY glass.opened DESC LIMIT 100", cancel, ("@number", actor.Staff.Number));
    }

    /// <summary>When the first justification that the actor owes is due; null when none is.</summary>
    public async Task<DateTimeOffset?> Owes(Actor actor, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(actor);
        if (!Breaks(actor))
        {
            return null;
        }

        await using var connection = await store.Open(cancel);
        var due = await connection.Scalar(
            "SELECT MIN(glass.due) FROM glass JOIN account ON account.id = glass.account WHERE account.number = @number AND glass.justified IS NULL AND (glass.outcome IS NULL OR glass.outcome = @more)",
            cancel,
            ("@number", actor.Staff.Number),
            ("@more", (int)GlassOutcome.MoreAsked));
        return due is long moment ? time.OnTheWall(moment) : null;
    }

    internal static Error Missing { get; } = new("not-found", "Not found, or not yours to open.");

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private static bool IsText(string? words) => words?.Trim().Length is >= LeastWords and <= MostWords;

    private static Request Act(string action, Guid id, string? reason) => new() { Action = action, Purpose = Purpose.Administration, Resource = $"glass:{id.ToString("N")[..8]}", Reason = reason };

    private static Error? RoleRefusal(Actor actor) =>
        Breaks(actor) ? null : new Error("glass.role", "Your role opens no records in an emergency. A doctor or a nurse does.");

    private Error? Standing(Actor actor) => door.ReadOnly ? CopyMark.Refusal : standings.Refusal(actor);

    private async Task<Error?> Refusal(Actor actor, PatientRef patient, GlassReason reason, string? words, CancellationToken cancel) =>
        Standing(actor) ?? RoleRefusal(actor)
        ?? (reason == GlassReason.Unchosen || !Enum.IsDefined(reason) ? Unchosen : null)
        ?? (IsText(words) ? null : Words)
        ?? ((await door.OpenTo(actor, [patient.Id], cancel)).Contains(patient.Id) ? NotNeeded : null);

    // Inside the transaction: what was true a moment ago need not be now.
    private async Task<Error?> MayBreak(SessionChange change, LiveSession session, FactorProof proof, CancellationToken cancel)
    {
        // Holds the account's row until the commit, on every database.
        var active = await change.Connection.Run("UPDATE account SET hash = hash WHERE id = @id AND state = @active", cancel, ("@id", session.Account.Id), ("@active", (int)AccountState.Active));
        if (active == 0)
        {
            return Sessions.HasEnded;
        }

        if (await IsSuspended(change.Connection, session.Account.Id, cancel))
        {
            return Suspended;
        }

        if ((await Recipients(change.Connection, session.Account.Id, cancel)).Count == 0)
        {
            return Nobody;
        }

        return await SecondFactors.Has(change.Connection, session.Account.Id, cancel)
            ? await identity.SecondFactor.Ask(change, session.Actor, proof, FactorActs.Glass, cancel)
            : NoFactor;
    }

    private async Task Keep(SessionChange change, Guid id, LiveSession session, PatientRef patient, GlassReason reason, string words, Request act, CancellationToken cancel)
    {
        var connection = change.Connection;
        await time.Keep(connection, cancel);
        var now = time.Now;
        var opened = clock.GetUtcNow();
        var until = now + (long)Life.TotalMilliseconds;
        await connection.Run(
            """
            INSERT INTO glass (id, account, patient, mrn, reason, session, device, opened, until, due)
            VALUES (@id, @account, @patient, @mrn, @reason, @session, @device, @opened, @until, @due)
            """,
            cancel,
            ("@id", id),
            ("@account", session.Account.Id),
            ("@patient", patient.Id.Value),
            ("@mrn", patient.Mrn),
            ("@reason", (int)reason),
            ("@session", session.Handle),
            ("@device", session.Device),
            ("@opened", opened.ToUnixTimeMilliseconds()),
            ("@until", until),
            ("@due", now + (long)JustifyWithin.TotalMilliseconds));
        await Write(connection, id, GlassWriting.Reason, session.Actor, null, words, cancel);
        var told = await Tell(connection, id, NoticeKind.Opened, session.Account, opened, cancel);
        await log.ByGlass(session.Actor, act with { Reason = string.Create(CultureInfo.InvariantCulture, $"{Code(reason)}, {told}") }, id, cancel);
        change.AfterCommit = () => standings.Glass.Put(session.Handle, patient.Id, new LiveGlass.One(id, reason, opened, until));
    }

    /// <summary>How the log and the letters name a reason.</summary>
    internal static string Code(GlassReason reason) => reason switch
    {
        GlassReason.LifeAtRisk => "life-at-risk",
        GlassReason.Unconscious => "unconscious",
        GlassReason.Cover => "cover",
        GlassReason.PublicSafety => "public-safety",
        _ => "none",
    };

    private async Task Write(DbConnection connection, Guid glass, GlassWriting kind, Actor by, GlassOutcome? outcome, string words, CancellationToken cancel)
    {
        var id = Ids.New();
        await connection.Run(
            """
            INSERT INTO glass_words (id, glass, kind, account, written, outcome, words)
            VALUES (@id, @glass, @kind, (SELECT id FROM account WHERE number = @number), @now, @outcome, @words)
            """,
            cancel,
            ("@id", id),
            ("@glass", glass),
            ("@kind", (int)kind),
            ("@now", Now),
            ("@outcome", outcome is { } came ? (long)came : null),
            ("@words", identity.Pepper.Seal(GlassSealing.Use, Encoding.UTF8.GetBytes(words), GlassSealing.Address(id, glass))),
            ("@number", by.Staff.Number));
    }

    private static async Task<bool> IsSuspended(DbConnection connection, Guid account, CancellationToken cancel) =>
        await connection.Scalar("SELECT id FROM glass_suspension WHERE account = @account AND lifted IS NULL", cancel, ("@account", account)) is not null;
}
