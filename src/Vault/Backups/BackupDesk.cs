using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Backups;

/// <summary>What a run of backups was for.</summary>
public enum BackupWork
{
    Backup = 1,

    /// <summary>The newest backup restored beside the hospital, opened, verified, compared and thrown away.</summary>
    Drill = 2,
}

/// <summary>One run, as pages and the command line show it.</summary>
/// <param name="Failure">Stable code of what went wrong; null when it went well.</param>
/// <param name="Number">Of the backup in its target; null when none came about.</param>
/// <param name="Complete">Whether it holds every chunk itself, instead of referring to backups before it.</param>
/// <param name="Content">Bytes of the databases and files.</param>
/// <param name="Written">Bytes written to the target.</param>
/// <param name="AuditSize">Entries of the log in it.</param>
public sealed record BackupRun(Guid Id, BackupWork Work, string Target, DateTimeOffset Started, DateTimeOffset Finished, string? Failure, long? Number, bool Complete, long Content, long Written, long AuditSize);

/// <summary>
/// Backups of this hospital, on the vault's side: who may make them, their entries in the log, their keys, where they go and
/// when. What carries the ciphertext is the room Continuity.
/// </summary>
public sealed class BackupDesk
{
    private readonly Store vault;
    private readonly KeyRing ring;
    private readonly BackupKeys keys;
    private readonly BackupCrypt crypt;
    private readonly Door door;
    private readonly Receipt.Log log;
    private readonly TimeProvider clock;

    internal BackupDesk(StorageOptions storage, Store vault, KeyRing ring, IdentityDesk identity, Door door, Receipt.Log log, Guid facility, string facilityName, TimeProvider clock)
    {
        this.vault = vault;
        this.ring = ring;
        this.door = door;
        this.log = log;
        this.clock = clock;
        keys = new BackupKeys(new Store(storage, "keys"), ring, clock);
        crypt = new BackupCrypt(storage, ring, keys, facility, facilityName, clock);
        Targets = new BackupTargets(vault, identity, clock);
    }

    /// <summary>Where backups go by themselves, and how many stay.</summary>
    public BackupTargets Targets { get; }

    /// <summary>What hangs from the backup key.</summary>
    internal IEnumerable<HangingKind> Kinds() => keys.Kinds();

    /// <summary>
    /// Keeps every version of every key until it is disposed: taken before the first database is copied and given back when
    /// the bundle is written, so that no rotation that ends in between takes away a key that a copy still names.
    /// </summary>
    public IDisposable HoldKeys() => ring.Hold();

    /// <summary>Says in the log that a run begins; nothing is copied or restored before.</summary>
    /// <param name="actor">An administrator, or <see cref="SystemActors.Backup"/>.</param>
    /// <param name="work">What begins.</param>
    /// <param name="target">Where it goes, or what it proves.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="Refused">Not an administrator; the refusal is an entry too.</exception>
    public Task Begin(Actor actor, BackupWork work, string target, CancellationToken cancel) => Note(actor, work == BackupWork.Backup ? "CREATE_BACKUP" : "START_RESTORE_DRILL", target, null, cancel);

    /// <summary>Says in the restored log that an administrator allowed a backup that was not the newest.</summary>
    /// <exception cref="Refused">Not an administrator.</exception>
    public Task AllowOlder(Actor actor, long number, CancellationToken cancel) => Note(actor, "ALLOW_OLDER_BACKUP", "hospital", string.Create(CultureInfo.InvariantCulture, $"number {number}"), cancel);

    /// <summary>Says in the log that an administrator looked at the backups.</summary>
    /// <exception cref="Refused">Not an administrator.</exception>
    public Task Look(Actor actor, CancellationToken cancel) => Note(actor, "VIEW_BACKUPS", "targets", null, cancel);

    /// <summary>
    /// The keys of a new backup. Copies keys.db, so it is called after the clinic's and the vault's databases were copied and
    /// before the log is.
    /// </summary>
    /// <param name="folder">For the copy of the keys, which are wrapped.</param>
    /// <param name="cancel">Gives up.</param>
    public Task<IArchiveMaker> Seal(string folder, CancellationToken cancel) => crypt.Seal(folder, cancel);

    /// <summary>
    /// Makes the key that signs manifests when there is none yet: at the first start, so that every copy of the disk that
    /// anybody ever puts back can read what later manifests say of it.
    /// </summary>
    internal async Task Load(CancellationToken cancel) => (await crypt.Signer(cancel)).Dispose();

    /// <summary>The keys that open this hospital's backups, for reading them back.</summary>
    public Task<LiveArchives> Keys(CancellationToken cancel) => crypt.Keys(cancel);

    /// <summary>Opens a bundle of this hospital by the epoch key that the hospital itself keeps.</summary>
    /// <exception cref="RefusedInput"><c>backup.damaged</c>, <c>backup.other-hospital</c>, <c>backup.epoch-destroyed</c>.</exception>
    public Task<OpenedBundle> OpenBundle(string path, CancellationToken cancel) => crypt.OpenBundle(path, cancel);

    /// <summary>Destroys the keys of archives that were removed from every target.</summary>
    public async Task Forget(Actor actor, string target, IReadOnlyCollection<Guid> archives, CancellationToken cancel)
    {
        await Note(actor, "REMOVE_BACKUPS", target, string.Create(CultureInfo.InvariantCulture, $"{archives.Count} archives"), cancel);
        await keys.Forget(archives, cancel);
    }

    /// <summary>Writes what a run came to into the log and the history.</summary>
    public async Task End(Actor actor, BackupRun run, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(run);
        var action = (run.Work, run.Failure) switch
        {
            (BackupWork.Backup, null) => "BACKUP_CREATED",
            (BackupWork.Backup, _) => "BACKUP_FAILED",
            (_, null) => "RESTORE_PROVEN",
            _ => "RESTORE_DRILL_FAILED",
        };
        await Note(actor, action, run.Target, run.Failure ?? string.Create(CultureInfo.InvariantCulture, $"number {run.Number}, {run.AuditSize} entries, {run.Content} bytes"), cancel);
        await using var connection = await vault.Open(cancel);
        await connection.Run(
            """
            INSERT INTO backup_run (id, kind, target, started, finished, failure, number, complete, content, written, audit_size)
            VALUES (@id, @kind, @target, @started, @finished, @failure, @number, @complete, @content, @written, @size)
            """,
            cancel,
            ("@id", run.Id),
            ("@kind", (int)run.Work),
            ("@target", run.Target),
            ("@started", run.Started.ToUnixTimeMilliseconds()),
            ("@finished", run.Finished.ToUnixTimeMilliseconds()),
            ("@failure", run.Failure),
            ("@number", run.Number),
            ("@complete", run.Complete),
            ("@content", run.Content),
            ("@written", run.Written),
            ("@size", run.AuditSize));
    }

    /// <summary>The newest runs first.</summary>
    public async Task<IReadOnlyList<BackupRun>> Runs(int most, CancellationToken cancel)
    {
        await using var connection = await vault.Open(cancel);
        return await connection.Query(
            "SELECT id, kind, target, started, finished, failure, number, complete, content, written, audit_size FROM backup_run ORDER BY started DESC LIMIT @most",
            row => new BackupRun(
                row.Guid(0),
                (BackupWork)row.GetInt64(1),
                row.GetString(2),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)),
                row.TextOrNull(5),
                row.LongOrNull(6),
                row.GetInt64(7) != 0,
                row.GetInt64(8),
                row.GetInt64(9),
                row.GetInt64(10)),
            cancel,
            ("@most", most));
    }

    /// <summary>Says in the restored hospital's log that it was restored, and ends every session that was open in the backup.</summary>
    /// <param name="reason">From which backup, and who allowed it where two people had to.</param>
    public async Task Restored(string reason, CancellationToken cancel)
    {
        await log.Note(SystemActors.Backup, Act("RESTORE_BACKUP", "hospital", reason), cancel);
        await EndSessions(SessionEnd.Restored, cancel);
    }

    /// <summary>Says in a read-only copy's own log that it is one and of what, and ends every session that was open in the backup.</summary>
    /// <param name="mark">What it is a copy of.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task OpenedAsCopy(CopyMark mark, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(mark);
        await log.Note(
            SystemActors.Backup,
            new Request
            {
                Action = CopyLog.OpenedAction,
                Purpose = Purpose.Administration,
                Resource = "hospital",
                Reason = string.Create(CultureInfo.InvariantCulture, $"backup {mark.Number} of {mark.AsOf.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, {(mark.AnyDevice ? "any device" : "registered devices by the hospital's rule")}"),
            },
            cancel);
        await EndSessions(SessionEnd.Copy, cancel);
    }

    private async Task EndSessions(SessionEnd why, CancellationToken cancel)
    {
        await using var connection = await vault.Open(cancel);
        await connection.Run(
            "UPDATE session SET revoked = @now, ended = @why WHERE revoked IS NULL",
            cancel,
            ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()),
            ("@why", (int)why));
    }

    private async Task Note(Actor actor, string action, string target, string? reason, CancellationToken cancel)
    {
        if (ReferenceEquals(actor, SystemActors.Backup))
        {
            await log.Note(actor, Act(action, target, reason), cancel);
        }
        else
        {
            await door.Record(actor, Rights.Administration, Act(action, target, reason), cancel);
        }
    }

    private static Request Act(string action, string target, string? reason) =>
        new() { Action = action, Purpose = Purpose.Administration, Resource = $"backup:{target}", Reason = reason };
}

/// <summary>The keys that open this hospital's backups.</summary>
public sealed class LiveArchives : IArchiveKeys, IDisposable
{
    private readonly LiveArchiveKeys keys;

    internal LiveArchives(BackupKeys keys, IReadOnlyDictionary<Guid, WrappedBackupKey> archives, CheckpointSigner signer, Guid facility) =>
        this.keys = new LiveArchiveKeys(keys, archives, signer, facility);

    public Guid Facility => keys.Facility;

    public ArchiveReader Open(Guid id, Stream source) => keys.Open(id, source);

    public bool Verify(ReadOnlySpan<byte> manifest, ReadOnlySpan<byte> signature) => keys.Verify(manifest, signature);

    public void Dispose() => keys.Dispose();
}
