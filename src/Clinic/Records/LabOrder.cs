using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

public enum LabOrderStatus
{
    Ordered = 1,
    Received = 2,
    Rejected = 3,
    Released = 4,
    Cancelled = 5,
}

/// <summary>One ordered test. Tests ordered together on one kind of specimen share a specimen number.</summary>
public sealed class LabOrder : SealedRow
{
    public static readonly Field<LabOrder, LabOrderLine> LineField =
        new("lab_order", "line", "lab_order", Category.LabOrders, row => row.Line, (row, value) => row.Line = value, ClinicJson.Default.LabOrderLine);

    public Guid VisitId { get; init; }

    public LabOrderStatus Status { get; private set; } = LabOrderStatus.Ordered;

    public bool Urgent { get; init; }

    [Public("printed on the tube: year and running number, nothing of the person")]
    public string SpecimenNumber { get; init; } = string.Empty;

    public DateTimeOffset OrderedAt { get; init; }

    public StaffId By { get; init; }

    public DateTimeOffset? ReceivedAt { get; private set; }

    public DateTimeOffset? ReleasedAt { get; private set; }

    public DateTimeOffset? AcknowledgedAt { get; private set; }

    public StaffId? AcknowledgedBy { get; private set; }

    public Sealed<LabOrderLine> Line { get; set; }

    public bool IsOpen => Status is LabOrderStatus.Ordered or LabOrderStatus.Received;

    public Result<LabOrder> Receive(DateTimeOffset now)
    {
        if (Status != LabOrderStatus.Ordered)
        {
            return new Error("lab.not-ordered", "This specimen was received, rejected or released already. Refresh the bench.");
        }

        Status = LabOrderStatus.Received;
        ReceivedAt = now;
        return this;
    }

    public Result<LabOrder> Reject(DateTimeOffset now)
    {
        if (!IsOpen)
        {
            return new Error("lab.not-open", "This specimen is not open. Refresh the bench.");
        }

        Status = LabOrderStatus.Rejected;
        ReceivedAt ??= now;
        return this;
    }

    public Result<LabOrder> Release(DateTimeOffset now)
    {
        if (!IsOpen)
        {
            return new Error("lab.not-open", "This test is not open. A released result is corrected, not entered again.");
        }

        Status = LabOrderStatus.Released;
        ReceivedAt ??= now;
        ReleasedAt = now;
        return this;
    }

    public Result<LabOrder> Acknowledge(StaffId by, DateTimeOffset now)
    {
        if (Status != LabOrderStatus.Released || AcknowledgedAt is not null)
        {
            return new Error("lab.not-to-sign", "This result is not waiting to be signed. Refresh the list.");
        }

        AcknowledgedAt = now;
        AcknowledgedBy = by;
        return this;
    }

    /// <summary>A corrected result waits to be signed again: who signed the old value has not seen the new one.</summary>
    public Result<LabOrder> Correct()
    {
        if (Status != LabOrderStatus.Released)
        {
            return new Error("lab.not-released", "Only a released result is corrected. Enter it on the bench.");
        }

        AcknowledgedAt = null;
        AcknowledgedBy = null;
        return this;
    }
}

/// <param name="TestCode">Code of the hospital's laboratory catalogue.</param>
/// <param name="Name">Name of the test.</param>
/// <param name="Specimen">Kind of specimen.</param>
/// <param name="Question">What the doctor asks of the laboratory.</param>
/// <param name="RejectReason">Why the specimen was rejected.</param>
public sealed record LabOrderLine(string TestCode, string Name, string Specimen, string? Question = null, string? RejectReason = null)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(LabOrderLine);
}
