namespace Mangrove.Verifier;

/// <summary>A file that cannot be judged at all: missing, of another kind, or changed while it was read. A finding about the log is never this.</summary>
public sealed class VerifierRefusal : Exception
{
    public VerifierRefusal(string code, string message)
        : base(message) => Code = code;

    /// <summary>Stable, such as <c>verifier.log-missing</c>; docs/formats/checkpoint-note.md lists them.</summary>
    public string Code { get; }
}
