using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Triage;

/// <summary>What a nurse sees when triage of a visit is opened: banner, earlier vital signs, active problems and medicines.</summary>
public sealed class OpenTriage(ClinicContext clinic, Door door, TimeProvider clock)
{
    private const int Earlier = 4;

    public sealed record Sheet(
        Visit Visit,
        PatientHeader Header,
        Age? Age,
        IReadOnlyDictionary<Vital, IReadOnlyList<Measured>> Trends,
        TriageOutcome? Last,
        IReadOnlyList<ProblemRecord> Problems,
        IReadOnlyList<MedicineInUse> Medicines)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Sheet);
    }

    public sealed record Measured(DateTimeOffset At, decimal Value)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Measured);
    }

    public async Task<Result<Sheet>> Run(PatientId patientId, Guid visitId, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Visits.AsNoTracking().FirstOrDefaultAsync(visit => visit.Id == visitId, cancel) is not { } visit || visit.PatientId != patientId
            || await clinic.Patients.AsNoTracking().FirstOrDefaultAsync(patient => patient.PatientId == patientId, cancel) is not { } patient)
        {
            return Missing.Visit;
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "OPEN_TRIAGE",
                Purpose = Purpose.Treatment,
                Patients = [patient.Ref],
                Reads =
                [
                    .. PatientHeader.Fields(actor), Observation.Vitals, Observation.BodyMeasures, TriageAssessment.OutcomeField,
                    Problem.RecordField, Prescription.MedicineField,
                ],
            },
            cancel);
        var header = await PatientHeader.Read(opening, clinic, patient, cancel);
        var observations = await clinic.Observations.AsNoTracking()
            .Where(row => row.PatientId == patientId && (row.Kind == ObservationKind.Vital || row.Kind == ObservationKind.BodyMeasure))
            .OrderByDescending(row => row.TakenAt)
            .Take(200)
            .ToListAsync(cancel);
        var trends = VitalEntry.Asked.ToDictionary(vital => vital, _ => new List<Measured>());
        foreach (var row in observations)
        {
            if (opening.Read(row, Observation.ValueField) is not { Status: not "entered-in-error" } observed)
            {
                continue;
            }

            foreach (var vital in VitalEntry.Asked)
            {
                if (trends[vital].Count < Earlier && VitalCodes.Read(observed, vital) is { } value)
                {
                    trends[vital].Add(new Measured(row.TakenAt, value));
                }
            }
        }

        var last = await clinic.Triages.AsNoTracking().Where(row => row.VisitId == visitId).OrderByDescending(row => row.At).FirstOrDefaultAsync(cancel);
        var problems = (await clinic.Problems.AsNoTracking().Where(row => row.PatientId == patientId).OrderByDescending(row => row.RecordedAt).ToListAsync(cancel))
            .Select(row => opening.Read(row, Problem.RecordField)).OfType<ProblemRecord>().Where(record => record.IsActive).DistinctBy(record => record.Display).ToArray();
        var medicines = (await clinic.Prescriptions.AsNoTracking().Where(row => row.PatientId == patientId && row.Status != PrescriptionStatus.Stopped).OrderByDescending(row => row.OrderedAt).ToListAsync(cancel))
            .Select(row => opening.Read(row, Prescription.MedicineField)).OfType<MedicineInUse>().Where(medicine => medicine.Status == "active").DistinctBy(medicine => (medicine.Name, medicine.Strength)).ToArray();
        var today = DateOnly.FromDateTime(clock.GetLocalNow().DateTime);
        return new Sheet(
            visit,
            header,
            header.Person?.BornOn() is { } born ? Age.On(born, today) : null,
            trends.ToDictionary(entry => entry.Key, IReadOnlyList<Measured> (entry) => [.. entry.Value.AsEnumerable().Reverse()]),
            last is null ? null : opening.Read(last, TriageAssessment.OutcomeField),
            problems,
            medicines);
    }
}
