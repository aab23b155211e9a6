using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Laboratory;

/// <summary>
/// Corrects a released result. The old value stays and points to the new one, and the orderer has to sign again.
/// </summary>
public sealed class CorrectResult(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    /// <summary>FHIR's status of a result that replaces a wrong one.</summary>
    public const string Status = "corrected";

    /// <param name="Replaces">The result that the person saw; another one standing there now means that somebody was faster.</param>
    /// <param name="Value">Typed.</param>
    /// <param name="Reason">Why the old one was wrong.</param>
    /// <param name="Checked">That a critical or greatly changed value was looked at again.</param>
    public sealed record Form(Guid OrderId, Guid Replaces, string Value, string Reason, bool Checked)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Form);
    }

    public async Task<Result<Observation>> Run(PatientId patientId, string specimen, Form form, Actor actor, CancellationToken cancel)
    {
        var orders = await SpecimenSheet.Orders(clinic, patientId, specimen, cancel);
        if (orders.Find(one => one.Id == form.OrderId) is not { } order || await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        if (form.Reason.Trim().Length is < 3 or > 200)
        {
            return new Error("lab.reason-needed", "Say why the result is corrected, in 3 to 200 letters.");
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "CORRECT_RESULT", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = SpecimenSheet.Fields, Writes = [Observation.LabResults] },
            cancel);
        var old = await clinic.Observations.FirstOrDefaultAsync(row => row.OrderId == order.Id && row.PatientId == patientId && row.ReplacedBy == null, cancel);
        if (order.Status != LabOrderStatus.Released || old is null)
        {
            return new Error("lab.not-released", "Only a released result is corrected. Enter it on the bench.");
        }

        if (old.Id != form.Replaces)
        {
            return new Error("record.changed", "Somebody else corrected this result meanwhile. Nothing was saved: open it again.");
        }

        var now = clock.GetUtcNow();
        var sheet = await SpecimenSheet.Read(opening, clinic, patient, orders, clock, cancel);
        var row = sheet.Tests.Single(test => test.OrderId == order.Id);
        var judgement = ResultJudgement.Of(row, sheet.Sex, sheet.Age, old.TakenAt, form.Value);
        if (judgement.Blank || judgement.Error is not null)
        {
            return new Error("lab.value-wrong", judgement.Error ?? "Enter the right value.");
        }

        if (!form.Checked && judgement.NeedsCheck)
        {
            return new Error("lab.check-needed", "The value is critical or has changed greatly. Check the tube and repeat the run, then tick the box.");
        }

        if (order.Correct().Error is { } refused)
        {
            return refused;
        }

        var result = new Observation { PatientId = patientId, Kind = ObservationKind.Laboratory, VisitId = order.VisitId, OrderId = order.Id, TakenAt = old.TakenAt, By = actor.Staff };
        opening.Set(result, Observation.ValueField, ReleaseResults.Value(row, judgement, Status, form.Reason));
        // The old row moves to its next version, so that of two who correct at once only one succeeds.
        opening.Set(old, Observation.ValueField, opening.Read(old, Observation.ValueField));
        old.ReplacedBy = result.Id;
        clinic.Observations.Add(result);
        try
        {
            await clinic.SaveChangesAsync(cancel);
        }
        catch (RefusedInput changed) when (changed.Code == "record.changed")
        {
            return changed.Error;
        }

        events.Changed(Station.Laboratory, Station.Doctor);
        return result;
    }
}
