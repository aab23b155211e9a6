using Mangrove.Clinic;
using Mangrove.Clinic.Terminology;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Setting = Mangrove.Clinic.Records.Setting;

namespace Mangrove.Cli;

/// <summary>What every new hospital has: its settings and the starter price list, in its own currency.</summary>
internal static class Furnishings
{
    public const string AddressSetting = "address";

    public static async Task Place(Hospital hospital, FirstSetUp setUp, FoundingPlan plan, CancellationToken cancel)
    {
        await hospital.Vault.Door.Record(
            setUp.Setup,
            Rights.Administration,
            new Request
            {
                Action = "FOUND_HOSPITAL",
                Purpose = Purpose.Administration,
                Resource = "facility",
                Reason = hospital.Vault.RootGuard.BesideData ? "key file on the volume of the data: risk accepted" : null,
            },
            cancel);
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        clinic.Settings.Add(new Setting { Name = House.CurrencySetting, Value = plan.Currency });
        clinic.Settings.Add(new Setting { Name = AddressSetting, Value = plan.Address.GetLeftPart(UriPartial.Authority) });
        foreach (var item in PriceList.Load().All)
        {
            clinic.Prices.Add(new Clinic.Records.PriceItem { Code = item.Code, Description = item.Description, Group = item.Group, Amount = item.Amount, Currency = plan.Currency });
        }

        await clinic.SaveChangesAsync(cancel);
    }
}
