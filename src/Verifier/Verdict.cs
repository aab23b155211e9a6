namespace Mangrove.Verifier;

/// <summary>One thing that is wrong. Codes: docs/formats/audit-log.md.</summary>
/// <param name="Code">Stable, such as <c>audit.chain</c>.</param>
/// <param name="Seq">The entry, or the checkpoint's size; null when it concerns the whole log.</param>
/// <param name="Message">What that means.</param>
public sealed record Finding(string Code, long? Seq, string Message);

/// <summary>What a verification came to.</summary>
/// <param name="Entries">Entries read.</param>
/// <param name="Head">Hash of the last entry, hex; zeros for an empty log.</param>
/// <param name="Size">Size of the newest checkpoint.</param>
/// <param name="Root">Root over the entries read, hex.</param>
/// <param name="Checkpoints">Checkpoints read.</param>
/// <param name="Signatures">Of these, how many signatures were checked one by one; the newest signature vouches for the others.</param>
/// <param name="Anchors">Anchors compared with the log.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Findings">What is wrong, in the order found; at most <see cref="MostFindings"/>. Empty means whole.</param>
public sealed record Verdict(
    long Entries,
    string Head,
    long Size,
    string Root,
    long Checkpoints,
    long Signatures,
    int Anchors,
    double Seconds,
    IReadOnlyList<Finding> Findings)
{
    /// <summary>A damaged log may have as many findings as rows; the first ones say where to look.</summary>
    public const int MostFindings = 1000;

    public bool Whole => Findings.Count == 0;
}

/// <summary>Collects findings up to the limit. Safe for concurrent use: signatures are checked beside the walk.</summary>
internal sealed class FindingList
{
    private readonly Lock gate = new();
    private readonly List<Finding> found = [];

    public void Add(string code, long? seq, string message)
    {
        lock (gate)
        {
            if (found.Count < Verdict.MostFindings)
            {
                found.Add(new Finding(code, seq, message));
            }
        }
    }

    public IReadOnlyList<Finding> ToList()
    {
        lock (gate)
        {
            return [.. found];
        }
    }
}
