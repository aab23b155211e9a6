using Mangrove.Vault.Access;

namespace Mangrove.Vault.Integrations;

/// <summary>
/// What a program may ask for, one kind of information each: a system scope in the manner of SMART App Launch 2
/// (<c>system/</c>, the FHIR type, <c>r</c> to read one or <c>s</c> to search) with the part of it. There is no scope for a
/// whole type, none that writes and none with a wildcard: what a hospital approves is what it reads here.
/// </summary>
public sealed record ServiceScope
{
    private ServiceScope(string text, Category category, string words)
    {
        Text = text;
        Category = category;
        Words = words;
    }

    /// <summary>As it travels: <c>system/Patient.r?part=name</c>.</summary>
    public string Text { get; }

    /// <summary>The one kind of information behind it.</summary>
    public Category Category { get; }

    /// <summary>What whoever approves it reads.</summary>
    public string Words { get; }

    /// <summary>Every scope there is, in the order of the pages.</summary>
    public static IReadOnlyList<ServiceScope> All { get; } =
    [
        new("system/Patient.r?part=name", Category.Name, "Names of a patient"),
        new("system/Patient.r?part=birth-and-sex", Category.BirthAndSex, "Birth date, sex and death of a patient"),
        new("system/Patient.r?part=contact", Category.Contact, "Telephone, address, identity document and next of kin"),
        new("system/Observation.s?part=vitals", Category.Vitals, "Vital signs"),
        new("system/Observation.s?part=body-measures", Category.BodyMeasures, "Weight and height"),
        new("system/Observation.s?part=lab-results", Category.LabResults, "Laboratory results"),
        new("system/Observation.s?part=other-observations", Category.OtherObservations, "Social history, survey and other observations"),
    ];

    /// <summary>Scopes as OAuth writes a list of them, divided by one space; null when one is unknown, named twice, or none is there.</summary>
    public static IReadOnlyList<ServiceScope>? Parse(string? list)
    {
        if (string.IsNullOrEmpty(list))
        {
            return null;
        }

        var found = new List<ServiceScope>();
        foreach (var text in list.Split(' '))
        {
            if (All.FirstOrDefault(scope => scope.Text == text) is not { } scope || found.Contains(scope))
            {
                return null;
            }

            found.Add(scope);
        }

        return [.. All.Where(found.Contains)];
    }

    /// <summary>The list as OAuth writes it.</summary>
    public static string Join(IEnumerable<ServiceScope> scopes) => string.Join(' ', scopes.Select(scope => scope.Text));
}
