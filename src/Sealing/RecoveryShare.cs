using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Mangrove.Kernel;

namespace Mangrove.Sealing;

/// <summary>
/// One share of a recovery key as a sheet of paper carries it: five lines of sixteen letters, each with a check of its
/// own, so that a slip of the hand is found in its line (docs/formats/recovery.md). Dispose zeroes the share; texts of it
/// are the caller's to forget.
/// </summary>
public sealed class RecoveryShare : IDisposable
{
    /// <summary>Lines on a sheet: what the share belongs to, then the share.</summary>
    public const int Lines = 5;

    /// <summary>Groups of letters in a line.</summary>
    public const int Groups = 4;

    /// <summary>Letters in a group.</summary>
    public const int GroupLength = 4;

    private const int LineLength = Groups * GroupLength;
    private const int LineBytes = 8;
    private const int CheckBytes = 2;
    private const int Format = 1;
    private const int MostAlike = 4;

    // x-coordinate and 32 bytes, as SecretShares has it.
    private readonly byte[] share;

    private RecoveryShare(long set, int threshold, int count, byte[] share)
    {
        Set = set;
        Threshold = threshold;
        Count = count;
        this.share = share;
    }

    /// <summary>The set that the share belongs to: 48 random bits.</summary>
    public long Set { get; }

    /// <summary>How many sheets of the set are needed.</summary>
    public int Threshold { get; }

    /// <summary>How many sheets the set has.</summary>
    public int Count { get; }

    /// <summary>Which of them this is, from 1.</summary>
    public int Number => share[0];

    private static ReadOnlySpan<byte> CheckLabel => "mangrove/share-line/1"u8;

    /// <summary>A set as people read it: <c>3F2A 91C0 7B44</c>.</summary>
    public static string NameOf(long set)
    {
        var hex = set.ToString("X12", CultureInfo.InvariantCulture);
        return $"{hex[..4]} {hex[4..8]} {hex[8..]}";
    }

    /// <summary>Splits a private recovery key. The caller disposes of every share.</summary>
    /// <param name="key">The private key.</param>
    /// <param name="set">48 random bits that name the set.</param>
    /// <param name="threshold">How many are needed: 2 or more.</param>
    /// <param name="count">How many there are: up to 16.</param>
    /// <exception cref="ArgumentException">A parameter is out of range.</exception>
    public static IReadOnlyList<RecoveryShare> Split(KeyMaterial key, long set, int threshold, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(set);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(set, 1L << 48);
        return [.. SecretShares.Split(key.Bytes, threshold, count).Select(one => new RecoveryShare(set, threshold, count, one))];
    }

    /// <summary>The key of these shares. It is right only if it fits the recipient's public key: the caller MUST check.</summary>
    /// <param name="shares">Of one set, as many as it needs or more, in any order.</param>
    /// <returns>32 bytes, or <c>shares.other-set</c>, <c>shares.doubled</c>, <c>shares.too-few</c>.</returns>
    public static Result<KeyMaterial> Combine(IReadOnlyList<RecoveryShare> shares)
    {
        for (var i = 0; i < shares.Count; i++)
        {
            var (one, first) = (shares[i], shares[0]);
            if (one.Set != first.Set || one.Threshold != first.Threshold || one.Count != first.Count)
            {
                return new Error("shares.other-set", $"The sheets are of different sets: {NameOf(first.Set)} and {NameOf(one.Set)}. Take sheets of one set.");
            }

            if (shares.Take(i).Any(other => other.Number == one.Number))
            {
                return new Error("shares.doubled", string.Create(CultureInfo.InvariantCulture, $"Sheet {one.Number} was given twice. Take another sheet of the set in its place."));
            }
        }

        if (shares.Count == 0 || shares.Count < shares[0].Threshold)
        {
            return new Error("shares.too-few", shares.Count == 0
                ? "No sheet was given. Type the lines of each sheet."
                : string.Create(CultureInfo.InvariantCulture, $"{shares[0].Threshold} sheets are needed and {shares.Count} given. Add the sheets of other holders."));
        }

        var secret = SecretShares.Combine([.. shares.Select(one => one.share)]);
        try
        {
            return KeyMaterial.From(secret);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>
    /// Reads a sheet as somebody typed or scanned it: upper or lower case, with or without spaces, hyphens, line ends and
    /// the numbers of the lines; 0, 1 and 8, which no sheet has, are read as the letters that they look like.
    /// </summary>
    /// <param name="text">All five lines.</param>
    /// <param name="sheet">How the message names this sheet: its place among those typed, from 1.</param>
    /// <returns>The share, or <c>shares.mistyped</c> (names the line), <c>shares.version</c>.</returns>
    public static Result<RecoveryShare> Parse(string text, int sheet)
    {
        Span<byte> head = stackalloc byte[LineBytes];
        Span<byte> bytes = stackalloc byte[Lines * LineBytes];
        try
        {
            var lines = Split(text);
            for (var line = 0; line < Lines; line++)
            {
                var read = bytes.Slice(line * LineBytes, LineBytes);
                if (line >= lines.Count || !TryRead(lines[line], line, head, read))
                {
                    return Mistyped(sheet, line);
                }

                if (line == 0)
                {
                    read.CopyTo(head);
                }
            }

            if (lines.Count > Lines)
            {
                return new Error("shares.mistyped", string.Create(CultureInfo.InvariantCulture, $"Sheet {sheet} of those typed has letters after its fifth line. A sheet has five lines of sixteen letters."));
            }

            // Four bits each: format, threshold less 1, count less 1, number less 1; then the set.
            var (format, threshold, count, number) = (head[0] >> 4, (head[0] & 15) + 1, (head[1] >> 4) + 1, (head[1] & 15) + 1);
            if (format != Format)
            {
                return new Error("shares.version", string.Create(CultureInfo.InvariantCulture, $"Sheet {sheet} of those typed is of a form that this version does not read. Use a newer version."));
            }

            if (threshold < SecretShares.LowestThreshold || threshold > count || number > count)
            {
                return Mistyped(sheet, 0);
            }

            var kept = GC.AllocateUninitializedArray<byte>(1 + KeyMaterial.Size, pinned: true);
            kept[0] = (byte)number;
            bytes[LineBytes..].CopyTo(kept.AsSpan(1));
            return new RecoveryShare(BinaryPrimitives.ReadInt64BigEndian(head) & ((1L << 48) - 1), threshold, count, kept);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Whether a group was read back as it stands on a sheet; forgiving as <see cref="Parse"/> is.</summary>
    public static bool SameGroup(string printed, string typed)
    {
        var cleaned = Clean(typed);
        return cleaned.Length == GroupLength && Readings(cleaned).Any(reading => string.Equals(reading, printed, StringComparison.Ordinal));
    }

    /// <summary>The five lines, each of four groups of four letters with a space between.</summary>
    public IReadOnlyList<string> Text()
    {
        ObjectDisposedException.ThrowIf(share[0] == 0, this);
        Span<byte> head = stackalloc byte[LineBytes];
        BinaryPrimitives.WriteInt64BigEndian(head, Set);
        head[0] = (byte)((Format << 4) | (Threshold - 1));
        head[1] = (byte)(((Count - 1) << 4) | (Number - 1));

        var lines = new string[Lines];
        Span<byte> bytes = stackalloc byte[LineBytes + CheckBytes];
        for (var line = 0; line < Lines; line++)
        {
            var body = line == 0 ? head : share.AsSpan(1 + ((line - 1) * LineBytes), LineBytes);
            body.CopyTo(bytes);
            Check(line, head, body, bytes[LineBytes..]);
            lines[line] = string.Join(' ', Base32.Encode(bytes).Chunk(GroupLength).Select(group => new string(group)));
        }

        CryptographicOperations.ZeroMemory(bytes);
        return lines;
    }

    /// <summary>Zeroes the share. A second call does nothing.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(share);

    /// <summary>Which sheet of which set; nothing of the share.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"sheet {Number} of set {NameOf(Set)}");

    private static Error Mistyped(int sheet, int line) => new(
        "shares.mistyped",
        string.Create(CultureInfo.InvariantCulture, $"Line {line + 1} of sheet {sheet} of those typed does not fit its check: a letter is wrong, missing or too many. Compare it with the paper and type that line again."));

    /// <summary>
    /// The lines without anything but letters. Five lines stay what they are, so that a letter too few falls into its own
    /// line; text without line ends, as a scanner gives it, is cut into sixteen letters each.
    /// </summary>
    private static List<string> Split(string text)
    {
        var lines = text.Split('\n').Select(Clean).Where(line => line.Length > 0).ToList();
        if (lines.Count != Lines)
        {
            return [.. string.Concat(lines).Chunk(LineLength).Select(line => new string(line))];
        }

        // The number printed before a line may have been typed with it.
        return [.. lines.Select((line, index) => line.Length == LineLength + 1 && line[0] == '1' + index ? line[1..] : line)];
    }

    private static string Clean(string text) =>
        string.Concat(text.Where(sign => !char.IsWhiteSpace(sign) && sign is not ('-' or '.' or '·'))).ToUpperInvariant().Replace('0', 'O').Replace('8', 'B');

    /// <summary>What may have been meant: a 1 is an I or an L.</summary>
    private static IEnumerable<string> Readings(string line)
    {
        var alike = line.Count(sign => sign == '1');
        if (alike > MostAlike)
        {
            yield break;
        }

        for (var choice = 0; choice < 1 << alike; choice++)
        {
            var letters = line.ToCharArray();
            for (int at = 0, bit = 0; at < letters.Length; at++)
            {
                if (letters[at] == '1')
                {
                    letters[at] = (choice >> bit++ & 1) == 0 ? 'I' : 'L';
                }
            }

            yield return new string(letters);
        }
    }

    private static bool TryRead(string line, int number, ReadOnlySpan<byte> head, Span<byte> body)
    {
        if (line.Length != LineLength)
        {
            return false;
        }

        Span<byte> check = stackalloc byte[CheckBytes];
        foreach (var reading in Readings(line))
        {
            if (Base32.TryDecode(reading, out var bytes))
            {
                bytes.AsSpan(0, LineBytes).CopyTo(body);
                Check(number, head, body, check);
                var fits = check.SequenceEqual(bytes.AsSpan(LineBytes));
                CryptographicOperations.ZeroMemory(bytes);
                if (fits)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Two bytes over the line, its place and the first line, so that lines of two sheets are not mixed unseen.</summary>
    private static void Check(int line, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, Span<byte> destination)
    {
        Span<byte> input = stackalloc byte[64];
        CheckLabel.CopyTo(input);
        var at = CheckLabel.Length;
        input[at++] = (byte)line;
        (line == 0 ? body : head).CopyTo(input[at..]);
        at += LineBytes;
        body.CopyTo(input[at..]);
        at += LineBytes;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input[..at], hash);
        hash[..CheckBytes].CopyTo(destination);
        CryptographicOperations.ZeroMemory(input);
    }
}
