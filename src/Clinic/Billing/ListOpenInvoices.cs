using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Billing;

/// <summary>The cashier's worklist: visits with something to pay, those of today first.</summary>
public sealed class ListOpenInvoices(ClinicContext clinic, Door door)
{
    /// <summary>More than a cashier can look through; the newest are shown and the count says the rest.</summary>
    public const int Most = 200;

    public sealed record Line(PatientRef Patient, PersonName Name, Bill Bill)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Line);
    }

    /// <param name="Lines">The newest open invoices.</param>
    /// <param name="All">How many are open in all.</param>
    public sealed record View(IReadOnlyList<Line> Lines, int All);

    /// <param name="actor">Who looks.</param>
    /// <param name="refresh">Whether the page refreshed by itself, which the log names differently.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<View> Run(Actor actor, bool refresh, CancellationToken cancel)
    {
        var open = clinic.Invoices.AsNoTracking().Where(invoice => invoice.Status == InvoiceStatus.Open);
        var all = await open.CountAsync(cancel);
        var invoices = await open.OrderByDescending(invoice => invoice.OpenedAt).ThenByDescending(invoice => invoice.Number).Take(Most).ToListAsync(cancel);
        var ids = invoices.Select(invoice => invoice.PatientId).Distinct().ToArray();
        var patients = await clinic.Patients.AsNoTracking().Where(patient => ids.Contains(patient.PatientId)).ToDictionaryAsync(patient => patient.PatientId, cancel);
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = refresh ? "REFRESH_WORKLIST" : "VIEW_WORKLIST",
                Purpose = Purpose.Payment,
                Resource = "worklist:cashier",
                Patients = [.. patients.Values.Select(patient => patient.Ref)],
                Reads = [Patient.NameField, .. Bill.Fields],
            },
            cancel);
        var bills = await Bill.Read(opening, clinic, invoices, cancel);
        return new View(
            [.. bills.Select(bill => new Line(patients[bill.Invoice.PatientId].Ref, opening.Read(patients[bill.Invoice.PatientId], Patient.NameField) ?? PersonName.Unnamed, bill))],
            all);
    }
}
