using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic;

/// <summary>
/// Turns what was done into charges on the visit's invoice, as the system's own work: clinicians neither see nor write
/// money. An act is charged once, however often this runs.
/// </summary>
public sealed class Charging(IDbContextFactory<ClinicContext> clinics, Door door, StationEvents events, TimeProvider clock)
{
    /// <param name="SourceId">The row of the act.</param>
    /// <param name="PriceCode">Code in the price list; an act without a price is charged 0 and stands on the bill.</param>
    /// <param name="Label">What the cashier sees.</param>
    /// <param name="From">Station of the act.</param>
    /// <param name="Quantity">How many.</param>
    public sealed record Act(Guid SourceId, string PriceCode, string Label, string From, decimal Quantity);

    /// <summary>Charges acts that are saved already.</summary>
    public async Task Post(Visit visit, PatientRef patient, IReadOnlyCollection<Act> acts, CancellationToken cancel)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        await Save(clinic, visit, patient, acts, cancel);
    }

    /// <summary>
    /// Saves what the caller changed in <paramref name="clinic"/> and the charges for it in one transaction: neither
    /// stands without the other, whatever happens between.
    /// </summary>
    /// <exception cref="RefusedInput">As <see cref="ClinicContext.SaveChangesAsync(bool, CancellationToken)"/>; then nothing was written.</exception>
    public async Task Save(ClinicContext clinic, Visit visit, PatientRef patient, IReadOnlyCollection<Act> acts, CancellationToken cancel)
    {
        var left = acts.Count == 0 || visit.Kind == VisitKind.Imported ? [] : await Uncharged(clinic, acts, cancel);
        if (left.Length == 0)
        {
            await clinic.SaveChangesAsync(cancel);
            return;
        }

        using var opening = await door.Open(
            SystemActors.Charging,
            new Request { Action = "POST_CHARGES", Purpose = Purpose.Payment, Patients = [patient], Writes = [Charge.LineField] },
            cancel);

        // Payments hold the visit too: none settles the invoice between the look at it and the new charge. What somebody
        // else charged since the look above is left out here.
        await using var held = await clinic.HoldVisit(visit.Id, cancel);
        left = await Uncharged(clinic, left, cancel);
        if (left.Length > 0)
        {
            await Add(clinic, opening, visit, patient, left, cancel);
        }

        await clinic.SaveChangesAsync(cancel);
        await held.CommitAsync(cancel);
        events.Changed(Station.Cashier);
    }

    private static async Task<Act[]> Uncharged(ClinicContext clinic, IReadOnlyCollection<Act> acts, CancellationToken cancel)
    {
        var sources = acts.Select(act => act.SourceId).ToArray();
        var charged = await clinic.Charges.Where(charge => sources.Contains(charge.SourceId)).Select(charge => charge.SourceId).ToListAsync(cancel);
        return [.. acts.Where(act => !charged.Contains(act.SourceId))];
    }

    private async Task Add(ClinicContext clinic, Opening opening, Visit visit, PatientRef patient, Act[] left, CancellationToken cancel)
    {
        var codes = left.Select(act => act.PriceCode).ToArray();
        var prices = await clinic.Prices.Where(price => codes.Contains(price.Code)).ToDictionaryAsync(price => price.Code, cancel);
        var currency = await House.Currency(clinic, cancel);
        var now = clock.GetUtcNow();
        foreach (var act in left)
        {
            var price = prices.GetValueOrDefault(act.PriceCode);
            var each = new Money(price?.Amount ?? 0m, currency);
            var charge = new Charge { PatientId = patient.Id, VisitId = visit.Id, SourceId = act.SourceId, At = now };
            opening.Set(charge, Charge.LineField, new ChargeLine(act.PriceCode, price?.Group ?? "Care", act.Label, act.From, act.Quantity, each, each * act.Quantity));
            clinic.Charges.Add(charge);
        }

        if (await clinic.Invoices.SingleOrDefaultAsync(invoice => invoice.VisitId == visit.Id, cancel) is { } invoice)
        {
            if (invoice.Status == InvoiceStatus.Settled)
            {
                invoice.Reopen();
            }
        }
        else
        {
            var number = await clinic.Next($"invoice:{now.Year}", cancel);
            clinic.Invoices.Add(new Invoice { PatientId = patient.Id, VisitId = visit.Id, Number = $"INV-{now.Year}-{number:000000}", OpenedAt = now });
        }
    }
}
