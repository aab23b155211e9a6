using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

/// <summary>Something done that has a price. Charges appear from acts; nobody types them.</summary>
public sealed class Charge : SealedRow
{
    public static readonly Field<Charge, ChargeLine> LineField =
        new("charge", "line", "charges", Category.Charges, row => row.Line, (row, value) => row.Line = value, ClinicJson.Default.ChargeLine, width: 256);

    public Guid VisitId { get; init; }

    /// <summary>The row of the act; one act is charged once.</summary>
    public Guid SourceId { get; init; }

    public DateTimeOffset At { get; init; }

    public Sealed<ChargeLine> Line { get; set; }
}

/// <param name="Code">Price code; what it stands for is in the price list, which the cashier's screen does not show.</param>
/// <param name="Group">Care, Laboratory and imaging, Pharmacy.</param>
/// <param name="Label">What the cashier sees: <c>Laboratory test</c>, <c>Dispensed item</c>.</param>
/// <param name="From">Station and time of the act.</param>
/// <param name="Quantity">How many.</param>
/// <param name="Each">Price of one.</param>
/// <param name="Amount">Price of all.</param>
public sealed record ChargeLine(string Code, string Group, string Label, string From, decimal Quantity, Money Each, Money Amount)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ChargeLine);
}

public enum InvoiceStatus
{
    Open = 1,
    Settled = 2,
}

/// <summary>The bill of one visit: charges and payments hang on it.</summary>
public sealed class Invoice
{
    public Guid Id { get; init; } = Ids.New();

    public PatientId PatientId { get; init; }

    public Guid VisitId { get; init; }

    [Public("running number of the invoice")]
    public string Number { get; init; } = string.Empty;

    public InvoiceStatus Status { get; private set; } = InvoiceStatus.Open;

    public DateTimeOffset OpenedAt { get; init; }

    public DateTimeOffset? SettledAt { get; private set; }

    public Result<Invoice> Settle(DateTimeOffset now)
    {
        if (Status == InvoiceStatus.Settled)
        {
            return new Error("invoice.settled", "This invoice is settled already.");
        }

        Status = InvoiceStatus.Settled;
        SettledAt = now;
        return this;
    }

    /// <summary>A new charge opens a settled invoice again.</summary>
    public void Reopen()
    {
        Status = InvoiceStatus.Open;
        SettledAt = null;
    }
}

public enum PaymentMeans
{
    Cash = 1,
    Mobile = 2,
    Card = 3,
    Account = 4,
}

/// <summary>Money received against an invoice.</summary>
public sealed class Payment : SealedRow
{
    public static readonly Field<Payment, PaymentRecord> RecordField =
        new("payment", "record", "payments", Category.Payments, row => row.Record, (row, value) => row.Record = value, ClinicJson.Default.PaymentRecord, width: 256);

    public Guid InvoiceId { get; init; }

    [Public("running number of the receipt")]
    public string ReceiptNumber { get; init; } = string.Empty;

    public DateTimeOffset At { get; init; }

    public StaffId By { get; init; }

    public Sealed<PaymentRecord> Record { get; set; }
}

/// <param name="Amount">What was paid against the invoice.</param>
/// <param name="Means">How.</param>
/// <param name="Received">What was handed over; for cash it may be more.</param>
/// <param name="Change">What was given back.</param>
/// <param name="Reference">Number of the card or mobile payment, if any.</param>
public sealed record PaymentRecord(Money Amount, PaymentMeans Means, Money Received, Money Change, string? Reference)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(PaymentRecord);
}

/// <summary>A line of the price list.</summary>
public sealed class PriceItem
{
    [Public("price code")]
    public string Code { get; init; } = string.Empty;

    [Public("price list, not about a patient")]
    public string Description { get; set; } = string.Empty;

    [Public("price list, not about a patient")]
    public string Group { get; set; } = string.Empty;

    public decimal Amount { get; set; }

    [Public("ISO 4217 code")]
    public string Currency { get; set; } = string.Empty;
}
