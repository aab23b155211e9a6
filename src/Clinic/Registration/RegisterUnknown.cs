using System.Globalization;
using System.Security.Cryptography;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Registration;

/// <summary>
/// Registers somebody whom nobody can name, in one act: a word and a figure stand for the name until the details are
/// known. Words are far apart in sound, so that two unknown patients of one night are not mixed up.
/// </summary>
public sealed class RegisterUnknown(RegisterPatient register)
{
    private const string Family = "Unknown";
    private const int Figures = 90;

    private static readonly string[] Words =
    [
        "Coral", "Tango", "Maple", "Ruby", "Falcon", "Lemon", "Opal", "Bamboo", "Velvet", "Cobalt", "Pepper", "Quartz",
        "Saffron", "Indigo", "Juniper", "Harbour", "Zebra", "Walnut", "Copper", "Meadow", "Granite", "Olive", "Dahlia", "Ember",
    ];

    public Task<Result<PatientRef>> Run(PatientId id, AdministrativeSex sex, PartialDate? born, Actor actor, CancellationToken cancel)
    {
        var word = Words[RandomNumberGenerator.GetInt32(Words.Length)];
        var figure = (10 + RandomNumberGenerator.GetInt32(Figures)).ToString(CultureInfo.InvariantCulture);
        return register.Run(
            new RegisterPatient.Form(id, new PersonName(Family, [word, figure]), new BirthAndSex(born?.ToString(), sex), new ContactDetails(), null, RegisterPatient.GeneratedName, VisitKind.Emergency),
            actor,
            cancel);
    }
}
