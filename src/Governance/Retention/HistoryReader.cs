using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Governance.Retention;

/// <summary>Reads when the hospital had to do with patients, from the clinic's unsealed times. Births and deaths are sealed and come by the door.</summary>
internal sealed class HistoryReader(ClinicContext clinic, TimeZoneInfo zone)
{
    private const int Page = 1_000;

    /// <summary>What the counting reads through the door.</summary>
    public static IReadOnlyList<FieldUse> Fields { get; } = [Patient.PersonField];

    /// <summary>Every patient, some at a time, along the hospital number.</summary>
    public async IAsyncEnumerable<List<Patient>> Pages([EnumeratorCancellation] CancellationToken cancel)
    {
        var last = string.Empty;
        while (true)
        {
#pragma warning disable CA1309 // The comparison happens in the database, which orders by the same collation.
            var rows = await Some(clinic.Patients.Where(patient => string.Compare(patient.Mrn, last) > 0).OrderBy(patient => patient.Mrn).Take(Page)).ToListAsync(cancel);
#pragma warning restore CA1309
            if (rows.Count == 0)
            {
                yield break;
            }

            yield return rows;
            last = rows[^1].Mrn;
        }
    }

    /// <summary>These patients, those that there are.</summary>
    public async Task<List<Patient>> Of(IReadOnlyCollection<PatientId> patients, CancellationToken cancel)
    {
        var rows = new List<Patient>();
        foreach (var some in patients.Distinct().Chunk(Page))
        {
            rows.AddRange(await Some(clinic.Patients.Where(patient => EF.Parameter(some).Contains(patient.PatientId))).ToListAsync(cancel));
        }

        return rows;
    }

    /// <summary>The history of each, still without the dates of the person.</summary>
    public async Task<Dictionary<PatientId, RecordHistory>> Histories(IReadOnlyCollection<Patient> patients, CancellationToken cancel)
    {
        var ids = patients.Select(patient => patient.PatientId).ToArray();
        var contact = patients.ToDictionary(patient => patient.PatientId, patient => (First: patient.RegisteredAt, Last: patient.RegisteredAt));
        var (laboratory, prescription, billing) = (new Dictionary<PatientId, DateTimeOffset>(), new Dictionary<PatientId, DateTimeOffset>(), new Dictionary<PatientId, DateTimeOffset>());
        await Each<Visit>(visit => visit.ArrivedAt, visit => visit.ClosedAt, null);
        await Each<TriageAssessment>(row => row.At, null, null);
        await Each<Observation>(row => row.TakenAt, null, null);
        await Each<Note>(row => row.SignedAt, null, null);
        await Each<Procedure>(row => row.At, null, null);
        await Each<Immunization>(row => row.At, null, null);
        await Each<LabOrder>(row => row.OrderedAt, row => row.ReleasedAt, laboratory);
        await Each<LabOrder>(row => row.OrderedAt, row => row.AcknowledgedAt, laboratory);
        await Each<DiagnosticReport>(row => row.At, null, laboratory);
        await Each<Prescription>(row => row.OrderedAt, row => row.DispensedAt, prescription);
        await Each<Dispense>(row => row.At, null, prescription);
        await Each<Charge>(row => row.At, null, billing);
        await Each<Payment>(row => row.At, null, billing);
        var open = await clinic.Visits.Where(visit => EF.Parameter(ids).Contains(visit.PatientId) && visit.Status != VisitStatus.Closed).Select(visit => visit.PatientId).Distinct().ToListAsync(cancel);
        return ids.ToDictionary(id => id, id => new RecordHistory
        {
            First = Day(contact[id].First),
            Last = Day(contact[id].Last),
            Laboratory = DayIn(laboratory, id),
            Prescription = DayIn(prescription, id),
            Billing = DayIn(billing, id),
            InCare = open.Contains(id),
        });

        async Task Each<TRow>(Expression<Func<TRow, DateTimeOffset>> began, Expression<Func<TRow, DateTimeOffset?>>? ended, Dictionary<PatientId, DateTimeOffset>? kind)
            where TRow : SealedRow
        {
            foreach (var (id, first, last) in await Times(began, ended))
            {
                var (earliest, latest) = contact[id];
                contact[id] = (first < earliest ? first : earliest, last > latest ? last : latest);
                if (kind is not null && (!kind.TryGetValue(id, out var before) || last > before))
                {
                    kind[id] = last;
                }
            }
        }

        async Task<List<(PatientId Id, DateTimeOffset First, DateTimeOffset Last)>> Times<TRow>(Expression<Func<TRow, DateTimeOffset>> began, Expression<Func<TRow, DateTimeOffset?>>? ended)
            where TRow : SealedRow
        {
            var rows = clinic.Set<TRow>().AsNoTracking().Where(row => EF.Parameter(ids).Contains(row.PatientId));
            var beginnings = await rows.GroupBy(row => row.PatientId, began).Select(group => new { group.Key, First = group.Min(), Last = group.Max() }).ToListAsync(cancel);
            var ends = ended is null
                ? []
                : (await rows.GroupBy(row => row.PatientId, ended).Select(group => new { group.Key, Last = group.Max() }).ToListAsync(cancel)).ToDictionary(one => one.Key, one => one.Last);
            return [.. beginnings.Select(one => (one.Key, one.First, ends.GetValueOrDefault(one.Key) is { } end && end > one.Last ? end : one.Last))];
        }
    }

    private static IQueryable<Patient> Some(IQueryable<Patient> patients) => patients.AsNoTracking().Select(patient => new Patient
    {
        Id = patient.Id,
        PatientId = patient.PatientId,
        Mrn = patient.Mrn,
        RegisteredAt = patient.RegisteredAt,
        RowVersion = patient.RowVersion,
        Person = patient.Person,
    });

    private DateOnly Day(DateTimeOffset at) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, zone).DateTime);

    private DateOnly? DayIn(Dictionary<PatientId, DateTimeOffset> times, PatientId id) => times.TryGetValue(id, out var at) ? Day(at) : null;
}
