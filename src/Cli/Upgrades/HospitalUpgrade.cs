using System.Globalization;
using Mangrove.Cli.Backups;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Upgrades;

/// <summary>
/// Brings a hospital that an earlier version wrote to the schema of this one, whole or not at all. The caller holds the
/// folder's lock and has nothing of it open.
/// </summary>
public sealed class HospitalUpgrade(StorageOptions storage, RootSecret secret, TimeProvider clock)
{
    /// <summary>Told each point, for tests.</summary>
    public IUpgradeWatch? Watch { get; init; }

    /// <summary>Try everything and keep nothing of it.</summary>
    public bool TryOnly { get; init; }

    /// <summary>On PostgreSQL: no backup is made first, because somebody says that there is another. It stands in the log.</summary>
    public bool BackupElsewhere { get; init; }

    /// <summary>On PostgreSQL: where the backup goes that is made first; null for the hospital's first target.</summary>
    public string? BackupTo { get; init; }

    /// <summary>Whether an earlier version wrote the hospital.</summary>
    /// <exception cref="RefusedInput"><c>upgrade.newer-data</c>.</exception>
    public static async Task<bool> Needed(StorageOptions storage, CancellationToken cancel)
    {
        await SchemaStamp.RequireKnown(storage, cancel);
        return await SchemaStamp.Oldest(storage, cancel) < SchemaStamp.Newest;
    }

    /// <summary>Does it.</summary>
    /// <param name="say">Progress.</param>
    /// <param name="cancel">Gives up; the hospital stays as it was.</param>
    /// <exception cref="RefusedInput">
    /// <c>upgrade.newer-data</c>, <c>upgrade.no-space</c>, <c>upgrade.no-backup</c>, <c>upgrade.others</c> or a <c>keys.</c>
    /// code before anything was begun; <c>upgrade.undone</c>: it failed, and everything is as it was; <c>upgrade.unfinished</c>:
    /// the upgraded files were being put in place, which the next command or start goes on with; <c>upgrade.unchecked</c>: on PostgreSQL, done, and
    /// the look at it afterwards failed.
    /// </exception>
    public async Task<UpgradeOutcome> Run(Action<string> say, CancellationToken cancel)
    {
        UpgradeSwap.Finish(storage.Folder);
        await SchemaStamp.RequireKnown(storage, cancel);
        var from = await SchemaStamp.Oldest(storage, cancel);
        if (from == SchemaStamp.Newest)
        {
            return new UpgradeOutcome(from, from, Done: false, null, 0, 0);
        }

        say(string.Create(CultureInfo.InvariantCulture, $"schema {from} -> {SchemaStamp.Newest}: looking whether it can be done"));
        await VaultRoom.RequireOpens(storage.Folder, secret, cancel);
        HospitalBackups.Sweep(storage.Folder);
        var postgres = storage.Kind == StorageKind.Postgres ? new PostgresUpgrade(storage, secret, clock, Watch, say) { TryOnly = TryOnly, BackupElsewhere = BackupElsewhere, BackupTo = BackupTo } : null;
        try
        {
            return postgres is not null
                ? await postgres.Run(from, cancel)
                : await new FolderUpgrade(storage, secret, clock, Watch, say) { TryOnly = TryOnly }.Run(from, cancel);
        }
        catch (Settled)
        {
            throw;
        }
        catch (Exception failed)
        {
            Connections.Close();
            if (postgres?.Committing ?? UpgradeSwap.Pending(storage.Folder) || await SchemaStamp.Oldest(storage, CancellationToken.None) == SchemaStamp.Newest)
            {
                throw new RefusedInput("upgrade.unfinished", $"Everything is upgraded and checked and was being made to hold, which was cut off{Because(failed)}. Run 'mangrove upgrade' again: it goes on from there.");
            }

            HospitalBackups.Sweep(storage.Folder);
            var code = failed is OperationCanceledException ? "interrupted" : CommandShell.Explain(failed)?.Code ?? "mangrove.broken";
            if (!TryOnly)
            {
                UpgradeNotes.Undone(storage.Folder, code, from, SchemaStamp.Newest, postgres?.WayBack, clock);
            }

            if (failed is OperationCanceledException || CommandShell.Explain(failed) is null)
            {
                throw;
            }

            throw new RefusedInput("upgrade.undone", $"The upgrade failed{Because(failed)}. The hospital is exactly as it was before: put right what is said here and try again, or go on with the version of before.");
        }
    }

    private static string Because(Exception failed) => CommandShell.Explain(failed) is { } reason ? $" ({reason.Code}: {reason.Message.TrimEnd('.')})" : string.Empty;

    /// <summary>Its message says how things stand: nothing was begun, or all of it holds. There is nothing to undo.</summary>
    public sealed class Settled(string code, string message) : RefusedInput(code, message);
}
