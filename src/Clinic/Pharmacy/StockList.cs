using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Pharmacy;

/// <summary>The shelf: every product with its batches, how long it lasts, what runs low and what has expired.</summary>
public sealed class StockList(ClinicContext clinic, Door door, TimeProvider clock)
{
    /// <summary>Below so many days of the last month's use a product is low.</summary>
    public const int LowDays = 14;

    private const int CountedDays = 30;

    public sealed record Batch(Guid Id, string Number, DateOnly Expires, decimal Quantity, int Version, bool Expired, bool ExpiresSoon);

    /// <param name="Usable">Units that have not expired.</param>
    /// <param name="DaysLeft">How long they last at the last month's rate; null when nothing was dispensed.</param>
    public sealed record Product(string MedicineCode, string Name, string Form, string Units, bool Controlled, decimal Usable, int? DaysLeft, IReadOnlyList<Batch> Batches)
    {
        public bool Low => Usable == 0 || DaysLeft < LowDays;

        public bool HasExpired => Batches.Any(batch => batch is { Expired: true, Quantity: > 0 });
    }

    public async Task<IReadOnlyList<Product>> Run(Actor actor, CancellationToken cancel)
    {
        await door.Record(actor, Rights.Stock, new Request { Action = "VIEW_STOCK", Purpose = Purpose.Administration, Resource = "stock" }, cancel);
        var now = clock.GetUtcNow();
        var today = DispensingSheet.Today(clock);
        var since = now.AddDays(-CountedDays);
        var batches = await clinic.StockBatches.AsNoTracking().ToListAsync(cancel);
        var used = (await clinic.StockMoves.AsNoTracking().Where(move => move.Kind == StockMoveKind.Dispensed && move.At >= since).ToListAsync(cancel)).ToLookup(move => move.BatchId, move => -move.Quantity);
        var products = new List<Product>();
        foreach (var group in batches.GroupBy(batch => (batch.MedicineCode, batch.Product)))
        {
            var known = Shelf.ProductOf(group.Key.MedicineCode, group.Key.Product);
            var usable = group.Where(batch => batch.Expires >= today).Sum(batch => batch.Quantity);
            var aDay = group.Sum(batch => used[batch.Id].Sum()) / CountedDays;
            products.Add(new Product(
                group.Key.MedicineCode,
                known?.Medicine.DisplayName ?? MedicineCatalogue.Load().Find(group.Key.MedicineCode)?.DisplayName ?? group.Key.MedicineCode,
                group.Key.Product,
                known is { } one ? Shelf.Units(one.Product, usable) : "",
                known?.Medicine.Controlled ?? false,
                usable,
                aDay > 0 ? (int)Math.Min(9999, decimal.Floor(usable / aDay)) : null,
                [.. group.Where(batch => batch.Quantity > 0 || batch.Expires >= today)
                    .OrderBy(batch => batch.Expires).ThenBy(batch => batch.Batch, StringComparer.Ordinal)
                    .Select(batch => new Batch(batch.Id, batch.Batch, batch.Expires, batch.Quantity, batch.Version, batch.Expires < today, batch.Expires >= today && batch.Expires < today.AddDays(60)))]));
        }

        return [.. products.OrderBy(product => product.Name, StringComparer.OrdinalIgnoreCase).ThenBy(product => product.Form, StringComparer.Ordinal)];
    }
}
