using System.Globalization;
using System.Text;

namespace Mangrove.Clinic.Terminology;

/// <summary>
/// Splits clinical text into words that can be compared: lower case, no accents, no punctuation. British and American
/// spellings meet in <see cref="Fold"/> (haemorrhage and hemorrhage, sulpha and sulfa).
/// </summary>
internal static class Words
{
    private static readonly HashSet<string> Fillers = new(StringComparer.Ordinal) { "of", "the", "and", "with", "in", "on", "due", "to", "for", "a", "an", "or", "by", "at" };

    public static bool IsFiller(string word) => Fillers.Contains(word);

    public static List<string> Split(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var rune in text.Normalize(NormalizationForm.FormD))
        {
            if (CharUnicodeInfo.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark || rune is '\'' or '’')
            {
                continue;
            }

            if (char.IsLetterOrDigit(rune))
            {
                word.Append(char.ToLowerInvariant(rune));
            }
            else if (word.Length != 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }

        if (word.Length != 0)
        {
            words.Add(word.ToString());
        }

        return words;
    }

    /// <summary>The whole text as comparable words, one space between them.</summary>
    public static string Plain(string text) => string.Join(' ', Split(text).Select(Fold));

    /// <summary>One spelling for both sides of the Atlantic. The result is for comparing, never for showing.</summary>
    public static string Fold(string word)
    {
        if (!word.Contains("ae", StringComparison.Ordinal) && !word.Contains("oe", StringComparison.Ordinal)
            && !word.Contains("ph", StringComparison.Ordinal) && !word.Contains("our", StringComparison.Ordinal))
        {
            return word;
        }

        return word.Replace("ae", "e", StringComparison.Ordinal)
            .Replace("oe", "e", StringComparison.Ordinal)
            .Replace("ph", "f", StringComparison.Ordinal)
            .Replace("our", "or", StringComparison.Ordinal);
    }

    /// <summary>
    /// Whether the two differ by at most one insertion, deletion, replacement or swap of neighbours. With
    /// <paramref name="prefix"/>, <paramref name="typed"/> may also stop before the end of <paramref name="word"/>.
    /// </summary>
    public static bool OneEdit(string typed, string word, bool prefix)
    {
        var at = 0;
        var shorter = Math.Min(typed.Length, word.Length);
        while (at < shorter && typed[at] == word[at])
        {
            at++;
        }

        if (at == typed.Length)
        {
            return prefix || word.Length - at <= 1;
        }

        var typedRest = typed.AsSpan(at);
        var wordRest = word.AsSpan(at);
        return Ends(typedRest[1..], wordRest, prefix)
            || (wordRest.Length >= 1 && Ends(typedRest, wordRest[1..], prefix))
            || (wordRest.Length >= 1 && Ends(typedRest[1..], wordRest[1..], prefix))
            || (wordRest.Length >= 2 && typedRest.Length >= 2 && typedRest[0] == wordRest[1] && typedRest[1] == wordRest[0]
                && Ends(typedRest[2..], wordRest[2..], prefix));
    }

    private static bool Ends(ReadOnlySpan<char> typed, ReadOnlySpan<char> word, bool prefix) =>
        prefix ? word.StartsWith(typed, StringComparison.Ordinal) : word.SequenceEqual(typed);
}
