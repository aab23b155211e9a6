using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Chart;

/// <summary>The rows of one patient, table by table, as charts and banners read them: newest first and no more than a page shows.</summary>
public static class RowsOfPatient
{
    /// <summary>Most findings of a chart that are no other observations.</summary>
    internal const int MostFindings = 1_500;

    /// <summary>Most other observations of a chart.</summary>
    internal const int MostOthers = 200;

    private static readonly RowQuery<Guid, Patient> PatientById = new((clinic, id) => clinic.Patients.Where(row => row.Id == id));

    // A role reads some of the three kinds of findings, and a list of values in a query would be translated at every run.
    private static readonly RowQuery<PatientId, Observation>[] FindingsOf = [.. Enumerable.Range(0, 1 << (int)ObservationKind.Laboratory).Select(Findings)];

    private static readonly RowQuery<PatientId, Observation> OthersOf = new((clinic, id) =>
        clinic.Observations.Where(row => row.PatientId == id && row.Kind == ObservationKind.Other && row.ReplacedBy == null).OrderByDescending(row => row.TakenAt).Take(MostOthers));

    private static readonly RowQuery<PatientId, Allergy> AllergiesOf = new((clinic, id) =>
        clinic.Allergies.Where(row => row.PatientId == id).OrderBy(row => row.RecordedAt));

    private static readonly RowQuery<PatientId, Problem> ProblemsOf = new((clinic, id) =>
        clinic.Problems.Where(row => row.PatientId == id));

    private static readonly RowQuery<PatientId, Prescription> PrescriptionsOf = new((clinic, id) =>
        clinic.Prescriptions.Where(row => row.PatientId == id).OrderByDescending(row => row.OrderedAt));

    private static readonly RowQuery<PatientId, TriageAssessment> TriagesOf = new((clinic, id) =>
        clinic.Triages.Where(row => row.PatientId == id).OrderByDescending(row => row.At).Take(20));

    private static readonly RowQuery<PatientId, Note> NotesOf = new((clinic, id) =>
        clinic.Notes.Where(row => row.PatientId == id).OrderByDescending(row => row.SignedAt).Take(100));

    private static readonly RowQuery<PatientId, LabOrder> LabOrdersOf = new((clinic, id) =>
        clinic.LabOrders.Where(row => row.PatientId == id).OrderByDescending(row => row.OrderedAt).Take(100));

    private static readonly RowQuery<PatientId, Procedure> ProceduresOf = new((clinic, id) =>
        clinic.Procedures.Where(row => row.PatientId == id).OrderByDescending(row => row.At).Take(300));

    private static readonly RowQuery<PatientId, Immunization> ImmunizationsOf = new((clinic, id) =>
        clinic.Immunizations.Where(row => row.PatientId == id).OrderByDescending(row => row.At).Take(300));

    private static readonly RowQuery<PatientId, Visit> VisitsOf = new((clinic, id) =>
        clinic.Visits.Where(row => row.PatientId == id).OrderByDescending(row => row.ArrivedAt).Take(500));

    /// <summary>The patient of this id, or null.</summary>
    public static async Task<Patient?> Find(ClinicContext clinic, Guid id, CancellationToken cancel) => await PatientById.On(clinic, id, cancel) is [var patient] ? patient : null;

    internal static ValueTask<List<Observation>> Findings(ClinicContext clinic, PatientId id, ObservationKind[] kinds, CancellationToken cancel) =>
        FindingsOf[kinds.Aggregate(0, (some, kind) => some | Bit(kind))].On(clinic, id, cancel);

    internal static ValueTask<List<Observation>> Others(ClinicContext clinic, PatientId id, CancellationToken cancel) => OthersOf.On(clinic, id, cancel);

    internal static ValueTask<List<Allergy>> Allergies(ClinicContext clinic, PatientId id, CancellationToken cancel) => AllergiesOf.On(clinic, id, cancel);

    internal static ValueTask<List<Problem>> Problems(ClinicContext clinic, PatientId id, CancellationToken cancel) => ProblemsOf.On(clinic, id, cancel);

    internal static ValueTask<List<Prescription>> Prescriptions(ClinicContext clinic, PatientId id, CancellationToken cancel) => PrescriptionsOf.On(clinic, id, cancel);

    internal static ValueTask<List<TriageAssessment>> Triages(ClinicContext clinic, PatientId id, CancellationToken cancel) => TriagesOf.On(clinic, id, cancel);

    internal static ValueTask<List<Note>> Notes(ClinicContext clinic, PatientId id, CancellationToken cancel) => NotesOf.On(clinic, id, cancel);

    internal static ValueTask<List<LabOrder>> LabOrders(ClinicContext clinic, PatientId id, CancellationToken cancel) => LabOrdersOf.On(clinic, id, cancel);

    internal static ValueTask<List<Procedure>> Procedures(ClinicContext clinic, PatientId id, CancellationToken cancel) => ProceduresOf.On(clinic, id, cancel);

    internal static ValueTask<List<Immunization>> Immunizations(ClinicContext clinic, PatientId id, CancellationToken cancel) => ImmunizationsOf.On(clinic, id, cancel);

    internal static ValueTask<List<Visit>> Visits(ClinicContext clinic, PatientId id, CancellationToken cancel) => VisitsOf.On(clinic, id, cancel);

    private static RowQuery<PatientId, Observation> Findings(int some)
    {
        var kinds = Enum.GetValues<ObservationKind>().Where(kind => (some & Bit(kind)) != 0).ToArray();
        return new((clinic, id) => clinic.Observations
            .Where(row => row.PatientId == id && EF.Constant(kinds).Contains(row.Kind) && row.ReplacedBy == null)
            .OrderByDescending(row => row.TakenAt)
            .Take(MostFindings));
    }

    private static int Bit(ObservationKind kind) => 1 << ((int)kind - 1);
}
