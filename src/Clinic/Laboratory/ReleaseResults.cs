using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Laboratory;

/// <summary>
/// Releases results to whoever ordered them: each with its unit, the range used and its flag. Tests left blank stay
/// open. A test is released once; later changes are corrections.
/// </summary>
public sealed class ReleaseResults(ClinicContext clinic, Door door, Charging charging, DraftBox drafts, StationEvents events, TimeProvider clock)
{
    public const string Loinc = "http://loinc.org";

    private const int LongestNote = 500;

    /// <param name="Values">Typed result by order.</param>
    /// <param name="Checked">That critical and greatly changed values were looked at again.</param>
    /// <param name="Note">What the laboratory says to these results.</param>
    public sealed record Form(IReadOnlyDictionary<Guid, string> Values, bool Checked, string? Note = null)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Form);
    }

    /// <param name="Tests">How many went out.</param>
    /// <param name="Critical">How many of them are critical.</param>
    /// <param name="Left">How many tests of the specimen are still open.</param>
    public sealed record Released(int Tests, int Critical, int Left);

    /// <returns>
    /// What was released, or <c>lab.nothing-typed</c>, <c>lab.value-wrong</c>, <c>lab.check-needed</c>, <c>lab.note-long</c>,
    /// <c>lab.not-open</c>, <c>record.changed</c>; then nothing is.
    /// </returns>
    public async Task<Result<Released>> Run(PatientId patientId, string specimen, Form form, Actor actor, CancellationToken cancel)
    {
        var orders = await SpecimenSheet.Orders(clinic, patientId, specimen, cancel);
        var typed = form.Values.Where(pair => !string.IsNullOrWhiteSpace(pair.Value)).ToDictionary(pair => pair.Key, pair => pair.Value);
        if (orders.Count == 0 || typed.Keys.Any(id => orders.TrueForAll(order => order.Id != id))
            || await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient
            || await clinic.Visits.FindAsync([orders[0].VisitId], cancel) is not { } visit)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "RELEASE_RESULTS",
                Purpose = Purpose.Treatment,
                Patients = [patient.Ref],
                Reads = SpecimenSheet.Fields,
                Writes = [Observation.LabResults],
            },
            cancel);
        if (typed.Count == 0)
        {
            return new Error("lab.nothing-typed", "Enter at least one result before you release.");
        }

        if (form.Note is { Length: > LongestNote })
        {
            return new Error("lab.note-long", "The note is longer than 500 letters. Shorten it.");
        }

        var now = clock.GetUtcNow();
        var sheet = await SpecimenSheet.Read(opening, clinic, patient, orders, clock, cancel);
        var judged = sheet.Tests.Where(row => typed.ContainsKey(row.OrderId))
            .Select(row => (Row: row, Order: orders.Single(order => order.Id == row.OrderId), Judgement: ResultJudgement.Of(row, sheet.Sex, sheet.Age, sheet.ReceivedAt ?? now, typed[row.OrderId])))
            .ToList();
        if (judged.Exists(one => one.Judgement.Error is not null))
        {
            return new Error("lab.value-wrong", "A value cannot be right. Mend the fields marked in red; nothing was released.");
        }

        if (!form.Checked && judged.Exists(one => one.Judgement.NeedsCheck))
        {
            return new Error("lab.check-needed", "A value is critical or has changed greatly. Check the tube and repeat the run, then tick the box.");
        }

        foreach (var (row, order, judgement) in judged)
        {
            if (order.Release(now).Error is { } refused)
            {
                return refused;
            }

            var result = new Observation { PatientId = patientId, Kind = ObservationKind.Laboratory, VisitId = order.VisitId, OrderId = order.Id, TakenAt = order.ReceivedAt ?? now, By = actor.Staff };
            opening.Set(result, Observation.ValueField, Value(row, judgement, "final", form.Note));
            clinic.Observations.Add(result);
        }

        await drafts.Remove(new DraftBox.Place(DraftKind.LabResults, patientId, patient.Mrn, sheet.Place), actor, cancel);
        try
        {
            await charging.Save(clinic, visit, patient.Ref, [.. judged.Select(one => new Charging.Act(one.Order.Id, one.Row.Line.TestCode, "Laboratory test", "Laboratory", 1))], cancel);
        }
        catch (RefusedInput changed) when (changed.Code == "record.changed")
        {
            return changed.Error;
        }

        events.Changed(Station.Laboratory, Station.Doctor);
        return new Released(judged.Count, judged.Count(one => one.Judgement.Critical), sheet.Open - judged.Count);
    }

    internal static ObservedValue Value(TestRow row, ResultJudgement judgement, string status, string? note) => new()
    {
        Code = row.Test?.Loinc,
        System = row.Test is null ? null : Loinc,
        Display = row.Test?.Name ?? row.Line.Name,
        Number = judgement.Number,
        Text = judgement.Text,
        Unit = row.Test is { IsNumeric: true } ? row.Test.DisplayUnit : null,
        UnitCode = row.Test is { IsNumeric: true } ? row.Test.Unit : null,
        Low = judgement.Flag?.Range?.Low,
        High = judgement.Flag?.Range?.High,
        Flag = judgement.Flag is { Flag: not ResultFlag.None } flagged ? flagged.Flag.ToString() : null,
        TestCode = row.Test?.Code ?? row.Line.TestCode,
        Status = status,
        Note = string.IsNullOrWhiteSpace(note) ? null : note.Trim(),
    };
}
