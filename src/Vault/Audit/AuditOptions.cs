namespace Mangrove.Vault.Audit;

/// <summary>Settings of the log. There is none that turns it off (threats A8).</summary>
internal sealed record AuditOptions
{
    /// <summary>Least time between two anchors of the newest checkpoint. 50 ms to 1 min; default 1 s.</summary>
    public TimeSpan AnchorEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Least time between two attempts to reopen a log that failed. 10 ms to 1 min; default 1 s.</summary>
    public TimeSpan ProbeEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a start draws older entries to check. 0 to 10 s; default 150 ms.</summary>
    public TimeSpan Sampling { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>Most entries in one transaction. 1 to 65,536; default 1,024.</summary>
    public int MostInBatch { get; init; } = 1024;

    /// <summary>Most entries waiting; callers beyond it wait to be let in. 1 to 1,048,576; default 16,384.</summary>
    public int MostWaiting { get; init; } = 16_384;
}
