using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Billing;

/// <summary>The receipts of one day, newest first.</summary>
public sealed class ListReceipts(ClinicContext clinic, Door door, TimeProvider clock)
{
    public sealed record Line(PatientRef Patient, PersonName Name, string InvoiceNumber, Guid InvoiceId, BillPayment Payment)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Line);
    }

    public async Task<IReadOnlyList<Line>> Run(DateOnly day, Actor actor, CancellationToken cancel)
    {
        var (from, to) = (clock.StartOf(day), clock.StartOf(day.AddDays(1)));
        var payments = await clinic.Payments.AsNoTracking().Where(payment => payment.At >= from && payment.At < to).OrderByDescending(payment => payment.At).ThenByDescending(payment => payment.Id).ToListAsync(cancel);
        var ids = payments.Select(payment => payment.PatientId).Distinct().ToArray();
        var invoiceIds = payments.Select(payment => payment.InvoiceId).Distinct().ToArray();
        var patients = await clinic.Patients.AsNoTracking().Where(patient => ids.Contains(patient.PatientId)).ToDictionaryAsync(patient => patient.PatientId, cancel);
        var numbers = await clinic.Invoices.AsNoTracking().Where(invoice => invoiceIds.Contains(invoice.Id)).ToDictionaryAsync(invoice => invoice.Id, invoice => invoice.Number, cancel);
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "VIEW_RECEIPTS",
                Purpose = Purpose.Payment,
                Resource = "worklist:receipts",
                Patients = [.. patients.Values.Select(patient => patient.Ref)],
                Reads = [Patient.NameField, Payment.RecordField],
            },
            cancel);
        return [.. payments.Select(payment => new Line(
            patients[payment.PatientId].Ref,
            opening.Read(patients[payment.PatientId], Patient.NameField) ?? PersonName.Unnamed,
            numbers[payment.InvoiceId],
            payment.InvoiceId,
            new BillPayment(payment.Id, payment.ReceiptNumber, payment.At, payment.By, opening.Read(payment, Payment.RecordField)!)))];
    }
}
