namespace Mangrove.Vault.Index;

/// <summary>One word of a query: its forms, the patients that answer it, and what it is worth against keys met so far.</summary>
internal sealed class QueryWord
{
    private const int Remembered = 256;

    private readonly int[] tokens = new int[Remembered];
    private readonly byte[] qualities = new byte[Remembered];
    private readonly SoundKey[] sounds;

    public QueryWord(List<string> forms)
    {
        Forms = forms;
        sounds = [.. forms.Select(form => SoundKey.Of(form))];
        Array.Fill(tokens, -1);
    }

    public List<string> Forms { get; }

    public IReadOnlyList<SoundKey> Sounds => sounds;

    /// <summary>Patients with a word that begins with this one; later also those that sound alike, later those one letter off.</summary>
    public ulong[]? Loose { get; set; }

    /// <summary>Whether <see cref="Loose"/> may be written; otherwise it is a set of the index itself.</summary>
    public bool OwnsLoose { get; set; }

    /// <summary>How well the word fits a key, 0 to 100, by the best of its forms; the key's own derivation is not counted.</summary>
    public int QualityOf(int token, TokenTable table)
    {
        ref var remembered = ref tokens[token & (Remembered - 1)];
        ref var quality = ref qualities[token & (Remembered - 1)];
        if (remembered == token)
        {
            return quality;
        }

        var best = 0;
        var text = table.TextOf(token);
        for (var i = 0; i < Forms.Count; i++)
        {
            var form = Forms[i].AsSpan();
            var meeting = Meeting.None;
            var sameVowels = false;
            if (text.SequenceEqual(form))
            {
                meeting = Meeting.Exact;
            }
            else if (text.StartsWith(form))
            {
                meeting = Meeting.Beginning;
            }
            else if (sounds[i].SoundsLike(table.SoundOf(token)))
            {
                meeting = Meeting.Sound;
                sameVowels = sounds[i].Vowels == table.SoundOf(token).Vowels;
            }
            else if (TokenTable.IsOneEditAway(form, text) && TokenTable.TakesMistakes(form) && TokenTable.TakesMistakes(text))
            {
                meeting = Meeting.OneLetter;
            }

            best = Math.Max(best, MatchScore.Quality(meeting, form.Length, text.Length, sameVowels, derived: i > 0));
        }

        remembered = token;
        quality = (byte)best;
        return best;
    }
}

/// <summary>What a search needs besides the index, kept for the next one: bit sets as long as the index and lists.</summary>
internal sealed class SearchScratch
{
    private readonly Stack<ulong[]> free = [];
    private readonly List<ulong[]> lent = [];

    public List<int> Slots { get; } = [];

    public SetList Sets { get; } = new();

    /// <summary>Patients looked at already.</summary>
    public HashSet<int> Seen { get; } = [];

    public List<Candidate> Candidates { get; } = [];

    /// <summary>An empty bit set of <paramref name="words"/> or more words.</summary>
    public ulong[] Lend(int words)
    {
        while (free.TryPop(out var bits))
        {
            if (bits.Length >= words)
            {
                bits.AsSpan().Clear();
                lent.Add(bits);
                return bits;
            }
        }

        var fresh = new ulong[words + (words >> 3) + 16];
        lent.Add(fresh);
        return fresh;
    }

    /// <summary>Takes all bit sets back.</summary>
    public void TakeBack()
    {
        foreach (var bits in lent)
        {
            free.Push(bits);
        }

        lent.Clear();
    }

    public void Clear()
    {
        TakeBack();
        Slots.Clear();
        Sets.Clear();
        Seen.Clear();
        Candidates.Clear();
    }
}

/// <summary>A patient that answers the query, before it is shown.</summary>
internal readonly record struct Candidate(int Slot, int Score, int FamilyQuality, Fit Family, Fit Given, Fit Other, Fit Born, Fit Sex, Fit Phone);
