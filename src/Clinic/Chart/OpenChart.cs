using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Chart;

/// <summary>
/// Opens a patient's chart: one entry that names every field read. What the role does not read is left out; the number
/// of queries does not depend on how much the record holds.
/// </summary>
public sealed class OpenChart(ClinicContext clinic, Door door, TimeProvider clock)
{
    private static readonly FieldUse[] Everything =
    [
        Patient.NameField, Patient.PersonField, Patient.ContactField, Patient.PayerField, Allergy.RecordField, Problem.RecordField,
        Prescription.MedicineField, Prescription.LineField, TriageAssessment.OutcomeField, Observation.Vitals, Observation.BodyMeasures,
        Observation.LabResults, Observation.Others, Note.TextField, LabOrder.LineField, Visit.EncounterField, Procedure.RecordField, Immunization.RecordField,
    ];

    /// <param name="patientId">Whose.</param>
    /// <param name="visitId">The consultation for which the chart is opened, or null for the chart alone.</param>
    /// <param name="actor">Who looks.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<Result<PatientChart>> Run(PatientId patientId, Guid? visitId, Actor actor, CancellationToken cancel)
    {
        if (await RowsOfPatient.Find(clinic, patientId.Value, cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = visitId is null ? "VIEW_CHART" : "OPEN_CONSULTATION",
                Purpose = PurposeOf(actor.Role),
                Patients = [patient.Ref],
                Reads = Everything,
                // A consultation is a doctor's; the chart is what each role reads of it.
                Narrowed = visitId is null || actor.Writes(Category.Notes),
                Writes = visitId is null || actor.Writes(Category.Notes) ? [] : [Note.TextField],
            },
            cancel);
        var today = clock.LocalToday();
        var allergies = opening.MayRead(Allergy.RecordField) ? await RowsOfPatient.Allergies(clinic, patientId, cancel) : null;
        var header = PatientHeader.Of(opening, patient, allergies ?? []);
        var visits = await RowsOfPatient.Visits(clinic, patientId, cancel);
        var (vitals, results, others, more) = await Observations(opening, patientId, header.Person, cancel);
        return new PatientChart
        {
            Header = header,
            Contact = opening.ReadIfGranted(patient, Patient.ContactField),
            Payer = opening.ReadIfGranted(patient, Patient.PayerField),
            Problems = await Problems(opening, patientId, cancel),
            Medicines = await Medicines(opening, patientId, today, cancel),
            Allergies = allergies is null ? null : Allergies(opening, allergies),
            Triages = await Triages(opening, patientId, cancel),
            Vitals = vitals,
            Results = results,
            Others = others,
            MoreObservations = more,
            Notes = await Notes(opening, patientId, cancel),
            Orders = await Orders(opening, patientId, cancel),
            Visits = opening.MayRead(Visit.EncounterField)
                ? [.. visits.Select(row => new ChartVisit(row.Id, row.Kind, row.ArrivedAt, row.ClosedAt ?? row.ConsultedAt, opening.Read(row, Visit.EncounterField)))]
                : null,
            Procedures = await Procedures(opening, patientId, cancel),
            Immunizations = await Immunizations(opening, patientId, cancel),
            OpenVisit = visits.FirstOrDefault(row => row.IsOpen),
            Safety = visitId is null ? null : await SafetyPicture.Read(opening, clinic, patient, visitId, today, cancel),
        };
    }

    /// <summary>What a role looks at charts for.</summary>
    private static Purpose PurposeOf(Role? role) => role switch
    {
        Role.FrontDesk => Purpose.Registration,
        Role.Cashier => Purpose.Payment,
        Role.Admin => Purpose.Administration,
        _ => Purpose.Treatment,
    };

    private async Task<IReadOnlyList<ChartProblem>?> Problems(Opening opening, PatientId id, CancellationToken cancel)
    {
        if (!opening.MayRead(Problem.RecordField))
        {
            return null;
        }

        var rows = await RowsOfPatient.Problems(clinic, id, cancel);
        return
        [
            .. rows.Select(row => (row, record: opening.Read(row, Problem.RecordField)))
                .Where(pair => pair.record is { Verification: not "entered-in-error" })
                .Select(pair => new ChartProblem(pair.row.Id, pair.record!, pair.row.RecordedAt))
                .OrderByDescending(problem => problem.Record.IsActive)
                .ThenByDescending(problem => problem.Record.Onset, StringComparer.Ordinal),
        ];
    }

    private async Task<IReadOnlyList<ChartMedicine>?> Medicines(Opening opening, PatientId id, DateOnly today, CancellationToken cancel)
    {
        if (!opening.MayRead(Prescription.MedicineField))
        {
            return null;
        }

        var rows = await RowsOfPatient.Prescriptions(clinic, id, cancel);
        return
        [
            .. rows.Select(row => (row, medicine: opening.Read(row, Prescription.MedicineField)))
                .Where(pair => pair.medicine is not null)
                .Select(pair => new ChartMedicine(
                    pair.row.Id,
                    pair.medicine!,
                    opening.ReadIfGranted(pair.row, Prescription.LineField),
                    pair.row.Status,
                    pair.row.OrderedAt,
                    pair.row.Status != PrescriptionStatus.Stopped && SafetyPicture.InUse(pair.medicine!, today)))
                .OrderByDescending(medicine => medicine.InUse)
                .ThenByDescending(medicine => medicine.OrderedAt),
        ];
    }

    private static List<ChartAllergy> Allergies(Opening opening, List<Allergy> rows) =>
        [.. rows.Select(row => (row, record: opening.Read(row, Allergy.RecordField))).Where(pair => pair.record is { Status: "active" }).Select(pair => new ChartAllergy(pair.row.Id, pair.record!, pair.row.RecordedAt))];

    private async Task<IReadOnlyList<ChartTriage>?> Triages(Opening opening, PatientId id, CancellationToken cancel)
    {
        if (!opening.MayRead(TriageAssessment.OutcomeField))
        {
            return null;
        }

        var rows = await RowsOfPatient.Triages(clinic, id, cancel);
        return [.. rows.Select(row => (row, outcome: opening.Read(row, TriageAssessment.OutcomeField))).Where(pair => pair.outcome is not null).Select(pair => new ChartTriage(pair.row.VisitId, pair.row.At, pair.outcome!))];
    }

    private async Task<(IReadOnlyList<ChartSeries>? Vitals, IReadOnlyList<ChartSeries>? Results, IReadOnlyList<ChartSeries>? Others, bool More)> Observations(
        Opening opening, PatientId id, BirthAndSex? person, CancellationToken cancel)
    {
        ObservationKind[] kinds =
        [
            .. ((ReadOnlySpan<ObservationKind>)[ObservationKind.Vital, ObservationKind.BodyMeasure, ObservationKind.Laboratory]).ToArray()
                .Where(kind => opening.MayRead(Observation.ValueField.As(Observation.CategoryOf(kind)))),
        ];
        var rows = kinds.Length == 0
            ? []
            : await RowsOfPatient.Findings(clinic, id, kinds, cancel);
        var more = rows.Count == RowsOfPatient.MostFindings;
        var others = opening.MayRead(Observation.Others);
        if (others)
        {
            var rest = await RowsOfPatient.Others(clinic, id, cancel);
            more |= rest.Count == RowsOfPatient.MostOthers;
            rows.AddRange(rest);
        }

        var series = new Dictionary<ObservationKind, ObservationSeries>();
        foreach (var row in rows)
        {
            if (opening.Read(row, Observation.ValueField) is not { Status: not ("entered-in-error" or "cancelled") } value)
            {
                continue;
            }

            var kind = row.Kind == ObservationKind.BodyMeasure ? ObservationKind.Vital : row.Kind;
            if (!series.TryGetValue(kind, out var one))
            {
                series[kind] = one = new ObservationSeries(person?.BornOn(), person?.Sex ?? AdministrativeSex.Unknown);
            }

            one.Add(row, value);
        }

        IReadOnlyList<ChartSeries>? Of(ObservationKind kind, bool granted) => !granted ? null : series.TryGetValue(kind, out var found) ? found.All() : [];
        return (
            Of(ObservationKind.Vital, kinds.Contains(ObservationKind.Vital) || kinds.Contains(ObservationKind.BodyMeasure)),
            Of(ObservationKind.Laboratory, kinds.Contains(ObservationKind.Laboratory)),
            Of(ObservationKind.Other, others),
            more);
    }

    private async Task<IReadOnlyList<ChartNote>?> Notes(Opening opening, PatientId id, CancellationToken cancel)
    {
        if (!opening.MayRead(Note.TextField))
        {
            return null;
        }

        var rows = await RowsOfPatient.Notes(clinic, id, cancel);
        var addenda = rows.Where(row => row.Kind == NoteKind.Addendum).OrderBy(row => row.SignedAt).ToLookup(row => row.ParentId);
        var empty = new NoteText("", "", "", "");
        return
        [
            .. rows.Where(row => row.Kind == NoteKind.Consultation).Select(row => new ChartNote(
                row.Id,
                row.VisitId,
                row.SignedAt,
                row.By,
                opening.Read(row, Note.TextField) ?? empty,
                [.. addenda[row.Id].Select(added => new ChartAddendum(added.SignedAt, added.By, opening.Read(added, Note.TextField)?.Plan ?? ""))])),
        ];
    }

    private async Task<IReadOnlyList<ChartOrder>?> Orders(Opening opening, PatientId id, CancellationToken cancel)
    {
        if (!opening.MayRead(LabOrder.LineField))
        {
            return null;
        }

        var rows = await RowsOfPatient.LabOrders(clinic, id, cancel);
        return
        [
            .. rows.Select(row => (row, line: opening.Read(row, LabOrder.LineField))).Where(pair => pair.line is not null)
                .Select(pair => new ChartOrder(pair.row.Id, pair.row.VisitId, pair.line!, pair.row.Status, pair.row.Urgent, pair.row.SpecimenNumber, pair.row.OrderedAt, pair.row.AcknowledgedAt is not null)),
        ];
    }

    private async Task<IReadOnlyList<ChartEvent>?> Procedures(Opening opening, PatientId id, CancellationToken cancel)
    {
        if (!opening.MayRead(Procedure.RecordField))
        {
            return null;
        }

        var rows = await RowsOfPatient.Procedures(clinic, id, cancel);
        return [.. rows.Select(row => (row, record: opening.Read(row, Procedure.RecordField))).Where(pair => pair.record is not null).Select(pair => new ChartEvent(pair.row.At, pair.record!))];
    }

    private async Task<IReadOnlyList<ChartEvent>?> Immunizations(Opening opening, PatientId id, CancellationToken cancel)
    {
        if (!opening.MayRead(Immunization.RecordField))
        {
            return null;
        }

        var rows = await RowsOfPatient.Immunizations(clinic, id, cancel);
        return [.. rows.Select(row => (row, record: opening.Read(row, Immunization.RecordField))).Where(pair => pair.record is not null).Select(pair => new ChartEvent(pair.row.At, pair.record!))];
    }
}
