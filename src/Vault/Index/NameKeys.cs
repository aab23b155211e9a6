using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Vault.Index;

/// <summary>Which part of a name a key came from.</summary>
internal enum NamePart
{
    Family = 0,
    Given = 1,
    Text = 2,
    Other = 3,
}

/// <summary>One key under which a name is found.</summary>
/// <param name="Text">Folded.</param>
/// <param name="Word">Counts the words of the name, so that one word of it answers only one word of a query.</param>
/// <param name="Derived">Not as written: transliterated, without digits, a piece of a compound.</param>
internal readonly record struct NameKey(string Text, NamePart Part, int Word, bool Derived);

/// <summary>
/// Takes names apart into words and words into keys. O'Brien and Al-Hassan are found joined (obrien) and in pieces (o,
/// brien); Aaron697 also without its digits; الحسن without its article and in Latin letters; 王小明 from each of its
/// characters on; Abdel Rahman also as one word.
/// </summary>
internal static class NameKeys
{
    /// <summary>Keys are cut to this many characters.</summary>
    public const int Longest = 32;

    /// <summary>Words of a name beyond these are not indexed.</summary>
    public const int MostWords = 16;

    private const int MostKeys = 60;

    private static readonly HashSet<string> Particles = new(StringComparer.Ordinal)
    {
        "abd", "abdel", "abdal", "abdul", "abdol", "abu", "abou", "al", "el", "bin", "ben", "bou", "ibn", "ould", "de", "da", "di", "la", "le",
        "mac", "mc", "o", "st", "van", "von", "ter", "ten", "عبد", "ابو", "بن", "ابن", "ال",
    };

    /// <summary>A folded word as it stands in a text, joined and in pieces.</summary>
    public readonly record struct Word(string Joined, IReadOnlyList<string> Pieces);

    public static void Collect(PersonName name, List<NameKey> keys)
    {
        keys.Clear();
        var word = 0;
        Add(name.Family, NamePart.Family, ref word, keys);
        foreach (var given in name.Given)
        {
            Add(given, NamePart.Given, ref word, keys);
        }

        JoinAcross(keys);
        Add(name.Text, NamePart.Text, ref word, keys);
        Add(name.Other, NamePart.Other, ref word, keys);
    }

    /// <summary>The words of a text. Apostrophes and hyphens tie pieces to a word; everything else that is no letter, digit or mark ends it.</summary>
    public static List<Word> Words(string? text, int most)
    {
        var words = new List<Word>();
        if (string.IsNullOrWhiteSpace(text))
        {
            return words;
        }

        var folded = Folding.Fold(text);
        var pieces = new List<string>();
        var start = -1;
        for (var i = 0; i <= folded.Length && words.Count < most; i++)
        {
            var character = i < folded.Length ? folded[i] : ' ';
            var inside = i < folded.Length && IsWordCharacter(character) && !IsTie(character);
            var border = inside && start >= 0 && Folding.IsUnspaced(character) != Folding.IsUnspaced(folded[i - 1]) && !char.IsLowSurrogate(character);
            if ((!inside || border) && start >= 0)
            {
                pieces.Add(folded[start..i]);
                start = -1;
            }

            if (inside && start < 0)
            {
                start = i;
            }

            if ((border || (!inside && !IsTie(character))) && pieces.Count > 0)
            {
                words.Add(Make(pieces));
                pieces.Clear();
            }
        }

        return words;
    }

    /// <summary>The forms of one word, the written one first: without digits, in Latin letters.</summary>
    public static List<string> Forms(string word)
    {
        var forms = new List<string>(1) { Cut(word) };
        if (word.AsSpan().ContainsAnyInRange('0', '9'))
        {
            var letters = string.Concat(word.Where(character => !char.IsAsciiDigit(character)));
            if (letters.Length > 0)
            {
                forms.Add(Cut(letters));
            }
        }

        if (!char.IsAscii(word[0]))
        {
            foreach (var latin in Transliteration.Of(word))
            {
                forms.Add(Cut(latin));
            }
        }

        return forms;
    }

    public static bool IsParticle(string word) => Particles.Contains(word);

    /// <summary>The characters of a word in a script without spaces, each as it would begin a key.</summary>
    public static List<string> Characters(string word)
    {
        var characters = new List<string>();
        for (var i = 0; i < word.Length; i++)
        {
            var length = i + 1 < word.Length && char.IsSurrogatePair(word[i], word[i + 1]) ? 2 : 1;
            characters.Add(word.Substring(i, length));
            i += length - 1;
        }

        return characters;
    }

    private static void Add(string? text, NamePart part, ref int word, List<NameKey> keys)
    {
        // Text repeats the parts as a rule; only words that they do not have are added.
        var known = part == NamePart.Text ? keys.Select(key => key.Text).ToHashSet(StringComparer.Ordinal) : null;
        string? before = null;
        foreach (var found in Words(text, MostWords))
        {
            if (known is not null && known.Contains(Cut(found.Joined)))
            {
                before = null;
                continue;
            }

            if (word >= MostWords || keys.Count >= MostKeys)
            {
                return;
            }

            var own = word++;
            AddForms(found.Joined, part, own, derived: false, keys);
            if (found.Pieces.Count > 1)
            {
                foreach (var piece in found.Pieces)
                {
                    if (word < MostWords)
                    {
                        AddForms(piece, part, word++, derived: true, keys);
                    }
                }
            }

            if (Folding.IsUnspaced(found.Joined[0]))
            {
                for (var i = 1; i < Math.Min(found.Joined.Length, 12); i++)
                {
                    if (!char.IsLowSurrogate(found.Joined[i]))
                    {
                        AddOne(Cut(found.Joined[i..]), part, own, true, keys);
                    }
                }
            }

            if (before is not null)
            {
                AddForms(before + found.Joined, part, own, derived: true, keys);
            }

            before = IsParticle(found.Joined) ? before + found.Joined : null;
        }
    }

    /// <summary>A particle that ends the given names belongs to the family name: Abdel with Rahman as Abdelrahman.</summary>
    private static void JoinAcross(List<NameKey> keys)
    {
        if (keys.Count > 1 && keys[0].Part == NamePart.Family && keys[^1] is { Part: NamePart.Given, Derived: false } last && IsParticle(last.Text))
        {
            AddForms(last.Text + keys[0].Text, NamePart.Family, keys[0].Word, derived: true, keys);
        }
    }

    private static void AddForms(string word, NamePart part, int number, bool derived, List<NameKey> keys)
    {
        if (char.IsAscii(word[0]) && !word.AsSpan().ContainsAnyInRange('0', '9'))
        {
            AddOne(Cut(word), part, number, derived, keys);
            return;
        }

        var written = true;
        foreach (var form in Forms(word))
        {
            AddOne(form, part, number, derived || !written, keys);
            written = false;
        }

        if (word.Length > 4 && word.StartsWith("ال", StringComparison.Ordinal))
        {
            AddOne(Cut(word[2..]), part, number, true, keys);
        }
    }

    private static void AddOne(string text, NamePart part, int number, bool derived, List<NameKey> keys)
    {
        if (keys.Count < MostKeys)
        {
            keys.Add(new NameKey(text, part, number, derived));
        }
    }

    private static Word Make(List<string> pieces) =>
        pieces.Count == 1 ? new Word(pieces[0], []) : new Word(string.Concat(pieces), [.. pieces]);

    private static string Cut(string word)
    {
        if (word.Length <= Longest)
        {
            return word;
        }

        return word[..(char.IsHighSurrogate(word[Longest - 1]) ? Longest - 1 : Longest)];
    }

    private static bool IsWordCharacter(char character) => char.IsLetterOrDigit(character) || char.IsSurrogate(character)
        || CharUnicodeInfo.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.LetterNumber;

    private static bool IsTie(char character) => character is '\'' or '-' or '`' or '´' or '\u2018' or '\u2019' or '\u02BB' or '\u02BC' or '\u02BE' or '\u02BF'
        or '\u2010' or '\u2011' or '\u2012' or '\u2013' or '\u05F3' or '\u05BE' or '·' or '\u30FB';
}
