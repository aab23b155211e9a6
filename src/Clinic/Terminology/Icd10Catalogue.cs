using System.Collections.Frozen;

namespace Mangrove.Clinic.Terminology;

/// <summary>One diagnosis of ICD-10.</summary>
/// <param name="Code">With its point, as it is written: <c>J18.9</c>.</param>
/// <param name="Chapter">The chapter's number, 1 to 22; <see cref="Icd10Chapters"/> names it.</param>
/// <param name="Synonyms">Everyday words by which people look for it; never shown as the diagnosis.</param>
public sealed record Icd10Code(string Code, string Name, int Chapter, IReadOnlyList<string> Synonyms, bool Common);

/// <summary>
/// The diagnoses that can be chosen: the starter set, or a full release taken in by <see cref="Icd10Loader"/>.
/// Immutable; a search touches memory only and takes no lock.
/// </summary>
public sealed class Icd10Catalogue
{
    private static readonly Lazy<Icd10Catalogue> Starter = new(ReadStarter);

    private readonly Icd10Code[] entries;
    private readonly string[] plainCodes;
    private readonly FrozenDictionary<string, int> byCode;
    private readonly WordIndex index;

    private Icd10Catalogue(Icd10Code[] entries, string sourceNote)
    {
        this.entries = entries;
        SourceNote = sourceNote;
        plainCodes = Array.ConvertAll(entries, entry => PlainCode(entry.Code));
        byCode = plainCodes.Select((code, at) => KeyValuePair.Create(code, at)).ToFrozenDictionary(StringComparer.Ordinal);
        var builder = new WordIndex.Builder();
        foreach (var entry in entries)
        {
            builder.Add(entry.Name, entry.Synonyms, entry.Common);
        }

        index = builder.Build();
    }

    /// <summary>Where the table came from and that the hospital must review it; screens show it.</summary>
    public string SourceNote { get; }

    public int Count => entries.Length;

    public IReadOnlyList<Icd10Code> All => entries;

    /// <summary>The starter set of this product.</summary>
    public static Icd10Catalogue Load() => Starter.Value;

    /// <summary>The entry of a code, written with or without its point, in either case; null when there is none.</summary>
    public Icd10Code? Find(string code) => byCode.TryGetValue(PlainCode(code), out var at) ? entries[at] : null;

    /// <summary>
    /// The best diagnoses for what was typed: beginnings of a code, or beginnings of words of the name and the synonyms
    /// in any order, with one typing error allowed in a word that fits nothing else.
    /// </summary>
    /// <param name="text">What was typed.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="usesHere">How often this hospital has used a code; used codes come first among equals.</param>
    public IReadOnlyList<Icd10Code> Search(string text, int most, Func<string, int>? usesHere = null)
    {
        if (string.IsNullOrWhiteSpace(text) || most <= 0)
        {
            return [];
        }

        if (text.Length > 200)
        {
            text = text[..200];
        }

        var found = new List<Icd10Code>(most);
        var code = PlainCode(text);
        if (LooksLikeCode(code))
        {
            var first = Array.BinarySearch(plainCodes, code, StringComparer.Ordinal);
            first = first < 0 ? ~first : first;
            for (var at = first; at < entries.Length && found.Count < most && plainCodes[at].StartsWith(code, StringComparison.Ordinal); at++)
            {
                found.Add(entries[at]);
            }
        }

        if (found.Count < most)
        {
            Func<int, int>? boost = usesHere is null ? null : at => Boost(usesHere(entries[at].Code));
            foreach (var at in index.Search(text, most, boost))
            {
                if (found.Count < most && !found.Contains(entries[at]))
                {
                    found.Add(entries[at]);
                }
            }
        }

        return found;
    }

    internal static Icd10Catalogue From(IEnumerable<Icd10Code> codes, string sourceNote)
    {
        var sorted = codes.ToArray();
        Array.Sort(sorted, static (left, right) => string.CompareOrdinal(PlainCode(left.Code), PlainCode(right.Code)));
        return new Icd10Catalogue(sorted, sourceNote);
    }

    internal static string PlainCode(string code)
    {
        var trimmed = code.AsSpan().Trim();
        return string.Create(trimmed.Length - trimmed.Count('.'), code, static (target, source) =>
        {
            var at = 0;
            foreach (var letter in source.AsSpan().Trim())
            {
                if (letter != '.')
                {
                    target[at++] = char.ToUpperInvariant(letter);
                }
            }
        });
    }

    private static bool LooksLikeCode(string plain) => plain.Length is >= 2 and <= 7 && char.IsAsciiLetter(plain[0])
        && char.IsAsciiDigit(plain[1]) && plain.All(char.IsAsciiLetterOrDigit);

    // Grows with the logarithm, so that the hospital's habit lifts a code among equals and never over a better match.
    private static int Boost(int uses) => uses <= 0 ? 0 : Math.Min(48, 8 * (int)Math.Log2(uses + 1));

    private static Icd10Catalogue ReadStarter()
    {
        var table = DataTable.Read("icd10-starter.txt");
        return From(
            table.Rows.Select(row => new Icd10Code(
                row["code"],
                row["name"],
                Icd10Chapters.Of(row["code"])?.Number ?? throw row.Wrong("the code is in no chapter."),
                row.List("synonyms", ';'),
                row["common"] == "*")),
            table.SourceNote);
    }
}
