using System.Globalization;
using System.Security.Cryptography;
using Mangrove.Kernel;

namespace Mangrove.Sealing;

/// <summary>The answer to a password.</summary>
/// <param name="Matches">Whether it is the password of the hash.</param>
/// <param name="NeedsRehash">Whether it matches a hash of an older cost, to be replaced now that the password is at hand.</param>
public readonly record struct PasswordCheck(bool Matches, bool NeedsRehash);

/// <summary>
/// Hashes of people's passwords and PINs: <c>mg1$</c> and bcrypt over base64(HMAC-SHA-384(pepper, password)), the
/// password in NFC and UTF-8 (docs/formats/password.md). Every character counts however long the password is, and
/// without the pepper, which is not in the database, no guess can be checked (threats S2, S12). One call takes about
/// a quarter of a second of one core. Safe for concurrent use.
/// </summary>
public sealed class PasswordHasher
{
    /// <summary>The cost of new hashes unless said otherwise.</summary>
    public const int StandardCost = 12;

    /// <summary>The longest password, in UTF-16 code units.</summary>
    public const int LongestPassword = 1024 * 1024;

    private const string Format = "mg1$";
    private const int LowestCost = 4;

    // A planted hash of cost 31 would hold a core for a day.
    private const int HighestCost = 16;

    private readonly KeyMaterial pepper;
    private readonly int cost;
    private readonly string nobody;

    /// <summary>Makes a hasher; the pepper stays the caller's and MUST live as long.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The cost is not 4 to 16.</exception>
    public PasswordHasher(KeyMaterial pepper, int cost = StandardCost)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cost, LowestCost);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cost, HighestCost);
        this.pepper = pepper;
        this.cost = cost;
        
        // A well-formed hash of salt and digest zero, which no known password has.
        nobody = string.Create(CultureInfo.InvariantCulture, $"$2b${cost:D2}${new string('.', 53)}");
    }

    /// <summary>A new hash of a password, 64 ASCII characters.</summary>
    /// <exception cref="RefusedInput"><c>password.not-text</c>: it holds half of a surrogate pair;
    /// <c>password.too-long</c>: it is longer than 1,048,576 characters; <c>password.empty</c>.</exception>
    public string Hash(ReadOnlySpan<char> password)
    {
        if (password.IsEmpty)
        {
            throw new RefusedInput("password.empty", "Enter a password.");
        }

        if (password.Length > LongestPassword)
        {
            throw new RefusedInput("password.too-long", "Choose a password of at most 1,048,576 characters.");
        }

        Span<byte> hidden = stackalloc byte[64];
        if (!TryHide(password, hidden))
        {
            throw new RefusedInput("password.not-text", "Choose a password of complete characters; this one holds a broken one.");
        }

        try
        {
            return Format + Bcrypt.Hash(hidden, cost);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(hidden);
        }
    }

    /// <summary>
    /// Whether the hash is this password's. A malformed hash, one of another format and one of a cost above 16 match
    /// nothing, as does a password that <see cref="Hash"/> would refuse.
    /// </summary>
    public PasswordCheck Verify(ReadOnlySpan<char> password, ReadOnlySpan<char> hash)
    {
        if (!hash.StartsWith(Format, StringComparison.Ordinal)
            || Bcrypt.CostOf(hash[Format.Length..]) is not { } stored || stored > HighestCost)
        {
            return default;
        }

        var matches = Check(password, hash[Format.Length..]);
        return new PasswordCheck(matches, matches && stored != cost);
    }

    /// <summary>
    /// Takes as long as <see cref="Verify"/> and matches nothing: for a name without an account, so that the time of
    /// the answer does not tell that there is none (threats S10).
    /// </summary>
    public PasswordCheck VerifyNobody(ReadOnlySpan<char> password)
    {
        Check(password, nobody);
        return default;
    }

    private bool Check(ReadOnlySpan<char> password, ReadOnlySpan<char> bcrypt)
    {
        Span<byte> hidden = stackalloc byte[64];
        hidden.Fill((byte)'.');
        var usable = !password.IsEmpty && password.Length <= LongestPassword && TryHide(password, hidden);
        try
        {
            // Computed for an unusable password too: its answer takes as long.
            return Bcrypt.Verify(hidden, bcrypt) & usable;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(hidden);
        }
    }

    /// <summary>base64(HMAC-SHA-384(pepper, NFC UTF-8)): 64 ASCII bytes, so neither 72 nor a zero byte cuts anything.</summary>
    private bool TryHide(ReadOnlySpan<char> password, Span<byte> hidden)
    {
        if (NormalText.Utf8(password) is not { } utf8)
        {
            return false;
        }

        Span<byte> mac = stackalloc byte[HMACSHA384.HashSizeInBytes];
        HMACSHA384.HashData(pepper.Bytes, utf8, mac);
        CryptographicOperations.ZeroMemory(utf8);
        System.Buffers.Text.Base64.EncodeToUtf8(mac, hidden, out _, out _);
        CryptographicOperations.ZeroMemory(mac);
        return true;
    }
}
