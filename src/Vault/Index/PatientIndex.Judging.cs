using System.Numerics;

namespace Mangrove.Vault.Index;

/// <content>
/// Comparing a candidate with the query, word by word, and keeping the best.
/// </content>
internal sealed partial class PatientIndex
{
    private sealed partial class Inquiry
    {
        /// <summary>Takes a patient among the candidates if at most <paramref name="missing"/> words of the query are not in the name.</summary>
        private void Judge(int slot, int missing)
        {
            if (!scratch.Seen.Add(slot))
            {
                return;
            }

            var keys = index.records.KeysOf(slot);
            var name = Compare(keys, words, missing);
            var other = otherWords.Count == 0 ? default : Compare(keys, otherWords, otherWords.Count);
            if (name.Sum == 0 && missing < words.Count)
            {
                return;
            }

            var bornFit = MatchScore.Born(born, index.slots.BornOf(slot));
            var sexFit = MatchScore.Sex(sex, index.slots.BornOf(slot));
            var phoneFit = Fit.Unknown;
            if (phone is not null && PhonesOf(slot) is { Length: > 0 } stored)
            {
                phoneFit = stored.Any(one => PhoneEndings.Same(PhoneEndings.Digits(one), phone)) ? Fit.Same : Fit.Differs;
            }

            var points = MatchScore.Name(name.Sum, words.Count, name.Found, name.Registered);
            if (otherWords.Count > 0)
            {
                points = Math.Max(points, MatchScore.Name(other.Sum, otherWords.Count, other.Found, other.Registered));
            }

            var score = Math.Clamp((int)Math.Floor(points + 0.001) + MatchScore.Points(bornFit, sexFit, phoneFit), 0, 100);
            scratch.Candidates.Add(new Candidate(slot, score, name.FamilyQuality, name.Family, name.Given, otherWords.Count == 0 ? Fit.Unknown : other.Other, bornFit, sexFit, phoneFit));
        }

        /// <summary>Gives each word of the query the best word of the name that no other has taken.</summary>
        private Comparison Compare(ReadOnlySpan<FiledKey> keys, List<QueryWord> asked, int missing)
        {
            var registered = 0U;
            var taken = 0U;
            Span<byte> best = stackalloc byte[NameKeys.MostWords];
            Span<byte> part = stackalloc byte[NameKeys.MostWords];
            best.Clear();
            foreach (var key in keys)
            {
                part[key.Word] = (byte)key.Part;
                if (!key.Derived)
                {
                    registered |= 1U << key.Word;
                }
            }

            var result = default(Comparison);
            foreach (var word in asked)
            {
                var quality = 0;
                var at = -1;
                foreach (var key in keys)
                {
                    if ((taken & (1U << key.Word)) != 0)
                    {
                        continue;
                    }

                    var one = word.QualityOf(key.Token, index.table);
                    if (one > 0 && key.Derived)
                    {
                        one = Math.Max(1, one - 3);
                    }

                    if (one > quality || (one == quality && one > 0 && key.Part == NamePart.Family && (NamePart)part[at] != NamePart.Family))
                    {
                        quality = one;
                        at = key.Word;
                    }
                }

                if (at < 0)
                {
                    if (--missing < 0)
                    {
                        return default;
                    }

                    continue;
                }

                taken |= 1U << at;
                best[at] = (byte)quality;
                result.Sum += quality;
                result.Found++;
                if ((NamePart)part[at] == NamePart.Family)
                {
                    result.FamilyQuality = Math.Max(result.FamilyQuality, quality);
                }
            }

            // The same name in a second script is not more of a name: it counts only when the query met it.
            var family = 0U;
            var given = 0U;
            var other = 0U;
            for (var i = 0; i < NameKeys.MostWords; i++)
            {
                var bit = registered & (1U << i);
                switch ((NamePart)part[i])
                {
                    case NamePart.Family: family |= bit; break;
                    case NamePart.Other: other |= bit; break;
                    default: given |= bit; break;
                }
            }

            result.Registered = BitOperations.PopCount((other & taken) != 0 && (taken & ~other) == 0 ? other : registered & ~other);
            // One word that met one part says nothing about the other.
            var single = asked.Count == 1 && taken != 0;
            result.Family = FitOf(family, best, single);
            result.Given = FitOf(given, best, single);
            result.Other = FitOf(other, best, false);
            return result;
        }

        /// <summary>How one part of the name fits, by its worst word of those met.</summary>
        private static Fit FitOf(uint part, ReadOnlySpan<byte> best, bool silent)
        {
            if (part == 0)
            {
                return Fit.Unknown;
            }

            var met = 0;
            var worst = 100;
            for (var i = 0; i < best.Length; i++)
            {
                if ((part & (1U << i)) != 0 && best[i] > 0)
                {
                    met++;
                    worst = Math.Min(worst, best[i]);
                }
            }

            if (met == 0)
            {
                return silent ? Fit.Unknown : Fit.Differs;
            }

            if (met < BitOperations.PopCount(part))
            {
                return Fit.Partly;
            }

            return worst switch { >= 94 => Fit.Same, >= 57 and <= 68 => Fit.SoundsAlike, _ => Fit.Partly };
        }

        private struct Comparison
        {
            public int Sum;
            public int Found;
            public int Registered;
            public int FamilyQuality;
            public Fit Family;
            public Fit Given;
            public Fit Other;
        }
    }
}
