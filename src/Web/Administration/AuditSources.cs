using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Web.Administration;

/// <summary>What every page of the log is made from.</summary>
/// <param name="Review">The log, for people.</param>
/// <param name="Staff">Whose user names stand in it.</param>
/// <param name="Integrations">Names of the programs of others.</param>
/// <param name="Clinic">Which patient has a number, and the other way round.</param>
/// <param name="Check">The proof of the whole log that runs behind.</param>
/// <param name="Clock">For the hospital's own days.</param>
internal sealed record AuditSources(AuditReview Review, StaffDirectory Staff, IntegrationDirectory Integrations, ClinicContext Clinic, LogCheck Check, TimeProvider Clock)
{
    /// <summary>The patient who has a hospital number as typed; null where it is none or nobody has it.</summary>
    public async Task<PatientRef?> PatientOf(string number, CancellationToken cancel)
    {
        if (!Mrn.TryParse(number, out var mrn))
        {
            return null;
        }

        var text = mrn.ToString();
        return (await Clinic.Patients.AsNoTracking().FirstOrDefaultAsync(row => row.Mrn == text, cancel))?.Ref;
    }
}
