using Mangrove.Cli;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Cli;

/// <summary>Retention and legal holds from the command line, by the rules of the pages.</summary>
public abstract class RetentionVerbTests(SampleHospital sample) : IDisposable
{
    private const string Why = "The insurer asked that nothing goes before the case is over.";

    private readonly Folder folder = new();

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_hold_is_placed_listed_and_released_by_somebody_else_and_what_is_due_is_counted()
    {
        var (number, codes) = await Furnish();
        var (admin, password) = sample.Account("admin");
        var (nurse, nursePassword) = sample.Account("nurse");
        string[] boss = ["--as", admin, "--password-file", password];
        string[] second = ["--as", "second", "--password-file", folder.Secret("second", Password)];
        var why = folder.Secret("why", Why);
        var reference = folder.Secret("case", "INS 12/2026");
        string[] words = ["--reason-file", why, "--reference-file", reference];

        Assert.Equal((2, "hold.scope"), Came(await Do("hold", "add", [.. boss, .. words, "--code-file", folder.Secret("code", "000000")])));
        Assert.Equal((2, "hold.scope"), Came(await Do("hold", "add", [.. boss, .. words, "--patient", number, "--hospital", "--code-file", folder["code"]])));
        Assert.Equal((2, "hold.patient"), Came(await Do("hold", "add", [.. boss, .. words, "--patient", "P-1", "--code-file", folder["code"]])));
        Assert.Equal((2, "factor.code"), Came(await Do("hold", "add", [.. boss, .. words, "--patient", number, "--code-file", folder["code"]])));
        Assert.Equal((2, "secret.file-missing"), Came(await Do("hold", "add", [.. boss, .. words, "--patient", number, "--code-file", folder["nowhere"]])));
        Assert.Equal((2, "access.role"), Came(await Do("hold", "list", ["--as", nurse, "--password-file", nursePassword])));

        var placed = await Do("hold", "add", [.. boss, .. words, "--patient", number, "--code-file", folder.Secret("right", sample.Code(Role.Admin))]);
        Assert.True(placed.Exit == 0, placed.Out + placed.Error);
        var hold = placed.Json.GetProperty("hold").GetString()!;
        var listed = Assert.Single((await Do("hold", "list", second)).Json.EnumerateArray().ToList());
        Assert.Equal((hold, number, "INS 12/2026", Why), (listed.GetProperty("hold").GetString(), listed.GetProperty("patient").GetString(), listed.GetProperty("reference").GetString(), listed.GetProperty("reason").GetString()));

        // Whoever destroys is asked for the hold first.
        string[] propose = [number, "--propose", .. second, "--reason", "asked", "--words-file", why];
        Assert.Equal((2, "retention.hold"), Came(await Do("patient", "destroy", [.. propose, "--code-file", folder.Secret("first", codes[1])])));

        Assert.Equal((2, "hold.own"), Came(await Do("hold", "release", [.. boss, "--hold", hold, "--reason-file", why, "--code-file", folder["code"]])));
        var released = await Do("hold", "release", [.. second, "--hold", hold, "--reason-file", why, "--code-file", folder.Secret("theirs", codes[0])]);
        Assert.True(released.Exit == 0, released.Out + released.Error);
        Assert.Equal((2, "retention.no-policy"), Came(await Do("patient", "destroy", [.. propose, "--code-file", folder.Secret("next", codes[2])])));
        Assert.Equal((2, "hold.none"), Came(await Do("hold", "release", [.. second, "--hold", hold, "--reason-file", why, "--code-file", folder["code"]])));

        var rules = (await Do("retention", "rules", boss)).Json;
        Assert.Equal(7, rules.GetProperty("floorYears").GetInt32());
        Assert.Contains(rules.GetProperty("countries").EnumerateArray(), country => country.GetProperty("country").GetString() == "DE");
        var due = (await Do("retention", "due", boss)).Json;
        Assert.Equal((20, 0), (due.GetProperty("records").GetInt32(), due.GetProperty("due").GetInt32()));
        Assert.Equal(20, due.GetProperty("inCare").GetInt32() + due.GetProperty("byYear").EnumerateArray().Sum(year => year.GetProperty("records").GetInt32()));
        Assert.Equal((2, "access.role"), Came(await Do("retention", "due", ["--as", nurse, "--password-file", nursePassword])));
    }

    private const string Password = "lantern gravel octopus whispers";

    /// <summary>A second administrator, who has set up a phone, and somebody's hospital number.</summary>
    private async Task<(string Number, IReadOnlyList<string> Codes)> Furnish()
    {
        await using var hospital = await Hospital.Open(sample.Storage, new RootSecret { KeyFile = Path.Combine(sample.Data, "demo.key") }, TimeProvider.System, default);
        var desk = hospital.Vault.Identity;
        var (user, password) = sample.Login(Role.Admin);
        var admin = (await desk.SignIn.CommandLine(user, password, default)).Value;
        var link = (await desk.Staff.Create(admin, new NewStaff("second", "Second Person", Role.Admin.Slug(), "Administration"), default)).Value;
        await desk.Staff.SetPassword(link.Token, Password, default);
        var step = (await desk.SignIn.Password("second", Password, "address:10.0.0.7", default)).Value;
        Assert.True(Base32.TryDecode(desk.SignIn.Enrol(step.Ticket, "address:10.0.0.7").Value.Secret, out var secret));
        var session = (await desk.SignIn.FirstCode(step.Ticket, Totp.Code(secret, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds), "address:10.0.0.7", default)).Value;
        await using var connection = await hospital.Clinics.Connect(default);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT MIN(mrn) FROM patient";
        return ((string)(await command.ExecuteScalarAsync())!, desk.SecondFactor.TakeCodes(session.Actor)!);
    }

    private Task<Ran> Do(string group, string verb, string[] arguments) =>
        Executable.Run([group, verb, "--data", sample.Data, "--json", .. sample.StorageArguments, .. arguments]);

    private static (int Exit, string? Code) Came(Ran ran) => (ran.Exit, ran.Code);
}

public sealed class RetentionVerbOnSqliteTests(SampleHospital sample) : RetentionVerbTests(sample), IClassFixture<SampleHospital>;

public sealed class RetentionVerbOnPostgresTests(SampleOnPostgres sample) : RetentionVerbTests(sample), IClassFixture<SampleOnPostgres>;
