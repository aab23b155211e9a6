using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Billing;

/// <summary>One charge as the cashier sees it: a price code and a general label.</summary>
public sealed record BillLine(ChargeLine Charge, DateTimeOffset At)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(BillLine);
}

/// <summary>One payment against the invoice.</summary>
public sealed record BillPayment(Guid Id, string ReceiptNumber, DateTimeOffset At, StaffId By, PaymentRecord Payment)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(BillPayment);
}

/// <summary>
/// An invoice with everything that hangs on it, added up: charges less the payer's share less payments is left to pay.
/// </summary>
public sealed record Bill(Invoice Invoice, IReadOnlyList<BillLine> Lines, PayerDetails? Payer, IReadOnlyList<BillPayment> Payments, string Currency)
{
    private const decimal Hundred = 100m;

    /// <summary>The fields that a bill is read from.</summary>
    public static IReadOnlyList<FieldUse> Fields { get; } = [Patient.PayerField, Charge.LineField, Payment.RecordField];

    public Money Total => Sum(Lines.Select(line => line.Charge.Amount));

    /// <summary>What the payer bears of the whole, to two decimals.</summary>
    public Money PayerShare => Payer is { SharePercent: > 0 } payer ? Total * (payer.SharePercent / Hundred) : Money.Zero(Currency);

    public Money PatientShare => Total - PayerShare;

    public Money Paid => Sum(Payments.Select(payment => payment.Payment.Amount));

    /// <summary>Below zero when more was paid than is owed now.</summary>
    public Money Left => PatientShare - Paid;

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(Bill);

    /// <summary>Reads bills through an opening that has <see cref="Fields"/> and covers their patients.</summary>
    internal static async Task<IReadOnlyList<Bill>> Read(Opening opening, ClinicContext clinic, IReadOnlyList<Invoice> invoices, CancellationToken cancel)
    {
        var currency = await House.Currency(clinic, cancel);
        var visits = invoices.Select(invoice => invoice.VisitId).ToArray();
        var ids = invoices.Select(invoice => invoice.Id).ToArray();
        var people = invoices.Select(invoice => invoice.PatientId).Distinct().ToArray();
        var charges = (await clinic.Charges.AsNoTracking().Where(charge => visits.Contains(charge.VisitId)).OrderBy(charge => charge.At).ToListAsync(cancel)).ToLookup(charge => charge.VisitId);
        var payments = (await clinic.Payments.AsNoTracking().Where(payment => ids.Contains(payment.InvoiceId)).OrderBy(payment => payment.At).ToListAsync(cancel)).ToLookup(payment => payment.InvoiceId);
        var patients = await clinic.Patients.AsNoTracking().Where(patient => people.Contains(patient.PatientId)).ToDictionaryAsync(patient => patient.PatientId, cancel);
        var bills = new List<Bill>(invoices.Count);
        foreach (var invoice in invoices)
        {
            var lines = charges[invoice.VisitId].Select(charge => new BillLine(opening.Read(charge, Charge.LineField)!, charge.At)).ToList();
            bills.Add(new Bill(
                invoice,
                lines,
                opening.Read(patients[invoice.PatientId], Patient.PayerField),
                [.. payments[invoice.Id].Select(payment => new BillPayment(payment.Id, payment.ReceiptNumber, payment.At, payment.By, opening.Read(payment, Payment.RecordField)!))],
                lines is [var first, ..] ? first.Charge.Amount.Currency : currency));
        }

        return bills;
    }

    private Money Sum(IEnumerable<Money> amounts) => amounts.Aggregate(Money.Zero(Currency), (sum, amount) => sum + amount);
}
