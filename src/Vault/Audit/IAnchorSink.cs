namespace Mangrove.Vault.Audit;

/// <summary>
/// A place outside the log's own database that remembers its newest checkpoint, so that a log cut short or replaced by an
/// older copy is noticed (threats A1). One lives in the clinic's database; backups and peer hospitals are others.
/// </summary>
public interface IAnchorSink
{
    /// <summary>Keeps the checkpoint durably. An anchor MUST NOT go back to a smaller size.</summary>
    Task Anchor(Checkpoint checkpoint, CancellationToken cancellation);

    /// <summary>The largest checkpoint kept, or null when none was ever kept.</summary>
    Task<Checkpoint?> Newest(CancellationToken cancellation);
}

/// <summary>What somebody else kept of the log, signed there.</summary>
/// <param name="Size">How many entries the log had.</param>
/// <param name="Root">Its root then, hexadecimal.</param>
/// <param name="Where">Who kept it, in the words of the report: <c>backup 12 in /mnt/backup</c>.</param>
public sealed record KeptRoot(long Size, string Root, string Where)
{
    /// <summary>Somebody who should have kept it and whose word is not this hospital's: forged, damaged, or younger than the keys here.</summary>
    /// <param name="where">Who it is, in the words of the report.</param>
    public static KeptRoot Unproven(string where) => new(0, string.Empty, where);

    internal bool Proven => Root.Length > 0;
}
