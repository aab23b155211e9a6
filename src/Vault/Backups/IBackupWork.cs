using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Backups;

/// <summary>How far a run is that goes on now.</summary>
/// <param name="Work">What it is.</param>
/// <param name="Target">Where it writes, or what it proves.</param>
/// <param name="Started">When it began.</param>
/// <param name="Step">What it does now, in a word: <c>copying</c>.</param>
/// <param name="Done">Bytes of content behind it in this step.</param>
public sealed record BackupUnderway(BackupWork Work, string Target, DateTimeOffset Started, string Step, long Done);

/// <summary>What pages ask of the room that carries backups. A run goes on behind the page; its end is in the history.</summary>
public interface IBackupWork
{
    /// <summary>Whether this hospital proves restores beside itself; on PostgreSQL that needs the line <c>drill</c> of the connection file.</summary>
    bool DrillsHere { get; }

    /// <summary>The run that goes on now, or null.</summary>
    BackupUnderway? Underway { get; }

    /// <summary>Checks a folder before it becomes a target: outside the data folder, and writable now.</summary>
    /// <returns>The full path, or <c>backup.inside-data</c>, <c>backup.target-unwritable</c>, <c>backup.path</c>.</returns>
    Result<string> Check(string path);

    /// <summary>Begins a backup to a target, or a drill on it.</summary>
    /// <returns>When it began, or <c>backup.busy</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    Task<Result<DateTimeOffset>> Start(Actor admin, BackupWork work, BackupTarget target, CancellationToken cancel);

    /// <summary>When a target's next backup is due, and the next drill; null while there is nothing to prove.</summary>
    (IReadOnlyDictionary<Guid, DateTimeOffset> Backups, DateTimeOffset? Drill) Due(IReadOnlyList<BackupTarget> targets, IReadOnlyList<BackupRun> runs);
}
