namespace Mangrove.Vault.Index;

/// <summary>
/// Every different key once: its letters in one pool, its patients, and the ways to it by beginning, by sound and by
/// one mistake. Keys are never taken out; a key without patients costs its few bytes. Not safe for concurrent changes.
/// </summary>
internal sealed class TokenTable
{
    private const int Beginnings = 4;
    private const int LeastForMistakes = 4;
    private const int MostForMistakes = 24;

    // Keys: letters [Start, Start + Length) of the pool.
    private char[] pool = new char[1 << 14];
    private int poolUsed;
    private Token[] tokens = new Token[1 << 10];
    private SlotSet[] patients = new SlotSet[1 << 10];
    private int[] buckets = NewBuckets(1 << 11);

    // Beginnings of one to four letters and sounds, each with its patients; a chain of the keys of each four-letter beginning.
    private readonly Dictionary<ulong, int> beginnings = [];
    private readonly Dictionary<ulong, int> sounds = [];
    private SlotSet[] shared = new SlotSet[1 << 10];
    private int[] chains = new int[1 << 10];
    private int sharedUsed;

    // Each key of four letters or more under itself with one letter left out.
    private int[] mistakeBuckets = NewBuckets(1 << 12);
    private Mistake[] mistakes = new Mistake[1 << 12];
    private int mistakesUsed;

    public int Count { get; private set; }

    public ReadOnlySpan<char> TextOf(int token) => pool.AsSpan(tokens[token].Start, tokens[token].Length);

    public SoundKey SoundOf(int token) => tokens[token].Sound;

    public ref SlotSet PatientsOf(int token) => ref patients[token];

    /// <summary>The key's number, or -1.</summary>
    public int Find(ReadOnlySpan<char> text)
    {
        for (var token = buckets[Hash(text) & (uint)(buckets.Length - 1)]; token >= 0; token = tokens[token].Next)
        {
            if (TextOf(token).SequenceEqual(text))
            {
                return token;
            }
        }

        return -1;
    }

    public int Intern(ReadOnlySpan<char> text)
    {
        var found = Find(text);
        return found >= 0 ? found : Create(text);
    }

    /// <summary>Files a patient under a key, its beginnings and its sound.</summary>
    public void Add(int token, int slot, int expected)
    {
        patients[token].Add(slot, expected);
        ref readonly var entry = ref tokens[token];
        shared[entry.First].Add(slot, expected);
        AddIf(entry.Second, slot, expected);
        AddIf(entry.Third, slot, expected);
        AddIf(entry.Fourth, slot, expected);
        AddIf(entry.SoundSet, slot, expected);
    }

    public void Remove(int token, int slot)
    {
        patients[token].Remove(slot);
        ref readonly var entry = ref tokens[token];
        shared[entry.First].Remove(slot);
        RemoveIf(entry.Second, slot);
        RemoveIf(entry.Third, slot);
        RemoveIf(entry.Fourth, slot);
        RemoveIf(entry.SoundSet, slot);
    }

    /// <summary>Adds to <paramref name="sets"/> the patients of every key that begins with <paramref name="text"/>.</summary>
    /// <param name="most">Looks at no more keys than this behind a long beginning.</param>
    public void Beginning(ReadOnlySpan<char> text, SetList sets, int most)
    {
        if (!beginnings.TryGetValue(BeginningKey(text, Math.Min(text.Length, Beginnings)), out var set))
        {
            return;
        }

        if (text.Length <= Beginnings)
        {
            sets.AddShared(set);
            return;
        }

        for (var token = chains[set] - 1; token >= 0 && most > 0; token = tokens[token].NextOfBeginning, most--)
        {
            if (tokens[token].Length >= text.Length && TextOf(token)[Beginnings..].StartsWith(text[Beginnings..]) && patients[token].Count > 0)
            {
                sets.AddToken(token);
            }
        }
    }

    /// <summary>Adds the patients of every key that sounds like <paramref name="sound"/>.</summary>
    public void Sounding(in SoundKey sound, SetList sets)
    {
        if (sound.IsEmpty)
        {
            return;
        }

        Span<ulong> places = stackalloc ulong[4];
        sound.Places(places, out var count);
        foreach (var place in places[..count])
        {
            if (sounds.TryGetValue(place, out var set))
            {
                sets.AddShared(set);
            }
        }
    }

    /// <summary>Adds the patients of every key one letter away: one too many, one missing, one other, two swapped.</summary>
    public void Mistaken(ReadOnlySpan<char> text, SetList sets, int most)
    {
        if (!TakesMistakes(text))
        {
            return;
        }

        Span<char> shorter = stackalloc char[MostForMistakes];
        for (var left = -1; left < text.Length && most > 0; left++)
        {
            var length = LeaveOut(text, left, shorter);
            var hash = Hash(shorter[..length]);
            for (var i = mistakeBuckets[hash & (uint)(mistakeBuckets.Length - 1)]; i >= 0 && most > 0; i = mistakes[i].Next)
            {
                if (mistakes[i].Hash == hash)
                {
                    most--;
                    var token = mistakes[i].Token;
                    if (patients[token].Count > 0 && IsOneEditAway(text, TextOf(token)))
                    {
                        sets.AddToken(token);
                    }
                }
            }
        }
    }

    public ref SlotSet SharedSet(int set) => ref shared[set];

    public static bool TakesMistakes(ReadOnlySpan<char> text) =>
        text.Length is >= LeastForMistakes and <= MostForMistakes && !text.ContainsAnyInRange('0', '9');

    /// <summary>Whether one insertion, deletion, substitution or swap of neighbours makes the two equal; false when they are.</summary>
    public static bool IsOneEditAway(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.Length > right.Length)
        {
            var longer = left;
            left = right;
            right = longer;
        }

        if (right.Length - left.Length > 1)
        {
            return false;
        }

        var same = left.CommonPrefixLength(right);
        if (left.Length < right.Length)
        {
            return left[same..].SequenceEqual(right[(same + 1)..]);
        }

        if (same == left.Length)
        {
            return false;
        }

        return left[(same + 1)..].SequenceEqual(right[(same + 1)..])
            || (same + 1 < left.Length && left[same] == right[same + 1] && left[same + 1] == right[same] && left[(same + 2)..].SequenceEqual(right[(same + 2)..]));
    }

    private int Create(ReadOnlySpan<char> text)
    {
        if (Count == tokens.Length)
        {
            Array.Resize(ref tokens, Count * 2);
            Array.Resize(ref patients, Count * 2);
            Rehash();
        }

        if (poolUsed + text.Length > pool.Length)
        {
            Array.Resize(ref pool, Math.Max(pool.Length * 2, poolUsed + text.Length));
        }

        text.CopyTo(pool.AsSpan(poolUsed));
        var token = Count++;
        var bucket = Hash(text) & (uint)(buckets.Length - 1);
        var sound = SoundKey.Of(text);
        tokens[token] = new Token
        {
            Start = poolUsed,
            Length = (byte)text.Length,
            Next = buckets[bucket],
            Sound = sound,
            First = SharedFor(beginnings, BeginningKey(text, 1)),
            Second = text.Length > 1 ? SharedFor(beginnings, BeginningKey(text, 2)) : -1,
            Third = text.Length > 2 ? SharedFor(beginnings, BeginningKey(text, 3)) : -1,
            Fourth = text.Length > 3 ? SharedFor(beginnings, BeginningKey(text, 4)) : -1,
            SoundSet = sound.IsEmpty ? -1 : SharedFor(sounds, sound.Filed),
            NextOfBeginning = -1,
        };
        poolUsed += text.Length;
        buckets[bucket] = token;
        if (tokens[token].Fourth is >= 0 and var fourth)
        {
            tokens[token].NextOfBeginning = chains[fourth] - 1;
            chains[fourth] = token + 1;
        }

        FileMistakes(text, token);
        return token;
    }

    private void FileMistakes(ReadOnlySpan<char> text, int token)
    {
        if (!TakesMistakes(text))
        {
            return;
        }

        Span<char> shorter = stackalloc char[MostForMistakes];
        for (var left = -1; left < text.Length; left++)
        {
            // Leaving out either of two equal neighbours gives the same word.
            if (left > 0 && text[left] == text[left - 1])
            {
                continue;
            }

            if (mistakesUsed == mistakes.Length)
            {
                Array.Resize(ref mistakes, mistakesUsed * 2);
                mistakeBuckets = NewBuckets(mistakes.Length / 2);
                for (var i = 0; i < mistakesUsed; i++)
                {
                    ref var head = ref mistakeBuckets[mistakes[i].Hash & (uint)(mistakeBuckets.Length - 1)];
                    mistakes[i].Next = head;
                    head = i;
                }
            }

            var hash = Hash(shorter[..LeaveOut(text, left, shorter)]);
            ref var bucket = ref mistakeBuckets[hash & (uint)(mistakeBuckets.Length - 1)];
            mistakes[mistakesUsed] = new Mistake(hash, token, bucket);
            bucket = mistakesUsed++;
        }
    }

    private static int LeaveOut(ReadOnlySpan<char> text, int left, Span<char> shorter)
    {
        if (left < 0)
        {
            text.CopyTo(shorter);
            return text.Length;
        }

        text[..left].CopyTo(shorter);
        text[(left + 1)..].CopyTo(shorter[left..]);
        return text.Length - 1;
    }

    private int SharedFor(Dictionary<ulong, int> sets, ulong key)
    {
        if (sets.TryGetValue(key, out var set))
        {
            return set;
        }

        if (sharedUsed == shared.Length)
        {
            Array.Resize(ref shared, sharedUsed * 2);
            Array.Resize(ref chains, sharedUsed * 2);
        }

        sets.Add(key, sharedUsed);
        return sharedUsed++;
    }

    private void AddIf(int set, int slot, int expected)
    {
        if (set >= 0)
        {
            shared[set].Add(slot, expected);
        }
    }

    private void RemoveIf(int set, int slot)
    {
        if (set >= 0)
        {
            shared[set].Remove(slot);
        }
    }

    private void Rehash()
    {
        buckets = NewBuckets(tokens.Length * 2);
        for (var token = 0; token < Count; token++)
        {
            ref var head = ref buckets[Hash(TextOf(token)) & (uint)(buckets.Length - 1)];
            tokens[token].Next = head;
            head = token;
        }
    }

    private static ulong BeginningKey(ReadOnlySpan<char> text, int length)
    {
        var key = 0UL;
        for (var i = 0; i < length; i++)
        {
            key = (key << 16) | text[i];
        }

        return key;
    }

    // FNV-1a over the characters. Its order is seen by nobody and its collisions cost a comparison.
    private static uint Hash(ReadOnlySpan<char> text)
    {
        unchecked
        {
            var hash = 2166136261U;
            foreach (var character in text)
            {
                hash = (hash ^ character) * 16777619U;
            }

            return hash ^ (hash >> 15);
        }
    }

    private static int[] NewBuckets(int length)
    {
        var heads = new int[length];
        Array.Fill(heads, -1);
        return heads;
    }

    private struct Token
    {
        public SoundKey Sound;
        public int Start;
        public int Next;
        public int NextOfBeginning;
        public int First;
        public int Second;
        public int Third;
        public int Fourth;
        public int SoundSet;
        public byte Length;
    }

    private record struct Mistake(uint Hash, int Token, int Next);
}

/// <summary>Which sets of patients answer one word of a query.</summary>
internal sealed class SetList
{
    /// <summary>A set of a beginning or sound as it is; a key's own set as its complement.</summary>
    private readonly List<int> sets = [];

    public int Count => sets.Count;

    public void AddShared(int set) => sets.Add(set);

    public void AddToken(int token) => sets.Add(~token);

    public void Clear() => sets.Clear();

    public ref SlotSet At(int index, TokenTable table) =>
        ref sets[index] < 0 ? ref table.PatientsOf(~sets[index]) : ref table.SharedSet(sets[index]);
}
