using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>Records an allergy. A statement that none is known ends with it.</summary>
public sealed class RecordAllergy(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    /// <param name="Substance">As asked and shown: a substance, a class or a medicine.</param>
    /// <param name="Code">Code of the substance or medicine list, or null for own words.</param>
    /// <param name="Reaction">What happened.</param>
    /// <param name="Severity">mild, moderate, severe, or null when not known, which counts as the worst.</param>
    public sealed record Form(string Substance, string? Code, string? Reaction, string? Severity)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Form);
    }

    public async Task<Result<Allergy>> Run(PatientId patientId, Form form, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        var medicine = form.Code is { } code ? MedicineCatalogue.Load().Find(code) : null;
        var listed = form.Code is { } other && medicine is null ? AllergySubstances.Load().Find(other) : null;
        var substance = (medicine?.Name ?? listed?.Name ?? form.Substance).Trim();
        if (substance.Length is 0 or > 200 || form.Reaction is { Length: > 200 })
        {
            return new Error("allergy.substance", "Say to what the patient is allergic, in at most 200 letters.");
        }

        if (form.Severity is not (null or "mild" or "moderate" or "severe"))
        {
            return new Error("allergy.severity", "Choose mild, moderate, severe or not known.");
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "RECORD_ALLERGY", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = [Allergy.RecordField], Writes = [Allergy.RecordField] },
            cancel);
        Allergy? same = null;
        foreach (var present in await clinic.Allergies.Where(row => row.PatientId == patientId).ToListAsync(cancel))
        {
            if (opening.Read(present, Allergy.RecordField) is not { Status: "active" } record)
            {
                continue;
            }

            if (record.NoneKnown)
            {
                opening.Set(present, Allergy.RecordField, record with { Status = "inactive" });
            }
            else if (string.Equals(record.Substance, substance, StringComparison.OrdinalIgnoreCase))
            {
                same = present;
            }
        }

        var now = new AllergyRecord(
            false,
            substance,
            medicine?.Code ?? listed?.Code,
            null,
            (medicine, listed?.Category) switch
            {
                (not null, _) or (_, "Medicine") => "medication",
                (_, "Food") => "food",
                (_, "Environment") or (_, "Material") => "environment",
                _ => null,
            },
            string.IsNullOrWhiteSpace(form.Reaction) ? null : form.Reaction.Trim(),
            form.Severity);
        var row = same ?? new Allergy { PatientId = patientId, RecordedAt = clock.GetUtcNow(), By = actor.Staff };
        opening.Set(row, Allergy.RecordField, now);
        if (same is null)
        {
            clinic.Allergies.Add(row);
        }

        await clinic.SaveChangesAsync(cancel);
        events.Changed(Station.Triage, Station.Doctor, Station.Pharmacy);
        return row;
    }
}
