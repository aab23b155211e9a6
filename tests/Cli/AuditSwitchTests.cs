using System.Net;
using System.Text.RegularExpressions;
using Mangrove.Cli;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Tests.Cli;

/// <summary>There is no switch that turns the audit log off: no option, no setting, no variable of the environment, no settings file (threats A8).</summary>
public sealed class AuditSwitchTests(SampleHospital hospital) : IClassFixture<SampleHospital>
{
    private static readonly string[] Names = ["Audit", "AuditLog", "Auditing", "Mangrove__Audit", "Logging__Audit", "Vault__Audit"];
    private static readonly string[] Parts = ["Enabled", "IsEnabled", "On", "Level", "Mode", "Sink", "Durable"];

    [Fact]
    public async Task Whatever_the_environment_and_settings_files_say_a_search_is_an_entry()
    {
        const string Settings = """{"Audit":{"Enabled":false,"Level":"None","Mode":"Off"},"AuditLog":{"Enabled":false},"Mangrove":{"Audit":{"Enabled":false}},"Logging":{"LogLevel":{"Default":"None","Mangrove.Vault.Audit":"None"}}}""";
        using var folder = new Folder();
        foreach (var name in (string[])["appsettings.json", "appsettings.Development.json", "appsettings.Production.json", "mangrove.json", "audit.json"])
        {
            await File.WriteAllTextAsync(folder[name], Settings);
            await File.WriteAllTextAsync(Path.Combine(hospital.Data, name), Settings);
        }

        var start = Executable.With("serve", "--data", hospital.Data, "--urls", "https://localhost:0");
        start.WorkingDirectory = folder.Path;
        foreach (var (name, part) in Names.SelectMany(name => Parts.Select(part => (name, part))))
        {
            foreach (var key in (string[])[$"{name}__{part}", $"DOTNET_{name}__{part}", $"ASPNETCORE_{name}__{part}", $"MANGROVE_{name}_{part}".ToUpperInvariant(), $"{name}_{part}".ToUpperInvariant()])
            {
                start.Environment[key] = part is "Level" or "Mode" or "Sink" ? "None" : "false";
            }
        }

        foreach (var (key, value) in new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development", ["DOTNET_ENVIRONMENT"] = "Development", ["MANGROVE_AUDIT"] = "off", ["MANGROVE_NO_AUDIT"] = "1", ["NO_AUDIT"] = "1", ["AUDIT"] = "0", ["Logging__LogLevel__Default"] = "None", ["ASPNETCORE_CONTENTROOT"] = folder.Path,
        })
        {
            start.Environment[key] = value;
        }

        await using (var server = await Served.Start(start))
        {
            var (user, password) = hospital.Login(Role.FrontDesk);
            using var desk = await Browser.SignIn(server.Address, user, password);
            Assert.Equal(HttpStatusCode.OK, (await desk.Send("POST", "/find", new Dictionary<string, string>(StringComparer.Ordinal) { ["q"] = "P-100" })).Status);
        }

        var (admin, file) = hospital.Account("admin");
        var listed = await Executable.Run("audit", "list", "--data", hospital.Data, "--as", admin, "--password-file", file, "--json");
        Assert.Contains("SEARCH_PATIENT", listed.Out, StringComparison.Ordinal);
        Assert.Contains("SIGN_IN", listed.Out, StringComparison.Ordinal);
        Assert.True((await Executable.Run("audit", "verify", "--data", hospital.Data, "--json")).Json.GetProperty("ok").GetBoolean());
    }

    [Theory]
    [InlineData("serve", "--no-audit")]
    [InlineData("serve", "--audit", "off")]
    [InlineData("serve", "--audit=false")]
    [InlineData("serve", "--skip-audit")]
    [InlineData("serve", "--Audit:Enabled=false")]
    [InlineData("audit", "off")]
    [InlineData("audit", "disable")]
    public async Task No_verb_and_no_option_is_about_it(params string[] arguments)
    {
        var refused = await Executable.Run([.. arguments, "--data", hospital.Data, "--json"]);
        Assert.Equal((2, "usage"), (refused.Exit, refused.Code));
    }

    [Fact]
    public void No_public_setting_of_the_product_names_the_log()
    {
        var settings = new[] { typeof(Hospital).Assembly, typeof(VaultRoom).Assembly }
            .SelectMany(assembly => assembly.GetExportedTypes())
            .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal) || type.Name.EndsWith("Settings", StringComparison.Ordinal))
            .SelectMany(type => type.GetProperties().Select(property => $"{type.Name}.{property.Name}"))
            .ToList();
        Assert.Contains("StorageOptions.Folder", settings);
        Assert.DoesNotContain(settings, name => Regex.IsMatch(name, "audit|journal|entry|entries", RegexOptions.IgnoreCase, TimeSpan.FromSeconds(1)));

        // The log's own settings are about time and size; not one is a yes or no, and nothing outside the vault can give them.
        var own = typeof(VaultRoom).Assembly.GetType("Mangrove.Vault.Audit.AuditOptions", throwOnError: true)!;
        Assert.False(own.IsVisible);
        Assert.Equal([typeof(int), typeof(TimeSpan)], own.GetProperties().Select(property => property.PropertyType).Distinct().OrderBy(type => type.Name, StringComparer.Ordinal));
    }
}
