using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Pharmacy;

/// <summary>Puts a delivery on the shelf, as a new batch or onto the one that is there.</summary>
public sealed class ReceiveDelivery(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    private const decimal MostUnits = 1_000_000;

    /// <param name="Id">Made when the form was opened, so that sending it twice receives once.</param>
    /// <param name="PriceCode">Code of the product.</param>
    /// <param name="Batch">As printed on the box.</param>
    /// <param name="Expires">Last day of use.</param>
    /// <param name="Quantity">Units: tablets, bottles, tubes.</param>
    public sealed record Form(Guid Id, string PriceCode, string Batch, DateOnly Expires, decimal Quantity);

    public async Task<Result<StockBatch>> Run(Form form, Actor actor, CancellationToken cancel)
    {
        await door.Record(actor, Rights.Stock, new Request { Action = "RECEIVE_STOCK", Purpose = Purpose.Administration, Resource = $"stock:{form.PriceCode.Trim().ToUpperInvariant()[..Math.Min(10, form.PriceCode.Trim().Length)]}" }, cancel);
        if (MedicineCatalogue.Load().ByPriceCode(form.PriceCode) is not var (medicine, product))
        {
            return new Error("stock.product", "Choose a medicine from the list.");
        }

        var number = form.Batch.Trim();
        if (number.Length is < 1 or > 40 || number.Any(char.IsControl))
        {
            return new Error("stock.batch", "Write the batch number as it stands on the box, up to 40 letters.");
        }

        var today = DispensingSheet.Today(clock);
        if (form.Expires < today || form.Expires > today.AddYears(20))
        {
            return new Error("stock.expiry", "The expiry date lies in the past or more than 20 years ahead. Read it again.");
        }

        if (form.Quantity is <= 0 or > MostUnits || decimal.Truncate(form.Quantity) != form.Quantity)
        {
            return new Error("stock.quantity", "Enter a whole quantity above zero.");
        }

        if (await clinic.StockMoves.AsNoTracking().FirstOrDefaultAsync(move => move.Id == form.Id, cancel) is { } already)
        {
            return await clinic.StockBatches.SingleAsync(one => one.Id == already.BatchId, cancel);
        }

        var name = Shelf.NameOf(product);
        var batch = await clinic.StockBatches.FirstOrDefaultAsync(one => one.MedicineCode == medicine.Code && one.Product == name && one.Batch == number, cancel);
        if (batch is not null && batch.Expires != form.Expires)
        {
            return new Error("stock.batch-expiry", $"This batch is on the shelf with the expiry date {ClinicalTime.Day(batch.Expires)}. Read the box again, or correct the number.");
        }

        if (batch is null)
        {
            batch = new StockBatch { MedicineCode = medicine.Code, Product = name, Batch = number, Expires = form.Expires };
            clinic.StockBatches.Add(batch);
        }

        if (batch.Add(form.Quantity).Error is { } refused)
        {
            return refused;
        }

        clinic.StockMoves.Add(new StockMove { Id = form.Id, BatchId = batch.Id, Kind = StockMoveKind.Received, Quantity = form.Quantity, At = clock.GetUtcNow(), By = actor.Staff });
        try
        {
            await clinic.SaveChangesAsync(cancel);
        }
        catch (RefusedInput changed) when (changed.Code == "record.changed")
        {
            return changed.Error;
        }

        events.Changed(Station.Pharmacy);
        return batch;
    }
}
