using Mangrove.Clinic.Records;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic;

/// <summary>Settings of the hospital itself.</summary>
public static class House
{
    public const string CurrencySetting = "currency";
    public const string DefaultCurrency = "USD";

    public static async Task<string> Currency(ClinicContext clinic, CancellationToken cancel) => await Read(clinic, CurrencySetting, cancel) ?? DefaultCurrency;

    public static async Task<string?> Read(ClinicContext clinic, string name, CancellationToken cancel) =>
        await clinic.Settings.Where(setting => setting.Name == name).Select(setting => setting.Value).FirstOrDefaultAsync(cancel);

    /// <summary>As the other, without the mapper: a start reads one setting.</summary>
    public static async Task<string?> Read(IClinicDatabase clinics, string name, CancellationToken cancel)
    {
        await using var connection = await clinics.Connect(cancel);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT value FROM setting WHERE name = @name";
        var parameter = command.CreateParameter();
        parameter.ParameterName = "@name";
        parameter.Value = name;
        command.Parameters.Add(parameter);
        return await command.ExecuteScalarAsync(cancel) as string;
    }

    public static async Task Write(ClinicContext clinic, string name, string value, CancellationToken cancel)
    {
        if (await clinic.Settings.FindAsync([name], cancel) is { } setting)
        {
            setting.Value = value;
        }
        else
        {
            clinic.Settings.Add(new Setting { Name = name, Value = value });
        }

        await clinic.SaveChangesAsync(cancel);
    }
}
