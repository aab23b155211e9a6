using System.Buffers.Text;
using System.Security.Cryptography;
using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Bearer secrets of sessions and one-time links: 256 random bits, given out once as 43 characters of base64url and
/// kept as SHA-256. No salt or stretching: a random 256-bit value cannot be guessed from its hash.
/// </summary>
internal static class Token
{
    private const int Size = 32;
    private const int Characters = 43;

    public static string New()
    {
        Span<byte> bytes = stackalloc byte[Size];
        RandomNumberGenerator.Fill(bytes);
        var text = Base64Url.EncodeToString(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return text;
    }

    /// <summary>What is kept of a token; null when the text cannot be one.</summary>
    public static byte[]? Hash(string? text)
    {
        if (text is not { Length: Characters } || !Base64Url.IsValid(text))
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[Size];
        if (!Base64Url.TryDecodeFromChars(text, bytes, out var written) || written != Size)
        {
            return null;
        }

        var hash = SHA256.HashData(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return hash;
    }

    /// <summary>A new public handle of a session for the log: <c>sess_</c> and 16 hexadecimal digits.</summary>
    public static string Handle() => string.Concat("sess_", Convert.ToHexStringLower(Ids.New().ToByteArray().AsSpan(0, 8)));
}
