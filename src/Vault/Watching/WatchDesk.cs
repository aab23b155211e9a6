using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;

namespace Mangrove.Vault.Watching;

/// <summary>Something that a rule found.</summary>
/// <param name="Seq">The entry of the log.</param>
/// <param name="Rule">Of <see cref="WatchRules"/>, by its id.</param>
/// <param name="Staff">Number of whoever acted.</param>
/// <param name="Patient">Whose record it was; null where it is about many.</param>
/// <param name="Action">What they did, as the log names it.</param>
/// <param name="Device">From where.</param>
/// <param name="Detail">Figures of the rule.</param>
/// <param name="At">When.</param>
/// <param name="Outcome">One of <see cref="WatchDesk.Outcomes"/>; null while nobody has judged it.</param>
/// <param name="Settled">When it was judged.</param>
/// <param name="SettledBy">By whom.</param>
public sealed record WatchFinding(long Seq, string Rule, int Staff, Guid? Patient, string Action, string Device, string Detail, DateTimeOffset At, string? Outcome, DateTimeOffset? Settled, int? SettledBy);

/// <summary>A guarded record.</summary>
/// <param name="Patient">Whose.</param>
/// <param name="Mrn">The hospital number.</param>
/// <param name="Flag">As what.</param>
/// <param name="By">Who guards it.</param>
/// <param name="Since">Since when.</param>
public sealed record GuardedRecord(Guid Patient, string Mrn, WatchFlag Flag, int By, DateTimeOffset Since);

/// <summary>
/// Watches the log for misuse of rights that people have: each entry is judged once by the rules, what they find is kept, is an
/// entry itself, and waits until somebody else judges it. Nothing is blocked by it.
/// </summary>
public sealed class WatchDesk : IDisposable
{
    /// <summary>The reader may do this here: the same person may open the same record again without being told of.</summary>
    public const string InOrder = "in-order";

    /// <summary>Nobody meant harm.</summary>
    public const string Mistake = "mistake";

    public const string Misuse = "misuse";

    /// <summary>What a judgement may be.</summary>
    public static IReadOnlyList<string> Outcomes { get; } = [InOrder, Mistake, Misuse];

    private const string Columns = "seq, rule, staff, patient, action, device, detail, at, outcome, settled, settled_by";
    private const int AtOnce = 2_000;

    private static readonly TimeSpan ExcusedFor = TimeSpan.FromDays(365);
    private static readonly TimeSpan FamiliesAge = TimeSpan.FromHours(1);

    private readonly Store store;
    private readonly AuditLog log;
    private readonly Receipt.Log receipts;
    private readonly PatientIndex index;
    private readonly IdentityDesk identity;
    private readonly Door door;
    private readonly TimeProvider clock;
    private readonly WatchLimits limits = new();
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly FamilyNames families = new();
    private DateTimeOffset counted;
    private AccessJudge? judge;
    private readonly CurrentPeople people = new();

    internal WatchDesk(Store store, AuditLog log, Receipt.Log receipts, PatientIndex index, IdentityDesk identity, Door door, TimeProvider clock)
    {
        this.store = store;
        this.log = log;
        this.receipts = receipts;
        this.index = index;
        this.identity = identity;
        this.door = door;
        this.clock = clock;
    }

    /// <summary>Judges what was logged since the last time.</summary>
    /// <returns>How much was found; null while the patient index is not whole, without which names cannot be compared.</returns>
    /// <exception cref="AuditUnavailable">The log cannot be written: nothing is kept, and it is judged again.</exception>
    public async Task<int?> Look(CancellationToken cancel)
    {
        if (!index.Ready)
        {
            return null;
        }

        await turn.WaitAsync(cancel);
        try
        {
            await Refresh(cancel);
            var position = await Position(cancel);
            judge ??= await Warm(position, cancel);
            var found = 0;
            while (true)
            {
                var some = new List<AuditEntry>();
                await foreach (var entry in log.List(new AuditFilter { Beyond = position, NewestFirst = false, Most = AtOnce }, cancel))
                {
                    some.Add(entry);
                }

                if (some.Count == 0)
                {
                    return found;
                }

                var judged = some.SelectMany(entry => judge.Judge(entry).Select(suspicion => (entry, suspicion))).ToList();
                position = some[^1].Seq;
                found += await Keep(judged, position, cancel);
            }
        }
        catch
        {
            // What was judged and not kept is judged anew, by a judge who has not seen it.
            judge = null;
            throw;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>How many wait for somebody's judgement.</summary>
    public async Task<long> Waiting(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return Convert.ToInt64(await connection.Scalar("SELECT COUNT(*) FROM watch_finding WHERE settled IS NULL", cancel), CultureInfo.InvariantCulture);
    }

    /// <summary>What was found, the newest first: what waits, or also what was judged.</summary>
    /// <exception cref="Refused">The actor may not read the log; the refusal is an entry too.</exception>
    public async Task<IReadOnlyList<WatchFinding>> Findings(Actor actor, bool all, int most, CancellationToken cancel)
    {
        await door.Record(actor, Rights.AuditLog, Sessions.Act("VIEW_WATCH", "watch", null), cancel);
        await using var connection = await store.Open(cancel);
        return await Read(connection, $"{(all ? "" : "WHERE settled IS NULL ")}ORDER BY seq DESC, rule", most, [], cancel);
    }

    /// <summary>The guarded records. Part of <see cref="Findings"/>'s look.</summary>
    public async Task<IReadOnlyList<GuardedRecord>> Guarded(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await connection.Query(
            "SELECT patient, mrn, kind, set_by, since FROM watch_flag ORDER BY since DESC, mrn",
            row => new GuardedRecord(row.Guid(0), row.GetString(1), (WatchFlag)row.GetInt64(2), (int)row.GetInt64(3), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4))),
            cancel);
    }

    /// <summary>The hospital numbers of the patients of findings. Part of <see cref="Findings"/>'s look.</summary>
    public IReadOnlyDictionary<Guid, string> Numbers(IEnumerable<WatchFinding> findings) => Numbers(findings.Select(one => one.Patient).OfType<Guid>());

    /// <summary>The patient with a hospital number; null where there is none. For whoever asks the log about them: no name, and no entry of its own.</summary>
    public Guid? PatientOf(string? mrn) => Mrn.TryParse(mrn?.Trim(), out var parsed) && index.Search(new PatientQuery(parsed.ToString()), [Category.Name]).FirstOrDefault(hit => hit.Mrn == parsed.ToString()) is { } found ? found.Id.Value : null;

    /// <summary>Hospital numbers of patients that an entry of the caller's own names.</summary>
    public IReadOnlyDictionary<Guid, string> Numbers(IEnumerable<Guid> patients)
    {
        var numbers = new Dictionary<Guid, string>();
        foreach (var patient in patients.Distinct())
        {
            if (index.NumberOf(new PatientId(patient)) is { } number)
            {
                numbers.Add(patient, number);
            }
        }

        return numbers;
    }

    /// <summary>Judges a finding. Nobody judges what they did themselves.</summary>
    /// <returns>The finding, or <c>watch.none</c>, <c>watch.outcome</c>, <c>watch.own</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<WatchFinding>> Settle(Actor admin, long seq, string rule, string outcome, CancellationToken cancel) => identity.Acts.Run<WatchFinding>(
        admin,
        "JUDGE_ACCESS",
        "watch",
        async change =>
        {
            if (!Outcomes.Contains(outcome, StringComparer.Ordinal))
            {
                return new Error("watch.outcome", "Say whether it was in order, a mistake or misuse.");
            }

            if (await Read(change.Connection, "WHERE seq = @seq AND rule = @rule AND settled IS NULL", 1, [("@seq", seq), ("@rule", rule)], cancel) is not [var finding])
            {
                return new Error("watch.none", "That was judged already. Load the page again.");
            }

            if (finding.Staff == admin.Staff.Number)
            {
                return new Error("watch.own", "This is about what you did yourself. Another administrator judges it.");
            }

            var now = clock.GetUtcNow();
            await change.Connection.Run(
                "UPDATE watch_finding SET outcome = @outcome, settled = @now, settled_by = @by WHERE seq = @seq AND rule = @rule",
                cancel,
                ("@outcome", outcome),
                ("@now", now.ToUnixTimeMilliseconds()),
                ("@by", admin.Staff.Number),
                ("@seq", seq),
                ("@rule", rule));
            return new Acted<WatchFinding>(finding with { Outcome = outcome, Settled = now, SettledBy = admin.Staff.Number }, string.Create(CultureInfo.InvariantCulture, $"entry:{seq}"), $"{rule}: {outcome}");
        },
        cancel);

    /// <summary>Guards a record, or guards it as something else.</summary>
    /// <returns>The record, or <c>patient.number</c>, <c>watch.flag</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<GuardedRecord>> Guard(Actor admin, string? mrn, WatchFlag flag, CancellationToken cancel) => identity.Acts.Run<GuardedRecord>(
        admin,
        "GUARD_RECORD",
        "watch",
        async change =>
        {
            if (flag is not (WatchFlag.Vip or WatchFlag.Honeytoken))
            {
                return new Error("watch.flag", "Say whether it is a guarded patient or a decoy.");
            }

            var number = Mrn.TryParse(mrn?.Trim(), out var parsed) ? parsed.ToString() : null;
            if (number is null || index.Search(new PatientQuery(number), [Category.Name]).FirstOrDefault(hit => hit.Mrn == number) is not { } found)
            {
                return new Error("patient.number", "No patient has this hospital number. Type it again.");
            }

            var now = clock.GetUtcNow();
            await change.Connection.Run(
                "INSERT INTO watch_flag (patient, mrn, kind, set_by, since) VALUES (@patient, @mrn, @kind, @by, @now) ON CONFLICT (patient) DO UPDATE SET kind = excluded.kind, set_by = excluded.set_by, since = excluded.since",
                cancel,
                ("@patient", found.Id.Value),
                ("@mrn", number),
                ("@kind", (long)flag),
                ("@by", admin.Staff.Number),
                ("@now", now.ToUnixTimeMilliseconds()));
            return new Acted<GuardedRecord>(new GuardedRecord(found.Id.Value, number, flag, admin.Staff.Number, now), $"patient:{number}", Word(flag));
        },
        cancel);

    /// <summary>Ends the guarding of a record.</summary>
    /// <returns>What it was, or <c>watch.unguarded</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<GuardedRecord>> Unguard(Actor admin, Guid patient, CancellationToken cancel) => identity.Acts.Run<GuardedRecord>(
        admin,
        "END_GUARD",
        "watch",
        async change =>
        {
            if ((await Guarded(cancel)).FirstOrDefault(one => one.Patient == patient) is not { } guarded)
            {
                return new Error("watch.unguarded", "That record is not guarded any more. Load the page again.");
            }

            await change.Connection.Run("DELETE FROM watch_flag WHERE patient = @patient", cancel, ("@patient", patient));
            return new Acted<GuardedRecord>(guarded, $"patient:{guarded.Mrn}", Word(guarded.Flag));
        },
        cancel);

    public void Dispose() => turn.Dispose();

    internal static string Word(WatchFlag flag) => flag == WatchFlag.Honeytoken ? "decoy" : "guarded";

    private async Task<long> Position(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await WatchStore.Position(connection, cancel) ?? 0;
    }

    /// <summary>A judge who knows what was usual before: nothing of that is told a second time.</summary>
    private async Task<AccessJudge> Warm(long upTo, CancellationToken cancel)
    {
        // The names of the index are compared from here on.
        await receipts.Note(SystemActors.Watching, new Request { Action = "WATCH_ACCESS", Purpose = Purpose.System, Resource = "audit", NamedFields = [PatientIndex.FieldName(Category.Name)], Everyone = true }, cancel);
        var fresh = new AccessJudge(people, limits, clock.LocalTimeZone);
        await foreach (var entry in log.List(new AuditFilter { Since = clock.GetUtcNow() - limits.Involved, NewestFirst = false }, cancel))
        {
            if (entry.Seq > upTo)
            {
                break;
            }

            fresh.Judge(entry);
        }

        return fresh;
    }

    private async Task Refresh(CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (now - counted > FamiliesAge || now < counted)
        {
            families.Take(index);
            counted = now;
        }

        await using var connection = await store.Open(cancel);
        var staff = await connection.Query(
            "SELECT number, username, name, department FROM account",
            row => new WatchedStaff((int)row.GetInt64(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3)),
            cancel);
        var flags = (await Guarded(cancel)).ToDictionary(one => one.Patient, one => one.Flag);
        var names = staff.ToDictionary(one => one.Number, one => one.User);
        var excused = (await connection.Query(
            "SELECT staff, patient, rule FROM watch_finding WHERE outcome = @outcome AND patient IS NOT NULL AND settled > @since",
            row => (Staff: (int)row.GetInt64(0), Patient: row.Guid(1), Rule: row.GetString(2)),
            cancel,
            ("@outcome", InOrder),
            ("@since", (now - ExcusedFor).ToUnixTimeMilliseconds())))
            .Where(one => names.ContainsKey(one.Staff))
            .Select(one => (names[one.Staff], (Guid?)one.Patient, one.Rule))
            .ToHashSet();
        people.Now = new WatchedPeople(index, limits, staff, flags, excused, families);
        people.Numbers = staff.ToDictionary(one => one.User, one => one.Number, StringComparer.Ordinal);
    }

    private async Task<int> Keep(List<(AuditEntry Entry, Suspicion Suspicion)> judged, long position, CancellationToken cancel) => await identity.Sessions.Change(
        async change =>
        {
            var made = 0;
            foreach (var (entry, suspicion) in judged)
            {
                var about = entry.Patients is [var patient] && suspicion.Rule is not (WatchRules.ManyPatients or WatchRules.Refusals) ? patient : (Guid?)null;
                if (await change.Connection.Run(
                    $"INSERT INTO watch_finding ({Columns}) VALUES (@seq, @rule, @staff, @patient, @action, @device, @detail, @at, NULL, NULL, NULL) ON CONFLICT (seq, rule) DO NOTHING",
                    cancel,
                    ("@seq", entry.Seq),
                    ("@rule", suspicion.Rule),
                    ("@staff", people.Numbers[entry.Actor]),
                    ("@patient", about),
                    ("@action", entry.Action),
                    ("@device", entry.Device),
                    ("@detail", suspicion.Detail),
                    ("@at", entry.Timestamp.ToUnixTimeMilliseconds())) == 0)
                {
                    continue;
                }

                made++;
                await receipts.Note(
                    SystemActors.Watching,
                    new Request
                    {
                        Action = "WATCH_FINDING",
                        Purpose = Purpose.System,
                        Resource = string.Create(CultureInfo.InvariantCulture, $"entry:{entry.Seq}"),
                        Patients = about is { } whose ? [new PatientRef(new PatientId(whose), string.Empty)] : [],
                        Reason = suspicion.Detail.Length > 0 ? $"{suspicion.Rule}: {suspicion.Detail}" : suspicion.Rule,
                    },
                    cancel);
            }

            await WatchStore.Keep(change.Connection, position, cancel);
            return made;
        },
        cancel);

    private static async Task<IReadOnlyList<WatchFinding>> Read(System.Data.Common.DbConnection connection, string where, int most, (string, object?)[] values, CancellationToken cancel) => await connection.Query(
        string.Create(CultureInfo.InvariantCulture, $"SELECT {Columns} FROM watch_finding {where} LIMIT {most}"),
        row => new WatchFinding(
            row.GetInt64(0),
            row.GetString(1),
            (int)row.GetInt64(2),
            row.IsDBNull(3) ? null : row.Guid(3),
            row.GetString(4),
            row.GetString(5),
            row.GetString(6),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(7)),
            row.IsDBNull(8) ? null : row.GetString(8),
            row.IsDBNull(9) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(9)),
            row.IsDBNull(10) ? null : (int)row.GetInt64(10)),
        cancel,
        values);

    /// <summary>The people of this turn: the judge outlives each list of them.</summary>
    private sealed class CurrentPeople : IWatchedPeople
    {
        public WatchedPeople? Now { get; set; }

        public Dictionary<string, int> Numbers { get; set; } = new(StringComparer.Ordinal);

        public (bool Known, string? Department) Staff(string user) => Now!.Staff(user);

        public NameTie Tie(string user, Guid patient) => Now!.Tie(user, patient);

        public WatchFlag Flag(Guid patient) => Now!.Flag(patient);

        public bool Excused(string user, Guid? patient, string rule) => Now!.Excused(user, patient, rule);
    }
}
