using System.Collections.Concurrent;
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
    private sealed partial class Inquiry
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
    }
}
