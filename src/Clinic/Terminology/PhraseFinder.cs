namespace Mangrove.Clinic.Terminology;

/// <summary>
/// Finds known names inside free text: longer names before the shorter ones inside them, singular and plural alike,
/// one typing error allowed in words of six letters or more when nothing fits exactly there.
/// </summary>
internal sealed class PhraseFinder<T>
    where T : class
{
    private readonly (string[] Words, T Value)[] phrases;

    public PhraseFinder(IEnumerable<(string Name, T Value)> names)
    {
        phrases = [.. names
            .Select(pair => (Words: Known(pair.Name), pair.Value))
            .Where(pair => pair.Words.Length != 0)
            .OrderByDescending(pair => pair.Words.Length)
            .ThenByDescending(pair => pair.Words.Sum(word => word.Length))];
    }

    public List<T> Find(string text)
    {
        var words = Known(text.Length > 1_000 ? text[..1_000] : text);
        var taken = new bool[words.Length];
        var found = new List<T>();
        foreach (var allowTypo in (ReadOnlySpan<bool>)[false, true])
        {
            foreach (var (wanted, value) in phrases)
            {
                for (var at = 0; at + wanted.Length <= words.Length; at++)
                {
                    if (Fits(words, taken, at, wanted, allowTypo))
                    {
                        if (!found.Contains(value))
                        {
                            found.Add(value);
                        }

                        Mark(taken, at, wanted.Length);
                    }
                }
            }
        }

        return found;
    }

    private static void Mark(bool[] taken, int at, int length) => Array.Fill(taken, true, at, length);

    private static string[] Known(string text) => [.. Words.Split(text).Select(word => Singular(Words.Fold(word)))];

    private static string Singular(string word) => word.Length > 3 && word[^1] == 's' && word[^2] is not ('s' or 'u' or 'i') ? word[..^1] : word;

    private static bool Fits(string[] words, bool[] taken, int at, string[] wanted, bool allowTypo)
    {
        for (var i = 0; i < wanted.Length; i++)
        {
            var typed = words[at + i];
            if (taken[at + i] || !(typed == wanted[i]
                || (allowTypo && typed.Length >= 6 && wanted[i].Length >= 6 && Words.OneEdit(typed, wanted[i], prefix: false))))
            {
                return false;
            }
        }

        return true;
    }
}
