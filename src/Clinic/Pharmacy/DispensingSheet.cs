using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Pharmacy;

/// <summary>A batch that may be taken from, with the quantity proposed.</summary>
public sealed record BatchOffer(Guid Id, string Batch, DateOnly Expires, decimal InStock, decimal Take);

/// <summary>One prescribed line at the counter.</summary>
/// <param name="Seen">How many times the line has been handed over so far; a form that saw another count is stale.</param>
/// <param name="Product">Null when the hospital's list does not have it.</param>
/// <param name="Needed">Units of the whole course, or null when they cannot be counted.</param>
/// <param name="Given">Units handed over so far.</param>
/// <param name="Batches">First to expire first; those that end before the course are left out.</param>
/// <param name="Hidden">When the batches left out expire.</param>
public sealed record DispensingLine(
    Guid Id,
    PrescriptionLine Line,
    StaffId? By,
    DateTimeOffset OrderedAt,
    PrescriptionStatus Status,
    int Seen,
    Medicine? Medicine,
    MedicineProduct? Product,
    decimal? Needed,
    decimal Given,
    IReadOnlyList<BatchOffer> Batches,
    IReadOnlyList<DateOnly> Hidden,
    IReadOnlyList<DispensingFinding> Findings)
{
    /// <summary>When the last of what was given was written down, where that was a late entry.</summary>
    public DateTimeOffset? GivenLate { get; init; }

    /// <summary>Units still owed, or null when the pharmacist decides.</summary>
    public decimal? Owed => Needed is { } all ? Math.Max(0, all - Given) : null;

    public decimal Proposed => Batches.Sum(batch => batch.Take);

    public bool Blocked => Findings.Any(finding => finding.Needs == AnswerNeeded.Never);

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(DispensingLine);
}

/// <summary>What a patient is to be given for one visit.</summary>
/// <param name="AlsoTaking">Medicines in use from elsewhere.</param>
/// <param name="Done">Lines of this visit that are complete.</param>
public sealed record DispensingSheet(
    PatientHeader Header,
    Guid VisitId,
    IReadOnlyList<DispensingLine> Lines,
    IReadOnlyList<MedicineInUse> AlsoTaking,
    decimal? WeightKg,
    DateTimeOffset? WeighedAt,
    int Done)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(DispensingSheet);

    /// <summary>Every field that <see cref="Read"/> opens.</summary>
    internal static IReadOnlyList<FieldUse> Fields { get; } =
        [Patient.NameField, .. SafetyPicture.FieldsAtTheCounter, Prescription.LineField, Dispense.RecordField];

    internal static async Task<DispensingSheet> Read(Opening opening, ClinicContext clinic, Patient patient, Guid visitId, TimeProvider clock, CancellationToken cancel)
    {
        var id = patient.PatientId;
        var today = Today(clock);
        var header = await PatientHeader.Read(opening, clinic, patient, cancel);
        var picture = await SafetyPicture.Read(opening, clinic, patient, visitId, today, cancel);
        var mine = await clinic.Prescriptions
            .Where(row => row.PatientId == id && row.VisitId == visitId && row.Status != PrescriptionStatus.Stopped && row.Status != PrescriptionStatus.Imported)
            .OrderBy(row => row.OrderedAt)
            .ThenBy(row => row.Id)
            .ToListAsync(cancel);
        var open = mine.Where(IsOpen).ToList();
        var openIds = open.Select(row => row.Id).ToArray();
        var given = (await clinic.Dispenses.AsNoTracking().Where(row => openIds.Contains(row.PrescriptionId) && row.PatientId == id).ToListAsync(cancel)).ToLookup(row => row.PrescriptionId);
        var lines = new List<DispensingLine>();
        var reserved = new Dictionary<Guid, decimal>();
        foreach (var row in open)
        {
            if (opening.Read(row, Prescription.LineField) is { } line)
            {
                lines.Add(await Line(opening, clinic, row, line, [.. given[row.Id]], picture, reserved, today, cancel));
            }
        }

        return new DispensingSheet(
            header,
            visitId,
            lines,
            [.. picture.InUseNow.Where(one => mine.TrueForAll(row => row.Id != one.Prescription)).Select(one => one.Medicine).DistinctBy(one => (one.Name, one.Strength, one.Sig))],
            picture.WeightKg,
            picture.WeighedAt,
            mine.Count - open.Count);
    }

    internal static bool IsOpen(Prescription row) => row.Status is PrescriptionStatus.Ordered or PrescriptionStatus.PartlyDispensed;

    internal static DateOnly Today(TimeProvider clock) => clock.LocalToday();

    private static async Task<DispensingLine> Line(
        Opening opening,
        ClinicContext clinic,
        Prescription row,
        PrescriptionLine line,
        List<Dispense> dispensed,
        SafetyPicture picture,
        Dictionary<Guid, decimal> reserved,
        DateOnly today,
        CancellationToken cancel)
    {
        var records = dispensed.OrderBy(one => one.At).Select(one => opening.Read(one, Dispense.RecordField)).OfType<DispensedLine>().ToList();
        var given = records.Sum(one => one.Quantity);
        if (Shelf.ProductOf(line) is not var (medicine, product))
        {
            return new DispensingLine(row.Id, line, row.By, row.OrderedAt, row.Status, dispensed.Count, null, null, null, given, [], [], []) { GivenLate = records.LastOrDefault()?.Recorded };
        }

        var name = Shelf.NameOf(product);
        var batches = await clinic.StockBatches.Where(batch => batch.MedicineCode == medicine.Code && batch.Product == name).ToListAsync(cancel);
        var last = Shelf.LastDay(line, today);
        var held = batches.Where(batch => batch.Quantity > 0).OrderBy(batch => batch.Expires).ThenBy(batch => batch.Batch, StringComparer.Ordinal).ToList();
        var needed = Shelf.Needed(line, product);
        // A pack is proposed where the course is in millilitres; a number of tablets without an end is the pharmacist's.
        var wanted = needed is { } units ? Math.Max(0, units - given) : Shelf.IsCounted(product) ? 0 : 1;
        var offers = new List<BatchOffer>();
        foreach (var batch in held.Where(batch => batch.Expires >= last))
        {
            var free = Math.Max(0, batch.Quantity - reserved.GetValueOrDefault(batch.Id));
            var take = Math.Min(wanted, free);
            wanted -= take;
            reserved[batch.Id] = reserved.GetValueOrDefault(batch.Id) + take;
            offers.Add(new BatchOffer(batch.Id, batch.Batch, batch.Expires, batch.Quantity, take));
        }

        return new DispensingLine(
            row.Id, line, row.By, row.OrderedAt, row.Status, dispensed.Count, medicine, product, needed, given, offers,
            [.. held.Where(batch => batch.Expires < last).Select(batch => batch.Expires)],
            DispensingFinding.Of(row.Id, line, medicine, product, picture))
        {
            GivenLate = records.LastOrDefault()?.Recorded,
        };
    }
}
