using System.Buffers.Binary;

namespace Mangrove.Verifier;

/// <summary>
/// One entry of a log with the proof that the log has it: c2sp.org/tlog-proof, whose extra data are the bytes of the entry.
/// Whoever has the log's public key can check it without the log.
/// </summary>
public sealed class EntryProof
{
    private const string FirstLine = "c2sp.org/tlog-proof@v1";

    private readonly byte[] entry;
    private readonly List<byte[]> path;

    private EntryProof(byte[] entry, long index, List<byte[]> path, Note note)
    {
        this.entry = entry;
        Index = index;
        this.path = path;
        Note = note;
    }

    /// <summary>Place in the tree, from 0: the number of the entry less one.</summary>
    public long Index { get; }

    /// <summary>The signed checkpoint that the proof leads to.</summary>
    public Note Note { get; }

    /// <exception cref="VerifierRefusal"><c>verifier.proof</c>, <c>verifier.note</c>.</exception>
    public static EntryProof Read(byte[] file)
    {
        var bad = new VerifierRefusal("verifier.proof", "The file is not a proof of an entry. Name the file that 'mangrove audit prove' wrote.");
        var lines = Note.Lines(Anchor.TextOf(file));
        if (lines.Length < 8 || lines[0] != FirstLine || !lines[1].StartsWith("extra ", StringComparison.Ordinal)
            || NoteKey.Base64(lines[1]["extra ".Length..]) is not { } entry)
        {
            throw bad;
        }

        var index = ProofLines.Number(lines[2], "index", bad);
        var (path, note) = ProofLines.Rest(lines.AsSpan(3), bad);
        return new EntryProof(entry, index, path, note);
    }

    /// <summary>What is wrong with the proof; empty when the log of this key has the entry.</summary>
    /// <param name="keys">Public keys; the one of the log is found by the name in the note.</param>
    /// <param name="witnesses">With any, one of them must have cosigned the note.</param>
    public IReadOnlyList<Finding> Check(IReadOnlyList<NoteKey> keys, IReadOnlyList<NoteKey> witnesses)
    {
        var findings = new FindingList();
        var key = keys.FirstOrDefault(one => !one.OfWitness && one.Name == Note.Origin);
        if (key is null || !IsSigned(key))
        {
            findings.Add("proof.signature", null, "the checkpoint is not signed by the key of the log that it names");
        }

        if (witnesses.Count > 0 && !witnesses.Any(IsSigned))
        {
            findings.Add("proof.unwitnessed", null, "the checkpoint is not cosigned by a witness whose key was given");
        }

        if (!EntryBytes.TryRead(entry, out var read))
        {
            findings.Add("proof.entry", null, "the bytes are not an entry");
        }
        else
        {
            if (read.Sequence != Index + 1)
            {
                findings.Add("proof.index", read.Sequence, "the entry says another number than the place that is proven");
            }

            if (key?.LogIdentity() is { } identity && (!read.Facility.SequenceEqual(identity.Facility) || !read.Log.SequenceEqual(identity.Log)))
            {
                findings.Add("proof.foreign", read.Sequence, "the entry belongs to another hospital or another log");
            }
        }

        Span<byte> leaf = stackalloc byte[32];
        HashTree.Leaf(entry, leaf);
        if (!HashTree.Includes(leaf, Index, Note.Size, path, Note.Root))
        {
            findings.Add("proof.path", Index + 1, "the hashes do not lead from the entry to the signed root");
        }

        return findings.ToList();
    }

    /// <summary>The entry in words, or null when the bytes are none. Believe it only when <see cref="Check"/> found nothing.</summary>
    public ProvenEntry? Entry()
    {
        if (!EntryBytes.TryRead(entry, out var read, out var texts))
        {
            return null;
        }

        var patients = new List<string>();
        for (var left = read.Patients; !left.IsEmpty; left = left[16..])
        {
            patients.Add(Convert.ToHexStringLower(left[..16]));
        }

        return new ProvenEntry(
            read.Sequence,
            DateTimeOffset.FromUnixTimeMilliseconds(read.Time),
            texts[0],
            texts[1],
            texts[2],
            texts[3],
            [.. texts.Skip(9)],
            texts[4],
            texts[8],
            texts[5],
            texts[6],
            texts[7],
            read.Outcome switch { 1 => "allowed", 2 => "refused", _ => "breakglass" },
            BinaryPrimitives.ReadInt32BigEndian(entry.AsSpan(99)),
            patients);
    }

    private bool IsSigned(NoteKey key)
    {
        try
        {
            return Note.SignedBy(key);
        }
        catch (VerifierRefusal)
        {
            return false;
        }
    }
}

/// <summary>What a proven entry says. Texts are escaped as the log has them.</summary>
public sealed record ProvenEntry(
    long Seq,
    DateTimeOffset Timestamp,
    string Actor,
    string StaffId,
    string Action,
    string Resource,
    IReadOnlyList<string> FieldsAccessed,
    string Device,
    string Department,
    string SessionId,
    string Purpose,
    string Reason,
    string Outcome,
    int Count,
    IReadOnlyList<string> Patients);
