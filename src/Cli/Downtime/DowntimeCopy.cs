using System.Globalization;
using System.Security.Cryptography;
using Mangrove.Cli.Backups;
using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Downtime;

/// <summary>
/// One read-only copy that is open. Its root key is drawn anew at each opening and never leaves memory: at rest the copy opens for
/// nobody but who can open the backup, because the backup's key bundle lies beside it and nothing else does.
/// </summary>
public sealed class DowntimeCopy : IAsyncDisposable
{
    private const string BundleName = "backup.keys";

    private DowntimeCopy(string folder, DowntimeMark mark, Hospital hospital)
    {
        Folder = folder;
        Mark = mark;
        Hospital = hospital;
    }

    public string Folder { get; }

    public DowntimeMark Mark { get; }

    public Hospital Hospital { get; }

    /// <summary>The key bundle in a copy.</summary>
    public static string BundleIn(string folder) => Path.Combine(folder, BundleName);

    /// <summary>Makes a copy of a backup: everything is read and proven before anything is written, and the log from its first entry afterwards.</summary>
    /// <param name="place">Where copies lie. What is in use there says which hospital's it has to be, and which log it has to go on from.</param>
    /// <param name="target">The hospital's folder in the target.</param>
    /// <param name="stored">The backup.</param>
    /// <param name="secret">What opens it.</param>
    /// <param name="anyDevice">Whether devices that cannot show their registration are let in.</param>
    /// <param name="clock">The time.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput">A <c>backup.</c>, <c>restore.</c>, <c>recovery.</c> or <c>downtime.</c> code. Nothing of it is left.</exception>
    public static async Task<DowntimeCopy> Make(
        DowntimeFolder place, BackupFolder target, StoredBackup stored, RecoverySecret secret, bool anyDevice, TimeProvider clock, CancellationToken cancel)
    {
        if (stored.Manifest.Storage != HospitalBackups.StorageName(StorageKind.Sqlite))
        {
            throw new RefusedInput("downtime.storage", "A read-only copy is made of a hospital on SQLite. For one on PostgreSQL let the database's own standby run on the second machine.");
        }

        using (var proof = OpenedBundle.Open(stored.KeysPath, secret))
        {
            stored = BackupFolder.Read(stored.Path, proof);
            if (proof.Backup != stored.Manifest.Backup || proof.Facility != (place.Mark?.Facility ?? proof.Facility))
            {
                throw new RefusedInput("downtime.other-hospital", "The newest backup there is another hospital's than the copies in this folder. Name its own target with --from, or an empty folder with --data.");
            }

            proof.Check();
            using var whole = BackupReader.Open(target, stored, proof);
            await Task.Run(() => whole.Verify(null, cancel), cancel);
        }

        var manifest = stored.Manifest;
        var mark = new DowntimeMark(manifest.Facility, null, manifest.Backup, manifest.Number, manifest.Created, manifest.Audit.Size, manifest.Audit.Root, 0);
        var folder = place.Next(manifest.Number, manifest.Backup);
        DowntimeCopy? copy = null;
        try
        {
            DowntimeFolder.MarkCopy(folder, mark);
            var storage = StorageOf(folder, mark, anyDevice);
            using (var bundle = OpenedBundle.Open(stored.KeysPath, secret))
            using (var reader = BackupReader.Open(target, stored, bundle))
            {
                await BackupRestore.Place(storage, reader, bundle, null, cancel);
                await BackupRestore.Compare(storage, manifest, cancel);
            }

            File.Copy(stored.KeysPath, BundleIn(folder));
            copy = await Open(folder, mark, secret, anyDevice, clock, cancel);
            var kept = new[] { mark, place.Mark }.OfType<DowntimeMark>().Where(one => one.LogSize > 0)
                .Select(one => new KeptRoot(one.LogSize, one.LogRoot, string.Create(CultureInfo.InvariantCulture, $"backup {one.Number}"))).ToList();
            if (!(await copy.Hospital.Vault.Review.Verify(null, kept, cancel)).Ok)
            {
                throw new RefusedInput("restore.log-broken", "The log in this backup is not whole, or does not go on from the one in use. Use another backup, and keep this one for your security officer.");
            }

            mark = mark with { Entries = copy.Hospital.Vault.Review.Newest?.Size ?? 0 };
            DowntimeFolder.MarkCopy(folder, mark);
            return new DowntimeCopy(folder, mark, copy.Hospital);
        }
        catch
        {
            if (copy is not null)
            {
                await copy.DisposeAsync();
            }

            Connections.Close();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Opens a copy that is there.</summary>
    /// <exception cref="RefusedInput">A code: the secret is not the backup's, or the copy is damaged.</exception>
    public static async Task<DowntimeCopy> Open(string folder, DowntimeMark mark, RecoverySecret secret, bool anyDevice, TimeProvider clock, CancellationToken cancel)
    {
        var storage = StorageOf(folder, mark, anyDevice);
        var root = new RootSecret { Passphrase = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)).ToCharArray() };
        using (var bundle = OpenedBundle.Open(BundleIn(folder), secret))
        {
            // Under the root key of the run before, which nobody has any more.
            File.Delete(Path.Combine(folder, "root.json"));
            await bundle.Protect(storage, root, cancel);
        }

        var hospital = await Hospital.Open(FolderLock.Take(folder), storage, root, clock, OlderSchema.Migrate, cancel);
        Array.Clear(root.Passphrase);
        return new DowntimeCopy(folder, mark, hospital);
    }

    /// <summary>Whether anybody but the system did anything at this copy, so that its log has to be kept. Asked when it is closed.</summary>
    public bool WasUsed() => CopyLog.UsedSince(Path.Combine(Folder, "audit.db"), Mark.Entries);

    public ValueTask DisposeAsync() => Hospital.DisposeAsync();

    private static StorageOptions StorageOf(string folder, DowntimeMark mark, bool anyDevice) =>
        StorageOptions.Sqlite(folder) with { Copy = new CopyMark(mark.Number, mark.Created, anyDevice) };
}
