using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Cli.Demo;

/// <summary>A made-up person. Nobody real.</summary>
/// <param name="Number">Position in the stream, from 0.</param>
/// <param name="Like">The position of the person whom this one is registered again for, or null.</param>
public sealed record SamplePatient(long Number, PatientId Id, PersonName Name, BirthAndSex Person, ContactDetails Contact, PayerDetails? Payer, long? Like)
{
    public bool IsDead => Person.Dead;

    /// <summary>Completed years, or null when no birth date is known.</summary>
    public int? AgeOn(DateOnly day) => Person.BornOn()?.AgeOn(day);
}

/// <summary>
/// Makes up the patients of a hospital, any number of them, each by seed and position alone: the same seed and day give
/// the same people, in any order and on any machine. The mix has what registration really meets: partial and estimated
/// birth dates, single names, names in two scripts, people who have died, and about two in a hundred registered again
/// with small differences.
/// </summary>
/// <param name="seed">Another seed gives other people.</param>
/// <param name="today">The day from which ages count.</param>
public sealed class PatientGenerator(long seed, DateOnly today)
{
    private const double AgainShare = 0.02;
    private const int AgainWithin = 200;

    private static readonly (int From, int To, int Weight)[] Ages = [(0, 0, 4), (1, 4, 11), (5, 14, 18), (15, 29, 27), (30, 49, 23), (50, 69, 12), (70, 97, 5)];

    private static readonly string[] Quarters =
    [
        "Bamburi", "Bombolulu", "Changamwe", "Chaani", "Ganjoni", "Jomvu", "Kengeleni", "Kisauni", "Kongowea", "Likoni", "Magongo", "Majengo",
        "Makupa", "Mikindani", "Miritini", "Mkomani", "Mshomoroni", "Mtongwe", "Mtwapa", "Nyali", "Old Town", "Port Reitz", "Shanzu", "Shimanzi", "Tononoka", "Tudor",
    ];

    private static readonly string[] Landmarks =
        ["near the old mosque", "behind the market", "opposite the primary school", "by the ferry road", "next to the church", "at the bus stage", "beside the water tank", "second gate after the bridge"];

    private static readonly string[] Insurers = ["Social Health Authority", "Jubilee Medical", "Coast Workers' Sacco", "Harbour Employees' Fund", "Umoja Community Cover"];

    private static readonly string[] Kin = ["mother", "father", "sister", "brother", "wife", "husband", "daughter", "son", "aunt", "uncle", "neighbour"];

    /// <summary>The people at positions <paramref name="from"/> on.</summary>
    public IEnumerable<SamplePatient> People(long count, long from = 0)
    {
        for (var number = from; number < from + count; number++)
        {
            yield return At(number);
        }
    }

    /// <summary>The person at one position.</summary>
    public SamplePatient At(long number)
    {
        var draw = Draw.For(seed, number);
        if (number > 0 && draw.Chance(AgainShare))
        {
            var like = number - 1 - draw.Below((int)Math.Min(number, AgainWithin));
            return Again(number, like, draw);
        }

        return Fresh(number, number);
    }

    private SamplePatient Fresh(long number, long person)
    {
        var draw = Draw.For(seed, person, aspect: 1);
        var (from, to, _) = draw.Of(Ages, age => age.Weight);
        var born = today.AddYears(-draw.Between(from, to)).AddDays(-draw.Below(365));
        var sex = draw.Unit() switch { < 0.53 => AdministrativeSex.Female, < 0.994 => AdministrativeSex.Male, < 0.997 => AdministrativeSex.Other, _ => AdministrativeSex.Unknown };
        var stock = draw.Of(NameStock.All, one => one.Weight);
        var name = NameOf(stock, sex, draw);
        var age = PartialDate.From(born).AgeOn(today);
        var dead = draw.Chance(age switch { >= 70 => 0.14, >= 50 => 0.04, < 1 => 0.015, _ => 0.006 });
        var died = dead ? today.AddDays(-draw.Between(1, Math.Max(1, Math.Min(900, today.DayNumber - born.DayNumber)))) : (DateOnly?)null;
        return new SamplePatient(
            number,
            new PatientId(Draw.For(seed, number, aspect: 2).Id()),
            name,
            new BirthAndSex(BirthOf(born, draw).ToString(), sex, dead, died?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
            ContactOf(stock, name, age, draw),
            age < 1 || draw.Chance(0.68) ? null : new PayerDetails(draw.Of(Insurers), draw.Between(10_000_000, 99_999_999).ToString(CultureInfo.InvariantCulture), draw.Of([50m, 80m, 90m, 100m])),
            null);
    }

    /// <summary>The same person, written down again by somebody else on another day.</summary>
    private SamplePatient Again(long number, long like, Draw draw)
    {
        var first = Fresh(number, like);
        var name = first.Name;
        name = draw.Below(4) switch
        {
            0 when name.Family is { Length: > 3 } family => name with { Family = Slip(family, draw) },
            1 when name.Given is [{ Length: > 3 } given, ..] => name with { Given = [Slip(given, draw), .. name.Given.Skip(1)] },
            2 when name is { Family: { } family, Given: [var given, ..] } => name with { Family = given, Given = [family, .. name.Given.Skip(1)] },
            _ when name.Given.Count > 1 => name with { Given = [name.Given[0]] },
            _ => name,
        };
        var person = first.Person;
        if (person.BornOn() is { IsFull: true } born && draw.Chance(0.35))
        {
            // Day and month changed places, unless nobody could have written that day down; else the year alone.
            var turned = born.Day <= 12 && draw.Chance(0.5) ? PartialDate.From(new DateOnly(born.Year, born.Day, born.Month)) : (PartialDate?)null;
            var possible = turned is { } day && day.Earliest <= today && (person.Died is null || string.CompareOrdinal(person.Died, day.ToIso()) >= 0);
            person = person with { Born = (possible ? turned!.Value : PartialDate.From(born.Year, estimated: true)).ToString() };
        }

        var contact = draw.Chance(0.7) ? first.Contact : first.Contact with { Phones = [Phone(draw)], NextOfKin = null, NextOfKinPhone = null };
        return first with { Name = name, Person = person, Contact = contact, Payer = null, Like = like };
    }

    private static PersonName NameOf(NameStock stock, AdministrativeSex sex, Draw draw)
    {
        var pool = (sex switch { AdministrativeSex.Female => true, AdministrativeSex.Male => false, _ => draw.Chance(0.5) }) ? stock.Women : stock.Men;
        var given = draw.Of(pool);
        var family = draw.Of(stock.Families);
        var single = draw.Chance(0.02);
        if (single)
        {
            return new PersonName(null, [given.Latin], null, given.Other);
        }

        // A father's name, and sometimes a grandfather's, stands between where people are named so.
        List<SampleName> all = [given];
        var middle = stock.Joint.Length == 0 ? 0 : draw.Unit() switch { < 0.38 => 1, < 0.46 => 2, _ => 0 };
        for (var one = 0; one < middle; one++)
        {
            all.Add(draw.Of(stock.Men));
        }

        string? other = null;
        if (family.Other is not null && draw.Chance(0.8))
        {
            var parts = all.Select(name => name.Other!);
            other = string.Join(stock.Joint, stock.FamilyFirst ? parts.Prepend(family.Other) : parts.Append(family.Other));
        }

        return new PersonName(family.Latin, [.. all.Select(name => name.Latin)], null, other);
    }

    private static PartialDate BirthOf(DateOnly born, Draw draw) => draw.Unit() switch
    {
        < 0.86 => PartialDate.From(born),
        < 0.90 => PartialDate.From(born.Year, born.Month),
        < 0.94 => PartialDate.From(born.Year),
        _ => PartialDate.From(born.Year, estimated: true),
    };

    private static ContactDetails ContactOf(NameStock stock, PersonName name, int age, Draw draw)
    {
        var kinPhone = draw.Chance(0.7) ? Phone(draw) : null;
        return new ContactDetails
        {
            Phones = draw.Unit() switch { < 0.08 => [], < 0.9 => [age < 15 && kinPhone is not null ? kinPhone : Phone(draw)], _ => [Phone(draw), Phone(draw)] },
            Address = $"{draw.Of(Quarters)}, {draw.Of(Landmarks)}",
            City = "Mombasa",
            Country = "KE",
            Language = stock.Language,
            IdentityDocument = age >= 18 && draw.Chance(0.75) ? draw.Between(10_000_000, 42_999_999).ToString(CultureInfo.InvariantCulture) : null,
            NextOfKin = kinPhone is null ? null : $"{draw.Of(draw.Chance(0.5) ? stock.Women : stock.Men).Latin} {name.Family} ({draw.Of(Kin)})",
            NextOfKinPhone = kinPhone,
        };
    }

    private static string Phone(Draw draw) => string.Create(CultureInfo.InvariantCulture, $"+254 799 {draw.Below(1000):000} {draw.Below(1000):000}");

    /// <summary>Two letters swapped, one left out, or one doubled.</summary>
    private static string Slip(string word, Draw draw)
    {
        var at = draw.Between(1, word.Length - 2);
        return draw.Below(3) switch
        {
            0 => $"{word[..at]}{word[at + 1]}{word[at]}{word[(at + 2)..]}",
            1 => word.Remove(at, 1),
            _ => word.Insert(at, word[at].ToString()),
        };
    }
}
