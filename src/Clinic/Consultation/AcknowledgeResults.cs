using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>Signs results as seen. Whoever ordered a test signs its result, and each result is signed once.</summary>
public sealed class AcknowledgeResults(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    public async Task<Result<int>> Run(PatientId patientId, IReadOnlyCollection<Guid> orderIds, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "ACKNOWLEDGE_RESULTS", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = [LabOrder.LineField], Writes = [LabOrder.LineField] },
            cancel);
        // Only now: what is wrong with the form is told to those who may know that the patient is here.
        if (orderIds.Count is 0 or > 200)
        {
            return new Error("lab.not-to-sign", "Choose the results that you have read.");
        }

        var orders = await clinic.LabOrders.Where(row => orderIds.Contains(row.Id) && row.PatientId == patientId).ToListAsync(cancel);
        if (orders.Count != orderIds.Distinct().Count() || orders.Any(order => order.By != actor.Staff))
        {
            return Missing.Patient;
        }

        var now = clock.GetUtcNow();
        foreach (var order in orders)
        {
            if (order.Acknowledge(actor.Staff, now).Error is { } refused)
            {
                return refused;
            }

            // The row moves to its next version under this act's entry, so that of two who sign at once only one succeeds.
            opening.Set(order, LabOrder.LineField, opening.Read(order, LabOrder.LineField));
        }

        await clinic.SaveChangesAsync(cancel);
        events.Changed(Station.Doctor, Station.Laboratory);
        return orders.Count;
    }
}
