using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Backups;

/// <summary>How often a target gets a backup, and how long it keeps them.</summary>
/// <param name="EveryMinutes">Minutes from one backup to the next. 15 to 10,080 (a week).</param>
/// <param name="KeepCount">At least this many stay, whatever their age. 2 to 10,000.</param>
/// <param name="KeepDays">Younger ones stay, whatever their number. 1 to 3,660.</param>
/// <param name="FullDays">A backup that holds everything itself is made when the last is older. 1 to 366.</param>
public sealed record BackupSchedule(int EveryMinutes, int KeepCount, int KeepDays, int FullDays)
{
    /// <summary>Every four hours, two weeks long and 30 at least, everything once a week.</summary>
    public static BackupSchedule Usual { get; } = new(240, 30, 14, 7);

    internal Error? Malformed() =>
        Outside(EveryMinutes, 15, 10_080, "backup.every", "A backup is made every 15 minutes to 7 days.")
        ?? Outside(KeepCount, 2, 10_000, "backup.keep-count", "Keep 2 to 10,000 backups at least.")
        ?? Outside(KeepDays, 1, 3_660, "backup.keep-days", "Keep backups 1 to 3,660 days at least.")
        ?? Outside(FullDays, 1, 366, "backup.full-days", "Make a full backup every 1 to 366 days.");

    internal string Words() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"every {EveryMinutes} min, keep {KeepCount} and {KeepDays} days, full every {FullDays} days");

    private static Error? Outside(int value, int least, int most, string problem, string message) =>
        value < least || value > most ? new Error(problem, message) : null;
}

/// <summary>A folder that gets backups by itself: of this machine, a mounted share or a removable disk.</summary>
public sealed record BackupTarget(Guid Id, string Path, BackupSchedule Schedule, DateTimeOffset Added);

/// <summary>Where backups go by themselves. Changed by administrators only; each change is an entry with before and after.</summary>
public sealed class BackupTargets
{
    private readonly Store store;
    private readonly AdministratorAct acts;
    private readonly TimeProvider clock;

    internal BackupTargets(Store store, IdentityDesk identity, TimeProvider clock)
    {
        this.store = store;
        acts = identity.Acts;
        this.clock = clock;
    }

    public async Task<IReadOnlyList<BackupTarget>> All(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await connection.Query(
            "SELECT id, path, every_minutes, keep_count, keep_days, full_days, added FROM backup_target WHERE removed IS NULL ORDER BY added, path",
            row => new BackupTarget(
                row.Guid(0),
                row.GetString(1),
                new BackupSchedule((int)row.GetInt64(2), (int)row.GetInt64(3), (int)row.GetInt64(4), (int)row.GetInt64(5)),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6))),
            cancel);
    }

    /// <summary>Adds a target, or gives the one at this path another schedule.</summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="path">A full path of a folder of its own, outside the data folder; the caller tried that it can be written.</param>
    /// <param name="schedule">When and how long.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The target, or <c>backup.every</c>, <c>backup.keep-count</c>, <c>backup.keep-days</c>, <c>backup.full-days</c>, <c>backup.path</c>.</returns>
    public Task<Result<BackupTarget>> Set(Actor admin, string path, BackupSchedule schedule, CancellationToken cancel) => acts.Run<BackupTarget>(
        admin,
        "SET_BACKUP_TARGET",
        "backup-targets",
        async change =>
        {
            ArgumentNullException.ThrowIfNull(schedule);
            if (schedule.Malformed() is { } malformed)
            {
                return malformed;
            }

            if (path.Length is 0 or > 500 || !System.IO.Path.IsPathFullyQualified(path) || path.Any(char.IsControl))
            {
                return new Error("backup.path", "Name the full path of a folder, of at most 500 characters.");
            }

            var before = await change.Connection.Query(
                "SELECT id, every_minutes, keep_count, keep_days, full_days, removed FROM backup_target WHERE path = @path",
                row => (Id: row.Guid(0), Was: row.IsDBNull(5) ? new BackupSchedule((int)row.GetInt64(1), (int)row.GetInt64(2), (int)row.GetInt64(3), (int)row.GetInt64(4)) : null),
                cancel,
                ("@path", path));
            var target = new BackupTarget(before is [var there] ? there.Id : Ids.New(), path, schedule, clock.GetUtcNow());
            await change.Connection.Run(
                """
                INSERT INTO backup_target (id, path, every_minutes, keep_count, keep_days, full_days, added_by, added)
                VALUES (@id, @path, @every, @count, @days, @full, @by, @now)
                ON CONFLICT (path) DO UPDATE SET every_minutes = excluded.every_minutes, keep_count = excluded.keep_count,
                    keep_days = excluded.keep_days, full_days = excluded.full_days, added_by = excluded.added_by, added = excluded.added, removed = NULL
                """,
                cancel,
                ("@id", target.Id),
                ("@path", path),
                ("@every", schedule.EveryMinutes),
                ("@count", schedule.KeepCount),
                ("@days", schedule.KeepDays),
                ("@full", schedule.FullDays),
                ("@by", admin.Staff.Number),
                ("@now", target.Added.ToUnixTimeMilliseconds()));
            return new Acted<BackupTarget>(target, $"backup:{path}", $"{(before is [{ Was: { } was }] ? was.Words() : "none")} -> {schedule.Words()}");
        },
        cancel);

    /// <summary>Backups no longer go there; what lies there stays.</summary>
    /// <returns>The path, or <c>backup.no-target</c>.</returns>
    public Task<Result<string>> Remove(Actor admin, Guid id, CancellationToken cancel) => acts.Run<string>(
        admin,
        "REMOVE_BACKUP_TARGET",
        "backup-targets",
        async change =>
        {
            var path = await change.Connection.Scalar("SELECT path FROM backup_target WHERE id = @id AND removed IS NULL", cancel, ("@id", id)) as string;
            if (path is null)
            {
                return new Error("backup.no-target", "There is no such target. It may have been removed meanwhile.");
            }

            await change.Connection.Run("UPDATE backup_target SET removed = @now WHERE id = @id", cancel, ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()), ("@id", id));
            return new Acted<string>(path, $"backup:{path}", "removed; its backups stay");
        },
        cancel);
}
