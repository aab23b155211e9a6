using System.Text;

namespace Mangrove.Vault.Index;

/// <summary>
/// Writes folded Arabic, Cyrillic and Greek words in Latin letters, so that a name typed in Latin finds them. It follows
/// what registry clerks type, not a reversible standard: Arabic short vowels are not written, so such words are found by
/// their sound (<see cref="SoundKey"/>) more than by their letters.
/// </summary>
internal static class Transliteration
{
    private const string CyrillicFrom = "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґўјљњћђџәғқңөұүһ";
    private static readonly string[] CyrillicTo =
    [
        "a", "b", "v", "g", "d", "e", "zh", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch",
        string.Empty, "y", string.Empty, "e", "yu", "ya", "i", "i", "ye", "g", "u", "j", "lj", "nj", "c", "dj", "dz", "a", "g", "k", "n", "o", "u", "u", "h",
    ];

    private const string GreekFrom = "αβγδεζηθικλμνξοπρστυφχψω";
    private static readonly string[] GreekTo =
        ["a", "v", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m", "n", "x", "o", "p", "r", "s", "t", "y", "f", "ch", "ps", "o"];

    private const string ArabicFrom = "ابتثجحخدذرزسشصضطظعغفقكلمنهويپچژگڤ";
    private static readonly string[] ArabicTo =
    [
        "a", "b", "t", "th", "j", "h", "kh", "d", "dh", "r", "z", "s", "sh", "s", "d", "t", "z", "a", "gh", "f", "q", "k", "l", "m", "n", "h", "u", "i",
        "p", "ch", "zh", "g", "v",
    ];

    /// <summary>The Latin forms of <paramref name="word"/>, likeliest first; none when it is not wholly in one of the three scripts.</summary>
    public static IEnumerable<string> Of(string word)
    {
        if (word.Length == 0)
        {
            yield break;
        }

        var first = word[0];
        if (IsArabic(first))
        {
            if (Arabic(word) is { Length: > 0 } plain)
            {
                yield return plain;
            }

            // Without the article, for people who leave it out in one of the scripts.
            if (word.Length > 4 && word.StartsWith("ال", StringComparison.Ordinal) && Arabic(word[2..]) is { Length: > 0 } bare)
            {
                yield return bare;
            }
        }
        else if (first is >= 'α' and <= 'ω')
        {
            if (Greek(word) is { Length: > 0 } greek)
            {
                yield return greek;
            }
        }
        else if (first is >= '\u0400' and <= '\u052F' && Map(word, CyrillicFrom, CyrillicTo) is { Length: > 0 } cyrillic)
        {
            yield return cyrillic;
            if (word.Contains('х', StringComparison.Ordinal))
            {
                // Хасан is Hasan as often as Khasan.
                yield return Map(word.Replace('х', 'һ'), CyrillicFrom, CyrillicTo)!;
            }
        }
    }

    private static bool IsArabic(char character) => character is >= '\u0621' and <= '\u06D3';

    private static string? Arabic(string word)
    {
        var latin = new StringBuilder(word.Length + 4);
        for (var i = 0; i < word.Length; i++)
        {
            var index = ArabicFrom.IndexOf(word[i], StringComparison.Ordinal);
            if (index < 0)
            {
                return null;
            }

            switch (word[i])
            {
                case 'و' when i == 0: latin.Append('w'); break;
                case 'ي' when i == 0: latin.Append('y'); break;
                case 'ه' when i == word.Length - 1 && i > 0: latin.Append('a'); break;

                // Two letters, not one: Siham is not Sham.
                case 'ه' or 'ح' when latin.Length > 0 && latin[^1] is 's' or 't' or 'd' or 'k' or 'g' or 'z' or 'b' or 'p': latin.Append("ah"); break;
                default: latin.Append(ArabicTo[index]); break;
            }
        }

        return latin.ToString();
    }

    private static string? Greek(string word)
    {
        var plain = word.Replace("ου", "oυ", StringComparison.Ordinal);
        if (plain.StartsWith("μπ", StringComparison.Ordinal))
        {
            plain = "b" + plain[2..];
        }
        else if (plain.StartsWith("ντ", StringComparison.Ordinal))
        {
            plain = "d" + plain[2..];
        }

        plain = plain.Replace("γγ", "ng", StringComparison.Ordinal).Replace("γκ", "gk", StringComparison.Ordinal)
            .Replace("oυ", "ou", StringComparison.Ordinal).Replace("αυ", "av", StringComparison.Ordinal).Replace("ευ", "ev", StringComparison.Ordinal);
        return Map(plain, GreekFrom, GreekTo);
    }

    private static string? Map(string word, string from, string[] to)
    {
        var latin = new StringBuilder(word.Length + 4);
        foreach (var character in word)
        {
            if (character is (>= 'a' and <= 'z') or (>= '0' and <= '9'))
            {
                latin.Append(character);
                continue;
            }

            var index = from.IndexOf(character, StringComparison.Ordinal);
            if (index < 0)
            {
                return null;
            }

            latin.Append(to[index]);
        }

        return latin.ToString();
    }
}
