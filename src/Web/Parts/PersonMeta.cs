using System.Globalization;
using Mangrove.Vault;

namespace Mangrove.Web.Parts;

/// <summary>The second line of a patient in a worklist: <c>F · 59 y · P-1048370</c>.</summary>
internal static class PersonMeta
{
    public static string Sex(BirthAndSex? person) => person?.Sex switch { AdministrativeSex.Female => "F", AdministrativeSex.Male => "M", AdministrativeSex.Other => "other", _ => "sex not known" };

    public static string Of(BirthAndSex? person, string mrn, DateOnly today)
    {
        var sex = Sex(person);
        return person?.BornOn() is { } born
            ? string.Create(CultureInfo.InvariantCulture, $"{sex} · {(born.Estimated ? "about " : "")}{born.AgeOn(today)} y · {mrn}")
            : $"{sex} · age not known · {mrn}";
    }
}
