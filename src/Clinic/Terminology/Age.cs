using Mangrove.Kernel;

namespace Mangrove.Clinic.Terminology;

/// <summary>Sex for ranges and doses, as FHIR's administrative gender has it.</summary>
public enum Sex
{
    Unknown = 0,
    Female = 1,
    Male = 2,
    Other = 3,
}

/// <summary>Age bands of laboratory ranges; each begins where the one before ends.</summary>
public enum AgeBand
{
    /// <summary>To the 28th day.</summary>
    Newborn = 0,

    /// <summary>From 28 days to the first birthday.</summary>
    Infant = 1,

    /// <summary>1 to 11 years.</summary>
    Child = 2,

    /// <summary>12 to 17 years.</summary>
    Adolescent = 3,

    /// <summary>18 to 64 years.</summary>
    Adult = 4,

    /// <summary>65 years and over.</summary>
    Elderly = 5,
}

/// <summary>A person's age on one day: completed years, and days for the first year of life.</summary>
public readonly record struct Age
{
    private Age(int years, int days)
    {
        Years = years;
        Days = days;
    }

    public int Years { get; }

    /// <summary>Completed days since birth.</summary>
    public int Days { get; }

    public AgeBand Band => this switch
    {
        { Days: < 28 } => AgeBand.Newborn,
        { Years: < 1 } => AgeBand.Infant,
        { Years: < 12 } => AgeBand.Child,
        { Years: < 18 } => AgeBand.Adolescent,
        { Years: < 65 } => AgeBand.Adult,
        _ => AgeBand.Elderly,
    };

    /// <summary>The age on a day; a birth after that day counts as the day itself.</summary>
    public static Age On(PartialDate born, DateOnly day) =>
        new(born.AgeOn(day), Math.Max(0, day.DayNumber - born.Earliest.DayNumber));

    public static Age OfYears(int years) => new(years, checked((int)(years * 365.2425)));

    /// <summary>An age in days, for the first year of life.</summary>
    public static Age OfDays(int days) => new((int)(days / 365.2425), days);
}
