using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Triage;

/// <summary>Keeps a triage or a re-check: every vital sign measured, the score, the category and when to look again.</summary>
public sealed class RecordTriage(ClinicContext clinic, Door door, Charging charging, StationEvents events, TimeProvider clock)
{
    private const int LongestComplaint = 4_000;

    /// <param name="Id">Made when the form was opened, so that sending it twice keeps one.</param>
    /// <param name="Patient">The patient in the address.</param>
    /// <param name="Visit">The visit in the address.</param>
    /// <param name="Vitals">What was measured. Flags and score are worked out anew by the age in the record.</param>
    /// <param name="Category">1 to 5.</param>
    /// <param name="Complaint">Complaint and observations.</param>
    /// <param name="RecheckMinutes">When to look again; 0 for not needed.</param>
    /// <param name="HappenedAt">When it was done, as typed (<see cref="LateEntry.Read"/>); empty for now.</param>
    public sealed record Form(Guid Id, PatientId Patient, Guid Visit, VitalEntry Vitals, int Category, string Complaint, int RecheckMinutes, string? HappenedAt = null)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Form);
    }

    public async Task<Result<TriageAssessment>> Run(Form form, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Triages.FindAsync([form.Id], cancel) is { } already && already.PatientId == form.Patient)
        {
            return already;
        }

        if (await clinic.Visits.FindAsync([form.Visit], cancel) is not { } visit || visit.PatientId != form.Patient
            || await clinic.Patients.FindAsync([form.Patient.Value], cancel) is not { } patient)
        {
            return Missing.Visit;
        }

        if (form.Category is < 1 or > 5)
        {
            return new Error("triage.category", "Choose a category from 1 to 5.");
        }

        if (string.IsNullOrWhiteSpace(form.Complaint) || form.Complaint.Length > LongestComplaint)
        {
            return new Error("triage.complaint", "Write the complaint in a few words (4,000 characters at most).");
        }

        if (form.Vitals.Impossible.Any())
        {
            return new Error("triage.impossible", "One value cannot be. Correct it or leave it out.");
        }

        if (form.RecheckMinutes is < 0 or > 1440)
        {
            return new Error("triage.recheck", "Choose when to look again, within 24 hours.");
        }

        var happened = LateEntry.Read(form.HappenedAt, clock);
        if (happened.Error is { } never)
        {
            return never;
        }

        var now = clock.GetUtcNow();
        var (at, recorded) = happened.Value;
        if (visit.Triage(now).Error is { } over)
        {
            return over;
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "RECORD_TRIAGE",
                Purpose = Purpose.Treatment,
                Patients = [patient.Ref],
                Reads = [Patient.PersonField],
                Writes = [TriageAssessment.OutcomeField, Observation.Vitals, Observation.BodyMeasures],
            },
            cancel);
        var vitals = form.Vitals.At(opening.Read(patient, Patient.PersonField)?.BornOn() is { } born ? Age.On(born, clock.LocalToday()) : null);
        foreach (var value in Measured(vitals))
        {
            var row = new Observation { PatientId = form.Patient, VisitId = visit.Id, Kind = value.Kind, TakenAt = at, By = actor.Staff };
            opening.Set(row, Observation.ValueField, value.Value with { Recorded = recorded });
            clinic.Observations.Add(row);
        }

        var score = vitals.Score;
        var assessment = new TriageAssessment
        {
            Id = form.Id,
            PatientId = form.Patient,
            VisitId = visit.Id,
            At = at,
            By = actor.Staff,
            RecheckDue = form.RecheckMinutes == 0 ? null : now.AddMinutes(form.RecheckMinutes),
        };
        opening.Set(assessment, TriageAssessment.OutcomeField, new TriageOutcome(
            form.Category,
            form.Complaint.Trim(),
            score.Ok && score.Value.Lines.Count > 0 ? score.Value.Total : null,
            score.Ok ? score.Value.BandWord : score.Error!.Code == "news2.pregnant" ? "MEOWS, pregnant" : score.Error.Code == "news2.under-16" ? "PEWS, under 16" : null,
            vitals.Scale == OxygenScale.Two,
            vitals.Pain,
            vitals.Pregnant)
        {
            Recorded = recorded,
        });
        clinic.Triages.Add(assessment);
        clinic.Drafts.RemoveRange(await clinic.Drafts
            .Where(draft => draft.PatientId == form.Patient && draft.By == actor.Staff && draft.Kind == DraftKind.Triage && draft.VisitId == visit.Id)
            .ToListAsync(cancel));
        await charging.Save(clinic, visit, patient.Ref, [new Charging.Act(visit.Id, PriceList.Triage, "Triage", "Triage", 1)], cancel);
        events.Changed(Station.Triage, Station.Doctor, Station.Arrivals);
        return assessment;
    }

    private static IEnumerable<(ObservationKind Kind, ObservedValue Value)> Measured(VitalEntry vitals)
    {
        var ranges = VitalRanges.Load();
        ObservedValue One(Vital vital, decimal number)
        {
            var sign = ranges.Of(vital);
            var normal = vitals.Age is { } age ? ranges.Normal(vital, age) : null;
            var flag = vitals.Readings[vital].Flag;
            return new ObservedValue
            {
                Code = sign.Loinc,
                System = VitalCodes.Loinc,
                Display = sign.Name,
                Number = number,
                Unit = sign.DisplayUnit,
                UnitCode = sign.Ucum,
                Low = normal?.Low,
                High = normal?.High,
                Flag = flag == ResultFlag.None ? null : flag.ToString(),
            };
        }

        foreach (var vital in VitalEntry.Asked.Where(vital => vital is not (Vital.Systolic or Vital.Diastolic)))
        {
            if (vitals.Number(vital) is { } number)
            {
                yield return (VitalCodes.KindOf(vital), One(vital, number));
            }
        }

        var pressures = new[] { Vital.Systolic, Vital.Diastolic }
            .Where(vital => vitals.Number(vital) is not null)
            .Select(vital => One(vital, vitals.Number(vital)!.Value))
            .ToArray();
        if (pressures.Length > 0)
        {
            yield return (ObservationKind.Vital, new ObservedValue { Code = VitalCodes.BloodPressure, System = VitalCodes.Loinc, Display = "Blood pressure", Components = pressures });
        }

        if (vitals.OnOxygen is { } oxygen)
        {
            yield return (ObservationKind.Vital, new ObservedValue { Code = VitalCodes.Oxygen, System = VitalCodes.Loinc, Display = "Oxygen", Text = oxygen ? "oxygen" : "air" });
        }

        if (vitals.Alertness is { } alertness)
        {
            yield return (ObservationKind.Vital, new ObservedValue { Code = VitalCodes.Alertness, System = VitalCodes.Loinc, Display = "Alertness (ACVPU)", Text = alertness.ToString() });
        }

        if (vitals.Pain is { } pain)
        {
            yield return (ObservationKind.Vital, new ObservedValue { Code = ranges.Of(Vital.Pain).Loinc, System = VitalCodes.Loinc, Display = "Pain, 0 to 10", Number = pain, UnitCode = ranges.Of(Vital.Pain).Ucum });
        }
    }
}
