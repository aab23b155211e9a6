namespace Mangrove.Vault.Index;

/// <summary>
/// How a word in Latin letters sounds, coarse enough for one name written by different hands: Hassan, Hasan and Hussein;
/// Amina, Aminah and Ameena; Mohamed, Muhammad and محمد; Catherine and Katherine; Smith and Smyth; Lakshmi and Laxmi.
/// </summary>
/// <remarks>
/// The rules, in the order in which they are tried at each letter:
/// <list type="number">
/// <item>A word that begins with a vowel begins with one vowel mark, whichever it is; <c>ou</c> before a vowel begins with w.</item>
/// <item>Other vowels are left out, also y and w inside a word. Final h and h before n are silent (Aminah, John).</item>
/// <item>ph, f, v are one sound. sh, sch, ch, tch, cz are one (Aisha, Aicha), but ch before r or l is k, and ksh is ks.</item>
/// <item>th, dh, bh, kh, gh, rh sound as without h (Singh, Kathryn); gh before t is silent. dt is t, and a final d is t (Ahmed, Ahmet).</item>
/// <item>c before e, i, y is s, else k; ck, q, qu are k; x is ks; z, ts, tz are s; dj and zh are j; kn at the start is n; the p of mps is silent.</item>
/// <item>The same sound twice running counts once, with or without a vowel between (Hassan; Arabic writes neither).</item>
/// </list>
/// Vowels fall in three classes: a e; i y ee; o u oo w. One or two sounds alone say too little, so there the class of the
/// first vowel is part of the key (Meyer and Maier, not Moore); longer words only rank higher when all their vowels agree.
/// </remarks>
internal readonly record struct SoundKey
{
    private const int ClassShift = 60;
    private const int Most = 11;

    private SoundKey(ulong skeleton, int length, uint vowels)
    {
        Skeleton = skeleton;
        Length = length;
        Vowels = vowels;
    }

    /// <summary>Consonants, five bits each, and the number of them.</summary>
    public ulong Skeleton { get; }

    public int Length { get; }

    /// <summary>Classes of the vowels in order, two bits each; 0 when the word shows none.</summary>
    public uint Vowels { get; }

    public bool IsEmpty => Length == 0;

    /// <summary>The class of the first vowel, 1 to 3, where it belongs to the key; 0 when it does not or is not written.</summary>
    private int Class => Length > 2 || Vowels == 0 ? 0 : FirstVowel;

    private int FirstVowel
    {
        get
        {
            var vowels = Vowels;
            while (vowels > 3)
            {
                vowels >>= 2;
            }

            return (int)vowels;
        }
    }

    /// <summary>Under which key a word is filed.</summary>
    public ulong Filed => Skeleton | ((ulong)Class << ClassShift);

    /// <summary>Where words of this sound may be filed: vowels that are not written fit all.</summary>
    public void Places(Span<ulong> places, out int count)
    {
        if (Length > 2)
        {
            places[0] = Skeleton;
            count = 1;
        }
        else if (Class == 0)
        {
            for (var i = 0; i < 4; i++)
            {
                places[i] = Skeleton | ((ulong)i << ClassShift);
            }

            count = 4;
        }
        else
        {
            places[0] = Filed;
            places[1] = Skeleton;
            count = 2;
        }
    }

    public bool SoundsLike(in SoundKey other) => Length > 0 && Skeleton == other.Skeleton
        && (Length > 2 || Vowels == 0 || other.Vowels == 0 || FirstVowel == other.FirstVowel);

    /// <summary>The key of a folded word; empty unless it is wholly in Latin letters.</summary>
    public static SoundKey Of(ReadOnlySpan<char> word)
    {
        if (word.IsEmpty || word.ContainsAnyExceptInRange('a', 'z'))
        {
            return default;
        }

        var skeleton = 0UL;
        var length = 0;
        var vowels = 0U;
        var last = '\0';
        for (var i = 0; i < word.Length; i++)
        {
            var c = word[i];
            var next = At(word, i + 1);
            if (IsVowelAt(word, i))
            {
                if (i == 0 && c == 'o' && next == 'u' && IsPlainVowel(At(word, 2)))
                {
                    Emit('w');
                    i++;
                    continue;
                }

                if (i == 0)
                {
                    Emit('a');
                }

                var kind = c switch { 'a' => 1U, 'e' => next == 'e' ? 2U : 1U, 'i' or 'y' => 2U, _ => 3U };
                if (vowels < 1U << 28)
                {
                    vowels = (vowels << 2) | kind;
                }

                while (IsVowelAt(word, i + 1))
                {
                    i++;
                }

                continue;
            }

            switch (c)
            {
                case 'c' when next == 'h':
                    Emit(At(word, i + 2) is 'r' or 'l' ? 'k' : 'x');
                    i++;
                    break;
                case 'c' when next == 'z':
                    Emit('x');
                    i++;
                    break;
                case 'c' when next is 'e' or 'i' or 'y': Emit('s'); break;
                case 'c' or 'q': Emit('k'); break;
                case 'd' when next == 'j': break;
                case 'd' when next is 't' || i == word.Length - 1: Emit('t'); break;
                case 'v': Emit('f'); break;
                case 'p' when next == 'h':
                    Emit('f');
                    i++;
                    break;
                case 'p' when next == 's' && i > 0 && word[i - 1] == 'm': break;
                case 'g' when next == 'h' && At(word, i + 2) == 't':
                    i++;
                    break;
                case 'h' when i > 0 && (next is '\0' or 'n'): break;
                case 'k' when i == 0 && next == 'n': break;
                case 's' when next == 'c' && At(word, i + 2) == 'h':
                    Emit('x');
                    i += 2;
                    break;
                case 's' when next == 'h':
                    Emit(i > 0 && word[i - 1] == 'k' ? 's' : 'x');
                    i++;
                    break;
                case 't' when next == 's' && At(word, i + 2) == 'c' && At(word, i + 3) == 'h':
                    Emit('x');
                    i += 3;
                    break;
                case 't' when next == 'c' && At(word, i + 2) == 'h':
                    Emit('x');
                    i += 2;
                    break;
                case 't' when next is 's' or 'z': break;
                case 'x':
                    Emit('k');
                    Emit('s');
                    break;
                case 'z' when next == 'h':
                    Emit('j');
                    i++;
                    break;
                case 'z': Emit('s'); break;
                default: Emit(c); break;
            }

            if (word[i] is 't' or 'd' or 'b' or 'k' or 'g' or 'r' && At(word, i + 1) == 'h' && i + 1 < word.Length)
            {
                // The h of th, dh, bh, kh, gh, rh; a final one would be silent anyway.
                i++;
            }
        }

        return length == 0 ? default : new SoundKey(skeleton, length, vowels);

        void Emit(char sound)
        {
            if (sound == last || length == Most)
            {
                return;
            }

            last = sound;
            length++;
            skeleton = (skeleton << 5) | (uint)(sound - 'a' + 1);
        }
    }

    private static char At(ReadOnlySpan<char> word, int index) => index < word.Length ? word[index] : '\0';

    private static bool IsPlainVowel(char c) => c is 'a' or 'e' or 'i' or 'o' or 'u';

    private static bool IsVowelAt(ReadOnlySpan<char> word, int index) => At(word, index) switch
    {
        'a' or 'e' or 'i' or 'o' or 'u' => true,
        'y' => index > 0 || !IsPlainVowel(At(word, 1)),
        'w' => index > 0,
        _ => false,
    };
}
