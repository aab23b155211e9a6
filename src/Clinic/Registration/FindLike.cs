using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;

namespace Mangrove.Clinic.Registration;

/// <summary>The duplicate guard: who is registered already and like the person in front of the desk, best first.</summary>
public sealed class FindLike(Door door)
{
    private const int Most = 4;
    private const int FewestLetters = 2;

    /// <summary>The one way to ask, so that the form shows what registration then decides by.</summary>
    public static PatientQuery Query(PersonName name, BirthAndSex person, string? phone) =>
        new($"{name.Family} {string.Join(' ', name.Given)} {name.Text}".Trim(), Most, "CHECK_DUPLICATE")
        {
            Born = person.BornOn(),
            Sex = person.Sex == AdministrativeSex.Unknown ? null : person.Sex,
            Phone = phone,
            OtherScript = name.Other,
        };

    public async Task<IReadOnlyList<PatientHit>> Run(PersonName name, BirthAndSex person, string? phone, Actor actor, CancellationToken cancel)
    {
        var query = Query(name, person, phone);
        return query.Text.Length < FewestLetters && (query.OtherScript?.Length ?? 0) < FewestLetters && string.IsNullOrWhiteSpace(phone)
            ? []
            : await door.Find(actor, query, cancel);
    }
}
