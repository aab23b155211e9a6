using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;

namespace Mangrove.Cli.Backups;

/// <summary>The steps that a restore and a drill share.</summary>
internal static class BackupRestore
{
    /// <summary>Puts the files of a proven backup in place, or fills the empty tables of PostgreSQL from them.</summary>
    /// <param name="storage">An empty hospital's place; on PostgreSQL its tables are made here.</param>
    /// <param name="reader">The backup, already read whole once.</param>
    /// <param name="bundle">Its key bundle, not read yet.</param>
    /// <param name="progress">Bytes written.</param>
    /// <param name="cancel">Gives up; what was written is the caller's to remove.</param>
    public static async Task Place(StorageOptions storage, BackupReader reader, OpenedBundle bundle, IProgress<long>? progress, CancellationToken cancel)
    {
        var copies = Path.Combine(storage.Folder, "copies");
        var postgres = storage.Kind == StorageKind.Postgres;
        if (postgres)
        {
            Directory.CreateDirectory(copies);
        }

        var placed = new Dictionary<string, string>(StringComparer.Ordinal);
        await Task.Run(
            () => reader.Extract(
                name => placed[name] = postgres && !RestoredFiles.Folders.Any(folder => name.StartsWith(folder + "/", StringComparison.Ordinal))
                    ? Path.Combine(copies, PartName.FileOf(name))
                    : RestoredFiles.PathIn(storage.Folder, name),
                progress,
                cancel),
            cancel);
        var keys = bundle.Extract(postgres ? copies : storage.Folder);
        if (postgres)
        {
            await VaultRoom.CreateTables(storage, cancel);
            await Hospital.Migrate(storage, cancel);
            foreach (var part in keys)
            {
                placed[part.Name] = part.Path;
            }

            foreach (var store in StoreSnapshot.Stores)
            {
                await StoreSnapshot.Fill(
                    storage,
                    store,
                    [.. placed.Where(part => part.Key.StartsWith(store + "/", StringComparison.Ordinal)).Select(part => new SnapshotPart(part.Key, part.Value, 0, new Dictionary<string, long>(StringComparer.Ordinal)))],
                    cancel);
            }

            Directory.Delete(copies, recursive: true);
        }

        Durable.FlushFolder(storage.Folder);
    }

    /// <summary>Compares the number of rows of every table with the manifest.</summary>
    /// <exception cref="RefusedInput"><c>restore.rows-differ</c>.</exception>
    public static async Task Compare(StorageOptions storage, BackupManifest manifest, CancellationToken cancel)
    {
        foreach (var store in StoreSnapshot.Stores.Where(store => store != "keys"))
        {
            var rows = await StoreSnapshot.Rows(storage, store, cancel);
            var said = manifest.Rows.Where(row => row.Key.StartsWith(store + ".", StringComparison.Ordinal)).ToDictionary(row => row.Key, row => row.Value, StringComparer.Ordinal);
            if (rows.Count != said.Count || rows.Any(row => !said.TryGetValue(row.Key, out var count) || count != row.Value))
            {
                throw new RefusedInput("restore.rows-differ", $"The restored {store} does not hold what the manifest says. Use another backup, and keep this one for your security officer.");
            }
        }
    }

    /// <summary>Verifies the restored log from its first entry, and that it holds at least what the manifest anchored.</summary>
    /// <exception cref="RefusedInput"><c>restore.log-broken</c>, <c>restore.log-short</c>.</exception>
    public static async Task<VerifyReport> CheckLog(Hospital restored, BackupManifest manifest, CancellationToken cancel)
    {
        var report = await restored.Vault.Review.Verify(null, cancel);
        return !report.Ok
            ? throw new RefusedInput("restore.log-broken", "The log in this backup is not whole. Use another backup, and keep this one for your security officer.")
            : report.Size < manifest.Audit.Size
                ? throw new RefusedInput("restore.log-short", "The log in this backup is shorter than its manifest says. Use another backup, and keep this one for your security officer.")
                : report;
    }
}
