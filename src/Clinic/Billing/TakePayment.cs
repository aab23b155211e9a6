using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Billing;

/// <summary>
/// Takes money against an invoice, whole or in part. What is left is worked out while the visit is held, so that of two
/// cashiers one is told; sending the same form twice takes once.
/// </summary>
public sealed class TakePayment(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    private const int LongestReference = 60;

    /// <param name="PaymentId">Made when the form was opened: the mark by which a second sending is known.</param>
    /// <param name="LeftShown">What the form said was left; when it no longer is, nothing is taken.</param>
    /// <param name="Amount">To be taken against the invoice.</param>
    /// <param name="Means">How.</param>
    /// <param name="Received">What was handed over; more than the amount only in cash.</param>
    /// <param name="Reference">Number of a card or mobile payment.</param>
    public sealed record Form(Guid PaymentId, decimal LeftShown, decimal Amount, PaymentMeans Means, decimal Received, string? Reference)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Form);
    }

    /// <param name="PaymentId">For the receipt's page.</param>
    /// <param name="Settled">Whether nothing is left.</param>
    public sealed record Taken(Guid PaymentId, bool Settled);

    public async Task<Result<Taken>> Run(PatientId patientId, Guid invoiceId, Form form, Actor actor, CancellationToken cancel)
    {
        if (Check(form) is { } wrong)
        {
            return wrong;
        }

        if (await clinic.Invoices.AsNoTracking().SingleOrDefaultAsync(row => row.Id == invoiceId && row.PatientId == patientId, cancel) is not { } found
            || await clinic.Patients.AsNoTracking().SingleOrDefaultAsync(row => row.PatientId == patientId, cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "TAKE_PAYMENT", Purpose = Purpose.Payment, Patients = [patient.Ref], Reads = Bill.Fields, Writes = [Payment.RecordField] },
            cancel);
        await using var held = await clinic.HoldVisit(found.VisitId, cancel);
        var invoice = await clinic.Invoices.SingleAsync(row => row.Id == invoiceId, cancel);
        if (await clinic.Payments.AsNoTracking().SingleOrDefaultAsync(row => row.Id == form.PaymentId, cancel) is { } before)
        {
            return before.InvoiceId == invoiceId ? new Taken(before.Id, invoice.Status == InvoiceStatus.Settled) : Missing.Patient;
        }

        var bill = (await Bill.Read(opening, clinic, [invoice], cancel))[0];
        if (invoice.Status == InvoiceStatus.Settled || bill.Left.Amount <= 0)
        {
            return new Error("invoice.settled", "This invoice is settled already. Nothing was taken: give the money back.");
        }

        if (bill.Left.Amount != form.LeftShown)
        {
            return new Error("invoice.changed", "A charge or a payment was added meanwhile. Nothing was taken: look at what is left now.");
        }

        if (form.Amount > bill.Left.Amount)
        {
            return new Error("payment.too-much", "This is more than is left to pay. Take at most what is left.");
        }

        var now = clock.GetUtcNow();
        var number = await clinic.Next("receipt", cancel);
        var payment = new Payment { Id = form.PaymentId, PatientId = patientId, InvoiceId = invoiceId, ReceiptNumber = $"RC-{number:000000}", At = now, By = actor.Staff };
        var amount = new Money(form.Amount, bill.Currency);
        var received = new Money(form.Received, bill.Currency);
        opening.Set(payment, Payment.RecordField, new PaymentRecord(amount, form.Means, received, received - amount, string.IsNullOrWhiteSpace(form.Reference) ? null : form.Reference.Trim()));
        clinic.Payments.Add(payment);
        var settled = amount == bill.Left;
        if (settled && invoice.Settle(now).Error is { } refused)
        {
            return refused;
        }

        await clinic.SaveChangesAsync(cancel);
        await held.CommitAsync(cancel);
        events.Changed(Station.Cashier);
        return new Taken(payment.Id, settled);
    }

    private static Error? Check(Form form)
    {
        if (!Enum.IsDefined(form.Means))
        {
            return new Error("payment.means", "Choose how it is paid.");
        }

        if (form.Amount <= 0 || decimal.Round(form.Amount, 2) != form.Amount)
        {
            return new Error("payment.amount", "Enter an amount above zero with at most two decimals.");
        }

        if (form.Received < form.Amount || decimal.Round(form.Received, 2) != form.Received)
        {
            return new Error("payment.received", "Less was received than is taken. Correct the amount received, or take a part payment.");
        }

        if (form.Means != PaymentMeans.Cash && form.Received != form.Amount)
        {
            return new Error("payment.received", "Change is given for cash only. Enter as received what is taken.");
        }

        return form.Reference?.Length > LongestReference ? new Error("payment.reference", "The reference is longer than 60 characters. Enter its number only.") : null;
    }
}
