using System.Numerics;
using System.Runtime.Intrinsics;

namespace Mangrove.Vault.Index;

/// <content>
/// Meeting the sets of patients of all words, and walking through the patients that are in every one.
/// </content>
internal sealed partial class PatientIndex
{
    private sealed partial class Inquiry
    {
        /// <summary>The union of sets: a set of the index itself when it is one of bits, else a lent one; null when there is none.</summary>
        private ulong[]? View(SetList sets, out bool owned)
        {
            owned = false;
            if (sets.Count == 0)
            {
                return null;
            }

            if (sets.Count == 1 && sets.At(0, index.table).Bits is { } bits)
            {
                return bits;
            }

            owned = true;
            var union = scratch.Lend(BitWords);
            for (var i = 0; i < sets.Count; i++)
            {
                sets.At(i, index.table).UnionInto(union);
            }

            return union;
        }

        private void Loosen(ulong[]?[] views, Action<QueryWord, int, PatientIndex, SetList> more)
        {
            for (var i = 0; i < words.Count; i++)
            {
                var word = words[i];
                var sets = scratch.Sets;
                sets.Clear();
                for (var form = 0; form < word.Forms.Count; form++)
                {
                    more(word, form, index, sets);
                }

                if (sets.Count == 0)
                {
                    continue;
                }

                if (!word.OwnsLoose)
                {
                    var own = scratch.Lend(BitWords);
                    word.Loose?.AsSpan(0, Math.Min(word.Loose.Length, own.Length)).CopyTo(own);
                    word.Loose = own;
                    word.OwnsLoose = true;
                }

                for (var set = 0; set < sets.Count; set++)
                {
                    sets.At(set, index.table).UnionInto(word.Loose!);
                }

                views[i] = word.Loose;
            }
        }

        /// <summary>Judges the patients that are in all views until <paramref name="budget"/> have been seen.</summary>
        private void Look(ulong[]?[] views, int budget, int missing)
        {
            var length = LengthOf(views);
            for (var at = Next(views, 0, length); at < length && scratch.Seen.Count < budget; at = Next(views, at + 1, length))
            {
                for (var bits = Meet(views, at); bits != 0 && scratch.Seen.Count < budget; bits &= bits - 1)
                {
                    Judge((at << 6) + BitOperations.TrailingZeroCount(bits), missing);
                }
            }
        }

        private bool Overflows(ulong[]?[] views)
        {
            var length = LengthOf(views);
            var count = 0;
            for (var at = Next(views, 0, length); at < length && count <= MostLookedAt; at = Next(views, at + 1, length))
            {
                count += BitOperations.PopCount(Meet(views, at));
            }

            return count > MostLookedAt;
        }

        private int LengthOf(ulong[]?[] views)
        {
            var length = BitWords;
            foreach (var view in views)
            {
                length = Math.Min(length, view?.Length ?? 0);
            }

            return length;
        }

        private static ulong Meet(ulong[]?[] views, int at)
        {
            var bits = views[0]![at];
            for (var view = 1; view < views.Length; view++)
            {
                bits &= views[view]![at];
            }

            return bits;
        }

        /// <summary>The next place from <paramref name="at"/> on where all views meet; <paramref name="length"/> when there is none.</summary>
        private static int Next(ulong[]?[] views, int at, int length)
        {
            if (views.Length > 2)
            {
                while (at < length && Meet(views, at) == 0)
                {
                    at++;
                }

                return at;
            }

            // One or two words are nearly every search: eight places a step, unless something is near.
            ReadOnlySpan<ulong> left = views[0];
            ReadOnlySpan<ulong> right = views[^1];
            for (var near = Math.Min(length, at + 4); at < near; at++)
            {
                if ((left[at] & right[at]) != 0)
                {
                    return at;
                }
            }

            while (at + 8 <= length)
            {
                if ((Vector512.Create(left.Slice(at, 8)) & Vector512.Create(right.Slice(at, 8))) != Vector512<ulong>.Zero)
                {
                    break;
                }

                at += 8;
            }

            while (at < length && (left[at] & right[at]) == 0)
            {
                at++;
            }

            return at;
        }

        private void LookBornOn(ulong[]? view, uint date)
        {
            var budget = scratch.Seen.Count + MostLookedAtLoosely;
            for (var at = 0; view is not null && at < Math.Min(view.Length, BitWords); at++)
            {
                for (var bits = view[at]; bits != 0 && scratch.Seen.Count < budget; bits &= bits - 1)
                {
                    var slot = (at << 6) + BitOperations.TrailingZeroCount(bits);
                    if (MatchScore.DateOf(index.slots.BornOf(slot)) == MatchScore.DateOf(date))
                    {
                        Judge(slot, 1);
                    }
                }
            }
        }

        private void SamePhone()
        {
            scratch.Slots.Clear();
            index.phones.Ending(phone!).CopyTo(scratch.Slots, MostOfOnePhoneEnding);
            foreach (var slot in scratch.Slots)
            {
                if (ComparePhones(slot, phone!).Same)
                {
                    Judge(slot, words.Count);
                }
            }
        }
    }
}
