using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Laboratory;

/// <summary>
/// The specimen cannot be used. Each open test gets a result that was not obtained, with the reason, so that the doctor
/// reads it where results stand; a new specimen comes with a new order.
/// </summary>
public sealed class RejectSpecimen(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    /// <summary>FHIR's status of an observation that was not obtained.</summary>
    public const string Status = "cancelled";

    private const int LongestReason = 200;

    /// <summary>The usual reasons.</summary>
    public static IReadOnlyList<string> Reasons { get; } =
        ["Haemolysed", "Clotted", "Not enough", "Wrong container", "No name on the tube", "Name does not match", "Too old", "Leaked or broken"];

    public async Task<Result<int>> Run(PatientId patientId, string specimen, string? reason, Actor actor, CancellationToken cancel)
    {
        var orders = await SpecimenSheet.Orders(clinic, patientId, specimen, cancel);
        if (orders.Count == 0 || await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        var why = reason?.Trim() ?? "";
        if (why.Length is < 3 or > LongestReason)
        {
            return new Error("lab.reason-needed", "Say why the specimen cannot be used, in 3 to 200 letters.");
        }

        var open = orders.Where(order => order.IsOpen).ToList();
        using var opening = await door.Open(
            actor,
            new Request { Action = "REJECT_SPECIMEN", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = [LabOrder.LineField], Writes = [Observation.LabResults] },
            cancel);
        var now = clock.GetUtcNow();
        if (open.Count == 0)
        {
            return orders[0].Reject(now).Error!;
        }

        foreach (var order in open)
        {
            _ = order.Reject(now).Value;
            var line = opening.Read(order, LabOrder.LineField);
            var test = line is null ? null : LaboratoryCatalogue.Load().Find(line.TestCode);
            var row = new Observation { PatientId = patientId, Kind = ObservationKind.Laboratory, VisitId = order.VisitId, OrderId = order.Id, TakenAt = now, By = actor.Staff };
            opening.Set(row, Observation.ValueField, new ObservedValue
            {
                Code = test?.Loinc,
                System = test is null ? null : ReleaseResults.Loinc,
                Display = test?.Name ?? line?.Name ?? "",
                TestCode = test?.Code,
                Status = Status,
                Note = why,
            });
            clinic.Observations.Add(row);
        }

        await clinic.SaveChangesAsync(cancel);
        events.Changed(Station.Laboratory, Station.Doctor);
        return open.Count;
    }
}
