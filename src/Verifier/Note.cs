using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Mangrove.Verifier;

/// <summary>
/// A signed note (c2sp.org/signed-note) whose text is a checkpoint (c2sp.org/tlog-checkpoint): origin, size, root, and of
/// ours a line with the time. Nothing in it is believed before <see cref="SignedBy"/> says so.
/// </summary>
public sealed class Note
{
    private const int MostSignatures = 64;
    private const string Dash = "\u2014 ";

    private readonly List<(string Name, byte[] Id, byte[] Bytes, string Line)> signatures = [];

    private Note(string text, string origin, long size, byte[] root, long? time)
    {
        Text = text;
        Origin = origin;
        Size = size;
        Root = root;
        Time = time;
    }

    /// <summary>What is signed, with its last line feed.</summary>
    public string Text { get; }

    /// <summary>Name of the log.</summary>
    public string Origin { get; }

    /// <summary>Entries covered.</summary>
    public long Size { get; }

    /// <summary>Root over them, 32 bytes.</summary>
    public IReadOnlyList<byte> RootBytes => Root;

    internal byte[] Root { get; }

    /// <summary>When the log signed that root, in milliseconds since 1970; null when the note does not say.</summary>
    public long? Time { get; }

    /// <summary>The notes of a file, one after another with an empty line between them.</summary>
    /// <exception cref="VerifierRefusal"><c>verifier.note</c>.</exception>
    public static IReadOnlyList<Note> ReadAll(string file)
    {
        var notes = new List<Note>();
        var block = new List<string>();
        var signed = false;
        foreach (var line in Lines(file).Append(string.Empty))
        {
            if (line.Length == 0 && signed)
            {
                notes.Add(Of(block));
                block.Clear();
                signed = false;
            }
            else if (line.Length > 0 || block.Count > 0)
            {
                signed |= line.StartsWith(Dash, StringComparison.Ordinal);
                block.Add(line);
            }
        }

        return block.All(line => line.Length == 0) && notes.Count > 0 ? notes : throw Bad();
    }

    /// <exception cref="VerifierRefusal"><c>verifier.note</c>: the text is not exactly one note.</exception>
    public static Note Read(string file) => ReadAll(file) is [var only] ? only : throw Bad();

    /// <summary>Whether the key signed this note: a log's key its text, a witness's key that it saw it grow from what it knew.</summary>
    /// <exception cref="VerifierRefusal"><c>verifier.note-signature</c>: a signature under this key's name and id is wrong; the whole note is then worth nothing.</exception>
    public bool SignedBy(NoteKey key)
    {
        var signed = false;
        foreach (var (name, id, bytes, _) in signatures)
        {
            if (name != key.Name || !id.AsSpan().SequenceEqual(key.Id))
            {
                continue;
            }

            if (!(key.OfWitness ? Cosigned(key, bytes) : key.VerifyDer(Encoding.UTF8.GetBytes(Text), bytes)))
            {
                throw new VerifierRefusal("verifier.note-signature", "A signature of the note does not fit its text: the note was changed. Get it anew from where it was kept.");
            }

            signed = true;
        }

        return signed;
    }

    /// <summary>The note with its signatures, as it is written.</summary>
    public override string ToString() => $"{Text}\n{string.Concat(signatures.Select(signature => signature.Line + "\n"))}";

    /// <summary>What a witness signs: c2sp.org/tlog-cosignature, cosignature/v1.</summary>
    internal byte[] CosignedBytes(long seconds) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {seconds}\n{Text}"));

    /// <summary>This note with one signature more.</summary>
    internal Note With(NoteKey key, byte[] signature)
    {
        var note = new Note(Text, Origin, Size, Root, Time);
        note.signatures.AddRange(signatures.Where(one => one.Name != key.Name || !one.Id.AsSpan().SequenceEqual(key.Id)));
        note.signatures.Add(Signature($"{Dash}{key.Name} {Convert.ToBase64String([.. key.Id, .. signature])}"));
        return note;
    }

    internal static VerifierRefusal Bad() => new("verifier.note", "The file is not a signed checkpoint of a log (docs/formats/checkpoint-note.md). Name the file that 'mangrove audit anchor' wrote.");

    internal static string[] Lines(string file)
    {
        if (file.Length > 1 << 22 || file.Any(letter => letter < ' ' && letter is not ('\n' or '\r')))
        {
            throw Bad();
        }

        // A text file that passed through Windows ends its lines otherwise; what is signed does not.
        var lines = file.ReplaceLineEndings("\n").Split('\n');
        return lines[^1].Length == 0 ? lines[..^1] : lines;
    }

    private static Note Of(List<string> block)
    {
        var blank = block.LastIndexOf(string.Empty);
        if (blank < 3 || block.Count - blank - 1 is < 1 or > MostSignatures || block.IndexOf(string.Empty) != blank)
        {
            throw Bad();
        }

        var text = block.Take(blank).ToList();
        if (!long.TryParse(text[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size) || text[1] != size.ToString(CultureInfo.InvariantCulture)
            || NoteKey.Base64(text[2]) is not { Length: 32 } root)
        {
            throw Bad();
        }

        long? time = null;
        foreach (var extension in text.Skip(3))
        {
            if (extension.StartsWith("time ", StringComparison.Ordinal))
            {
                time = time is null && DateTimeOffset.TryParseExact(extension[5..], "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                    ? at.ToUnixTimeMilliseconds()
                    : throw Bad();
            }
        }

        var note = new Note(string.Concat(text.Select(line => line + "\n")), text[0], size, root, time);
        foreach (var line in block.Skip(blank + 1))
        {
            note.signatures.Add(Signature(line));
        }

        return note;
    }

    private static (string Name, byte[] Id, byte[] Bytes, string Line) Signature(string line)
    {
        var parts = line.StartsWith(Dash, StringComparison.Ordinal) ? line[Dash.Length..].Split(' ') : [];
        return parts.Length == 2 && NoteKey.IsName(parts[0]) && NoteKey.Base64(parts[1]) is { Length: > 4 } bytes
            ? (parts[0], bytes[..4], bytes[4..], line)
            : throw Bad();
    }

    // 8 bytes of time in seconds, then the signature: c2sp.org/tlog-cosignature.
    private bool Cosigned(NoteKey key, byte[] bytes) =>
        bytes.Length == 8 + 64 && BinaryPrimitives.ReadInt64BigEndian(bytes) is >= 0 and var seconds
        && key.VerifyFixed(CosignedBytes(seconds), bytes.AsSpan(8));
}
