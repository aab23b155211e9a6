using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Backups;

/// <summary>What a handing in came to.</summary>
/// <param name="Taken">Entries of people that were written into the hospital's log now.</param>
/// <param name="Known">Entries that had been handed in before.</param>
/// <param name="Since">When the first of all of them happened; null where there are none.</param>
/// <param name="Until">When the last of them happened.</param>
public sealed record HandedIn(int Taken, int Known, DateTimeOffset? Since, DateTimeOffset? Until);

/// <summary>
/// Brings what people did at a read-only copy during a downtime into the hospital's own log: who, which patients, which fields,
/// and when it really was. The copy's log is proven first as one that goes on from the hospital's own.
/// </summary>
public sealed class CopyLog : IDisposable
{
    /// <summary>How a copy's log names its opening.</summary>
    public const string OpenedAction = "OPEN_DOWNTIME_COPY";

    /// <summary>What the log puts before the name of an act that took place at a copy.</summary>
    public const string Prefix = "COPY_";

    private const string HandInAction = "HAND_IN_DOWNTIME";

    // Of a group the disk is asked for as one: an entry alone would wait for it a thousand times.
    private const int Together = 200;

    private const string Schema = "CREATE TABLE IF NOT EXISTS downtime_entry (hash BLOB NOT NULL PRIMARY KEY, handed_in INTEGER NOT NULL)";

    private readonly Store vault;
    private readonly AuditLog log;
    private readonly Door door;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim one = new(1, 1);

    internal CopyLog(Store vault, AuditLog log, Door door, TimeProvider clock)
    {
        this.vault = vault;
        this.log = log;
        this.door = door;
        this.clock = clock;
    }

    /// <summary>Creates the table where it is missing: in a new hospital, and in one that an earlier version made.</summary>
    internal static Task Create(Store vault, CancellationToken cancel) => vault.Create(Schema, cancel);

    /// <summary>Whether people did anything at a copy, or were refused something: its log then has to be kept.</summary>
    /// <param name="path">The copy's audit.db, which nobody writes any more.</param>
    /// <param name="entries">How many entries it had when it was made of the backup.</param>
    public static bool UsedSince(string path, long entries)
    {
        for (var page = AuditLog.PageOf(path, entries); page.Count > 0; page = AuditLog.PageOf(path, page[^1].Seq))
        {
            if (page.Any(OfPeople))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Hands one log of a copy in. Each entry is taken once, however often its log is handed in. An interruption loses nothing: what
    /// was not marked as taken is taken at the next attempt.
    /// </summary>
    /// <param name="admin">Who hands it in.</param>
    /// <param name="path">The copy's audit.db, which nobody writes any more.</param>
    /// <param name="cancel">Gives up between two groups.</param>
    /// <returns>What it came to, or <c>downtime.log-broken</c>, <c>downtime.log-foreign</c>, <c>downtime.log-no-copy</c>; the refusal is an entry.</returns>
    /// <exception cref="Refused">Not an administrator.</exception>
    public async Task<Result<HandedIn>> HandIn(Actor admin, string path, CancellationToken cancel)
    {
        await door.Record(admin, Rights.Administration, Act("begun"), cancel);
        await one.WaitAsync(cancel);
        try
        {
            var left = await log.LeftAt(path, cancel);
            if (left.Error is { } unproven)
            {
                return await Refuse(unproven);
            }

            var (taken, known) = (0, 0);
            (long? number, DateTimeOffset? since, DateTimeOffset? until) = (null, null, null);
            for (var page = AuditLog.PageOf(path, left.Value); page.Count > 0; page = AuditLog.PageOf(path, page[^1].Seq))
            {
                if (number is null && page.FirstOrDefault(entry => entry.Action == OpenedAction) is null)
                {
                    return await Refuse(new Error("downtime.log-no-copy", "This log does not say that it is a read-only copy's. A hospital that was restored is no copy. Nothing of it was handed in."));
                }

                number ??= page[0].Seq;
                foreach (var group in page.Where(OfPeople).Chunk(Together))
                {
                    var fresh = await Unknown(group, cancel);
                    await Task.WhenAll(fresh.Select(entry => log.Append(Draft(entry, left.Value), CancellationToken.None).AsTask()));
                    await Mark(fresh, CancellationToken.None);
                    taken += fresh.Count;
                    known += group.Length - fresh.Count;
                    since ??= group[0].Timestamp;
                    until = group[^1].Timestamp;
                    cancel.ThrowIfCancellationRequested();
                }
            }

            await door.Record(admin, Rights.Administration, Act(string.Create(CultureInfo.InvariantCulture, $"{taken} entries taken, {known} known before, from entry {left.Value} on")), CancellationToken.None);
            return new HandedIn(taken, known, since, until);
        }
        finally
        {
            one.Release();
        }

        async Task<Error> Refuse(Error why)
        {
            await door.Record(admin, Rights.Administration, Act($"refused: {why.Code}"), cancel);
            return why;
        }
    }

    private static bool OfPeople(AuditEntry entry) => !entry.Actor.StartsWith("system:", StringComparison.Ordinal);

    public void Dispose() => one.Dispose();

    /// <summary>The entry as the hospital's log has it: the same people, patients and fields, marked as the copy's, with its time in the reason.</summary>
    private static AuditDraft Draft(AuditEntry entry, long left) => new()
    {
        Actor = entry.Actor,
        StaffId = entry.StaffId,
        Action = Prefix + entry.Action,
        Resource = entry.Resource,
        Patients = entry.Patients,
        FieldsAccessed = entry.FieldsAccessed,
        Device = entry.Device,
        Department = entry.Department,
        SessionId = entry.SessionId,
        Purpose = entry.Purpose,
        Reason = string.Create(CultureInfo.InvariantCulture, $"at the read-only copy, {entry.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC, its entry {entry.Seq} after {left}{(entry.Reason.Length > 0 ? ": " + entry.Reason : "")}"),
        Outcome = entry.Outcome,
        Kind = entry.Kind,
        Count = entry.Count,
    };

    private static Request Act(string reason) => new() { Action = HandInAction, Purpose = Purpose.Administration, Resource = "downtime:copy", Reason = reason };

    private async Task<IReadOnlyList<AuditEntry>> Unknown(AuditEntry[] entries, CancellationToken cancel)
    {
        var fresh = new List<AuditEntry>();
        await using var connection = await vault.Open(cancel);
        foreach (var entry in entries)
        {
            if (await connection.Scalar("SELECT 1 FROM downtime_entry WHERE hash = @hash", cancel, ("@hash", entry.EntryHash.ToArray())) is null)
            {
                fresh.Add(entry);
            }
        }

        return fresh;
    }

    private async Task Mark(IReadOnlyList<AuditEntry> entries, CancellationToken cancel)
    {
        await using var connection = await vault.Open(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        foreach (var entry in entries)
        {
            await connection.Run(
                "INSERT INTO downtime_entry (hash, handed_in) VALUES (@hash, @now) ON CONFLICT (hash) DO NOTHING",
                cancel,
                ("@hash", entry.EntryHash.ToArray()),
                ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()));
        }

        await transaction.CommitAsync(cancel);
    }
}
