using Mangrove.Cli;
using Mangrove.Kernel;
using Mangrove.Vault.Incidents;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Cli;

/// <summary>Incidents from the command line: read by those who keep them, with an entry, and by nobody else.</summary>
public abstract class IncidentVerbTests(SampleHospital sample)
{
    private const string Words = "The tablet of ward 5 was left in the bus of line 12.";

    [Fact]
    public async Task Incidents_are_listed_and_shown_to_those_who_keep_them()
    {
        var (admin, password) = sample.Account("admin");
        var (nurse, nursePassword) = sample.Account("nurse");
        string[] boss = ["--as", admin, "--password-file", password];
        Assert.Equal(0, (await Do("list", boss)).Json.GetArrayLength());
        Assert.Equal((2, "incident.none"), Came(await Do("show", ["1", .. boss])));
        await Furnish();

        var listed = Assert.Single((await Do("list", boss)).Json.EnumerateArray().ToList());
        Assert.Equal((1, "open", "stolen-device"), (listed.GetProperty("number").GetInt32(), listed.GetProperty("state").GetString(), listed.GetProperty("kind").GetString()));
        Assert.Equal(Enum.GetValues<IncidentStep>().Length, listed.GetProperty("steps").GetArrayLength());
        Assert.Contains(listed.GetProperty("owed").EnumerateArray(), one => one.GetProperty("to").GetString() == "authority");
        Assert.DoesNotContain("ward 5", listed.GetRawText(), StringComparison.Ordinal);

        var shown = await Do("show", ["1", .. boss]);
        Assert.True(shown.Exit == 0, shown.Out + shown.Error);
        Assert.Equal(Words, Assert.Single(shown.Json.GetProperty("words").EnumerateArray().ToList()).GetProperty("text").GetString());
        Assert.Equal((2, "access.role"), Came(await Do("list", ["--as", nurse, "--password-file", nursePassword])));
        Assert.Equal((2, "access.role"), Came(await Do("show", ["1", "--as", nurse, "--password-file", nursePassword])));

        var log = (await Executable.Run(["audit", "list", "--data", sample.Data, "--json", .. sample.StorageArguments, .. boss, "--action", "VIEW_INCIDENT"])).Json.EnumerateArray().ToList();
        Assert.Equal(["allowed", "refused"], log.Select(one => one.GetProperty("outcome").GetString()).Order(StringComparer.Ordinal));
        Assert.All(log, one => Assert.Equal("incident:1", one.GetProperty("resource").GetString()));
    }

    private async Task Furnish()
    {
        await using var hospital = await Hospital.Open(sample.Storage, new RootSecret { KeyFile = Path.Combine(sample.Data, "demo.key") }, TimeProvider.System, default);
        var (user, password) = sample.Login(Role.Admin);
        var admin = (await hospital.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
        Assert.True((await hospital.Vault.Incidents.Begin(admin, IncidentKind.StolenDevice, hospital.Clock.GetUtcNow(), null, admin.Staff, Words, null, default)).Ok);
    }

    private Task<Ran> Do(string verb, string[] arguments) => Executable.Run(["incident", verb, "--data", sample.Data, "--json", .. sample.StorageArguments, .. arguments]);

    private static (int Exit, string? Code) Came(Ran ran) => (ran.Exit, ran.Code);
}

public sealed class IncidentVerbOnSqliteTests(SampleHospital sample) : IncidentVerbTests(sample), IClassFixture<SampleHospital>;

public sealed class IncidentVerbOnPostgresTests(SampleOnPostgres sample) : IncidentVerbTests(sample), IClassFixture<SampleOnPostgres>;
