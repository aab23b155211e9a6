using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Pharmacy;

/// <summary>Sets a batch to what was counted. The reason is one of a list, because it stands in the log.</summary>
public sealed class CorrectCount(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    private const decimal MostUnits = 1_000_000;

    /// <summary>Code and words of each reason.</summary>
    public static IReadOnlyDictionary<string, string> Reasons { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["counted"] = "Counted again",
        ["damaged"] = "Damaged or broken",
        ["expired"] = "Expired, taken off the shelf",
        ["missing"] = "Missing",
        ["returned"] = "Returned by a ward",
        ["typed-wrong"] = "Delivery was typed wrong",
    };

    /// <param name="Seen">Version of the batch that the form was filled from.</param>
    /// <param name="Counted">Units on the shelf.</param>
    public sealed record Form(Guid BatchId, int Seen, decimal Counted, string Reason);

    public async Task<Result<StockBatch>> Run(Form form, Actor actor, CancellationToken cancel)
    {
        var batch = await clinic.StockBatches.FindAsync([form.BatchId], cancel);
        var known = Reasons.ContainsKey(form.Reason);
        await door.Record(
            actor,
            Rights.Stock,
            new Request { Action = "CORRECT_STOCK", Purpose = Purpose.Administration, Resource = batch is null ? "stock" : $"stock:{batch.MedicineCode}", Reason = known ? form.Reason : null },
            cancel);
        if (batch is null)
        {
            return Missing.Patient;
        }

        if (!known)
        {
            return new Error("stock.reason", "Choose why the count differs.");
        }

        if (form.Counted is < 0 or > MostUnits || decimal.Truncate(form.Counted * 2) != form.Counted * 2)
        {
            return new Error("stock.quantity", "Enter what you counted, 0 or more.");
        }

        var changed = new Error("record.changed", "This batch was changed meanwhile. Count it again.");
        if (batch.Version != form.Seen)
        {
            return changed;
        }

        var difference = form.Counted - batch.Quantity;
        if (difference == 0)
        {
            return batch;
        }

        if ((difference > 0 ? batch.Add(difference) : batch.Take(-difference)).Error is { } refused)
        {
            return refused;
        }

        clinic.StockMoves.Add(new StockMove { BatchId = batch.Id, Kind = StockMoveKind.Corrected, Quantity = difference, At = clock.GetUtcNow(), By = actor.Staff });
        try
        {
            await clinic.SaveChangesAsync(cancel);
        }
        catch (RefusedInput refusal) when (refusal.Code == changed.Code)
        {
            return changed;
        }

        events.Changed(Station.Pharmacy);
        return batch;
    }
}
