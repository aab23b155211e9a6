using System.Globalization;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Which passwords may be chosen (NIST SP 800-63B rev. 4, 3.1.1.2): length counts, kinds of characters do not, and what
/// attackers try first is refused. Rules hold when a password is chosen, never when it is used.
/// </summary>
/// <remarks>
/// A list of common passwords knows few of 15 characters, so two rules stand here: the published list of leaked passwords, also
/// with additions, and a list of what people build them from, by which a password is read as pieces: names and words in
/// usual spellings, keyboard walks, runs, repeats, digits.
/// </remarks>
internal static partial class PasswordRules
{
    /// <summary>Least characters while there is no second factor (threats, passwords).</summary>
    public const int Shortest = 15;

    // Up to this many letters beside common pieces do not make a password: "mypassword…", "iloveliverpool…".
    private const int FewLetters = 3;
    private const int ShortestPart = 4;
    private const int ShortestRun = 3;
    private const int ShortestWalk = 4;
    private const int Passphrase = 6;

    private static readonly string[] Walks =
    [
        "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0",
        "!@#$%^&*()_+", "!\"#$%&/()=?", "qweasdzxc", "zaqxswcdevfrbgtnhymjukilop",
    ];

    /// <summary>The broken rule, or null.</summary>
    public static Error? Check(string? password, string user, string displayName, string hospital)
    {
        if (string.IsNullOrEmpty(password))
        {
            return new Error("password.too-short", "Choose at least 15 characters. Several words that do not belong together are easy to remember.");
        }

        if (password.Length > PasswordGate.LongestPassword)
        {
            return TooLong;
        }

        if (!PasswordGate.IsPassword(password))
        {
            return HasBrokenPair(password) ? new Error("password.not-text", "Choose a password of complete characters; this one holds a broken one.") : TooLong;
        }

        var text = password.Normalize(NormalizationForm.FormC);
        if (text.EnumerateRunes().Count() < Shortest)
        {
            return new Error("password.too-short", "Choose at least 15 characters. Several words that do not belong together are easy to remember.");
        }

        var folded = Fold(text);
        if (Names(user, displayName, hospital).Any(name => Holds(folded, name)))
        {
            return new Error("password.contains-name", "Leave your user name, your name and the hospital's name out of the password.");
        }

        return IsCommon(folded) || IsLeaked(folded)
            ? new Error("password.common", "This password is among those that are guessed first: it leaked somewhere, or is a common word or pattern with additions. Put together several words that do not belong together.")
            : null;
    }

    private static Error TooLong { get; } = new("password.too-long", "Choose a password of at most 1,024 bytes.");

    private static bool HasBrokenPair(string text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (char.IsSurrogate(text[index]) && !(char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[++index])))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Lower case, accents off, no white space.</summary>
    private static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var sign in text.Normalize(NormalizationForm.FormKD))
        {
            if (CharUnicodeInfo.GetUnicodeCategory(sign) != UnicodeCategory.NonSpacingMark && !char.IsWhiteSpace(sign))
            {
                folded.Append(char.ToLowerInvariant(sign));
            }
        }

        return folded.ToString();
    }

    /// <summary>The user name, the names and their longer parts, folded to their letters and digits.</summary>
    private static IEnumerable<string> Names(string user, string displayName, string hospital)
    {
        foreach (var text in new[] { user, displayName, hospital })
        {
            var whole = string.Concat(Fold(text).Where(char.IsLetterOrDigit));
            if (whole.Length >= ShortestRun)
            {
                yield return whole;
            }

            foreach (var part in text.Split([' ', '.', '-', '_', ',', '\''], StringSplitOptions.RemoveEmptyEntries))
            {
                var folded = string.Concat(Fold(part).Where(char.IsLetterOrDigit));
                if (folded.Length >= ShortestPart)
                {
                    yield return folded;
                }
            }
        }
    }

    /// <summary>Whether the name stands in the password, in usual spellings and with marks between its letters.</summary>
    private static bool Holds(string password, string name)
    {
        var letters = string.Concat(password.Where(sign => char.IsLetterOrDigit(sign) || Spells(sign).Length > 0));
        for (var start = 0; start + name.Length <= letters.Length; start++)
        {
            if (Matches(letters, start, name))
            {
                return true;
            }
        }

        var plain = string.Concat(password.Where(char.IsLetterOrDigit));
        return plain.Contains(name, StringComparison.Ordinal);
    }

    /// <summary>
    /// Whether common pieces cover the password but for a few letters. The cheapest cover, of the fewest pieces, is
    /// found from the end. Digits and marks beside common pieces cost nothing; where there is no piece of a word's
    /// length, they are no pattern either. Six different words are a passphrase, however common each of them is.
    /// </summary>
    private static bool IsCommon(string text)
    {
        if (text.All(char.IsDigit) || IsRepetition(text))
        {
            return true;
        }

        var n = text.Length;
        var cost = new int[n + 1];
        var pieces = new int[n + 1];
        var step = new int[n];
        for (var at = n - 1; at >= 0; at--)
        {
            (cost[at], pieces[at], step[at]) = (cost[at + 1] + (char.IsLetter(text[at]) ? 1 : 0), pieces[at + 1] + 1, 1);
            foreach (var length in Pieces(text, at))
            {
                if ((cost[at + length], pieces[at + length] + 1).CompareTo((cost[at], pieces[at])) < 0)
                {
                    (cost[at], pieces[at], step[at]) = (cost[at + length], pieces[at + length] + 1, length);
                }
            }
        }

        var covered = 0;
        var words = new HashSet<string>(StringComparer.Ordinal);
        for (var at = 0; at < n; at += step[at])
        {
            covered += step[at] > 1 ? step[at] : 0;
            if (step[at] >= ShortestRun && text.AsSpan(at, step[at]).ContainsAnyInRange('a', 'z'))
            {
                words.Add(text.Substring(at, step[at]));
            }
        }

        return cost[0] <= FewLetters && covered >= ShortestWalk && words.Count < Passphrase;
    }

    private static IEnumerable<int> Pieces(string text, int at)
    {
        foreach (var common in CommonPasswords.StartingWith(text[at], Spells(text[at])))
        {
            if (Matches(text, at, common))
            {
                yield return common.Length;
            }
        }

        for (var step = -1; step <= 1; step++)
        {
            var end = at + 1;
            while (end < text.Length && text[end] - text[end - 1] == step)
            {
                end++;
            }

            if (end - at >= ShortestRun)
            {
                yield return end - at;
            }
        }

        foreach (var walk in Walks)
        {
            for (var length = Walk(text, at, walk); length >= ShortestWalk; length--)
            {
                yield return length;
            }
        }
    }

    /// <summary>How far the text follows a walk from here, forwards or backwards, from wherever it enters it.</summary>
    private static int Walk(string text, int at, string walk)
    {
        var longest = 0;
        for (var entry = walk.IndexOf(text[at], StringComparison.Ordinal); entry >= 0; entry = walk.IndexOf(text[at], entry + 1))
        {
            foreach (var step in (ReadOnlySpan<int>)[1, -1])
            {
                var length = 0;
                while (at + length < text.Length && entry + (length * step) is var key && key >= 0 && key < walk.Length && walk[key] == text[at + length])
                {
                    length++;
                }

                longest = Math.Max(longest, length);
            }
        }

        return longest;
    }

    /// <summary>One short piece again and again: <c>abcabcabcabcabc</c>.</summary>
    private static bool IsRepetition(string text)
    {
        for (var period = 1; period * 3 <= text.Length && period <= 8; period++)
        {
            var same = true;
            for (var index = period; index < text.Length && same; index++)
            {
                same = text[index] == text[index - period];
            }

            if (same)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Matches(string text, int at, string word)
    {
        if (at + word.Length > text.Length)
        {
            return false;
        }

        for (var index = 0; index < word.Length; index++)
        {
            var sign = text[at + index];
            if (sign != word[index] && !Spells(sign).Contains(word[index], StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The letters that a digit or mark commonly stands for.</summary>
    private static string Spells(char sign) => sign switch
    {
        '0' => "o",
        '1' => "il",
        '2' => "z",
        '3' => "e",
        '4' => "a",
        '5' => "s",
        '6' => "gb",
        '7' => "t",
        '8' => "b",
        '9' => "g",
        '@' => "a",
        '$' => "s",
        '!' => "il",
        '|' => "il",
        '+' => "t",
        '(' => "c",
        '€' => "e",
        _ => string.Empty,
    };
}
