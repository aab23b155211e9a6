using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Laboratory;

/// <summary>Opens one specimen for entering or reading its results.</summary>
public sealed class OpenSpecimen(ClinicContext clinic, Door door, TimeProvider clock)
{
    public sealed record View(PatientHeader Header, SpecimenSheet Sheet)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(View);
    }

    /// <param name="action">What the log says of it: the sheet itself, the judging of a value, the trend of a test.</param>
    public async Task<Result<View>> Run(PatientId patientId, string specimen, Actor actor, CancellationToken cancel, string action = "OPEN_SPECIMEN")
    {
        var orders = await SpecimenSheet.Orders(clinic, patientId, specimen, cancel);
        if (orders.Count == 0 || await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = action,
                Purpose = Purpose.Treatment,
                Patients = [patient.Ref],
                Reads = [.. PatientHeader.Fields(actor).Union(SpecimenSheet.Fields)],
            }.ForTheBench(actor),
            cancel);
        return new View(await PatientHeader.Read(opening, clinic, patient, cancel), await SpecimenSheet.Read(opening, clinic, patient, orders, clock, cancel));
    }

    /// <summary>Where the draft of this specimen's results lies; null when the number is not this patient's. Opens nothing.</summary>
    public async Task<DraftBox.Place?> Place(PatientId patientId, string specimen, CancellationToken cancel) =>
        await SpecimenSheet.Orders(clinic, patientId, specimen, cancel) is [var first, ..] && await clinic.Patients.FindAsync([patientId.Value], cancel) is { } patient
            ? new DraftBox.Place(DraftKind.LabResults, patientId, patient.Mrn, first.Id)
            : null;
}
