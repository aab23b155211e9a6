namespace Mangrove.Vault.Identity;

/// <summary>The part of the rules that asks the published list: a leaked password alone, twice, in other spellings, or with additions.</summary>
internal static partial class PasswordRules
{
    /// <summary>The longest entry of the list that is looked for. Longer ones are addresses and rows of a table that leaked beside the passwords.</summary>
    public const int LongestEntry = 128;

    // Inside a longer password an entry counts where it is a word there, of four letters or of five signs with three letters:
    // less stands in any random password.
    private const int ShortestEntry = 4;
    private const int FewestLettersOfEntry = 3;
    private const int MostRepeats = 4;

    /// <summary>
    /// Whether a folded password is an entry, or holds one beside which there is nothing but digits, marks and up to
    /// <see cref="FewLetters"/> letters.
    /// </summary>
    private static bool IsLeaked(string text)
    {
        using var list = LeakedPasswords.Open();
        if (list.Holds(text))
        {
            return true;
        }

        // letters[n]: how many there are before the place n.
        var letters = new int[text.Length + 1];
        for (var at = 0; at < text.Length; at++)
        {
            letters[at + 1] = letters[at] + (char.IsLetter(text[at]) ? 1 : 0);
        }

        for (var from = 0; from < text.Length && letters[from] <= FewLetters; from++)
        {
            for (var to = Math.Min(text.Length, from + LongestEntry); to - from >= ShortestEntry; to--)
            {
                var inside = letters[to] - letters[from];
                if (letters[^1] - inside > FewLetters || inside < FewestLettersOfEntry)
                {
                    break;
                }

                if (to - from == ShortestEntry && inside < ShortestEntry)
                {
                    break;
                }

                if (IsEntry(list, text.AsSpan(from, to - from)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool IsEntry(LeakedPasswords list, ReadOnlySpan<char> part)
    {
        if (list.Holds(part))
        {
            return true;
        }

        // Where a sign stands for two letters, all of its kind are read as the one and then all as the other.
        Span<char> first = stackalloc char[part.Length];
        Span<char> second = stackalloc char[part.Length];
        for (var at = 0; at < part.Length; at++)
        {
            var spells = Spells(part[at]);
            (first[at], second[at]) = spells.Length == 0 ? (part[at], part[at]) : (spells[0], spells[^1]);
        }

        if (list.Holds(first) || list.Holds(second))
        {
            return true;
        }

        for (var times = 2; times <= MostRepeats; times++)
        {
            var length = part.Length / times;
            if (length >= ShortestEntry && length * times == part.Length && part[length..].SequenceEqual(part[..^length]) && list.Holds(part[..length]))
            {
                return true;
            }
        }

        return false;
    }
}
