using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Downtime;

/// <summary>Which lists are put on paper.</summary>
[Flags]
public enum PaperKinds
{
    None = 0,

    /// <summary>Who is in the house.</summary>
    Census = 1,

    /// <summary>Who waits where.</summary>
    Queues = 2,

    /// <summary>What each of them takes, with allergies.</summary>
    Medicines = 4,

    All = Census | Queues | Medicines,
}

/// <summary>Where somebody in the house waits.</summary>
public enum PaperQueue
{
    Triage = 1,
    Doctor = 2,
    InConsultation = 3,
    Laboratory = 4,
    Pharmacy = 5,
    SeenByDoctor = 6,
}

/// <summary>
/// The lists that a ward has on paper before a downtime, and from the read-only copy during one: who is in the house, who waits where, and
/// what each takes. One printing is one entry, which names every patient on the paper and every kind of field that the role reads of them.
/// </summary>
public sealed class PaperLists(ClinicContext clinic, Door door, TimeProvider clock)
{
    /// <summary>Most patients on one paper: as many as one entry of the log may name, and fewer.</summary>
    public const int Most = 2_000;

    /// <summary>Somebody who is in the house.</summary>
    /// <param name="Person">Birth and sex.</param>
    /// <param name="Phones">Null where the role does not read them, or the list does not need them.</param>
    /// <param name="Allergies">Active ones; null where the role does not read them.</param>
    /// <param name="NoneKnown">Whether somebody asked, and no allergy is known.</param>
    /// <param name="Triage">The last triage; null before it, and where the role does not read it.</param>
    /// <param name="Medicines">In use; null where the role does not read them.</param>
    /// <param name="Waits">Where the patient waits; several at once, and none for who only has to pay.</param>
    public sealed record Row(
        Visit Visit,
        PatientRef Patient,
        PersonName Name,
        BirthAndSex? Person,
        IReadOnlyList<string>? Phones,
        IReadOnlyList<AllergyRecord>? Allergies,
        bool NoneKnown,
        TriageOutcome? Triage,
        IReadOnlyList<MedicineInUse>? Medicines,
        IReadOnlyList<PaperQueue> Waits)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Row);
    }

    /// <summary>What is printed.</summary>
    /// <param name="Rows">In the order of family names, for finding somebody on paper.</param>
    /// <param name="At">When it was printed.</param>
    /// <param name="Cut">Whether more were in the house than fit.</param>
    /// <param name="ReadsAllergies">Whether the role reads allergies.</param>
    /// <param name="ReadsTriage">Whether the role reads triage.</param>
    /// <param name="ReadsMedicines">Whether the role reads medicines; without it there is no list of them.</param>
    public sealed record Paper(IReadOnlyList<Row> Rows, DateTimeOffset At, bool Cut, bool ReadsAllergies, bool ReadsTriage, bool ReadsMedicines);

    /// <summary>Whether the role of this actor prints lists at all: those that care for patients or register them.</summary>
    public static bool Prints(Actor actor) => actor.Reads(Category.Name) && actor.Reads(Category.BirthAndSex);

    /// <param name="kinds">Which lists; at least one.</param>
    /// <param name="actor">Who prints.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="Refused">The role prints no lists.</exception>
    public async Task<Paper> Run(PaperKinds kinds, Actor actor, CancellationToken cancel)
    {
        var visits = await clinic.Visits.AsNoTracking()
            .Where(visit => visit.Kind != VisitKind.Imported && visit.Status != VisitStatus.Closed)
            .OrderByDescending(visit => visit.ArrivedAt).ThenBy(visit => visit.Token)
            .Take(Most + 1)
            .ToListAsync(cancel);
        var cut = visits.Count > Most;
        visits = [.. visits.Take(Most)];
        var ids = visits.Select(visit => visit.PatientId).Distinct().ToArray();
        var patients = await clinic.Patients.AsNoTracking().Where(patient => ids.Contains(patient.PatientId)).ToDictionaryAsync(patient => patient.PatientId, cancel);
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "PRINT_DOWNTIME_LISTS",
                Purpose = actor.UsualPurpose,
                Resource = $"downtime:{Named(kinds)}",
                Patients = [.. patients.Values.Select(patient => patient.Ref)],
                Reads = [Patient.NameField, Patient.PersonField, .. Fields(kinds).Where(field => actor.Reads(field.Category))],
                // Who left the house's care meanwhile drops out; a role that prints nothing is refused as a whole.
                Narrowed = Prints(actor),
                Leaves = true,
            },
            cancel);
        var medicines = opening.MayRead(Prescription.MedicineField);
        var triage = opening.MayRead(TriageAssessment.OutcomeField);
        var allergies = opening.MayRead(Allergy.RecordField);
        var lines = (medicines || kinds.HasFlag(PaperKinds.Queues) ? await clinic.Prescriptions.AsNoTracking().Where(row => ids.Contains(row.PatientId)).OrderByDescending(row => row.OrderedAt).ToListAsync(cancel) : []).ToLookup(row => row.PatientId);
        var known = (allergies ? await clinic.Allergies.AsNoTracking().Where(row => ids.Contains(row.PatientId)).OrderBy(row => row.RecordedAt).ToListAsync(cancel) : []).ToLookup(row => row.PatientId);
        var visitIds = visits.Select(visit => visit.Id).ToArray();
        var triages = (triage ? await clinic.Triages.AsNoTracking().Where(row => visitIds.Contains(row.VisitId)).OrderBy(row => row.At).ToListAsync(cancel) : []).ToLookup(row => row.VisitId);
        var orders = (kinds.HasFlag(PaperKinds.Queues)
            ? await clinic.LabOrders.AsNoTracking().Where(row => visitIds.Contains(row.VisitId) && (row.Status == LabOrderStatus.Ordered || row.Status == LabOrderStatus.Received)).Select(row => row.VisitId).ToListAsync(cancel)
            : []).ToHashSet();
        var today = clock.LocalToday();
        var rows = new List<Row>();
        foreach (var visit in visits.Where(visit => patients.ContainsKey(visit.PatientId) && opening.Covers(visit.PatientId)))
        {
            var patient = patients[visit.PatientId];
            var records = allergies ? known[visit.PatientId].Select(row => opening.Read(row, Allergy.RecordField)).OfType<AllergyRecord>().Where(record => record.Status == "active").ToList() : null;
            rows.Add(new Row(
                visit,
                patient.Ref,
                opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed,
                opening.Read(patient, Patient.PersonField),
                opening.ReadIfGranted(patient, Patient.ContactField)?.Phones,
                records?.Where(record => !record.NoneKnown).ToList(),
                records?.Exists(record => record.NoneKnown) ?? false,
                triages[visit.Id].Select(row => opening.Read(row, TriageAssessment.OutcomeField)).LastOrDefault(outcome => outcome is not null),
                medicines
                    ? [.. lines[visit.PatientId].Where(row => row.Status != PrescriptionStatus.Stopped).Select(row => opening.Read(row, Prescription.MedicineField)).OfType<MedicineInUse>().Where(medicine => SafetyPicture.InUse(medicine, today))]
                    : null,
                [.. Waits(visit, orders.Contains(visit.Id), lines[visit.PatientId].Any(row => row.VisitId == visit.Id && row.Status is PrescriptionStatus.Ordered or PrescriptionStatus.PartlyDispensed))]));
        }

        return new Paper(
            [.. rows.OrderBy(row => row.Name.Display, StringComparer.CurrentCultureIgnoreCase).ThenBy(row => row.Patient.Mrn, StringComparer.Ordinal)],
            clock.GetUtcNow(),
            cut,
            allergies,
            triage,
            medicines);
    }

    private static FieldUse[] Fields(PaperKinds kinds) =>
    [
        .. kinds.HasFlag(PaperKinds.Census) ? [Patient.ContactField] : (FieldUse[])[],
        .. (kinds & (PaperKinds.Census | PaperKinds.Queues)) != PaperKinds.None ? [TriageAssessment.OutcomeField] : (FieldUse[])[],
        .. (kinds & (PaperKinds.Census | PaperKinds.Medicines)) != PaperKinds.None ? [Allergy.RecordField] : (FieldUse[])[],
        .. kinds.HasFlag(PaperKinds.Medicines) ? [Prescription.MedicineField] : (FieldUse[])[],
    ];

    private static string Named(PaperKinds kinds) => string.Join('+', new[] { (PaperKinds.Census, "census"), (PaperKinds.Queues, "queues"), (PaperKinds.Medicines, "medicines") }
        .Where(one => kinds.HasFlag(one.Item1)).Select(one => one.Item2));

    private static IEnumerable<PaperQueue> Waits(Visit visit, bool laboratory, bool pharmacy)
    {
        yield return visit.Status switch
        {
            VisitStatus.Arrived => PaperQueue.Triage,
            VisitStatus.Triaged => PaperQueue.Doctor,
            VisitStatus.InConsultation => PaperQueue.InConsultation,
            _ => PaperQueue.SeenByDoctor,
        };
        if (laboratory)
        {
            yield return PaperQueue.Laboratory;
        }

        if (pharmacy)
        {
            yield return PaperQueue.Pharmacy;
        }
    }
}
