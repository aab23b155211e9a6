using System.Buffers.Binary;
using System.Security.Cryptography;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Pharmacy;

/// <summary>
/// Hands medicines over: takes them from their batches, seals what was given and what is still owed, all in one
/// transaction. Of two who take the last box one succeeds; the other is told and nothing of theirs is written.
/// </summary>
public sealed class HandOver(ClinicContext clinic, Door door, Charging charging, DraftBox drafts, StationEvents events, TimeProvider clock)
{
    private const int ShortestReason = 3;
    private const int LongestReason = 500;
    private const decimal MostUnits = 10_000;

    /// <param name="Lines">What is given, by prescribed line; lines without a quantity are left for later.</param>
    /// <param name="PatientConfirmed">That the person at the counter said name and birth date.</param>
    /// <param name="HappenedAt">When it was handed over, as typed (<see cref="LateEntry.Read"/>); empty for now.</param>
    public sealed record Form(IReadOnlyList<Line> Lines, bool PatientConfirmed, string? HappenedAt = null)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Form);
    }

    /// <param name="Prescription">Which line.</param>
    /// <param name="Seen">How often it had been handed over when the form was filled.</param>
    /// <param name="Take">Units by batch.</param>
    /// <param name="Accepted">Findings whose reason of the prescriber was accepted.</param>
    /// <param name="Reasons">The pharmacist's own reasons, by finding.</param>
    public sealed record Line(Guid Prescription, int Seen, IReadOnlyDictionary<Guid, decimal> Take, IReadOnlySet<string> Accepted, IReadOnlyDictionary<string, string> Reasons)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Line);
    }

    /// <param name="Lines">Lines handed over, whole or in part.</param>
    /// <param name="Owing">How many of them are owed a rest.</param>
    /// <param name="Left">Open lines of the visit, those owed among them.</param>
    public sealed record Given(int Lines, int Owing, int Left);

    private static Error Changed { get; } = new("record.changed", "Somebody else dispensed or took stock meanwhile. Nothing was handed over: look at the quantities and repeat it.");

    /// <returns>
    /// What was given, or <c>dispense.patient-not-confirmed</c>, <c>dispense.nothing</c>, <c>dispense.quantity</c>,
    /// <c>dispense.too-many</c>, <c>dispense.blocked</c>, <c>dispense.answer-needed</c>, <c>dispense.not-in-list</c>,
    /// <c>late.time</c>, <c>late.future</c>, <c>late.too-old</c>, <c>stock.expires-early</c>, <c>stock.wrong-product</c>, <c>stock.short</c>, <c>prescription.not-open</c>, <c>record.changed</c>; then nothing is.
    /// </returns>
    public async Task<Result<Given>> Run(PatientId patientId, Guid visitId, Form form, Actor actor, CancellationToken cancel)
    {
        var wanted = form.Lines.Where(line => line.Take.Values.Any(units => units != 0)).ToList();
        var ids = wanted.Select(line => line.Prescription).ToArray();
        var rows = await clinic.Prescriptions.Where(row => ids.Contains(row.Id) && row.PatientId == patientId && row.VisitId == visitId).ToDictionaryAsync(row => row.Id, cancel);
        if (ids.Any(id => !rows.ContainsKey(id)) || ids.Distinct().Count() != ids.Length
            || await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient
            || await clinic.Visits.FindAsync([visitId], cancel) is not { } visit || visit.PatientId != patientId)
        {
            return Missing.Visit;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "HAND_OVER", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = DispensingSheet.Fields, Writes = [Dispense.RecordField] },
            cancel);
        if (wanted.Count == 0)
        {
            return new Error("dispense.nothing", "Enter how many units you take from which batch.");
        }

        if (!form.PatientConfirmed)
        {
            return new Error("dispense.patient-not-confirmed", "Ask the person for name and birth date, then tick the box.");
        }

        var happened = LateEntry.Read(form.HappenedAt, clock);
        if (happened.Error is { } never)
        {
            return never;
        }

        // The shelf is counted when it is written down; the patient had the medicine when it was handed over.
        var (at, recorded) = happened.Value;
        var now = clock.GetUtcNow();
        var sheet = await DispensingSheet.Read(opening, clinic, patient, visitId, clock, cancel);
        var acts = new List<Charging.Act>();
        var owing = 0;
        foreach (var line in wanted)
        {
            var row = rows[line.Prescription];
            if (sheet.Lines.FirstOrDefault(one => one.Id == line.Prescription) is not { } open)
            {
                return row.HandOver(complete: true, now).Error ?? Changed;
            }

            if (open.Seen != line.Seen)
            {
                return Changed;
            }

            if (open.Product is not { } product)
            {
                return new Error("dispense.not-in-list", "A medicine is not in the hospital's list. Ask the prescriber for another.");
            }

            var answers = Answers(open, line);
            if (answers.Error is { } unanswered)
            {
                return unanswered;
            }

            var taken = await Take(open, line, actor, now, cancel);
            if (taken.Error is { } refused)
            {
                return refused;
            }

            var units = taken.Value.Sum(batch => batch.Quantity);
            if (open.Owed is { } owed && units > owed)
            {
                return new Error("dispense.too-many", "That is more than is owed. Lower the quantity.");
            }

            var rest = open.Owed is { } due ? due - units : 0;
            if (row.HandOver(rest == 0, at).Error is { } closed)
            {
                return closed;
            }

            // The id is made of the line and the count of times, so that two who hand over the same part collide in the database.
            var dispense = new Dispense { Id = IdOf(row.Id, open.Seen), PatientId = patientId, PrescriptionId = row.Id, VisitId = visitId, At = at, By = actor.Staff };
            opening.Set(dispense, Dispense.RecordField, new DispensedLine(units, rest, taken.Value, answers.Value) { Recorded = recorded });
            clinic.Dispenses.Add(dispense);
            acts.Add(new Charging.Act(dispense.Id, product.PriceCode, "Dispensed item", "Pharmacy", units));
            owing += rest > 0 ? 1 : 0;
        }

        await drafts.Remove(new DraftBox.Place(DraftKind.Dispensing, patientId, patient.Mrn, visitId), actor, cancel);
        try
        {
            await charging.Save(clinic, visit, patient.Ref, acts, cancel);
        }
        catch (RefusedInput changed) when (changed.Code == Changed.Code)
        {
            return Changed;
        }
        catch (DbUpdateException) when (Collided(acts))
        {
            return Changed;
        }

        events.Changed(Station.Pharmacy, Station.Doctor);
        return new Given(wanted.Count, owing, sheet.Lines.Count - wanted.Count + owing);
    }

    private static Guid IdOf(Guid prescription, int time)
    {
        Span<byte> bytes = stackalloc byte[20];
        prescription.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt32BigEndian(bytes[16..], time);
        return new Guid(SHA256.HashData(bytes).AsSpan(0, 16), bigEndian: true);
    }

    private static Result<AlertShown[]> Answers(DispensingLine open, Line line)
    {
        var answers = new List<AlertShown>();
        foreach (var finding in open.Findings)
        {
            switch (finding.Needs)
            {
                case AnswerNeeded.Never:
                    return new Error("dispense.blocked", "A medicine is blocked by the safety check. Set its quantities to 0 and ask the prescriber.");
                case AnswerNeeded.Accept when !line.Accepted.Contains(finding.Key):
                    return new Error("dispense.answer-needed", "A warning is open. Accept the prescriber's reason, or leave the line and ask.");
                case AnswerNeeded.Reason when !line.Reasons.TryGetValue(finding.Key, out var typed) || typed.Trim().Length is < ShortestReason or > LongestReason:
                    return new Error("dispense.answer-needed", "A warning is new since the prescription was signed. Say in 3 to 500 letters why you go on, or leave the line and ask.");
            }

            var reason = finding.Needs switch
            {
                AnswerNeeded.Accept => $"Accepted: {finding.PrescriberReason}",
                AnswerNeeded.Reason => line.Reasons[finding.Key].Trim(),
                _ => null,
            };
            answers.Add(new AlertShown(finding.Code, finding.Grade.ToString().ToUpperInvariant(), finding.Title, finding.Text, reason));
        }

        return answers.ToArray();
    }

    private async Task<Result<BatchTaken[]>> Take(DispensingLine open, Line line, Actor actor, DateTimeOffset now, CancellationToken cancel)
    {
        var taken = new List<BatchTaken>();
        foreach (var (batchId, units) in line.Take.Where(pair => pair.Value != 0))
        {
            if (units < 0 || units > MostUnits || (decimal.Truncate(units) != units && Shelf.IsCounted(open.Product!) && decimal.Truncate(units * 2) != units * 2))
            {
                return new Error("dispense.quantity", "Enter a quantity above zero; tablets are whole or halves.");
            }

            if (await clinic.StockBatches.FindAsync([batchId], cancel) is not { } batch)
            {
                return Changed;
            }

            if (batch.MedicineCode != open.Medicine!.Code || batch.Product != Shelf.NameOf(open.Product!))
            {
                return new Error("stock.wrong-product", "A batch is not of this medicine and strength. Take another.");
            }

            if (batch.Expires < Shelf.LastDay(open.Line, DispensingSheet.Today(clock)))
            {
                return new Error("stock.expires-early", "A batch expires before the course ends. Take another.");
            }

            if (batch.Take(units).Error is { } refused)
            {
                return refused;
            }

            clinic.StockMoves.Add(new StockMove { BatchId = batch.Id, Kind = StockMoveKind.Dispensed, Quantity = -units, At = now, By = actor.Staff });
            taken.Add(new BatchTaken(batch.Id, batch.Batch, batch.Expires, units));
        }

        return taken.ToArray();
    }

    // A database error that is not the collision looked for stays an error.
    private bool Collided(List<Charging.Act> acts)
    {
        clinic.ChangeTracker.Clear();
        var ids = acts.Select(act => act.SourceId).ToArray();
        return clinic.Dispenses.Any(row => ids.Contains(row.Id));
    }
}
