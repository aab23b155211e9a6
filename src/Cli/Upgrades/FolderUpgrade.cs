using System.Globalization;
using Mangrove.Cli.Backups;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Keys;
using Microsoft.Data.Sqlite;

namespace Mangrove.Cli.Upgrades;

/// <summary>
/// The upgrade on SQLite. The databases are copied, the copies upgraded, and the upgraded hospital is opened, its log verified
/// and every patient opened, while the files of before lie untouched. Then the files change places in one step
/// (<see cref="UpgradeSwap"/>), those of before are kept for a while, and that it was done stands in the upgraded log already.
/// </summary>
internal sealed class FolderUpgrade(StorageOptions storage, RootSecret secret, TimeProvider clock, IUpgradeWatch? watch, Action<string> say)
{
    // The copy, what migrating adds for a moment, and something for the hospital that goes on afterwards.
    private const double Room = 1.5;
    private const long LeastRoom = 64 << 20;

    public bool TryOnly { get; init; }

    public async Task<UpgradeOutcome> Run(int from, CancellationToken cancel)
    {
        RequireRoom();
        var name = HospitalBackups.ScratchPrefix + Ids.New().ToString("N");
        var scratch = Path.Combine(storage.Folder, name);
        var kept = string.Create(CultureInfo.InvariantCulture, $"{UpgradeSwap.KeptPrefix}{clock.GetUtcNow().UtcDateTime:yyyyMMdd-HHmmss}-schema-{from}");
        Directory.CreateDirectory(scratch);
        UpgradeSwap.Close(scratch);
        say("copying the databases");
        var before = await Copy(scratch, cancel);

        say("changing the tables of the copy");
        watch?.Reached("tables of the vault");
        var copy = StorageOptions.Sqlite(scratch);
        await VaultRoom.CreateTables(copy, cancel);
        watch?.Reached("tables of the clinic");
        await Hospital.Migrate(copy, cancel);
        watch?.Reached("stamps");
        await SchemaStamp.Write(copy, cancel);
        Connections.Close();

        say("checking the copy");
        watch?.Reached("check of the tables");
        await CheckTables(scratch, cancel);
        watch?.Reached("check of the rows");
        RequireRows(before, await Rows(copy, cancel));
        watch?.Reached("opening");
        var (entries, patients) = await CheckHospital(copy, from, kept, before, cancel);
        watch?.Reached("settling");
        await Settle(scratch, cancel);
        if (TryOnly)
        {
            Directory.Delete(scratch, recursive: true);
            return new UpgradeOutcome(from, SchemaStamp.Newest, Done: false, null, entries, patients);
        }

        say("putting it in place");
        cancel.ThrowIfCancellationRequested();
        UpgradeSwap.Run(storage.Folder, name, kept, watch);
        return new UpgradeOutcome(from, SchemaStamp.Newest, Done: true, Path.Combine(storage.Folder, kept), entries, patients);
    }

    private void RequireRoom()
    {
        var size = Directory.EnumerateFiles(storage.Folder, "*.db*").Sum(file => new FileInfo(file).Length);
        if (new DriveInfo(storage.Folder).AvailableFreeSpace < (size * Room) + LeastRoom)
        {
            throw new HospitalUpgrade.Settled("upgrade.no-space", string.Create(CultureInfo.InvariantCulture, $"The disk of the data has no room for the copy that the upgrade works on. Free {((size * Room) + LeastRoom) / (1 << 20):0} MiB there; nothing was changed."));
        }
    }

    /// <summary>Copies what is to be upgraded, and looks whether every page of it is whole.</summary>
    private async Task<Dictionary<string, long>> Copy(string scratch, CancellationToken cancel)
    {
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var store in StoreSnapshot.Stores)
        {
            watch?.Reached("copy of " + store);
            foreach (var count in (await StoreSnapshot.Take(storage, store, scratch, cancel)).SelectMany(part => part.Rows))
            {
                rows[count.Key] = count.Value;
            }

            await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(scratch, store + ".db"), Pooling = false }.ToString());
            await connection.OpenAsync(cancel);
            await using var check = connection.CreateCommand();
            check.CommandText = "PRAGMA integrity_check(1)";
            if (await check.ExecuteScalarAsync(cancel) is not "ok")
            {
                throw new RefusedInput("upgrade.damaged", $"{store}.db is damaged. Restore the hospital from a backup with the version of before, then upgrade");
            }
        }

        watch?.Reached("copy of root.json");
        File.Copy(Path.Combine(storage.Folder, "root.json"), Path.Combine(scratch, "root.json"));
        return rows;
    }

    private async Task CheckTables(string scratch, CancellationToken cancel)
    {
        var expected = await SchemaPicture.OfThisVersion(Path.Combine(scratch, "expected"), cancel);
        Connections.Close();
        var differences = SchemaPicture.Differences(expected, await SchemaPicture.Of(scratch, cancel));
        if (differences.Count > 0)
        {
            foreach (var difference in differences)
            {
                say(difference);
            }

            throw new RefusedInput("upgrade.tables-differ", "the upgraded tables are not those of this version: report the lines above");
        }

        Directory.Delete(Path.Combine(scratch, "expected"), recursive: true);
        foreach (var store in SchemaStamp.Stores)
        {
            await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(scratch, store + ".db"), Pooling = false }.ToString());
            await connection.OpenAsync(cancel);
            await using var check = connection.CreateCommand();
            check.CommandText = "PRAGMA foreign_key_check";
            if (await check.ExecuteScalarAsync(cancel) is not null)
            {
                throw new RefusedInput("upgrade.references", $"Rows of {store}.db refer to rows that are not there. Restore the hospital from a backup with the version of before, then upgrade");
            }
        }
    }

    private static async Task<Dictionary<string, long>> Rows(StorageOptions copy, CancellationToken cancel)
    {
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var store in StoreSnapshot.Stores)
        {
            foreach (var count in await StoreSnapshot.Rows(copy, store, cancel))
            {
                rows[count.Key] = count.Value;
            }
        }

        return rows;
    }

    /// <summary>Every table of before holds as many rows as before. The mapper's own tables count its migrations.</summary>
    internal static void RequireRows(Dictionary<string, long> before, Dictionary<string, long> after)
    {
        foreach (var (table, count) in before)
        {
            if (!table.Contains(".__", StringComparison.Ordinal) && (!after.TryGetValue(table, out var now) || now != count))
            {
                throw new RefusedInput("upgrade.rows-differ", string.Create(CultureInfo.InvariantCulture, $"{table} held {count} rows and holds another number now"));
            }
        }
    }

    private async Task<(long Entries, int Patients)> CheckHospital(StorageOptions copy, int from, string kept, Dictionary<string, long> before, CancellationToken cancel)
    {
        await using var upgraded = await Hospital.Open(FolderLock.Take(copy.Folder), copy, secret, clock, OlderSchema.Migrate, cancel);
        say("verifying the log");
        watch?.Reached("log");
        var log = await upgraded.Vault.Review.Verify(null, cancel);
        if (!log.Ok)
        {
            throw new RefusedInput("upgrade.log-broken", "The audit log is not whole. Run 'mangrove audit verify' with the version of before, and call your security officer");
        }

        say("opening every patient");
        watch?.Reached("patients");
        upgraded.StartIndexing();
        await upgraded.Indexing.WaitAsync(cancel);
        var patients = upgraded.Vault.IndexedPatients;
        if (patients != before["clinic.patient"])
        {
            throw new RefusedInput("upgrade.patients", string.Create(CultureInfo.InvariantCulture, $"{before["clinic.patient"]} patients are registered and {patients} could be opened"));
        }

        if (!TryOnly)
        {
            watch?.Reached("entry");
            await upgraded.Vault.NoteUpgrade(done: true, string.Create(CultureInfo.InvariantCulture, $"schema {from} -> {SchemaStamp.Newest}, version {HospitalBackups.Version}, {log.Entries} entries and {patients} patients checked, before: {kept}"), cancel);
        }

        return (log.Entries, patients);
    }

    /// <summary>Folds the write-ahead logs in and makes every file durable.</summary>
    private static async Task Settle(string scratch, CancellationToken cancel)
    {
        Connections.Close();
        foreach (var store in StoreSnapshot.Stores)
        {
            var path = Path.Combine(scratch, store + ".db");
            await using (var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString()))
            {
                await connection.OpenAsync(cancel);
                await using var settle = connection.CreateCommand();
                settle.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
                await settle.ExecuteNonQueryAsync(cancel);
            }

            if (new FileInfo(path + "-wal") is { Exists: true, Length: > 0 })
            {
                throw new InvalidOperationException($"{store}.db of the copy is still open.");
            }

            Flush(path);
        }

        Flush(Path.Combine(scratch, "root.json"));
    }

    private static void Flush(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Flush(flushToDisk: true);
    }
}
