using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>A visit together with its patient. A visit of somebody else is answered like one that does not exist.</summary>
internal sealed record VisitOfPatient(Visit Visit, Patient Patient)
{
    public static async Task<VisitOfPatient?> Find(ClinicContext clinic, PatientId patientId, Guid visitId, CancellationToken cancel) =>
        await clinic.Visits.FirstOrDefaultAsync(row => row.Id == visitId && row.PatientId == patientId && row.Kind != VisitKind.Imported, cancel) is { } visit
        && await clinic.Patients.FindAsync([patientId.Value], cancel) is { } patient
            ? new VisitOfPatient(visit, patient)
            : null;
}
