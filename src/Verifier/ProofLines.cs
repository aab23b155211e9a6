using System.Globalization;

namespace Mangrove.Verifier;

/// <summary>Lines that proofs and requests to a witness begin with: a word and a number, then hashes, then an empty line and a note.</summary>
internal static class ProofLines
{
    // A tree of 2^63 leaves has no longer proof.
    private const int MostHashes = 63;

    /// <summary>The number after the word.</summary>
    /// <exception cref="VerifierRefusal"><paramref name="bad"/>.</exception>
    public static long Number(string line, string word, VerifierRefusal bad) =>
        line.StartsWith(word + " ", StringComparison.Ordinal)
        && long.TryParse(line[(word.Length + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number.ToString(CultureInfo.InvariantCulture) == line[(word.Length + 1)..]
            ? number
            : throw bad;

    /// <summary>The hashes up to the empty line, and the note after it.</summary>
    /// <exception cref="VerifierRefusal"><paramref name="bad"/>, <c>verifier.note</c>.</exception>
    public static (List<byte[]> Hashes, Note Note) Rest(ReadOnlySpan<string> lines, VerifierRefusal bad)
    {
        var end = lines.IndexOf(string.Empty);
        if (end is < 0 or > MostHashes)
        {
            throw bad;
        }

        var hashes = new List<byte[]>();
        foreach (var line in lines[..end])
        {
            hashes.Add(NoteKey.Base64(line) is { Length: 32 } hash ? hash : throw bad);
        }

        return (hashes, Note.Read(string.Join('\n', lines[(end + 1)..].ToArray()) + "\n"));
    }
}
