using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Billing;

/// <summary>
/// The hospital's price list, for whoever sets up billing. Every change is an entry with the old and the new amount; it
/// holds for what is charged from then on, and charges already made keep their price.
/// </summary>
public sealed class Prices(ClinicContext clinic, Door door)
{
    private const decimal Highest = 99_999_999.99m;
    private const int LongestCode = 20;
    private const int LongestText = 120;

    /// <summary>Groups under which charges stand on a bill.</summary>
    public static IReadOnlyList<string> Groups { get; } = ["Care", "Procedure", "Ward", "Imaging", "Laboratory", "Pharmacy"];

    /// <param name="Was">The amount that the form was filled from; null for a new line.</param>
    public sealed record Form(string? Code, string? Description, string? Group, decimal? Amount, decimal? Was);

    /// <summary>The list, by code.</summary>
    /// <param name="actor">Who looks.</param>
    /// <param name="search">Part of a code or description, or null for all.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<IReadOnlyList<PriceItem>> List(Actor actor, string? search, CancellationToken cancel)
    {
        await door.Record(actor, Rights.BillingSetUp, new Request { Action = "VIEW_PRICE_LIST", Purpose = Purpose.Administration, Resource = "price-list" }, cancel);
        var all = await clinic.Prices.AsNoTracking().OrderBy(price => price.Code).ToListAsync(cancel);
        return string.IsNullOrWhiteSpace(search)
            ? all
            : [.. all.Where(price => price.Code.Contains(search.Trim(), StringComparison.OrdinalIgnoreCase) || price.Description.Contains(search.Trim(), StringComparison.OrdinalIgnoreCase))];
    }

    /// <summary>Adds a line, or changes description, group and amount of one.</summary>
    public async Task<Result<PriceItem>> Save(Form form, Actor actor, CancellationToken cancel)
    {
        var code = form.Code?.Trim().ToUpperInvariant() ?? string.Empty;
        var description = form.Description?.Trim() ?? string.Empty;
        if (code.Length is 0 or > LongestCode || !code.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter) || letter is '-' or '.'))
        {
            return new Error("price.code", "Write the code in at most 20 letters, digits, hyphens and points, such as L-0412.");
        }

        if (description.Length is 0 or > LongestText)
        {
            return new Error("price.description", "Say in at most 120 characters what the price is for.");
        }

        if (form.Group is null || !Groups.Contains(form.Group))
        {
            return new Error("price.group", "Choose one of the groups.");
        }

        if (form.Amount is not { } amount || amount is < 0 or > Highest || decimal.Round(amount, 2) != amount)
        {
            return new Error("price.amount", "Write the amount as 1,200.00: not below zero, at most two decimals.");
        }

        var currency = await House.Currency(clinic, cancel);
        await door.Record(
            actor,
            Rights.BillingSetUp,
            new Request
            {
                Action = form.Was is null ? "ADD_PRICE" : "CHANGE_PRICE",
                Purpose = Purpose.Administration,
                Resource = $"price:{code}",
                Reason = form.Was is { } was
                    ? string.Create(CultureInfo.InvariantCulture, $"{was:0.00} to {amount:0.00} {currency}")
                    : string.Create(CultureInfo.InvariantCulture, $"{amount:0.00} {currency}"),
            },
            cancel);
        await using var transaction = await clinic.Database.BeginTransactionAsync(cancel);
        await clinic.Prices.Where(price => price.Code == code).ExecuteUpdateAsync(row => row.SetProperty(price => price.Group, price => price.Group), cancel);
        var item = await clinic.Prices.SingleOrDefaultAsync(price => price.Code == code, cancel);
        if (form.Was is null && item is not null)
        {
            return new Error("price.exists", "This code is in the list already. Change that line instead.");
        }

        if (form.Was is { } shown && item?.Amount != shown)
        {
            return new Error("record.changed", "Somebody else changed this price meanwhile. Nothing was saved: look at it and repeat your change.");
        }

        if (item is null)
        {
            item = new PriceItem { Code = code };
            clinic.Prices.Add(item);
        }

        item.Description = description;
        item.Group = form.Group;
        item.Amount = decimal.Round(amount, 2) + 0.00m;
        item.Currency = currency;
        await clinic.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return item;
    }
}
