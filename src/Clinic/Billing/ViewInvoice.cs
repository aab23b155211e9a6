using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Billing;

/// <summary>Opens one invoice for the cashier.</summary>
public sealed class ViewInvoice(ClinicContext clinic, Door door)
{
    public sealed record View(PatientRef Patient, PersonName Name, Bill Bill, DateTimeOffset VisitAt)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(View);
    }

    public async Task<Result<View>> Run(PatientId patientId, Guid invoiceId, Actor actor, CancellationToken cancel)
    {
        // An invoice of another patient is as absent as none.
        if (await clinic.Invoices.AsNoTracking().SingleOrDefaultAsync(row => row.Id == invoiceId && row.PatientId == patientId, cancel) is not { } invoice
            || await clinic.Patients.AsNoTracking().SingleOrDefaultAsync(row => row.PatientId == patientId, cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "VIEW_INVOICE", Purpose = Purpose.Payment, Patients = [patient.Ref], Reads = [Patient.NameField, .. Bill.Fields] },
            cancel);
        var bills = await Bill.Read(opening, clinic, [invoice], cancel);
        var visitAt = await clinic.Visits.Where(visit => visit.Id == invoice.VisitId).Select(visit => (DateTimeOffset?)visit.ArrivedAt).SingleOrDefaultAsync(cancel);
        return new View(patient.Ref, opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed, bills[0], visitAt ?? invoice.OpenedAt);
    }
}
