using System.Globalization;
using System.Security.Cryptography;
using Mangrove.Kernel;

namespace Mangrove.Sealing;

/// <summary>The answer to a password.</summary>
/// <param name="Matches">Whether it is the password of the hash.</param>
/// <param name="NeedsRehash">Whether it matches a hash of another cost or an older pepper, to be replaced now that the password is at hand.</param>
public readonly record struct PasswordCheck(bool Matches, bool NeedsRehash);

/// <summary>
/// Hashes of people's passwords and PINs: <c>mg1$</c> (or <c>mg2$</c> and the pepper's version, from the second one on) and
/// bcrypt over base64(HMAC-SHA-384(pepper, password)), the password in NFC and UTF-8 (docs/formats/password.md). Every character counts however long the password is, and
/// without the pepper, which is not in the database, no guess can be checked (threats S2, S12). One call takes about
/// a quarter of a second of one core. Safe for concurrent use.
/// </summary>
public sealed class PasswordHasher
{
    /// <summary>The cost of new hashes unless said otherwise.</summary>
    public const int StandardCost = 12;

    /// <summary>The longest password, in UTF-16 code units.</summary>
    public const int LongestPassword = 1024 * 1024;

    private const string FirstFormat = "mg1$";
    private const string Format = "mg2$";
    private const int LongestVersion = 6;
    private const int LowestCost = 4;

    // A planted hash of cost 31 would hold a core for a day.
    private const int HighestCost = 16;

    private readonly Func<(int Version, KeyMaterial Key)> newest;
    private readonly Func<int, KeyMaterial?> peppers;
    private readonly int cost;
    private readonly string nobody;

    /// <summary>Makes a hasher with one pepper, its first version; it stays the caller's and MUST live as long.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The cost is not 4 to 16.</exception>
    public PasswordHasher(KeyMaterial pepper, int cost = StandardCost)
        : this(() => (1, pepper), version => version == 1 ? pepper : null, cost)
    {
    }

    /// <summary>Makes a hasher over a pepper that rotates: new hashes name the newest version, old ones are checked under theirs.</summary>
    /// <param name="newest">The version in use, 1 to 999,999, and its key.</param>
    /// <param name="peppers">The key of a version, or null for one that there is not; such a hash matches nothing. Keys MUST live until the call with them ends.</param>
    /// <param name="cost">4 to 16.</param>
    /// <exception cref="ArgumentOutOfRangeException">The cost is not 4 to 16.</exception>
    public PasswordHasher(Func<(int Version, KeyMaterial Key)> newest, Func<int, KeyMaterial?> peppers, int cost = StandardCost)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cost, LowestCost);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cost, HighestCost);
        this.newest = newest;
        this.peppers = peppers;
        this.cost = cost;

        // A well-formed hash of salt and digest zero, which no known password has.
        nobody = string.Create(CultureInfo.InvariantCulture, $"$2b${cost:D2}${new string('.', 53)}");
    }

    /// <summary>A new hash of a password under the newest pepper: 64 ASCII characters for its first version, a few more for later ones.</summary>
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
        var (version, pepper) = newest();
        if (!TryHide(pepper, password, hidden))
        {
            throw new RefusedInput("password.not-text", "Choose a password of complete characters; this one holds a broken one.");
        }

        try
        {
            return (version == 1 ? FirstFormat : string.Create(CultureInfo.InvariantCulture, $"{Format}{version}$")) + Bcrypt.Hash(hidden, cost);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(hidden);
        }
    }

    /// <summary>
    /// Whether the hash is this password's. A malformed hash, one of another format and one of a cost above 16 match
    /// nothing, as does a password that <see cref="Hash"/> would refuse and a hash that names a pepper that is gone.
    /// </summary>
    public PasswordCheck Verify(ReadOnlySpan<char> password, ReadOnlySpan<char> hash)
    {
        if (PepperOf(hash, out var length) is not { } version || peppers(version) is not { } pepper
            || Bcrypt.CostOf(hash[length..]) is not { } stored || stored > HighestCost)
        {
            return default;
        }

        var matches = Check(pepper, password, hash[length..]);
        return new PasswordCheck(matches, matches && (stored != cost || version != newest().Version));
    }

    /// <summary>The version of the pepper that a hash names, 1 or more; null for text that is no hash of ours.</summary>
    public static int? PepperOf(ReadOnlySpan<char> hash) => PepperOf(hash, out _);

    /// <summary>
    /// Takes as long as <see cref="Verify"/> and matches nothing: for a name without an account, so that the time of
    /// the answer does not tell that there is none (threats S10).
    /// </summary>
    public PasswordCheck VerifyNobody(ReadOnlySpan<char> password)
    {
        Check(newest().Key, password, nobody);
        return default;
    }

    // One way to write each version: the first without a number, later ones without leading zeros.
    private static int? PepperOf(ReadOnlySpan<char> hash, out int length)
    {
        length = FirstFormat.Length;
        if (hash.StartsWith(FirstFormat, StringComparison.Ordinal))
        {
            return 1;
        }

        if (!hash.StartsWith(Format, StringComparison.Ordinal))
        {
            return null;
        }

        var digits = hash[Format.Length..].IndexOf('$');
        if (digits is < 1 or > LongestVersion || hash[Format.Length] == '0'
            || !int.TryParse(hash.Slice(Format.Length, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var version) || version < 2)
        {
            return null;
        }

        length = Format.Length + digits + 1;
        return version;
    }

    private static bool Check(KeyMaterial pepper, ReadOnlySpan<char> password, ReadOnlySpan<char> bcrypt)
    {
        Span<byte> hidden = stackalloc byte[64];
        hidden.Fill((byte)'.');
        var usable = !password.IsEmpty && password.Length <= LongestPassword && TryHide(pepper, password, hidden);
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
    private static bool TryHide(KeyMaterial pepper, ReadOnlySpan<char> password, Span<byte> hidden)
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
