using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Find;

/// <summary>
/// Who the patient is whose record is closed to somebody: what a search shows to their role, asked and recorded as a search, so that
/// nobody opens the wrong record in an emergency. Nothing of the record is opened.
/// </summary>
public sealed class ClosedRecord(ClinicContext clinic, Door door)
{
    // A number fits one patient; the others are those whose number begins like it.
    private const int Most = 5;

    /// <param name="Patient">Whose record.</param>
    /// <param name="Hit">What the role may see of them before.</param>
    /// <param name="Open">Whether the record is open to this person as it is.</param>
    public sealed record Found(PatientRef Patient, PatientHit Hit, bool Open)
    {
        /// <summary>Nothing: a hit is PHI.</summary>
        public override string ToString() => nameof(Found);
    }

    /// <returns>The patient, or <c>not-found</c>.</returns>
    /// <exception cref="Refused">The role may not search patients.</exception>
    public async Task<Result<Found>> Run(PatientId patient, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.AsNoTracking().FirstOrDefaultAsync(one => one.PatientId == patient, cancel) is not { } row)
        {
            return Missing.Patient;
        }

        var hits = await door.Find(actor, new PatientQuery(row.Mrn, Most), cancel);

        // While the index is loading they may not be in it: the number has to do.
        var hit = hits.FirstOrDefault(one => one.Id == patient) ?? new PatientHit(patient, row.Mrn, 0, null, null, null);
        return new Found(row.Ref, hit, (await door.OpenTo(actor, [patient], cancel)).Contains(patient));
    }
}
