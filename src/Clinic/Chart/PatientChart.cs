using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;

namespace Mangrove.Clinic.Chart;

/// <summary>A patient's record as one role may read it. A part that is null is not for the role; an empty one is empty.</summary>
public sealed record PatientChart
{
    public required PatientHeader Header { get; init; }

    public ContactDetails? Contact { get; init; }

    public PayerDetails? Payer { get; init; }

    public IReadOnlyList<ChartProblem>? Problems { get; init; }

    public IReadOnlyList<ChartMedicine>? Medicines { get; init; }

    public IReadOnlyList<ChartAllergy>? Allergies { get; init; }

    public IReadOnlyList<ChartTriage>? Triages { get; init; }

    /// <summary>Vital signs and body measures, each with its trend.</summary>
    public IReadOnlyList<ChartSeries>? Vitals { get; init; }

    /// <summary>Laboratory results, each test with its trend, the newest first.</summary>
    public IReadOnlyList<ChartSeries>? Results { get; init; }

    public IReadOnlyList<ChartSeries>? Others { get; init; }

    /// <summary>Some older observations were left out to keep the page fast.</summary>
    public bool MoreObservations { get; init; }

    public IReadOnlyList<ChartNote>? Notes { get; init; }

    public IReadOnlyList<ChartOrder>? Orders { get; init; }

    public IReadOnlyList<ChartVisit>? Visits { get; init; }

    public IReadOnlyList<ChartEvent>? Procedures { get; init; }

    public IReadOnlyList<ChartEvent>? Immunizations { get; init; }

    /// <summary>The visit that is going on, if any. Its state is no secret among staff.</summary>
    public Visit? OpenVisit { get; init; }

    /// <summary>For prescribing; only on a doctor's consultation page.</summary>
    public SafetyPicture? Safety { get; init; }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(PatientChart);
}

public sealed record ChartProblem(Guid Id, ProblemRecord Record, DateTimeOffset RecordedAt)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartProblem);
}

/// <param name="InUse">Active, and its course is not over.</param>
/// <param name="Line">The prescription, where the role reads it.</param>
public sealed record ChartMedicine(Guid Id, MedicineInUse Medicine, PrescriptionLine? Line, PrescriptionStatus Status, DateTimeOffset OrderedAt, bool InUse)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartMedicine);
}

public sealed record ChartAllergy(Guid Id, AllergyRecord Record, DateTimeOffset RecordedAt)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartAllergy);
}

public sealed record ChartTriage(Guid VisitId, DateTimeOffset At, TriageOutcome Outcome)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartTriage);
}

/// <summary>One kind of observation over time, oldest first.</summary>
/// <param name="Key">Code of the test or sign.</param>
/// <param name="Unit">Of the last value; values in another unit are left out of the trend.</param>
/// <param name="Range">Reference range of the last value.</param>
/// <param name="Vital">Which vital sign, where it is one.</param>
public sealed record ChartSeries(string Key, string Name, string Unit, Interval? Range, Vital? Vital, IReadOnlyList<ChartPoint> Points)
{
    public ChartPoint Last => Points[^1];

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartSeries);
}

/// <param name="Value">A number, or null for an answer in words.</param>
public sealed record ChartPoint(DateTimeOffset At, decimal? Value, string? Text, ResultFlag Flag, Guid? OrderId)
{
    /// <summary>When it was written down, for a late entry.</summary>
    public DateTimeOffset? Recorded { get; init; }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartPoint);
}

public sealed record ChartNote(Guid Id, Guid VisitId, DateTimeOffset SignedAt, StaffId By, NoteText Text, IReadOnlyList<ChartAddendum> Addenda)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartNote);
}

public sealed record ChartAddendum(DateTimeOffset SignedAt, StaffId By, string Text)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartAddendum);
}

public sealed record ChartOrder(Guid Id, Guid VisitId, LabOrderLine Line, LabOrderStatus Status, bool Urgent, string SpecimenNumber, DateTimeOffset OrderedAt, bool Acknowledged)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartOrder);
}

public sealed record ChartVisit(Guid Id, VisitKind Kind, DateTimeOffset At, DateTimeOffset? Until, EncounterRecord? Encounter)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartVisit);
}

public sealed record ChartEvent(DateTimeOffset At, CodedEvent Event)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChartEvent);
}
