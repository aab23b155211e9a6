using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Find;

/// <summary>
/// For administrators, who see no demographics: whether a whole hospital number belongs to a patient here. It gives the
/// number back and nothing of the person.
/// </summary>
public sealed class FindByNumber(ClinicContext clinic, Door door)
{
    /// <returns>
    /// The patient; null when the number belongs to nobody here; or <c>find.number</c> when the text is not a whole
    /// number with its check digit, which is not looked up.
    /// </returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<PatientRef?>> Run(string? text, Actor actor, CancellationToken cancel)
    {
        if (!Mrn.TryParse(text, out var mrn))
        {
            return new Error("find.number", "Type the whole hospital number with its check digit, such as P-1000007. Your role finds nobody by name.");
        }

        var number = mrn.ToString();
        var patient = await clinic.Patients.AsNoTracking().FirstOrDefaultAsync(row => row.Mrn == number, cancel);
        await door.Record(
            actor,
            Rights.AuditLog,
            new Request
            {
                Action = "SEARCH_PATIENT",
                Purpose = Purpose.Administration,
                Resource = "search",
                Patients = patient is null ? [] : [patient.Ref],
            },
            cancel);
        return patient?.Ref;
    }
}
