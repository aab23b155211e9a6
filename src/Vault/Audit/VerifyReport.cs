namespace Mangrove.Vault.Audit;

/// <summary>What a verification found. <see cref="Ok"/> only when <see cref="Problems"/> is empty.</summary>
/// <param name="Entries">Entries read.</param>
/// <param name="Head">Hash of the last entry, hex; zeros for an empty log.</param>
/// <param name="Size">Size of the newest checkpoint.</param>
/// <param name="Root">Root over the entries read, hex.</param>
/// <param name="Checkpoints">Checkpoints read.</param>
/// <param name="Anchors">Anchors compared with the log.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Problems">What is wrong, in the order found; at most <see cref="MostProblems"/>.</param>
public sealed record VerifyReport(
    long Entries,
    string Head,
    long Size,
    string Root,
    long Checkpoints,
    int Anchors,
    double Seconds,
    IReadOnlyList<VerifyProblem> Problems)
{
    /// <summary>A damaged log may have as many problems as rows; the first ones say where to look.</summary>
    public const int MostProblems = 1000;

    public bool Ok => Problems.Count == 0;
}

/// <summary>One thing that is wrong. Codes: docs/formats/audit-log.md.</summary>
/// <param name="Code">Stable, such as <c>audit.chain</c>.</param>
/// <param name="Seq">The entry, or the checkpoint's size; null when it concerns the whole log.</param>
/// <param name="Message">What that means.</param>
public sealed record VerifyProblem(string Code, long? Seq, string Message);
