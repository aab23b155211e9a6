using System.Globalization;
using Mangrove.Cli.Backups;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Storage.Postgres;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
using Npgsql;

namespace Mangrove.Cli.Upgrades;

/// <summary>
/// The upgrade on PostgreSQL: a backup of what is there (<see cref="UpgradeBackup"/>), then the tables of every store are
/// changed and checked in one transaction each, all of which are taken back when anything fails (<see cref="HeldTables"/>).
/// </summary>
internal sealed class PostgresUpgrade(StorageOptions storage, RootSecret secret, TimeProvider clock, IUpgradeWatch? watch, Action<string> say)
{
    private const int OthersLooks = 10;

    private static readonly TimeSpan OthersPause = TimeSpan.FromMilliseconds(200);

    public bool TryOnly { get; init; }

    public bool BackupElsewhere { get; init; }

    public string? BackupTo { get; init; }

    /// <summary>What stands in the log about the way back: the backup that was made, or that somebody has another.</summary>
    public string? WayBack { get; private set; }

    /// <summary>Whether the transactions were being made to hold, so that some of them may.</summary>
    public bool Committing { get; private set; }

    public async Task<UpgradeOutcome> Run(int from, CancellationToken cancel)
    {
        Connections.Close();
        BackupRun? made = null;
        await using (var held = await HeldTables.Begin(storage, cancel))
        {
            await RequireAlone(held, cancel);
            if (!TryOnly)
            {
                made = await BackUp(cancel);

                // It took its time: nobody may have come meanwhile.
                Connections.Close();
                await RequireAlone(held, cancel);
            }

            say("changing the tables, which holds only when everything is right");
            var before = await Rows(held, cancel);
            watch?.Reached("tables of the vault");
            await held.Create(cancel);
            watch?.Reached("tables of the clinic");
            var (clinic, transaction) = held.Of("clinic");
            await PostgresClinics.Migrate(clinic, transaction, storage.Connections.ContainsKey("owner") ? new NpgsqlConnectionStringBuilder(storage.Connections["clinic"]).Username : null, cancel);
            watch?.Reached("stamps");
            await held.Stamp(cancel);
            watch?.Reached("check of the rows");
            FolderUpgrade.RequireRows(before, await Rows(held, cancel));
            watch?.Reached("check of the tables");
            await CheckTables(held, cancel);
            if (TryOnly)
            {
                return new UpgradeOutcome(from, SchemaStamp.Newest, Done: false, null, 0, 0);
            }

            watch?.Reached("commit");
            UpgradeNotes.Done(storage.Folder, from, SchemaStamp.Newest, WayBack, clock);
            Committing = true;
            await held.Commit(store => watch?.Reached("after " + store), cancel);
            Committing = false;
        }

        try
        {
            return await Check(from, made, cancel);
        }
        catch (Exception failed) when (CommandShell.Explain(failed) is { } reason)
        {
            throw new HospitalUpgrade.Settled("upgrade.unchecked", $"The tables were upgraded and that holds; the look at the hospital afterwards failed ({reason.Code}: {reason.Message.TrimEnd('.')}). Put that right and start the server.");
        }
    }

    private async Task RequireAlone(HeldTables held, CancellationToken cancel)
    {
        // A server that was just stopped, and connections that were just given back, are gone for PostgreSQL a moment later.
        var others = await held.Others(cancel);
        for (var look = 0; others > 0 && look < OthersLooks; look++)
        {
            await Task.Delay(OthersPause, clock, cancel);
            others = await held.Others(cancel);
        }

        if (others > 0)
        {
            throw new HospitalUpgrade.Settled("upgrade.others", string.Create(CultureInfo.InvariantCulture, $"{others} other connections of Mangrove are open on this database. Stop every server on it first; nothing was changed."));
        }
    }

    private async Task<BackupRun?> BackUp(CancellationToken cancel)
    {
        if (BackupElsewhere)
        {
            WayBack = "no backup made: the administrator says that there is one elsewhere";
            return null;
        }

        // One that was cut off while it was being made to hold: what is there now is of two versions, and the backup was made before.
        if ((await SchemaStamp.Read(storage, cancel)).Values.Contains(SchemaStamp.Newest))
        {
            WayBack = UpgradeNotes.WayBackOfCutOff(storage.Folder);
            return null;
        }

        try
        {
            var made = await new UpgradeBackup(storage, secret, clock, watch, say).Make(BackupTo, cancel);
            WayBack = string.Create(CultureInfo.InvariantCulture, $"backup {made.Number} of before in {made.Target}");
            return made;
        }
        catch (Exception failed) when (Reason(failed) is { } reason)
        {
            throw new HospitalUpgrade.Settled("upgrade.no-backup", $"No backup of what is there could be made ({reason.Code}: {reason.Message.TrimEnd('.')}). Put that right, name another folder with --backup-to, or say with --backup-elsewhere that you have a backup of your own, such as one by pg_dump; nothing was changed.");
        }
    }

    private static Error? Reason(Exception failed) => failed is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn }
        ? BackupBefore.Unlike
        : CommandShell.Explain(failed);

    private static async Task<Dictionary<string, long>> Rows(HeldTables held, CancellationToken cancel)
    {
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var store in SchemaStamp.Stores)
        {
            foreach (var count in await held.Rows(store, cancel))
            {
                rows[count.Key] = count.Value;
            }
        }

        return rows;
    }

    /// <summary>The names of columns and indexes are the same on both databases, so an empty hospital in a folder tells them.</summary>
    private async Task CheckTables(HeldTables held, CancellationToken cancel)
    {
        var scratch = Path.Combine(storage.Folder, HospitalBackups.ScratchPrefix + Ids.New().ToString("N"));
        try
        {
            await SchemaPicture.OfThisVersion(scratch, cancel);
            foreach (var store in SchemaStamp.Stores)
            {
                var expected = await SchemaPicture.Names(scratch, store, cancel);
                var missing = expected.Where(name => !name.StartsWith("__", StringComparison.Ordinal)).Except(await held.Names(store, cancel)).ToList();
                if (missing.Count > 0)
                {
                    foreach (var name in missing)
                    {
                        say($"missing: {store}.{name}");
                    }

                    throw new RefusedInput("upgrade.tables-differ", "the upgraded tables are not those of this version: report the lines above");
                }
            }
        }
        finally
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>Opens the upgraded hospital, which writes the upgrade down; its log is verified and every patient opened.</summary>
    private async Task<UpgradeOutcome> Check(int from, BackupRun? made, CancellationToken cancel)
    {
        say("opening the upgraded hospital");
        watch?.Reached("opening");
        await using var upgraded = await Hospital.Open(null, storage, secret, clock, OlderSchema.Refuse, cancel);
        var log = await upgraded.Vault.Review.Verify(null, cancel);
        if (!log.Ok)
        {
            throw new RefusedInput("upgrade.log-broken", "The audit log is not whole. Run 'mangrove audit verify', and call your security officer");
        }

        if (made is not null)
        {
            await upgraded.Vault.Backups.End(SystemActors.Backup, made, cancel);
        }

        upgraded.StartIndexing();
        await upgraded.Indexing.WaitAsync(cancel);
        return new UpgradeOutcome(from, SchemaStamp.Newest, Done: true, made?.Target, log.Entries, upgraded.Vault.IndexedPatients);
    }
}
