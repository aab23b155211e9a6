using Mangrove.Kernel;

namespace Mangrove.Vault.Index;

/// <summary>How a word of a query meets a key, worst first.</summary>
internal enum Meeting
{
    None = 0,
    OneLetter = 1,
    Sound = 2,
    Beginning = 3,
    Exact = 4,
}

/// <summary>
/// What a hit is worth, 0 to 100, and why. The figure says how much speaks for the same person, so a name alone, however
/// exact, is worth no more than 60:
/// <list type="table">
/// <item>Name, at most 60: the mean over the words of the query of: exact 100 % (transliterated or in pieces 97), beginning
/// 70 to 92 (the longer the better), sound 68 with the same vowels and 60 else, one letter off 56, not found 0; up to 15 %
/// less when the registered name has words that the query leaves out. Sounding alike alone is therefore at most 41.</item>
/// <item>Birth date: same +22; fits as far as known, estimated within two years, day and month swapped or one part
/// mistyped +10; differs -18.</item>
/// <item>Telephone: same +14; differs nothing, for people share and change telephones.</item>
/// <item>Sex: same +4, differs -8.</item>
/// </list>
/// The same name, birth date and telephone make 96, with the sex 100. A number that was typed is judged by itself:
/// hospital number 100, its beginning 50 to 80, telephone 90, its last digits 70.
/// </summary>
internal static class MatchScore
{
    public const int NameMost = 60;
    public const int WholeNumber = 100;
    public const int WholePhone = 90;
    public const int EndOfPhone = 70;

    private const uint EstimatedBit = 1U << 23;
    private const int SexShift = 24;

    public static int Quality(Meeting meeting, int queryLength, int keyLength, bool sameVowels, bool derived)
    {
        var quality = meeting switch
        {
            Meeting.Exact => 100,
            Meeting.Beginning => 70 + (22 * queryLength / Math.Max(1, keyLength)),
            Meeting.Sound => sameVowels ? 68 : 60,
            Meeting.OneLetter => 56,
            _ => 0,
        };
        return quality == 0 ? 0 : quality - (derived ? 3 : 0);
    }

    /// <summary>Points for the name: <paramref name="sum"/> of the qualities over the words of the query and the share of the registered words found.</summary>
    public static double Name(int sum, int words, int found, int registered)
    {
        var mean = words == 0 ? 0 : sum / (100.0 * words);
        var share = registered == 0 ? 1 : Math.Min(1, found / (double)registered);
        return NameMost * mean * (0.85 + (0.15 * share));
    }

    public static int BeginningOfNumber(int typed, int whole) => 50 + (30 * typed / Math.Max(1, whole));

    public static int Points(Fit born, Fit sex, Fit phone) =>
        born switch { Fit.Same => 22, Fit.Partly => 10, Fit.Differs => -18, _ => 0 }
        + sex switch { Fit.Same => 4, Fit.Differs => -8, _ => 0 }
        + (phone == Fit.Same ? 14 : 0);

    /// <summary>Birth date and sex in four bytes, so that evidence costs no decoding.</summary>
    public static uint Pack(BirthAndSex person)
    {
        var packed = ((uint)person.Sex & 3) << SexShift;
        return person.BornOn() is { } born ? packed | Pack(born) : packed;
    }

    public static uint Pack(PartialDate date) =>
        ((uint)date.Year << 9) | ((uint)date.Month << 5) | (uint)date.Day | (date.Estimated ? EstimatedBit : 0);

    /// <summary>The date alone, for looking for an equal one.</summary>
    public static uint DateOf(uint packed) => packed & (EstimatedBit - 1);

    public static Fit Born(PartialDate? given, uint packed)
    {
        var date = DateOf(packed);
        if (given is not { } asked || date == 0)
        {
            return Fit.Unknown;
        }

        var (year, month, day) = ((int)(date >> 9), (int)((date >> 5) & 15), (int)(date & 31));
        var estimated = asked.Estimated || (packed & EstimatedBit) != 0;
        if (!estimated && asked.IsFull && day != 0)
        {
            if (asked.Year == year && asked.Month == month && asked.Day == day)
            {
                return Fit.Same;
            }

            var mistyped = asked.Year == year
                ? asked.Month == month || asked.Day == day || (asked.Month == day && asked.Day == month)
                : asked.Month == month && asked.Day == day && DifferInOneDigit(asked.Year, year);
            return mistyped ? Fit.Partly : Fit.Differs;
        }

        if (estimated)
        {
            return Math.Abs(asked.Year - year) <= 2 ? Fit.Partly : Fit.Differs;
        }

        return asked.Year == year && (asked.Month == 0 || month == 0 || asked.Month == month) ? Fit.Partly : Fit.Differs;
    }

    public static Fit Sex(AdministrativeSex? given, uint packed)
    {
        var sex = (AdministrativeSex)((packed >> SexShift) & 3);
        if (given is null or AdministrativeSex.Unknown || sex == AdministrativeSex.Unknown)
        {
            return Fit.Unknown;
        }

        return sex == given ? Fit.Same : Fit.Differs;
    }

    private static bool DifferInOneDigit(int left, int right)
    {
        var differences = 0;
        for (; left > 0 || right > 0; left /= 10, right /= 10)
        {
            differences += left % 10 == right % 10 ? 0 : 1;
        }

        return differences == 1;
    }
}
