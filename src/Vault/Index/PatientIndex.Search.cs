using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.Intrinsics;
using Mangrove.Kernel;
using Mangrove.Vault.Access;

namespace Mangrove.Vault.Index;

/// <content>
/// Searching. Every word of the query must be found in another word of the name, in any order: first exactly, then as a
/// beginning, then by sound, then with one letter wrong; the looser steps only while there are fewer hits than asked for.
/// The work is bounded whatever is typed: so many words, so many letters, so many patients looked at. A query that fits
/// more patients than are looked at (one letter) answers with the exact ones and then those registered first.
/// </content>
internal sealed partial class PatientIndex
{
    private const int MostQueryWords = 6;
    private const int MostLookedAt = 160;
    private const int MostLookedAtLoosely = 96;
    private const int MostTied = 32;
    private const int MostHits = 200;
    private const int MostKeysForWord = 4096;
    private const int MostOfOnePhoneEnding = 512;
    private const int ScratchKept = 16;

    private readonly ConcurrentBag<SearchScratch> idle = [];

    /// <summary>
    /// Finds patients, best first; equals in the order of their names, then of their hospital numbers.
    /// </summary>
    /// <param name="query">What was typed, and evidence for the duplicate guard.</param>
    /// <param name="visible">What the searcher may see (<see cref="FieldsFor(Identity.Actor)"/>). What is not visible is neither shown nor searched nor counted as evidence.</param>
    public IReadOnlyList<PatientHit> Search(PatientQuery query, IReadOnlyCollection<Category> visible)
    {
        var most = Math.Min(query.Most, MostHits);
        if (most <= 0 || !visible.Contains(Category.Name))
        {
            return [];
        }

        if (!idle.TryTake(out var scratch))
        {
            scratch = new SearchScratch();
        }

        gate.EnterReadLock();
        try
        {
            var inquiry = new Inquiry(this, scratch, query, visible, most);
            inquiry.Run();
            return inquiry.Hits();
        }
        finally
        {
            gate.ExitReadLock();
            scratch.Clear();
            if (idle.Count < ScratchKept)
            {
                idle.Add(scratch);
            }
        }
    }

    /// <summary>One search, under the read lock.</summary>
    private sealed class Inquiry
    {
        private readonly PatientIndex index;
        private readonly SearchScratch scratch;
        private readonly PatientQuery query;
        private readonly int most;
        private readonly bool seesBirth;
        private readonly bool seesPhones;
        private readonly PartialDate? born;
        private readonly AdministrativeSex? sex;
        private readonly string? phone;
        private readonly List<List<string>> otherForms;
        private List<QueryWord> words = [];
        private List<QueryWord> otherWords = [];

        public Inquiry(PatientIndex index, SearchScratch scratch, PatientQuery query, IReadOnlyCollection<Category> visible, int most)
        {
            this.index = index;
            this.scratch = scratch;
            this.query = query;
            this.most = most;
            seesBirth = visible.Contains(Category.BirthAndSex);
            seesPhones = visible.Contains(Category.Contact);
            born = seesBirth ? query.Born : null;
            sex = seesBirth ? query.Sex : null;
            phone = seesPhones && query.Phone is { } given && PhoneEndings.Digits(given) is { Length: >= PhoneEndings.Least } digits ? digits : null;
            otherForms = Split(query.OtherScript);
        }

        private int BitWords => (index.slots.Used + 63) >> 6;

        public void Run()
        {
            if (Number() is { } number)
            {
                FindNumber(number.Digits, number.MayBePhone);
                if (scratch.Candidates.Count > 0)
                {
                    return;
                }
            }

            otherWords = [.. otherForms.Select(forms => new QueryWord(forms))];
            foreach (var reading in Readings(query.Text))
            {
                Names([.. reading.Select(word => new QueryWord(NameKeys.Forms(word)))]);
                if (scratch.Candidates.Count >= most)
                {
                    break;
                }
            }

            if (otherWords.Count > 0)
            {
                // The second script by itself: its words take the place of the first, which stay as evidence.
                Names([.. otherForms.Select(forms => new QueryWord(forms))]);
            }

            if (phone is not null)
            {
                SamePhone();
            }
        }

        public IReadOnlyList<PatientHit> Hits()
        {
            var candidates = scratch.Candidates;
            candidates.Sort(static (left, right) => left.Score != right.Score ? right.Score.CompareTo(left.Score)
                : left.FamilyQuality != right.FamilyQuality ? right.FamilyQuality.CompareTo(left.FamilyQuality)
                : left.Slot.CompareTo(right.Slot));
            var shown = Math.Min(most, candidates.Count);
            if (shown == 0)
            {
                return [];
            }

            // Those equal to the last one shown compete for the last places by name.
            var last = candidates[shown - 1];
            var end = shown;
            while (end < candidates.Count && end < shown + MostTied && candidates[end].Score == last.Score && candidates[end].FamilyQuality == last.FamilyQuality)
            {
                end++;
            }

            var hits = new List<(Candidate Candidate, string Mrn, PersonName Name, string Display)>(end);
            for (var i = 0; i < end; i++)
            {
                var reader = index.records.Read(candidates[i].Slot);
                var mrn = reader.Mrn();
                var name = reader.Name();
                hits.Add((candidates[i], mrn, name, name.Display));
            }

            hits.Sort(static (left, right) =>
            {
                var order = right.Candidate.Score.CompareTo(left.Candidate.Score);
                order = order != 0 ? order : right.Candidate.FamilyQuality.CompareTo(left.Candidate.FamilyQuality);
                order = order != 0 ? order : string.CompareOrdinal(left.Display, right.Display);
                order = order != 0 ? order : string.CompareOrdinal(left.Mrn, right.Mrn);
                return order != 0 ? order : left.Candidate.Slot.CompareTo(right.Candidate.Slot);
            });
            return [.. hits.Take(shown).Select(hit => Show(hit.Candidate, hit.Mrn, hit.Name))];
        }

        private PatientHit Show(in Candidate found, string mrn, PersonName name)
        {
            var reader = index.records.Read(found.Slot);
            _ = reader.Mrn();
            _ = reader.Name();
            var person = reader.Person();
            return new PatientHit(index.slots.IdOf(found.Slot), mrn, found.Score, name, seesBirth ? person : null, seesPhones ? reader.Phones() : null)
            {
                Evidence = new MatchEvidence(found.Family, found.Given, found.Other, found.Born, found.Sex, found.Phone),
            };
        }

        private static List<List<string>> Split(string? text) =>
            [.. NameKeys.Words(text, MostQueryWords).Select(word => NameKeys.Forms(word.Joined))];

        /// <summary>The ways to read a text as words: as written; compounds in pieces; particles joined to what follows.</summary>
        private static List<List<string>> Readings(string text)
        {
            var found = NameKeys.Words(text, MostQueryWords);
            var readings = new List<List<string>>(3);
            if (found.Count == 0)
            {
                return readings;
            }

            readings.Add([.. found.Select(word => word.Joined)]);
            if (found.Any(word => word.Pieces.Count > 1 || (Folding.IsUnspaced(word.Joined[0]) && word.Joined.Length > 1)))
            {
                readings.Add([.. found.SelectMany(word => word.Pieces.Count > 1 ? word.Pieces
                    : Folding.IsUnspaced(word.Joined[0]) ? NameKeys.Characters(word.Joined) : [word.Joined]).Take(MostQueryWords)]);
            }

            if (found.Count > 1 && found.Take(found.Count - 1).Any(word => NameKeys.IsParticle(word.Joined)))
            {
                var joined = new List<string>();
                var before = string.Empty;
                foreach (var word in found)
                {
                    before += word.Joined;
                    if (!NameKeys.IsParticle(word.Joined))
                    {
                        joined.Add(before);
                        before = string.Empty;
                    }
                }

                if (before.Length > 0)
                {
                    joined.Add(before);
                }

                readings.Add(joined);
            }

            return readings;
        }

        private (string Digits, bool MayBePhone)? Number()
        {
            var text = query.Text.AsSpan().Trim();
            var marked = text.Length > 0 && text[0] is 'P' or 'p';
            if (marked)
            {
                text = text[1..];
            }

            Span<char> digits = stackalloc char[24];
            var count = 0;
            foreach (var character in text)
            {
                var digit = System.Globalization.CharUnicodeInfo.GetDecimalDigitValue(character);
                if (digit >= 0)
                {
                    if (count == digits.Length)
                    {
                        return null;
                    }

                    digits[count++] = (char)('0' + digit);
                }
                else if (!char.IsWhiteSpace(character) && character is not ('-' or '+' or '(' or ')' or '.' or '/'))
                {
                    return null;
                }
            }

            return count == 0 ? null : (digits[..count].ToString(), !marked);
        }

        private void FindNumber(string digits, bool mayBePhone)
        {
            scratch.Slots.Clear();
            index.numbers.Find(digits, scratch.Slots, most);
            foreach (var slot in scratch.Slots)
            {
                var mrn = index.records.Read(slot).Mrn();
                var whole = mrn.Count(char.IsAsciiDigit);
                var score = whole == digits.Length ? MatchScore.WholeNumber : MatchScore.BeginningOfNumber(digits.Length, whole);
                scratch.Seen.Add(slot);
                scratch.Candidates.Add(new Candidate(slot, score, 0, Fit.Unknown, Fit.Unknown, Fit.Unknown, Fit.Unknown, Fit.Unknown, Fit.Unknown));
            }

            if (!mayBePhone || !seesPhones || PhoneEndings.Digits(digits) is not { Length: >= PhoneEndings.Least } telephone)
            {
                return;
            }

            scratch.Slots.Clear();
            index.phones.Ending(telephone).CopyTo(scratch.Slots, MostOfOnePhoneEnding);
            foreach (var slot in scratch.Slots)
            {
                var (same, ends) = ComparePhones(slot, telephone);
                if ((same || ends) && scratch.Seen.Add(slot))
                {
                    scratch.Candidates.Add(new Candidate(slot, same ? MatchScore.WholePhone : MatchScore.EndOfPhone, 0, Fit.Unknown, Fit.Unknown, Fit.Unknown, Fit.Unknown, Fit.Unknown, same ? Fit.Same : Fit.Partly));
                }
            }
        }

        private (bool Same, bool Ends) ComparePhones(int slot, string digits)
        {
            var ends = false;
            foreach (var telephone in PhonesOf(slot))
            {
                var stored = PhoneEndings.Digits(telephone);
                if (PhoneEndings.Same(stored, digits))
                {
                    return (true, true);
                }

                ends |= stored.EndsWith(digits, StringComparison.Ordinal);
            }

            return (false, ends);
        }

        private string[] PhonesOf(int slot)
        {
            var reader = index.records.Read(slot);
            reader.SkipToPhones();
            return reader.Phones();
        }

        private void Names(List<QueryWord> reading)
        {
            scratch.TakeBack();
            words = reading;
            if (words.Count == 0)
            {
                return;
            }

            var views = new ulong[]?[words.Count];
            for (var i = 0; i < words.Count; i++)
            {
                views[i] = PrepareLoose(words[i]);
            }

            var budget = scratch.Seen.Count + MostLookedAt;
            if (Overflows(views))
            {
                LookAtExactFirst(views, budget);
            }

            Look(views, budget, 0);
            if (scratch.Candidates.Count < most)
            {
                Loosen(views, static (word, i, index, sets) => index.table.Sounding(word.Sounds[i], sets));
                Look(views, scratch.Seen.Count + MostLookedAtLoosely, 0);
            }

            if (scratch.Candidates.Count < most)
            {
                Loosen(views, static (word, i, index, sets) => index.table.Mistaken(word.Forms[i], sets, MostKeysForWord));
                Look(views, scratch.Seen.Count + MostLookedAtLoosely, 0);
            }

            var guards = born is { IsFull: true } || phone is not null;
            if (words.Count > 2 && (guards || scratch.Candidates.Count == 0))
            {
                // One word may be missing: a name that was left out or written differently.
                for (var open = 0; open < words.Count; open++)
                {
                    Look([.. views.Where((_, i) => i != open)], scratch.Seen.Count + (MostLookedAtLoosely / 2), 1);
                }
            }
            else if (words.Count == 2 && born is { IsFull: true } date)
            {
                // One of two words may differ when the day of birth is the same: a name changed by marriage.
                LookBornOn(views[0], MatchScore.Pack(date));
                LookBornOn(views[1], MatchScore.Pack(date));
            }
        }

        private ulong[]? PrepareLoose(QueryWord word)
        {
            var sets = scratch.Sets;
            sets.Clear();
            foreach (var form in word.Forms)
            {
                index.table.Beginning(form, sets, MostKeysForWord);
            }

            word.Loose = View(sets, out var owned);
            word.OwnsLoose = owned;
            return word.Loose;
        }

        private ulong[]? PrepareExact(QueryWord word)
        {
            var sets = scratch.Sets;
            sets.Clear();
            foreach (var form in word.Forms)
            {
                if (index.table.Find(form) is >= 0 and var token && index.table.PatientsOf(token).Count > 0)
                {
                    sets.AddToken(token);
                }
            }

            return View(sets, out _);
        }

        /// <summary>When more patients fit than are looked at, those with the very words come first, then those with all but one: what somebody has typed so far.</summary>
        private void LookAtExactFirst(ulong[]?[] loose, int budget)
        {
            ulong[]?[] views = [.. words.Select(PrepareExact)];
            Look(views, budget, 0);
            for (var open = words.Count - 1; open >= 0 && words.Count > 1 && scratch.Seen.Count < budget; open--)
            {
                var exact = views[open];
                views[open] = loose[open];
                Look(views, budget, 0);
                views[open] = exact;
            }
        }

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
