using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

public enum VisitKind
{
    Outpatient = 1,
    Emergency = 2,

    /// <summary>An encounter that took place elsewhere or earlier and came by import. It gives no care relationship.</summary>
    Imported = 9,
}

/// <summary>How far the visit has come. Orders, prescriptions and invoices carry their own states.</summary>
public enum VisitStatus
{
    Arrived = 1,
    Triaged = 2,
    InConsultation = 3,
    Consulted = 4,
    Closed = 5,
}

/// <summary>One coming of a patient, from the door to the cashier. Every station sees the same visit.</summary>
public sealed class Visit : SealedRow
{
    public static readonly Field<Visit, EncounterRecord> EncounterField =
        new("visit", "encounter", "encounter", Category.Encounters, row => row.Encounter, (row, value) => row.Encounter = value, ClinicJson.Default.EncounterRecord);

    public VisitKind Kind { get; init; }

    public VisitStatus Status { get; private set; } = VisitStatus.Arrived;

    /// <summary>Ticket of the day, counted from 1; shown on the board instead of a name.</summary>
    public int Token { get; init; }

    public DateTimeOffset ArrivedAt { get; init; }

    public DateTimeOffset? TriagedAt { get; private set; }

    public DateTimeOffset? ConsultationAt { get; private set; }

    public DateTimeOffset? ConsultedAt { get; private set; }

    public DateTimeOffset? ClosedAt { get; private set; }

    /// <summary>The doctor who took the patient, if any.</summary>
    public StaffId? Doctor { get; private set; }

    public Sealed<EncounterRecord> Encounter { get; set; }

    public bool IsOpen => Status != VisitStatus.Closed;

    public static Visit Imported(PatientId patient, DateTimeOffset start, DateTimeOffset? end) => new()
    {
        PatientId = patient,
        Kind = VisitKind.Imported,
        Status = VisitStatus.Closed,
        ArrivedAt = start,
        ClosedAt = end ?? start,
    };

    public Result<Visit> Triage(DateTimeOffset now)
    {
        if (Status is VisitStatus.Consulted or VisitStatus.Closed)
        {
            return new Error("visit.over", "This visit is over. Open a new one at the front desk.");
        }

        if (Status == VisitStatus.Arrived)
        {
            Status = VisitStatus.Triaged;
            TriagedAt = now;
        }

        return this;
    }

    public Result<Visit> Take(StaffId doctor, DateTimeOffset now)
    {
        if (Status is VisitStatus.Consulted or VisitStatus.Closed)
        {
            return new Error("visit.over", "This visit is over. Open a new one at the front desk.");
        }

        Status = VisitStatus.InConsultation;
        Doctor = doctor;
        ConsultationAt ??= now;
        return this;
    }

    public Result<Visit> FinishConsultation(DateTimeOffset now)
    {
        if (Status != VisitStatus.InConsultation)
        {
            return new Error("visit.not-in-consultation", "This visit is not in consultation. Open it from the queue.");
        }

        Status = VisitStatus.Consulted;
        ConsultedAt = now;
        return this;
    }

    public Result<Visit> Close(DateTimeOffset now)
    {
        if (Status == VisitStatus.Closed)
        {
            return new Error("visit.over", "This visit is closed already.");
        }

        Status = VisitStatus.Closed;
        ClosedAt = now;
        return this;
    }

    /// <summary>For generated and imported histories: a visit that went its whole way in the past.</summary>
    public Visit Past(DateTimeOffset end)
    {
        Status = VisitStatus.Closed;
        TriagedAt = ArrivedAt;
        ConsultationAt = ArrivedAt;
        ConsultedAt = end;
        ClosedAt = end;
        return this;
    }
}

/// <summary>Kind, reason and place of an encounter.</summary>
public sealed record EncounterRecord
{
    /// <summary>FHIR class code: AMB, EMER, IMP, WELLNESS …</summary>
    public string? Class { get; init; }

    public string? Type { get; init; }

    public string? Reason { get; init; }

    public string? Provider { get; init; }

    public string? Start { get; init; }

    public string? End { get; init; }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(EncounterRecord);
}
