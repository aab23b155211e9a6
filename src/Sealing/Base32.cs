using System.Text;

namespace Mangrove.Sealing;

/// <summary>Base32 of RFC 4648, section 6, without padding: how authenticator apps are given a secret.</summary>
public static class Base32
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>The bytes as upper-case text without padding.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(((bytes.Length * 8) + 4) / 5);
        uint bits = 0;
        var held = 0;
        foreach (var value in bytes)
        {
            bits = ((bits & 0xff) << 8) | value;
            for (held += 8; held >= 5; held -= 5)
            {
                text.Append(Alphabet[(int)(bits >> (held - 5)) & 31]);
            }
        }

        if (held > 0)
        {
            text.Append(Alphabet[(int)(bits << (5 - held)) & 31]);
        }

        return text.ToString();
    }

    /// <summary>
    /// Reads upper or lower case, with or without correct padding. False for any other character, for a length that
    /// no bytes have, and for spare bits that are not zero.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        var trimmed = text.TrimEnd('=');
        if (trimmed.Length % 8 is 1 or 3 or 6 || (trimmed.Length != text.Length && (text.Length % 8 != 0 || text.Length - trimmed.Length > 6)))
        {
            return false;
        }

        var decoded = new byte[trimmed.Length * 5 / 8];
        uint bits = 0;
        int held = 0, at = 0;
        foreach (var character in trimmed)
        {
            var value = Alphabet.IndexOf(char.ToUpperInvariant(character), StringComparison.Ordinal);
            if (value < 0 || !char.IsAscii(character))
            {
                return false;
            }

            bits = ((bits & 0xff) << 5) | (uint)value;
            held += 5;
            if (held >= 8)
            {
                held -= 8;
                decoded[at++] = (byte)((bits >> held) & 0xff);
            }
        }

        if ((bits & ((1u << held) - 1)) != 0)
        {
            return false;
        }

        bytes = decoded;
        return true;
    }
}
