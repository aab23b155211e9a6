using System.Buffers;

namespace Mangrove.Clinic.Terminology;

/// <summary>
/// Finds entries by the beginnings of their words, in any order, in memory: a sorted list of distinct words, each with
/// the entries that carry it. A word that begins nothing is compared with one typing error allowed. Immutable after
/// <see cref="Builder.Build"/>, so any number of requests may search at once.
/// </summary>
internal sealed class WordIndex
{
    private const int Whole = 40;
    private const int Beginning = 20;
    private const int Mistyped = 6;
    private const int LeastLengthForTypos = 4;

    // What a word's place in the entry is worth; the low two bits of a posting are an index into it.
    private static readonly int[] PlaceWorth = [0, 4, 10];

    private readonly string[] words;
    private readonly int[][] postings;
    private readonly int[] standing;

    private WordIndex(string[] words, int[][] postings, int[] standing)
    {
        this.words = words;
        this.postings = postings;
        this.standing = standing;
    }

    /// <summary>The numbers of the best entries, best first; <paramref name="boost"/> adds to an entry's score, for use counts.</summary>
    public IReadOnlyList<int> Search(string text, int most, Func<int, int>? boost = null)
    {
        var typed = Words.Split(text);
        if (typed.Count == 0 || most <= 0)
        {
            return [];
        }

        if (typed.Count > 12)
        {
            typed.RemoveRange(12, typed.Count - 12);
        }

        var finished = text.Length > 0 && !char.IsLetterOrDigit(text[^1]);
        var meant = typed.Where((word, at) => !Words.IsFiller(word) || (at == typed.Count - 1 && !finished)).ToList();
        if (meant.Count == 0)
        {
            meant = typed;
        }

        var found = Match(meant, most, boost, typos: false);
        if (found.Count == 0 && meant.Count > 1 && Words.IsFiller(meant[^1]))
        {
            meant.RemoveAt(meant.Count - 1);
            found = Match(meant, most, boost, typos: false);
        }

        return found.Count != 0 ? found : Match(meant, most, boost, typos: true);
    }

    private List<int> Match(List<string> meant, int most, Func<int, int>? boost, bool typos)
    {
        var count = standing.Length;
        var stage = ArrayPool<int>.Shared.Rent(count);
        var total = ArrayPool<int>.Shared.Rent(count);
        var latest = ArrayPool<int>.Shared.Rent(count);
        try
        {
            Array.Clear(stage, 0, count);
            Array.Clear(total, 0, count);
            for (var at = 0; at < meant.Count; at++)
            {
                var word = meant[at];
                Score(word, at, stage, total, latest);
                var folded = Words.Fold(word);
                if (folded != word)
                {
                    Score(folded, at, stage, total, latest);
                }

                if (typos && word.Length >= LeastLengthForTypos)
                {
                    ScoreMistyped(folded, at, stage, total, latest);
                }
            }

            return Best(meant.Count, most, boost, stage, total);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(stage);
            ArrayPool<int>.Shared.Return(total);
            ArrayPool<int>.Shared.Return(latest);
        }
    }

    private void Score(string word, int at, int[] stage, int[] total, int[] latest)
    {
        var first = Array.BinarySearch(words, word, StringComparer.Ordinal);
        first = first < 0 ? ~first : first;
        for (var i = first; i < words.Length && words[i].StartsWith(word, StringComparison.Ordinal); i++)
        {
            Count(postings[i], words[i].Length == word.Length ? Whole : Beginning, at, stage, total, latest);
        }
    }

    private void ScoreMistyped(string word, int at, int[] stage, int[] total, int[] latest)
    {
        for (var i = 0; i < words.Length; i++)
        {
            // The first letter is seldom the wrong one, and asking for it keeps strangers out of the list.
            var candidate = words[i];
            if (candidate.Length >= word.Length - 1 && (candidate[0] == word[0] || candidate.Length == word.Length) && Words.OneEdit(word, candidate, prefix: true))
            {
                Count(postings[i], Mistyped + (candidate[0] == word[0] ? 4 : 0) + (Math.Abs(candidate.Length - word.Length) <= 1 ? 6 : 0), at, stage, total, latest);
            }
        }
    }

    private static void Count(int[] posting, int quality, int at, int[] stage, int[] total, int[] latest)
    {
        foreach (var packed in posting)
        {
            var entry = packed >> 2;
            var worth = quality + PlaceWorth[packed & 3];
            if (stage[entry] == at)
            {
                stage[entry] = at + 1;
                latest[entry] = worth;
                total[entry] += worth;
            }
            else if (stage[entry] == at + 1 && worth > latest[entry])
            {
                total[entry] += worth - latest[entry];
                latest[entry] = worth;
            }
        }
    }

    private List<int> Best(int needed, int most, Func<int, int>? boost, int[] stage, int[] total)
    {
        var best = new PriorityQueue<int, (int Score, int Order)>(most + 1);
        for (var entry = 0; entry < standing.Length; entry++)
        {
            if (stage[entry] != needed)
            {
                continue;
            }

            var score = (total[entry] * 4) + standing[entry] + (boost?.Invoke(entry) ?? 0);
            if (best.Count < most)
            {
                best.Enqueue(entry, (score, -entry));
            }
            else if (best.TryPeek(out _, out var worst) && (score, -entry).CompareTo(worst) > 0)
            {
                best.EnqueueDequeue(entry, (score, -entry));
            }
        }

        var result = new List<int>(best.Count);
        while (best.TryDequeue(out var entry, out _))
        {
            result.Add(entry);
        }

        result.Reverse();
        return result;
    }

    /// <summary>Collects entries in the order of their numbers.</summary>
    public sealed class Builder
    {
        private readonly Dictionary<string, List<int>> collected = new(StringComparer.Ordinal);
        private readonly List<int> standing = [];

        /// <summary>Adds the next entry. Shorter names stand before longer ones, <paramref name="common"/> ones before rare ones.</summary>
        public void Add(string name, IEnumerable<string> synonyms, bool common)
        {
            var entry = standing.Count;
            var nameWords = Words.Split(name);
            for (var i = 0; i < nameWords.Count; i++)
            {
                Add(nameWords[i], entry, i == 0 ? 2 : 1);
            }

            foreach (var synonym in synonyms)
            {
                foreach (var word in Words.Split(synonym))
                {
                    Add(word, entry, 0);
                }
            }

            standing.Add((common ? 48 : 0) - Math.Min(60, nameWords.Count * 4));
        }

        public WordIndex Build()
        {
            var words = collected.Keys.ToArray();
            Array.Sort(words, StringComparer.Ordinal);
            return new WordIndex(words, Array.ConvertAll(words, word => collected[word].ToArray()), [.. standing]);
        }

        private void Add(string word, int entry, int place)
        {
            Post(word, entry, place);
            var folded = Words.Fold(word);
            if (folded != word)
            {
                Post(folded, entry, place);
            }
        }

        private void Post(string word, int entry, int place)
        {
            if (Words.IsFiller(word))
            {
                return;
            }

            if (!collected.TryGetValue(word, out var posting))
            {
                collected[word] = posting = [];
            }

            posting.Add((entry << 2) | place);
        }
    }
}
