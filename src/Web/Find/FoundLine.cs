using Mangrove.Clinic.Find;
using Mangrove.Kernel;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Identity;
using Mangrove.Web.Parts;
using Mangrove.Web.Desk;

namespace Mangrove.Web.Find;

/// <summary>One patient found, as the searcher's role may see them.</summary>
/// <param name="Lead">The part of the name written first; the hospital number where no name is known.</param>
/// <param name="Rest">The rest of the name.</param>
/// <param name="Meta">Sex, birth date with age, number: what the role may see of them.</param>
/// <param name="Number">Hospital number.</param>
/// <param name="Address">Where Enter leads; null when the record is closed to the searcher.</param>
/// <param name="Closed">The patient is not in care here, so the record does not open for this role.</param>
/// <param name="Emergency">Where the searcher may open the closed record in an emergency; null for everybody else.</param>
public sealed record FoundLine(string Lead, string Rest, string Meta, string Number, string? Address, bool Closed, string? Emergency = null)
{
    internal static FoundLine Of(FindPatients.Found found, Actor actor, DateOnly today)
    {
        var hit = found.Hit;
        var meta = hit.Person is { } person
            ? $"{PersonMeta.Sex(person)} · {(person.BornOn() is null ? "age not known" : $"born {DeskWords.Born(person, today)}")} · {hit.Mrn}"
            : hit.Mrn;
        var address = found.Closed ? null : actor.Role switch
        {
            Role.FrontDesk => $"/patients/{hit.Id}/details",
            Role.Cashier => found.Invoice is { } invoice ? $"/patients/{hit.Id}/invoice/{invoice:N}" : $"/patients/{hit.Id}",
            _ => $"/patients/{hit.Id}",
        };
        return new FoundLine(hit.Name?.Lead ?? hit.Mrn, hit.Name?.Rest ?? "", meta, hit.Mrn, address, found.Closed, found.Closed && GlassDesk.Breaks(actor) ? $"/patients/{hit.Id}/glass" : null);
    }

    /// <summary>Nothing: a line is PHI.</summary>
    public override string ToString() => nameof(FoundLine);
}
