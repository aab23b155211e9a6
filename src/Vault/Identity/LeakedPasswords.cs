using System.Security.Cryptography;
using System.Text;

namespace Mangrove.Vault.Identity;

/// <summary>
/// The published list of passwords that leaked and are tried first: some 324,000, of which 3,500 are long enough to be chosen
/// here. It is in the program as hashes, made by <c>src/Vault/passwords.mjs</c> at build time; nothing is asked of anybody
/// outside. Hashes, because a list in the clear would only be a quarry, and the look-up then needs no memory and no start:
/// the first six bytes of each SHA-256, sorted, are read where they lie.
/// </summary>
/// <remarks>Six bytes of 324,000 entries: one word in 870 million is taken for one of them and is none.</remarks>
internal sealed class LeakedPasswords : IDisposable
{
    private const int Size = 6;

    private readonly Stream hashes;

    private LeakedPasswords(Stream hashes) => this.hashes = hashes;

    /// <summary>How many are known.</summary>
    public int Count => (int)(hashes.Length / Size);

    /// <summary>Opens the list for some look-ups of one caller.</summary>
    /// <exception cref="InvalidOperationException">The program was built without the list, so no password can be judged.</exception>
    public static LeakedPasswords Open()
    {
        var list = typeof(LeakedPasswords).Assembly.GetManifestResourceStream("leaked-passwords");
        return list is { Length: > 0 } && list.Length % Size == 0
            ? new LeakedPasswords(list)
            : throw new InvalidOperationException("The list of leaked passwords is not in this build. Build Mangrove again.");
    }

    /// <summary>Whether a text is an entry, folded as <see cref="PasswordRules"/> does it.</summary>
    public bool Holds(ReadOnlySpan<char> folded)
    {
        Span<byte> text = stackalloc byte[Encoding.UTF8.GetMaxByteCount(PasswordRules.LongestEntry)];
        if (folded.Length > PasswordRules.LongestEntry)
        {
            return false;
        }

        Span<byte> wanted = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..Encoding.UTF8.GetBytes(folded, text)], wanted);
        wanted = wanted[..Size];
        Span<byte> entry = stackalloc byte[Size];
        var (low, high) = (0, Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            hashes.Position = (long)middle * Size;
            hashes.ReadExactly(entry);
            switch (wanted.SequenceCompareTo(entry))
            {
                case 0:
                    return true;
                case < 0:
                    high = middle - 1;
                    break;
                default:
                    low = middle + 1;
                    break;
            }
        }

        return false;
    }

    public void Dispose() => hashes.Dispose();
}
