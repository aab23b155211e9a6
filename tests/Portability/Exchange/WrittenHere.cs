using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Tests.Clinic;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Tests.Portability.Exchange;

/// <summary>Rows of every kind that the clinic writes, sealed through the door.</summary>
internal static class WrittenHere
{
    private const string Loinc = "http://loinc.org";

    /// <summary>Gives a patient with an open visit one row of each kind, and returns the observation's ids by kind.</summary>
    public static async Task<Dictionary<ObservationKind, Guid>> Fill(TestHospital hospital, PatientRef patient, Guid visit)
    {
        var now = hospital.Clock.GetUtcNow();
        var by = (await hospital.As(Role.Doctor)).Staff;
        using var opening = await hospital.Door.Open(
            await hospital.As(Role.Admin),
            new Request
            {
                Action = "IMPORT_TEST",
                Purpose = Purpose.Portability,
                Patients = [patient],
                Writes =
                [
                    Patient.PersonField, Patient.ContactField, Problem.RecordField, Observation.Vitals, Observation.BodyMeasures, Observation.LabResults, Observation.Others, Allergy.RecordField,
                    Prescription.LineField, Prescription.MedicineField, Immunization.RecordField, Procedure.RecordField, DiagnosticReport.RecordField,
                ],
            },
            default);
        await using var clinic = hospital.Clinic();
        var person = (await clinic.Patients.FindAsync(patient.Id.Value))!;
        opening.Set(person, Patient.PersonField, new BirthAndSex("~1967", AdministrativeSex.Female, true, "2026-01-02"));
        opening.Set(person, Patient.ContactField, new ContactDetails
        {
            Phones = ["0712 345 678"], Email = "amina@example.org", Address = "Bamburi,\nnear the old mosque", City = "Mombasa", Language = "sw", IdentityDocument = "A123", NextOfKin = "Salim", NextOfKinPhone = "0700",
        });

        void Add<TRow, T>(TRow row, Field<TRow, T> field, T value)
            where TRow : SealedRow
            where T : class
        {
            opening.Set(row, field, value);
            clinic.Add(row);
        }

        Add(new Problem { PatientId = patient.Id, VisitId = visit, RecordedAt = now, By = by }, Problem.RecordField, new ProblemRecord("I10", "http://hl7.org/fhir/sid/icd-10", "Essential hypertension", "since the flood", Note: "watch"));
        Add(new Problem { PatientId = patient.Id, RecordedAt = now }, Problem.RecordField, new ProblemRecord(null, null, "Ended", "2020", "2021-02", "resolved"));
        Add(new Problem { PatientId = patient.Id, RecordedAt = now }, Problem.RecordField, new ProblemRecord("X", null, "Slip", ClinicalStatus: "active", Verification: "entered-in-error"));
        Add(new Allergy { PatientId = patient.Id, RecordedAt = now }, Allergy.RecordField, new AllergyRecord(false, "Penicillin", Category: "medication", Reaction: "Rash", Severity: "severe"));
        Add(new Allergy { PatientId = patient.Id, RecordedAt = now }, Allergy.RecordField, new AllergyRecord(true, null));
        Add(new Allergy { PatientId = patient.Id, RecordedAt = now }, Allergy.RecordField, new AllergyRecord(false, "Latex", Status: "entered-in-error"));
        Add(new Immunization { PatientId = patient.Id, At = now }, Immunization.RecordField, new CodedEvent("207", "http://hl7.org/fhir/sid/cvx", "COVID-19", "completed", "as a child"));
        Add(new Procedure { PatientId = patient.Id, VisitId = visit, At = now }, Procedure.RecordField, new CodedEvent(null, null, "Suture", "completed", "2026-01-02T10:00:00Z", "2026-01-02T10:20:00Z", "Cut"));
        var line = new Prescription { PatientId = patient.Id, VisitId = visit, OrderedAt = now, By = by };
        opening.Set(line, Prescription.MedicineField, new MedicineInUse("Amoxicillin", "500 mg capsule", "1 capsule three times a day", "AMOX", "active", null));
        Add(line, Prescription.LineField, new PrescriptionLine { MedicineCode = "AMOX", Name = "Amoxicillin", Strength = "500 mg", Form = "capsule", Dose = 1.0m, DoseUnit = "capsule", Frequency = "three times a day", Route = "by mouth", Quantity = 15, Sig = "1 capsule three times a day" });

        var ids = new Dictionary<ObservationKind, Guid>();
        void Observe(ObservationKind kind, ObservedValue value)
        {
            var row = new Observation { PatientId = patient.Id, VisitId = visit, Kind = kind, TakenAt = now, By = by };
            ids[kind] = row.Id;
            Add(row, Observation.ValueField, value);
        }

        Observe(ObservationKind.Vital, new ObservedValue
        {
            Code = "85354-9",
            System = Loinc,
            Display = "Blood pressure",
            Components =
            [
                new ObservedValue { Code = "8480-6", System = Loinc, Display = "Systolic", Number = 121m, Unit = "mmHg", UnitCode = "mm[Hg]", Low = 90, High = 140, Flag = "Normal" },
                new ObservedValue { Code = "8462-4", System = Loinc, Display = "Diastolic", Number = 80m, Unit = "mmHg", UnitCode = "mm[Hg]" },
            ],
        });
        Observe(ObservationKind.BodyMeasure, new ObservedValue { Code = "29463-7", System = Loinc, Display = "Weight", Number = 66.50m, Unit = "kg", UnitCode = "kg" });
        Observe(ObservationKind.Laboratory, new ObservedValue { Code = "718-7", System = Loinc, Display = "Haemoglobin", Number = 6.1m, Unit = "g/dL", UnitCode = "g/dL", Low = 12, High = 16, Flag = "CriticalLow", Note = "repeated" });
        Observe(ObservationKind.Other, new ObservedValue { Display = "Smoking", Text = "never" });
        Add(new DiagnosticReport { PatientId = patient.Id, VisitId = visit, At = now }, DiagnosticReport.RecordField, new ReportRecord("58410-2", Loinc, "Blood count", "final", [ids[ObservationKind.Laboratory]], "Anaemia"));
        await clinic.SaveChangesAsync();
        return ids;
    }
}
