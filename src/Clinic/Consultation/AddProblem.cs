using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>Puts a problem on the problem list, outside a note.</summary>
public sealed class AddProblem(ClinicContext clinic, Door door, DiagnosisList diagnoses, TimeProvider clock)
{
    /// <param name="patientId">Whose.</param>
    /// <param name="code">ICD-10 code of the hospital's list.</param>
    /// <param name="onset">When it began, as known: <c>2012</c>, <c>2012-03</c>, <c>2012-03-14</c>; null for today.</param>
    /// <param name="actor">Who says so.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <returns>The row; the present one when the problem is active already.</returns>
    public async Task<Result<Problem>> Run(PatientId patientId, string code, string? onset, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        if (diagnoses.Current.Find(code) is not { } diagnosis)
        {
            return new Error("diagnosis.unknown", "This diagnosis is not in the list. Choose one from the list.");
        }

        var today = DateOnly.FromDateTime(clock.GetLocalNow().DateTime);
        if (!string.IsNullOrWhiteSpace(onset) && (!PartialDate.TryParse(onset.Trim(), out var began) || began.Earliest > today))
        {
            return new Error("problem.onset", "Write the beginning as 2012, 2012-03 or 2012-03-14, not in the future.");
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "ADD_PROBLEM", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = [Problem.RecordField], Writes = [Problem.RecordField] },
            cancel);
        foreach (var present in await clinic.Problems.Where(row => row.PatientId == patientId).ToListAsync(cancel))
        {
            if (opening.Read(present, Problem.RecordField) is { IsActive: true, System: SignConsultation.Icd10 } record && diagnosis.Code.Equals(record.Code, StringComparison.OrdinalIgnoreCase))
            {
                return present;
            }
        }

        var row = new Problem { PatientId = patientId, RecordedAt = clock.GetUtcNow(), By = actor.Staff };
        var since = string.IsNullOrWhiteSpace(onset) ? today.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : onset.Trim();
        opening.Set(row, Problem.RecordField, new ProblemRecord(diagnosis.Code, SignConsultation.Icd10, diagnosis.Name, since));
        clinic.Problems.Add(row);
        await clinic.SaveChangesAsync(cancel);
        return row;
    }
}
