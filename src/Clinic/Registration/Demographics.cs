using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Clinic.Registration;

/// <summary>Rules that a person's details obey, wherever they come from.</summary>
public static class Demographics
{
    private const int OldestAge = 130;
    private const int LongestName = 200;

    /// <summary>The first thing wrong, or null.</summary>
    public static Error? Check(PersonName name, BirthAndSex person, TimeProvider clock)
    {
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        if (name.IsEmpty)
        {
            return new Error("registration.name-missing", "Enter a name, or use “Unknown patient”.");
        }

        if ((name.Family?.Length ?? 0) > LongestName || name.Given.Sum(given => given.Length) > LongestName || (name.Text?.Length ?? 0) > LongestName)
        {
            return new Error("registration.name-long", "The name is longer than 200 characters. Shorten it.");
        }

        if (person.Born is not null && person.BornOn() is null)
        {
            return new Error("registration.birth-date", "Write the birth date as 14-Mar-1967, Mar-1967 or 1967.");
        }

        // A person born today has the day of the hospital's clock; one day of slack covers time zones.
        if (person.BornOn() is { } born && (born.Earliest > today.AddDays(1) || born.AgeOn(today) > OldestAge))
        {
            return new Error("registration.birth-date", "The birth date lies in the future or more than 130 years back. Check the year.");
        }

        return null;
    }
}
