using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Laboratory;

/// <summary>Whose specimen a scanned number is. The number stands on the tube and says nothing of the person.</summary>
public sealed class FindSpecimen(ClinicContext clinic, Door door)
{
    public async Task<Result<PatientId>> Run(string? number, Actor actor, CancellationToken cancel)
    {
        var wanted = number?.Trim() ?? "";
        var order = await clinic.LabOrders.AsNoTracking().FirstOrDefaultAsync(row => row.SpecimenNumber == wanted, cancel);
        var patient = order is null ? null : await clinic.Patients.FindAsync([order.PatientId.Value], cancel);
        using var opening = await door.Open(
            actor,
            new Request { Action = "FIND_SPECIMEN", Purpose = Purpose.Treatment, Resource = "specimen", Patients = patient is null ? [] : [patient.Ref], Reads = [LabOrder.LineField] }.ForTheBench(actor),
            cancel);
        return order is null || patient is null
            ? new Error("lab.specimen-unknown", "No specimen has this number. Scan it again or read it from the tube.")
            : patient.PatientId;
    }
}
