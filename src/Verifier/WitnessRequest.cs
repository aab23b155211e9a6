namespace Mangrove.Verifier;

/// <summary>
/// What a log asks a witness: the size that the witness knows, the proof that the log only grew since, and the new signed
/// checkpoint. The body of add-checkpoint of c2sp.org/tlog-witness, as a file.
/// </summary>
public sealed class WitnessRequest
{
    private WitnessRequest(long old, IReadOnlyList<byte[]> proof, Note note)
    {
        Old = old;
        Proof = proof;
        Note = note;
    }

    public long Old { get; }

    public IReadOnlyList<byte[]> Proof { get; }

    public Note Note { get; }

    /// <exception cref="VerifierRefusal"><c>verifier.request</c>, <c>verifier.note</c>.</exception>
    public static WitnessRequest Read(byte[] file)
    {
        var bad = new VerifierRefusal("verifier.request", "The file is not a request to a witness. Name the file that 'mangrove audit anchor --since' wrote.");
        var lines = Note.Lines(Anchor.TextOf(file));
        if (lines.Length < 5)
        {
            throw bad;
        }

        var old = ProofLines.Number(lines[0], "old", bad);
        var (proof, note) = ProofLines.Rest(lines.AsSpan(1), bad);
        return old <= note.Size ? new WitnessRequest(old, proof, note) : throw bad;
    }
}
