using Mangrove.Clinic.Pharmacy;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Pharmacy;

public class StockTests
{
    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_delivery_sent_twice_is_received_once_and_a_second_one_joins_its_batch(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var pharmacist = await hospital.As(Role.Pharmacist);
        var form = new ReceiveDelivery.Form(Ids.New(), CounterWork.Product("atenolol").Product.PriceCode, " AT-1 ", hospital.Today().AddDays(90), 28);
        await hospital.Use<ReceiveDelivery>().Run(form, pharmacist, default);
        var again = await hospital.Use<ReceiveDelivery>().Run(form, pharmacist, default);
        Assert.Equal(28, again.Value.Quantity);
        var more = await hospital.Use<ReceiveDelivery>().Run(form with { Id = Ids.New() }, pharmacist, default);
        Assert.Equal((again.Value.Id, 56m), (more.Value.Id, more.Value.Quantity));
        Assert.Equal("stock.batch-expiry", (await hospital.Use<ReceiveDelivery>().Run(form with { Id = Ids.New(), Expires = form.Expires.AddDays(1) }, pharmacist, default)).Error?.Code);
        Assert.Equal("stock.expiry", (await hospital.Use<ReceiveDelivery>().Run(form with { Id = Ids.New(), Expires = hospital.Today().AddDays(-1) }, pharmacist, default)).Error?.Code);
        Assert.Equal("stock.quantity", (await hospital.Use<ReceiveDelivery>().Run(form with { Id = Ids.New(), Quantity = 0 }, pharmacist, default)).Error?.Code);
        Assert.Equal("stock.product", (await hospital.Use<ReceiveDelivery>().Run(form with { Id = Ids.New(), PriceCode = "D-0" }, pharmacist, default)).Error?.Code);
        Assert.Equal("stock.batch", (await hospital.Use<ReceiveDelivery>().Run(form with { Id = Ids.New(), Batch = " " }, pharmacist, default)).Error?.Code);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_count_is_corrected_with_a_reason_that_the_log_keeps(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var pharmacist = await hospital.As(Role.Pharmacist);
        var batch = await hospital.Deliver("spironolactone", "SP-1", 90, 30);
        var form = new CorrectCount.Form(batch.Id, batch.Version, 27, "damaged");
        Assert.Equal("stock.reason", (await hospital.Use<CorrectCount>().Run(form with { Reason = "because" }, pharmacist, default)).Error?.Code);
        Assert.Equal(27, (await hospital.Use<CorrectCount>().Run(form, pharmacist, default)).Value.Quantity);
        Assert.Equal("record.changed", (await hospital.Use<CorrectCount>().Run(form with { Counted = 20 }, pharmacist, default)).Error?.Code);
        await using var clinic = hospital.Clinic();
        Assert.Equal(-3, (await clinic.StockMoves.SingleAsync(move => move.BatchId == batch.Id && move.Kind == StockMoveKind.Corrected)).Quantity);
        Assert.Contains(await hospital.Entries("CORRECT_STOCK"), entry => entry.Reason == "damaged");
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task The_shelf_marks_what_has_expired_and_what_runs_low(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Prescribe(patient, visit, "metoclopramide", 15);
        await hospital.Deliver("metoclopramide", "CZ-1", 20, 40);
        await hospital.Deliver("omeprazole", "OM-1", 400, 40);
        Assert.True((await hospital.Hand(patient, visit, CounterWork.Proposal(await hospital.Counter(patient, visit)))).Ok);
        var pharmacist = await hospital.As(Role.Pharmacist);
        var shelf = (await hospital.Use<StockList>().Run(pharmacist, default)).ToDictionary(product => product.Name);
        Assert.Equal((10m, 10, true, false), (shelf["metoclopramide"].Usable, shelf["metoclopramide"].DaysLeft, shelf["metoclopramide"].Low, shelf["metoclopramide"].HasExpired));
        Assert.Equal((null, false), (shelf["omeprazole"].DaysLeft, shelf["omeprazole"].Low));
        hospital.Clock.Pass(TimeSpan.FromDays(21));
        // The session ended meanwhile; the list itself is asked with the actor of then.
        shelf = (await hospital.Use<StockList>().Run(pharmacist, default)).ToDictionary(product => product.Name);
        Assert.Equal((0m, true, true), (shelf["metoclopramide"].Usable, shelf["metoclopramide"].Low, shelf["metoclopramide"].HasExpired));
        Assert.True(Assert.Single(shelf["metoclopramide"].Batches).Expired);
    }
}
