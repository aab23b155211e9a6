using System.Data.Common;
using System.Globalization;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Holds;

/// <summary>
/// Legal holds: an administrator or privacy officer keeps a record, every record, or entries of the log from being destroyed,
/// with a second factor, a case and a reason; another person releases it. Words are sealed and stand in no entry.
/// </summary>
public sealed class HoldDesk
{
    /// <summary>Fewest signs of a reason.</summary>
    public const int LeastWords = 20;

    /// <summary>Most signs of a reason.</summary>
    public const int MostWords = 2_000;

    /// <summary>Most signs of a case reference; the fewest are 3.</summary>
    public const int LongestReference = 100;

    private const int ShortestReference = 3;
    private const int MostShown = 500;

    private readonly Store store;
    private readonly IdentityDesk identity;
    private readonly GlassDesk glass;
    private readonly Door door;
    private readonly Receipt.Log log;
    private readonly Standings standings;
    private readonly TimeProvider clock;

    internal HoldDesk(Store store, IdentityDesk identity, GlassDesk glass, Door door, Receipt.Log log, Standings standings, TimeProvider clock)
    {
        this.store = store;
        this.identity = identity;
        this.glass = glass;
        this.door = door;
        this.log = log;
        this.standings = standings;
        this.clock = clock;
    }

    // What a text was written as.
    private enum Writing
    {
        Reference = 1,
        Reason = 2,
        Release = 3,
    }

    private static Error Missing { get; } = new("hold.none", "There is no such hold, or it was released already. Load the list again.");

    private static Error Words { get; } = new("hold.words", string.Create(CultureInfo.InvariantCulture, $"Write why, in at least {LeastWords} and at most {MostWords} characters."));

    /// <summary>Whether this person places and releases holds: administrators and privacy officers.</summary>
    public bool MayHold(Actor actor) => glass.IsTold(actor);

    /// <summary>Places a hold.</summary>
    /// <param name="actor">An administrator or privacy officer.</param>
    /// <param name="wanted">What is held.</param>
    /// <param name="reference">Number of the case, 3 to 100 characters.</param>
    /// <param name="reason">Why, 20 to 2,000 characters.</param>
    /// <param name="proof">The person's second factor.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The hold, or <c>downtime.read-only</c>, <c>hold.scope</c>, <c>hold.patient</c>, <c>hold.days</c>, <c>hold.reference</c>,
    /// <c>hold.words</c>, <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>.
    /// Each refusal is an entry.
    /// </returns>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    public Task<Result<LegalHold>> Place(Actor actor, HoldWanted wanted, string? reference, string? reason, FactorProof proof, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(actor);
        ArgumentNullException.ThrowIfNull(wanted);
        var (written, why) = (reference?.Trim() ?? "", reason?.Trim() ?? "");
        var hold = new LegalHold
        {
            Id = Ids.New(),
            Scope = wanted.Scope,
            Patient = wanted.Scope == HoldScope.Patient ? wanted.Patient : null,
            First = wanted.Scope == HoldScope.Log ? wanted.First : null,
            Last = wanted.Scope == HoldScope.Log ? wanted.Last : null,
            Placed = clock.GetUtcNow(),
            PlacedBy = actor.Staff,
            Released = null,
            ReleasedBy = null,
            Reference = written,
            Reason = why,
            ReleaseReason = null,
        };
        return Change(actor, Act("PLACE_HOLD", hold), proof, Malformed(hold), async change =>
        {
            await change.Connection.Run(
                """
                INSERT INTO legal_hold (id, scope, patient, mrn, first_day, last_day, placed, placed_by)
                VALUES (@id, @scope, @patient, @mrn, @first, @last, @now, @by)
                """,
                cancel,
                ("@id", hold.Id),
                ("@scope", (int)hold.Scope),
                ("@patient", hold.Patient?.Id.Value),
                ("@mrn", hold.Patient?.Mrn),
                ("@first", hold.First?.DayNumber),
                ("@last", hold.Last?.DayNumber),
                ("@now", hold.Placed.ToUnixTimeMilliseconds()),
                ("@by", actor.Staff.Number));
            await Write(change.Connection, hold.Id, Writing.Reference, written, cancel);
            await Write(change.Connection, hold.Id, Writing.Reason, why, cancel);
            return (hold, ScopeWord(hold));
        }, cancel);
    }

    /// <summary>Releases a hold. Nobody releases what they placed themselves.</summary>
    /// <param name="actor">Another administrator or privacy officer than the one who placed it.</param>
    /// <param name="number">Its first eight digits, or more of them.</param>
    /// <param name="reason">Why, 20 to 2,000 characters.</param>
    /// <param name="proof">The person's second factor.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The hold, or <c>hold.none</c>, <c>hold.own</c>, <c>hold.words</c>, and those of <see cref="Place"/> about the copy and the factor.</returns>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    public async Task<Result<LegalHold>> Release(Actor actor, string? number, string? reason, FactorProof proof, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = reason?.Trim() ?? "";
        var look = Sessions.Act("RELEASE_HOLD", "hold", null);
        await Require(actor, look, cancel);
        var meant = number?.Trim() ?? "";
        LegalHold? found;
        await using (var connection = await store.Open(cancel))
        {
            // Two that begin alike are told apart by more digits, never by chance.
            var open = await Read(connection, "WHERE legal_hold.released IS NULL", withWords: false, cancel);
            found = meant.Length >= LegalHold.ShortestNumber && open.FindAll(one => one.Id.ToString("N").StartsWith(meant, StringComparison.OrdinalIgnoreCase)) is [var one] ? one : null;
        }

        if (found is null)
        {
            await log.Refuse(actor, look, Missing, cancel);
            return Missing;
        }

        var unwilling = found.PlacedBy == actor.Staff ? new Error("hold.own", "You placed this hold. Another administrator or privacy officer releases it.")
            : IsText(why) ? null : Words;
        return await Change(actor, Act("RELEASE_HOLD", found), proof, unwilling, async change =>
        {
            var now = clock.GetUtcNow();
            if (await change.Connection.Run(
                "UPDATE legal_hold SET released = @now, released_by = @by WHERE id = @id AND released IS NULL",
                cancel,
                ("@now", now.ToUnixTimeMilliseconds()),
                ("@by", actor.Staff.Number),
                ("@id", found.Id)) == 0)
            {
                return (null, "");
            }

            await Write(change.Connection, found.Id, Writing.Release, why, cancel);
            return (found with { Released = now, ReleasedBy = actor.Staff, ReleaseReason = why }, ScopeWord(found));
        }, cancel);
    }

    /// <summary>Every hold with its words, those that hold first, then the newest released ones; at most 500. Looking is an entry that names the patients.</summary>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    /// <exception cref="SealBroken">A text was changed in the database.</exception>
    public async Task<IReadOnlyList<LegalHold>> List(Actor actor, CancellationToken cancel)
    {
        var act = Sessions.Act("LIST_HOLDS", "holds", null);
        await Require(actor, act, cancel);
        await using var connection = await store.Open(cancel);
        var order = string.Create(CultureInfo.InvariantCulture, $"ORDER BY legal_hold.released IS NOT NULL, legal_hold.placed DESC LIMIT {MostShown}");
        var bare = await Read(connection, order, withWords: false, cancel);

        // Durable before a word is opened.
        await log.Note(actor, act with { Patients = [.. bare.Select(one => one.Patient).OfType<PatientRef>().Distinct()], NamedFields = ["hold_words"] }, cancel);
        return bare.Count == 0 ? bare : await Read(connection, order, withWords: true, cancel);
    }

    /// <summary>Whose records are held now. Says nothing of why and is no entry: destruction and the list of what is due ask it.</summary>
    public async Task<HeldRecords> Held(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var open = await Read(connection, "WHERE legal_hold.released IS NULL AND legal_hold.scope <> 3", withWords: false, cancel);
        return new HeldRecords(open.Exists(one => one.Scope == HoldScope.Hospital), open.Select(one => one.Patient).OfType<PatientRef>().Select(one => one.Id).ToHashSet());
    }

    /// <summary>
    /// Whether entries of the log of these days are held: by a hold on any of them, or on the whole hospital. Whoever takes
    /// entries out of the log MUST ask it first, and MUST leave them when it says yes.
    /// </summary>
    public async Task<bool> IsLogHeld(DateOnly first, DateOnly last, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return (await Read(connection, "WHERE legal_hold.released IS NULL", withWords: false, cancel))
            .Exists(one => one.Scope == HoldScope.Hospital || (one.Scope == HoldScope.Log && one.First <= last && one.Last >= first));
    }

    /// <summary>The log's words for what a hold is on.</summary>
    private static string ScopeWord(LegalHold hold) => hold.Scope switch
    {
        HoldScope.Patient => "patient",
        HoldScope.Hospital => "hospital",
        _ => string.Create(CultureInfo.InvariantCulture, $"log {hold.First:yyyy-MM-dd} to {hold.Last:yyyy-MM-dd}"),
    };

    private static Error? Malformed(LegalHold hold) => hold switch
    {
        { Scope: HoldScope.Patient, Patient: null } => new("hold.patient", "No patient here has this hospital number. Type it again."),
        { Scope: HoldScope.Log, First: { } first, Last: { } last } when first <= last => null,
        { Scope: HoldScope.Log } => new("hold.days", "Give the first and the last day of the log that is held, as 2026-03-05; the last is not before the first."),
        { Scope: HoldScope.Patient or HoldScope.Hospital } => null,
        _ => new Error("hold.scope", "Say what is held: the record of one patient, every record of the hospital, or days of the log."),
    }
    ?? (hold.Reference.Length is >= ShortestReference and <= LongestReference && !hold.Reference.Any(char.IsControl)
        ? null
        : new Error("hold.reference", string.Create(CultureInfo.InvariantCulture, $"Give the number of the case, {ShortestReference} to {LongestReference} characters in one line.")))
    ?? (IsText(hold.Reason) ? null : Words);

    private static bool IsText(string words) => words.Length is >= LeastWords and <= MostWords;

    private static Request Act(string action, LegalHold hold) =>
        Sessions.Act(action, $"hold:{hold.Number}", null) with { Patients = hold.Patient is { } patient ? [patient] : [] };

    private async Task<Result<LegalHold>> Change(Actor actor, Request act, FactorProof proof, Error? unwilling, Func<SessionChange, Task<(LegalHold? Hold, string Word)>> write, CancellationToken cancel)
    {
        await Require(actor, act, cancel);
        if ((door.ReadOnly ? CopyMark.Refusal : unwilling) is { } refusal)
        {
            await log.Refuse(actor, act, refusal, cancel);
            return refusal;
        }

        var done = await identity.Sessions.Change<Result<LegalHold>>(
            async change =>
            {
                change.Keep = false;
                if (await identity.SecondFactor.Ask(change, actor, proof, FactorActs.Holds, cancel) is { } unproven)
                {
                    return unproven;
                }

                var (hold, word) = await write(change);
                if (hold is null)
                {
                    return Missing;
                }

                await log.Note(actor, act with { Reason = word }, cancel);
                change.Keep = true;
                return hold;
            },
            cancel);
        if (done.Error is { } error)
        {
            await log.Refuse(actor, act, error, cancel);
        }

        return done;
    }

    /// <summary>Lets administrators and privacy officers pass, with a session that stands; everybody else leaves an entry.</summary>
    private async Task Require(Actor actor, Request act, CancellationToken cancel)
    {
        if ((standings.Refusal(actor) ?? (MayHold(actor) ? null : new Error("access.role", "Your role may not do this."))) is { } refusal)
        {
            await log.Refuse(actor, act, refusal, cancel);
            throw new Refused(refusal.Code, refusal.Message);
        }
    }

    private Task<int> Write(DbConnection connection, Guid hold, Writing kind, string words, CancellationToken cancel)
    {
        var id = Ids.New();
        return connection.Run(
            "INSERT INTO hold_words (id, hold, kind, words) VALUES (@id, @hold, @kind, @words)",
            cancel,
            ("@id", id),
            ("@hold", hold),
            ("@kind", (int)kind),
            ("@words", identity.Pepper.Seal(HoldSealing.Use, Encoding.UTF8.GetBytes(words), HoldSealing.Address(id, hold))));
    }

    private async Task<List<LegalHold>> Read(DbConnection connection, string which, bool withWords, CancellationToken cancel)
    {
        var holds = await connection.Query(
            $"SELECT id, scope, patient, mrn, first_day, last_day, placed, placed_by, released, released_by FROM legal_hold {which}",
            row => new LegalHold
            {
                Id = row.Guid(0),
                Scope = (HoldScope)row.GetInt64(1),
                Patient = row.IsDBNull(2) ? null : new PatientRef(new PatientId(row.Guid(2)), row.GetString(3)),
                First = row.LongOrNull(4) is { } first ? DateOnly.FromDayNumber((int)first) : null,
                Last = row.LongOrNull(5) is { } last ? DateOnly.FromDayNumber((int)last) : null,
                Placed = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)),
                PlacedBy = new StaffId((int)row.GetInt64(7)),
                Released = row.LongOrNull(8) is { } released ? DateTimeOffset.FromUnixTimeMilliseconds(released) : null,
                ReleasedBy = row.LongOrNull(9) is { } by ? new StaffId((int)by) : null,
                Reference = "",
                Reason = "",
                ReleaseReason = null,
            },
            cancel);
        if (!withWords)
        {
            return holds;
        }

        var words = (await connection.Query(
            "SELECT id, hold, kind, words FROM hold_words",
            row => (Id: row.Guid(0), Hold: row.Guid(1), Kind: (Writing)row.GetInt64(2), Envelope: row.Bytes(3)),
            cancel)).ToLookup(one => one.Hold);
        return [.. holds.Select(hold => hold with { Reference = Text(hold.Id, Writing.Reference) ?? "", Reason = Text(hold.Id, Writing.Reason) ?? "", ReleaseReason = Text(hold.Id, Writing.Release) })];

        string? Text(Guid hold, Writing kind) => words[hold].Where(one => one.Kind == kind)
            .Select(one => Encoding.UTF8.GetString(identity.Pepper.Open(HoldSealing.Use, one.Envelope, HoldSealing.Address(one.Id, hold))))
            .FirstOrDefault();
    }
}
