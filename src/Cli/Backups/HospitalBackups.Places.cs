using Mangrove.Continuity;

namespace Mangrove.Cli.Backups;

/// <summary>A place where backups of this hospital went.</summary>
/// <param name="Path">The target.</param>
/// <param name="IsTarget">Whether it gets backups by itself now.</param>
/// <param name="Reached">Whether the hospital's folder there can be read.</param>
/// <param name="Bundles">Paths of the key bundles there.</param>
internal sealed record BackupPlace(string Path, bool IsTarget, bool Reached, IReadOnlyList<string> Bundles);

/// <summary>What destruction asks of backups: where key bundles lie, and that no backup is made meanwhile.</summary>
public sealed partial class HospitalBackups
{
    /// <summary>Waits until no backup or drill runs, and keeps any from beginning until it is disposed.</summary>
    internal async Task<IDisposable> Alone(CancellationToken cancel)
    {
        await one.WaitAsync(cancel);
        return new Turn(one);
    }

    /// <summary>Every target, and every other place where a backup of this hospital was ever written.</summary>
    internal async Task<IReadOnlyList<BackupPlace>> Places(CancellationToken cancel)
    {
        var targets = (await hospital.Vault.Backups.Targets.All(cancel)).Select(target => target.Path).ToList();
        var runs = await hospital.Vault.Backups.Runs(10_000, cancel);
        var written = runs.Where(run => run is { Work: Mangrove.Vault.Backups.BackupWork.Backup, Failure: null }).Select(run => run.Target).ToHashSet(StringComparer.Ordinal);
        var places = new List<BackupPlace>();
        foreach (var path in targets.Concat(written).Distinct(StringComparer.Ordinal))
        {
            var folder = BackupFolder.In(path, hospital.Vault.Facility).Folder;
            var reached = false;
            IReadOnlyList<string> bundles = [];
            try
            {
                reached = Directory.Exists(folder) || (Directory.Exists(path) && !written.Contains(path));
                bundles = Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, "*.keys").Order(StringComparer.Ordinal)] : [];
            }
            catch (Exception away) when (away is IOException or UnauthorizedAccessException)
            {
                reached = false;
            }

            places.Add(new BackupPlace(path, targets.Contains(path, StringComparer.Ordinal), reached, bundles));
        }

        return places;
    }

    private sealed class Turn(SemaphoreSlim of) : IDisposable
    {
        public void Dispose() => of.Release();
    }
}
