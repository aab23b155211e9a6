using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Laboratory;

/// <summary>The specimen has come to the bench.</summary>
public sealed class ReceiveSpecimen(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    /// <returns>How many tests were waiting for it, or <c>lab.not-ordered</c>.</returns>
    public async Task<Result<int>> Run(PatientId patientId, string specimen, Actor actor, CancellationToken cancel)
    {
        var orders = await SpecimenSheet.Orders(clinic, patientId, specimen, cancel);
        if (orders.Count == 0 || await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "RECEIVE_SPECIMEN", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = [LabOrder.LineField] }.ForTheBench(actor),
            cancel);
        var awaited = orders.Where(order => order.Status == LabOrderStatus.Ordered).ToList();
        if (awaited.Count == 0)
        {
            return orders[0].Receive(clock.GetUtcNow()).Error!;
        }

        var now = clock.GetUtcNow();
        foreach (var order in awaited)
        {
            _ = order.Receive(now).Value;
        }

        await clinic.SaveChangesAsync(cancel);
        events.Changed(Station.Laboratory, Station.Doctor);
        return awaited.Count;
    }
}
