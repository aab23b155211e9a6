using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>Marks a problem as over, from today. It stays in the record.</summary>
public sealed class ResolveProblem(ClinicContext clinic, Door door, TimeProvider clock)
{
    public async Task<Result<Problem>> Run(PatientId patientId, Guid problemId, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient
            || await clinic.Problems.FirstOrDefaultAsync(row => row.Id == problemId && row.PatientId == patientId, cancel) is not { } problem)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "RESOLVE_PROBLEM", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = [Problem.RecordField], Writes = [Problem.RecordField] },
            cancel);
        if (opening.Read(problem, Problem.RecordField) is not { } record)
        {
            return Missing.Patient;
        }

        if (record.IsActive)
        {
            var today = DateOnly.FromDateTime(clock.GetLocalNow().DateTime).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            opening.Set(problem, Problem.RecordField, record with { ClinicalStatus = "resolved", Abated = today });
            await clinic.SaveChangesAsync(cancel);
        }

        return problem;
    }
}
