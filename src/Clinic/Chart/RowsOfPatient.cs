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

    private static readonly Translated<Func<ClinicContext, Guid, CancellationToken, Task<Patient?>>> PatientById =
        new(() => EF.CompileAsyncQuery((ClinicContext clinic, Guid id, CancellationToken cancel) => clinic.Patients.AsNoTracking().FirstOrDefault(row => row.Id == id)));

    private static readonly Translated<Func<ClinicContext, PatientId, ObservationKind[], IAsyncEnumerable<Observation>>> FindingsOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, ObservationKind[], Observation>((ClinicContext clinic, PatientId id, ObservationKind[] kinds) =>
            clinic.Observations.AsNoTracking().Where(row => row.PatientId == id && kinds.Contains(row.Kind) && row.ReplacedBy == null).OrderByDescending(row => row.TakenAt).Take(MostFindings)));

    private static readonly Translated<Func<ClinicContext, PatientId, IAsyncEnumerable<Observation>>> OthersOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, Observation>((ClinicContext clinic, PatientId id) =>
            clinic.Observations.AsNoTracking().Where(row => row.PatientId == id && row.Kind == ObservationKind.Other && row.ReplacedBy == null).OrderByDescending(row => row.TakenAt).Take(MostOthers)));

    private static readonly Translated<Func<ClinicContext, PatientId, IAsyncEnumerable<Allergy>>> AllergiesOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, Allergy>((ClinicContext clinic, PatientId id) => clinic.Allergies.AsNoTracking().Where(row => row.PatientId == id).OrderBy(row => row.RecordedAt)));

    private static readonly Translated<Func<ClinicContext, PatientId, IAsyncEnumerable<Problem>>> ProblemsOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, Problem>((ClinicContext clinic, PatientId id) => clinic.Problems.AsNoTracking().Where(row => row.PatientId == id)));

    private static readonly Translated<Func<ClinicContext, PatientId, IAsyncEnumerable<Prescription>>> PrescriptionsOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, Prescription>((ClinicContext clinic, PatientId id) => clinic.Prescriptions.AsNoTracking().Where(row => row.PatientId == id).OrderByDescending(row => row.OrderedAt)));

    private static readonly Translated<Func<ClinicContext, PatientId, IAsyncEnumerable<TriageAssessment>>> TriagesOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, TriageAssessment>((ClinicContext clinic, PatientId id) => clinic.Triages.AsNoTracking().Where(row => row.PatientId == id).OrderByDescending(row => row.At).Take(20)));

    private static readonly Translated<Func<ClinicContext, PatientId, IAsyncEnumerable<Note>>> NotesOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, Note>((ClinicContext clinic, PatientId id) => clinic.Notes.AsNoTracking().Where(row => row.PatientId == id).OrderByDescending(row => row.SignedAt).Take(100)));

    private static readonly Translated<Func<ClinicContext, PatientId, IAsyncEnumerable<LabOrder>>> LabOrdersOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, LabOrder>((ClinicContext clinic, PatientId id) => clinic.LabOrders.AsNoTracking().Where(row => row.PatientId == id).OrderByDescending(row => row.OrderedAt).Take(100)));

    private static readonly Translated<Func<ClinicContext, PatientId, IAsyncEnumerable<Procedure>>> ProceduresOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, Procedure>((ClinicContext clinic, PatientId id) => clinic.Procedures.AsNoTracking().Where(row => row.PatientId == id).OrderByDescending(row => row.At).Take(300)));

    private static readonly Translated<Func<ClinicContext, PatientId, IAsyncEnumerable<Immunization>>> ImmunizationsOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, Immunization>((ClinicContext clinic, PatientId id) => clinic.Immunizations.AsNoTracking().Where(row => row.PatientId == id).OrderByDescending(row => row.At).Take(300)));

    private static readonly Translated<Func<ClinicContext, PatientId, IAsyncEnumerable<Visit>>> VisitsOf =
        new(() => EF.CompileAsyncQuery<ClinicContext, PatientId, Visit>((ClinicContext clinic, PatientId id) => clinic.Visits.AsNoTracking().Where(row => row.PatientId == id).OrderByDescending(row => row.ArrivedAt).Take(500)));

    /// <summary>The patient of this id, or null.</summary>
    public static Task<Patient?> Find(ClinicContext clinic, Guid id, CancellationToken cancel) => PatientById.On(clinic)(clinic, id, cancel);

    internal static ValueTask<List<Observation>> Findings(ClinicContext clinic, PatientId id, ObservationKind[] kinds, CancellationToken cancel) =>
        FindingsOf.On(clinic)(clinic, id, kinds).ToListAsync(cancel);

    internal static ValueTask<List<Observation>> Others(ClinicContext clinic, PatientId id, CancellationToken cancel) => OthersOf.On(clinic)(clinic, id).ToListAsync(cancel);

    internal static ValueTask<List<Allergy>> Allergies(ClinicContext clinic, PatientId id, CancellationToken cancel) => AllergiesOf.On(clinic)(clinic, id).ToListAsync(cancel);

    internal static ValueTask<List<Problem>> Problems(ClinicContext clinic, PatientId id, CancellationToken cancel) => ProblemsOf.On(clinic)(clinic, id).ToListAsync(cancel);

    internal static ValueTask<List<Prescription>> Prescriptions(ClinicContext clinic, PatientId id, CancellationToken cancel) => PrescriptionsOf.On(clinic)(clinic, id).ToListAsync(cancel);

    internal static ValueTask<List<TriageAssessment>> Triages(ClinicContext clinic, PatientId id, CancellationToken cancel) => TriagesOf.On(clinic)(clinic, id).ToListAsync(cancel);

    internal static ValueTask<List<Note>> Notes(ClinicContext clinic, PatientId id, CancellationToken cancel) => NotesOf.On(clinic)(clinic, id).ToListAsync(cancel);

    internal static ValueTask<List<LabOrder>> LabOrders(ClinicContext clinic, PatientId id, CancellationToken cancel) => LabOrdersOf.On(clinic)(clinic, id).ToListAsync(cancel);

    internal static ValueTask<List<Procedure>> Procedures(ClinicContext clinic, PatientId id, CancellationToken cancel) => ProceduresOf.On(clinic)(clinic, id).ToListAsync(cancel);

    internal static ValueTask<List<Immunization>> Immunizations(ClinicContext clinic, PatientId id, CancellationToken cancel) => ImmunizationsOf.On(clinic)(clinic, id).ToListAsync(cancel);

    internal static ValueTask<List<Visit>> Visits(ClinicContext clinic, PatientId id, CancellationToken cancel) => VisitsOf.On(clinic)(clinic, id).ToListAsync(cancel);
}
