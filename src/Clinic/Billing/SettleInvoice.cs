using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Billing;

/// <summary>Settles an invoice on which the patient owes nothing, as when the payer bears all of it.</summary>
public sealed class SettleInvoice(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    public async Task<Result<Invoice>> Run(PatientId patientId, Guid invoiceId, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Invoices.AsNoTracking().SingleOrDefaultAsync(row => row.Id == invoiceId && row.PatientId == patientId, cancel) is not { } found
            || await clinic.Patients.AsNoTracking().SingleOrDefaultAsync(row => row.PatientId == patientId, cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "SETTLE_INVOICE", Purpose = Purpose.Payment, Patients = [patient.Ref], Reads = Bill.Fields },
            cancel);
        await using var held = await clinic.HoldVisit(found.VisitId, cancel);
        var invoice = await clinic.Invoices.SingleAsync(row => row.Id == invoiceId, cancel);
        if (invoice.Status == InvoiceStatus.Settled)
        {
            return invoice;
        }

        if ((await Bill.Read(opening, clinic, [invoice], cancel))[0].Left.Amount > 0)
        {
            return new Error("invoice.left", "Something is left to pay. Take the payment instead.");
        }

        if (invoice.Settle(clock.GetUtcNow()).Error is { } refused)
        {
            return refused;
        }

        await clinic.SaveChangesAsync(cancel);
        await held.CommitAsync(cancel);
        events.Changed(Station.Cashier);
        return invoice;
    }
}
