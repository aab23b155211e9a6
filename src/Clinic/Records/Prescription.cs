using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

public enum PrescriptionStatus
{
    Ordered = 1,
    PartlyDispensed = 2,
    Dispensed = 3,
    Stopped = 4,

    /// <summary>Came by import; nothing is to be dispensed here.</summary>
    Imported = 9,
}

/// <summary>One prescribed line.</summary>
public sealed class Prescription : SealedRow
{
    public static readonly Field<Prescription, PrescriptionLine> LineField =
        new("prescription", "line", "prescription", Category.Prescriptions, row => row.Line, (row, value) => row.Line = value, ClinicJson.Default.PrescriptionLine);

    public static readonly Field<Prescription, MedicineInUse> MedicineField =
        new("prescription", "medicine", "medications", Category.Medicines, row => row.Medicine, (row, value) => row.Medicine = value, ClinicJson.Default.MedicineInUse);

    public Guid? VisitId { get; init; }

    public PrescriptionStatus Status { get; private set; } = PrescriptionStatus.Ordered;

    public DateTimeOffset OrderedAt { get; init; }

    public StaffId? By { get; init; }

    public DateTimeOffset? DispensedAt { get; private set; }

    public Sealed<PrescriptionLine> Line { get; set; }

    /// <summary>The same medicine in the words of the medicine list, which more roles may read than the prescription.</summary>
    public Sealed<MedicineInUse> Medicine { get; set; }

    public static Prescription Imported(PatientId patient, DateTimeOffset at, Guid? visit) =>
        new() { PatientId = patient, OrderedAt = at, VisitId = visit, Status = PrescriptionStatus.Imported };

    public Result<Prescription> HandOver(bool complete, DateTimeOffset now)
    {
        if (Status is not (PrescriptionStatus.Ordered or PrescriptionStatus.PartlyDispensed))
        {
            return new Error("prescription.not-open", "This line is not waiting to be dispensed. Refresh the queue.");
        }

        Status = complete ? PrescriptionStatus.Dispensed : PrescriptionStatus.PartlyDispensed;
        DispensedAt = now;
        return this;
    }

    public Result<Prescription> Stop()
    {
        if (Status == PrescriptionStatus.Stopped)
        {
            return new Error("prescription.not-open", "This line was stopped already.");
        }

        Status = PrescriptionStatus.Stopped;
        return this;
    }
}

/// <summary>What was ordered.</summary>
public sealed record PrescriptionLine
{
    /// <summary>Code of the hospital's medicine list, or null for an imported medicine.</summary>
    public string? MedicineCode { get; init; }

    /// <summary>Code in the system below (RxNorm for imported ones).</summary>
    public string? Code { get; init; }

    public string? System { get; init; }

    public required string Name { get; init; }

    public string? Strength { get; init; }

    public string? Form { get; init; }

    public decimal? Dose { get; init; }

    public string? DoseUnit { get; init; }

    public string? Frequency { get; init; }

    public string? Route { get; init; }

    public int? Days { get; init; }

    public decimal? Quantity { get; init; }

    /// <summary>The whole instruction in words, as the label says it.</summary>
    public string? Sig { get; init; }

    /// <summary>Alerts that were shown at prescribing, with what was answered.</summary>
    public IReadOnlyList<AlertShown> Alerts { get; init; } = [];

    /// <summary>A medicine of the hospital's list as it was prescribed.</summary>
    public static PrescriptionLine Of(Medicine medicine, MedicineProduct product, Sig sig) => new()
    {
        MedicineCode = medicine.Code,
        Code = medicine.RxNorm,
        System = medicine.RxNorm is null ? null : "http://www.nlm.nih.gov/research/umls/rxnorm",
        Name = medicine.DisplayName,
        Strength = product.Strength,
        Form = product.Form,
        Dose = sig.Quantity,
        DoseUnit = sig.Unit,
        Frequency = sig.Frequency.Text,
        Route = sig.Route.Name,
        Days = sig.Days,
        Quantity = sig.Supply,
        Sig = sig.Text,
    };

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(PrescriptionLine);
}

/// <param name="Code">Which rule found it: <c>allergy.substance</c>, <c>dose.above-child-maximum</c>.</param>
/// <param name="Grade">NOTE, WARN or BLOCK.</param>
/// <param name="Title">What met what.</param>
/// <param name="Text">Why it matters.</param>
/// <param name="Reason">The prescriber's reason to go on, where one was needed.</param>
public sealed record AlertShown(string Code, string Grade, string Title, string Text, string? Reason)
{
    /// <summary>A finding with what was answered.</summary>
    public static AlertShown Of(SafetyFinding finding, string? reason) =>
        new(finding.Code, finding.Grade.ToString().ToUpperInvariant(), finding.Title, finding.Text, reason);

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(AlertShown);
}

/// <param name="Name">Generic name.</param>
/// <param name="Strength">Strength and form.</param>
/// <param name="Sig">How it is taken.</param>
/// <param name="Code">Code of the hospital's medicine list, if any.</param>
/// <param name="Status">active, completed, stopped …</param>
/// <param name="Until">Last day of the course, ISO date, or null when it goes on.</param>
public sealed record MedicineInUse(string Name, string? Strength, string? Sig, string? Code, string Status, string? Until)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(MedicineInUse);
}

/// <summary>One handing over of a prescribed line.</summary>
public sealed class Dispense : SealedRow
{
    public static readonly Field<Dispense, DispensedLine> RecordField =
        new("dispense", "record", "dispensing", Category.Dispensing, row => row.Record, (row, value) => row.Record = value, ClinicJson.Default.DispensedLine);

    public Guid PrescriptionId { get; init; }

    public Guid? VisitId { get; init; }

    public DateTimeOffset At { get; init; }

    public StaffId By { get; init; }

    public Sealed<DispensedLine> Record { get; set; }
}

/// <param name="Quantity">Units handed over in all.</param>
/// <param name="Owed">Units still owed.</param>
/// <param name="Batches">From which batches.</param>
/// <param name="AlertsAccepted">Alerts met again at dispensing, with the answer.</param>
public sealed record DispensedLine(decimal Quantity, decimal Owed, IReadOnlyList<BatchTaken> Batches, IReadOnlyList<AlertShown> AlertsAccepted)
{
    /// <summary>When it was written down, for a late entry: then the row's time is when it was handed over.</summary>
    public DateTimeOffset? Recorded { get; init; }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(DispensedLine);
}

public sealed record BatchTaken(Guid BatchId, string Batch, DateOnly Expires, decimal Quantity);
