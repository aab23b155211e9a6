using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Portability.Exchange;

/// <summary>
/// Whose rows are exported together: one patient's, the hospital's own, or those of the patients between two numbers. A
/// run of numbers is two values in a query, where a list of ids would be hundreds in each.
/// </summary>
internal sealed class ExportRows
{
    private readonly HashSet<PatientId> whose;
    private readonly PatientId? one;
    private readonly string after;
    private readonly string upto;

    private ExportRows(IEnumerable<Patient> patients, IEnumerable<PatientId> whose, PatientId? one, string after, string upto)
    {
        // By id, as the database gives the rows of all other tables.
        Patients = [.. patients.OrderBy(static row => row.PatientId.Value)];
        this.whose = [.. whose];
        this.one = one;
        this.after = after;
        this.upto = upto;
    }

    /// <summary>The patients' own rows, by their ids.</summary>
    public IReadOnlyList<Patient> Patients { get; }

    /// <summary>Whom the rows belong to.</summary>
    public IReadOnlyCollection<PatientId> Whose => whose;

    /// <summary>The last number of a run.</summary>
    public string Upto => upto;

    /// <param name="who">A patient, or <see cref="FhirRecord.Facility"/>.</param>
    /// <param name="patients">The row of the patient, if it is one.</param>
    public static ExportRows Of(PatientId who, IReadOnlyList<Patient> patients) => new(patients, [who], who, string.Empty, string.Empty);

    /// <param name="after">The number before the first.</param>
    /// <param name="patients">All patients from there on up to the last of them, by their numbers.</param>
    public static ExportRows After(string after, IReadOnlyList<Patient> patients) =>
        new(patients, patients.Select(static row => row.PatientId), null, after, patients.Count == 0 ? after : patients[^1].Mrn);

    /// <summary>
    /// Those of <paramref name="rows"/> that belong to them. Somebody who was registered meanwhile may be among the
    /// patients of a run: ask <see cref="Has"/>.
    /// </summary>
    public IQueryable<TRow> In<TRow>(ClinicContext clinic, IQueryable<TRow> rows)
        where TRow : SealedRow =>
#pragma warning disable CA1309 // The comparison happens in the database, which orders by the same collation.
        one is { } patient
            ? rows.AsNoTracking().Where(row => row.PatientId == patient)
            : rows.AsNoTracking().Where(row => clinic.Patients
                .Where(registered => string.Compare(registered.Mrn, after) > 0 && string.Compare(registered.Mrn, upto) <= 0)
                .Select(registered => registered.PatientId)
                .Contains(row.PatientId));
#pragma warning restore CA1309

    public bool Has(SealedRow row) => whose.Contains(row.PatientId);
}
