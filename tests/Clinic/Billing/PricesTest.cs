using Mangrove.Clinic.Billing;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Tests.Clinic.Billing;

public sealed class PricesTest
{
    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_change_of_a_price_is_an_entry_with_the_old_and_the_new_amount_and_a_stale_form_is_refused(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var admin = await hospital.As(Role.Admin);
        Assert.True((await hospital.Use<Prices>().Save(new Prices.Form("z-100", "Bed linen", "Ward", 120.5m, null), admin, default)).Ok);
        Assert.Equal("price.exists", (await hospital.Use<Prices>().Save(new Prices.Form("Z-100", "Again", "Ward", 1m, null), admin, default)).Error?.Code);
        Assert.Equal(150m, (await hospital.Use<Prices>().Save(new Prices.Form("Z-100", "Bed linen", "Ward", 150m, 120.5m), admin, default)).Value.Amount);
        Assert.Equal("record.changed", (await hospital.Use<Prices>().Save(new Prices.Form("Z-100", "Bed linen", "Ward", 160m, 120.5m), admin, default)).Error?.Code);

        var entry = Assert.Single(await hospital.Entries("CHANGE_PRICE"), entry => entry.Resource == "price:Z-100" && entry.Reason == "120.50 to 150.00 KES");
        Assert.Equal("admin", entry.Actor);
        Assert.Equal(150m, Assert.Single(await hospital.Use<Prices>().List(admin, "Z-100", default)).Amount);
    }

    [Theory]
    [InlineData("", "Bed", "Ward", "1", "price.code")]
    [InlineData("Z 1", "Bed", "Ward", "1", "price.code")]
    [InlineData("Z-1", " ", "Ward", "1", "price.description")]
    [InlineData("Z-1", "Bed", "Wards", "1", "price.group")]
    [InlineData("Z-1", "Bed", "Ward", "-1", "price.amount")]
    [InlineData("Z-1", "Bed", "Ward", "1.005", "price.amount")]
    [InlineData("Z-1", "Bed", "Ward", "12,50", "price.amount")]
    public async Task A_line_that_is_not_a_price_is_refused(string code, string description, string group, string amount, string refusal)
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        Assert.Equal(refusal, (await hospital.Use<Prices>().Save(new Prices.Form(code, description, group, AmountText.Read(amount), null), await hospital.As(Role.Admin), default)).Error?.Code);
    }

    [Theory]
    [InlineData(Role.Cashier)]
    [InlineData(Role.FrontDesk)]
    [InlineData(Role.Doctor)]
    public async Task Only_the_administrator_sets_prices(Role role)
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var actor = await hospital.As(role);
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<Prices>().List(actor, null, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<Prices>().Save(new Prices.Form("C-0001", "Free", "Care", 0m, 1200m), actor, default));
    }

    [Theory]
    [InlineData("1000", 1000.0)]
    [InlineData(" 1,000.50 ", 1000.5)]
    [InlineData("1 000", 1000.0)]
    [InlineData("0.05", 0.05)]
    [InlineData("12,50", null)]
    [InlineData("1,00", null)]
    [InlineData("-5", null)]
    [InlineData("1e3", null)]
    [InlineData("", null)]
    public void Amounts_are_read_as_people_type_them_and_never_guessed(string typed, double? expected) =>
        Assert.Equal(expected is { } amount ? (decimal)amount : null, AmountText.Read(typed));
}
