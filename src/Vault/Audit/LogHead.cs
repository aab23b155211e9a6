namespace Mangrove.Vault.Audit;

/// <summary>Where the audit log stands now, for those who keep its checkpoints with their own commits.</summary>
public sealed class LogHead
{
    private Func<Checkpoint?> newest = () => null;

    /// <summary>Whether the records that this log describes are a read-only copy, into which nothing is committed.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>The newest signed checkpoint, or null before the first entry.</summary>
    public Checkpoint? Newest => newest();

    /// <summary>A log that has no entry yet, for set-up and for tools that only read the model.</summary>
    public static LogHead Unset() => new();

    internal void Follow(Func<Checkpoint?> source) => newest = source;
}
