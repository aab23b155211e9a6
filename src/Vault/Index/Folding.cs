using System.Globalization;
using System.Text;

namespace Mangrove.Vault.Index;

/// <summary>
/// Brings what people write to the form in which names are compared: compatibility decomposition (NFKD, Unicode
/// Standard Annex 15), marks stripped, lower case, one form for letters that one person writes in several ways.
/// </summary>
/// <remarks>
/// Marks are kept in scripts where they are vowels (Devanagari to Khmer) and for kana, where they change the consonant.
/// Nothing here depends on the culture of the machine.
/// </remarks>
internal static class Folding
{
    /// <summary>Longer texts are cut: nobody's name is longer, and the work of a search stays bounded.</summary>
    public const int Longest = 256;

    public static string Fold(string text)
    {
        var cut = text.Length <= Longest ? text : text[..Longest];
        if (Ascii.IsValid(cut))
        {
            return string.Create(cut.Length, cut, static (lower, text) => Ascii.ToLower(text, lower, out _));
        }

        var folded = new StringBuilder(cut.Length + 8);
        var composed = false;
        foreach (var character in Repair(cut).Normalize(NormalizationForm.FormKD))
        {
            if (character is '\u3099' or '\u309A' || IsJamo(character))
            {
                composed = true;
                folded.Append(character);
                continue;
            }

            Append(folded, character);
        }

        return composed ? folded.ToString().Normalize(NormalizationForm.FormC) : folded.ToString();
    }

    /// <summary>Scripts written without spaces, where every character can begin a part of the name.</summary>
    public static bool IsUnspaced(char character) => character is (>= '\u3041' and <= '\u30FF') or (>= '\u3400' and <= '\u9FFF')
        or (>= '\uAC00' and <= '\uD7AF') or (>= '\uF900' and <= '\uFAFF') or (>= '\uD840' and <= '\uD88F');

    private static void Append(StringBuilder folded, char character)
    {
        var category = CharUnicodeInfo.GetUnicodeCategory(character);
        if (category is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark)
        {
            // U+093C is the Devanagari nukta, which people leave out; the other marks of these scripts are vowels.
            if (character is >= '\u0900' and <= '\u1AAF' and not '\u093C')
            {
                folded.Append(character);
            }

            return;
        }

        if (category == UnicodeCategory.Format)
        {
            return;
        }

        if (category == UnicodeCategory.DecimalDigitNumber)
        {
            folded.Append((char)('0' + CharUnicodeInfo.GetDecimalDigitValue(character)));
            return;
        }

        var lower = char.ToLowerInvariant(character);
        switch (lower)
        {
            case 'ß': folded.Append("ss"); break;
            case 'æ': folded.Append("ae"); break;
            case 'œ': folded.Append("oe"); break;
            case 'þ': folded.Append("th"); break;
            case 'ŋ': folded.Append("ng"); break;
            case 'ø': folded.Append('o'); break;
            case 'đ' or 'ð' or 'ɖ': folded.Append('d'); break;
            case 'ł': folded.Append('l'); break;
            case 'ı': folded.Append('i'); break;
            case 'ħ': folded.Append('h'); break;
            case 'ɓ': folded.Append('b'); break;
            case 'ɗ': folded.Append('d'); break;
            case 'ƙ': folded.Append('k'); break;
            case 'ə' or 'ɛ': folded.Append('e'); break;
            case 'ɔ': folded.Append('o'); break;
            case 'ς': folded.Append('σ'); break;

            // Hebrew letters that change their shape at the end of a word.
            case 'ך': folded.Append('כ'); break;
            case 'ם': folded.Append('מ'); break;
            case 'ן': folded.Append('נ'); break;
            case 'ף': folded.Append('פ'); break;
            case 'ץ': folded.Append('צ'); break;

            // Arabic: the hamza carriers lost their marks by decomposition; these are the other ways of writing one letter.
            case 'ٱ': folded.Append('ا'); break;
            case 'ى' or 'ی' or 'ے': folded.Append('ي'); break;
            case 'ة' or 'ۀ' or 'ہ' or 'ھ' or 'ە' or 'ۃ': folded.Append('ه'); break;
            case 'ک': folded.Append('ك'); break;
            case 'ء' or 'ـ': break;
            default: folded.Append(lower); break;
        }
    }

    // Half of a surrogate pair cannot be normalised; it becomes a space.
    private static string Repair(string text)
    {
        StringBuilder? repaired = null;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                {
                    i++;
                    continue;
                }

                repaired ??= new StringBuilder(text);
                repaired[i] = ' ';
            }
            else if (text[i] is '\uFFFE' or '\uFFFF')
            {
                repaired ??= new StringBuilder(text);
                repaired[i] = ' ';
            }
        }

        return repaired?.ToString() ?? text;
    }

    private static bool IsJamo(char character) => character is >= '\u1100' and <= '\u11FF';
}
