using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Demo;

/// <summary>Fills the shelves of the sample pharmacy: most products in two batches, some low, some about to expire, a few out.</summary>
internal sealed class SampleStock(Hospital hospital, FirstSetUp setUp, DemoTeam team, long seed, DateTimeOffset now)
{
    /// <returns>How many batches stand on the shelves.</returns>
    public async Task<int> Write(CancellationToken cancel)
    {
        await hospital.Vault.Door.Record(
            setUp.Setup,
            Rights.Administration,
            new Request { Action = "WRITE_SAMPLE_STOCK", Purpose = Purpose.Administration, Resource = "stock" },
            cancel);
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var number = 0;
        foreach (var (medicine, product) in MedicineCatalogue.Load().All.SelectMany(medicine => medicine.Products.Select(product => (medicine, product))))
        {
            var draw = Draw.For(seed, ++number, aspect: 5);
            var batches = draw.Unit() switch { < 0.04 => 0, < 0.4 => 1, _ => 2 };
            for (var one = 0; one < batches; one++)
            {
                var batch = new StockBatch
                {
                    Id = draw.Id(),
                    MedicineCode = medicine.Code,
                    Product = $"{product.Strength} {product.Form}",
                    Batch = string.Create(CultureInfo.InvariantCulture, $"{(char)('A' + draw.Below(26))}{draw.Below(100_000):00000}"),
                    Expires = today.AddDays(draw.Chance(0.1) ? draw.Between(5, 40) : draw.Between(120, 900)),
                };
                var units = draw.Chance(0.12) ? draw.Between(3, 25) : draw.Between(8, 90) * 10;
                clinic.StockBatches.Add(batch.Add(units).Value);
                clinic.StockMoves.Add(new StockMove { Id = draw.Id(), BatchId = batch.Id, Kind = StockMoveKind.Received, Quantity = units, At = now.AddDays(-draw.Between(1, 60)), By = team.Pharmacist });
            }
        }

        return await clinic.SaveChangesAsync(cancel) / 2;
    }
}
