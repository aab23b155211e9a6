using System.Text;

namespace Mangrove.Verifier;

/// <summary>What somebody kept of the log elsewhere: a signed note, or the 250 bytes of a checkpoint.</summary>
public sealed class Anchor
{
    private readonly Note? note;
    private readonly CheckpointBytes? bytes;

    private Anchor(Note note)
    {
        this.note = note;
        Size = note.Size;
        Root = note.Root;
        Time = note.Time;
    }

    private Anchor(CheckpointBytes bytes)
    {
        this.bytes = bytes;
        Size = bytes.Size;
        Root = bytes.Root.ToArray();
        Time = bytes.Time;
    }

    public long Size { get; }

    internal byte[] Root { get; }

    internal long? Time { get; }

    /// <summary>The anchors of a file: notes as text, or checkpoints of 250 bytes one after another.</summary>
    /// <exception cref="VerifierRefusal"><c>verifier.note</c>.</exception>
    public static IReadOnlyList<Anchor> ReadAll(byte[] file)
    {
        if (!file.AsSpan().StartsWith(CheckpointBytes.Label))
        {
            return [.. Note.ReadAll(TextOf(file)).Select(note => new Anchor(note))];
        }

        return file.Length % CheckpointBytes.Length != 0
            ? throw Note.Bad()
            : [.. file.Chunk(CheckpointBytes.Length).Select(part => new Anchor(CheckpointBytes.Read(part) ?? throw Note.Bad()))];
    }

    internal static string TextOf(byte[] file)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(file);
        }
        catch (DecoderFallbackException)
        {
            throw Note.Bad();
        }
    }

    /// <summary>Whether the log of this key signed it. A signature that is there and wrong counts as none.</summary>
    internal bool IsOf(NoteKey key)
    {
        if (bytes is not null)
        {
            return key.LogIdentity() is { } identity && bytes.Facility.SequenceEqual(identity.Facility) && bytes.Log.SequenceEqual(identity.Log)
                && key.VerifyFixed(bytes.Signed, bytes.Signature);
        }

        return note!.Origin == key.Name && Signed(key);
    }

    /// <summary>Whether one of the witnesses cosigned it.</summary>
    internal bool IsWitnessed(IReadOnlyList<NoteKey> witnesses) => note is not null && witnesses.Any(Signed);

    private bool Signed(NoteKey key)
    {
        try
        {
            return note!.SignedBy(key);
        }
        catch (VerifierRefusal)
        {
            return false;
        }
    }
}
