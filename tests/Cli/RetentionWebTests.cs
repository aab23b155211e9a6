using System.Net;
using Mangrove.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Cli;

/// <summary>Rules of retention, what is due and legal holds over the wire.</summary>
public abstract class RetentionWebTests(SampleHospital sample) : IAsyncDisposable
{
    private const string Why = "The tribunal asked for it, and nothing may go before it has ruled.";

    private HostedHospital? hospital;

    [Fact]
    public async Task An_administrator_adopts_rules_counts_what_is_due_and_holds_a_record()
    {
        hospital = await HostedHospital.Open(sample, sample.Storage, TimeProvider.System, Ids.New);
        using var admin = await hospital.SignIn(Role.Admin);
        await using var clinic = await hospital.Hospital.Clinics.CreateDbContextAsync();
        var number = (await clinic.Patients.OrderBy(row => row.Mrn).FirstAsync()).Mrn;
        Assert.Contains("No rules were adopted", (await admin.Send("GET", "/admin/retention")).Text, StringComparison.Ordinal);

        // Without the second factor nothing is changed; with it the rules stand there with their source, and only grow.
        const string rules = "/admin/retention/rules";
        Assert.Contains("factor.code", (await Refused(admin, rules + "/adopt", ("country", "GB"), ("code", "000000"))).Text, StringComparison.Ordinal);
        Assert.Contains("retention.value", (await Refused(admin, rules + "/adopt", ("country", "XX"), ("code", "000000"))).Text, StringComparison.Ordinal);
        Assert.Contains("retention.no-policy", (await Refused(admin, rules + "/lengthen", ("kind", "1"), ("years", "9"), ("code", "000000"))).Text, StringComparison.Ordinal);
        await Done(admin, rules + "/adopt", ("country", "GB"), ("code", Code()));
        Assert.Contains("NHS Records Management Code", (await admin.Send("GET", rules)).Text, StringComparison.Ordinal);
        Assert.Contains("retention.shorter", (await Refused(admin, rules + "/lengthen", ("kind", "1"), ("years", "7"), ("code", "000000"))).Text, StringComparison.Ordinal);
        Assert.Contains("retention.value", (await Refused(admin, rules + "/lengthen", ("kind", "1"), ("years", "101"), ("code", "000000"))).Text, StringComparison.Ordinal);
        await Done(admin, rules + "/lengthen", ("kind", "1"), ("years", "11"), ("code", Code()));
        await Done(admin, rules + "/adopt", ("country", "DE"), ("code", Code()));
        var policy = await hospital.Hospital.Vault.Retention.Policy(default);
        Assert.Equal(("DE", 11, 10, 8), (policy.Country, policy.Of(Mangrove.Vault.Holds.RecordKind.Chart), policy.Of(Mangrove.Vault.Holds.RecordKind.Deceased), policy.Of(Mangrove.Vault.Holds.RecordKind.Minor)));

        await Done(admin, "/admin/retention/count");
        var due = (await admin.Send("GET", "/admin/retention")).Text;
        Assert.Contains("data-test=\"by-year\"", due, StringComparison.Ordinal);
        Assert.Contains("Nothing is due", due, StringComparison.Ordinal);

        // A hold: what was typed stands there again, the code never.
        const string holds = "/admin/retention/holds";
        var wrong = await Refused(admin, holds, ("scope", "patient"), ("number", number), ("reference", "T 9 of 2026"), ("reason", Why), ("code", "not-the-code"));
        Assert.Contains("factor.code", wrong.Text, StringComparison.Ordinal);
        Assert.Contains(Why, wrong.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("not-the-code", wrong.Text, StringComparison.Ordinal);
        Assert.Contains("hold.patient", (await Refused(admin, holds, ("scope", "patient"), ("number", "P-1"), ("reference", "T 9 of 2026"), ("reason", Why), ("code", "x"))).Text, StringComparison.Ordinal);
        Assert.Contains("hold.scope", (await Refused(admin, holds)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("data-test=\"held\"", await Find(admin, number), StringComparison.Ordinal);
        await Done(admin, holds, ("scope", "patient"), ("number", number), ("reference", "T 9 of 2026"), ("reason", Why), ("code", Code()));
        Assert.Contains("T 9 of 2026", (await admin.Send("GET", holds)).Text, StringComparison.Ordinal);
        Assert.Contains("data-test=\"held\"", await Find(admin, number), StringComparison.Ordinal);

        // Its own placer finds it in no list to release, and is refused who asks all the same.
        var placed = Assert.Single(await hospital.Hospital.Vault.Holds.List((await hospital.Hospital.Vault.Identity.SignIn.CommandLine(sample.Login(Role.Admin).User, sample.Login(Role.Admin).Password, default)).Value, default));
        Assert.DoesNotContain("data-test=\"release-form\"", (await admin.Send("GET", holds)).Text, StringComparison.Ordinal);
        Assert.Contains("hold.own", (await Refused(admin, holds + "/release", ("hold", placed.Number), ("reason", Why), ("code", "x"))).Text, StringComparison.Ordinal);

        // Nobody else sees any of it.
        using var nurse = await hospital.SignIn(Role.Nurse);
        foreach (var page in (string[])["/admin/retention", rules, holds])
        {
            var seen = await nurse.Send("GET", page);
            Assert.NotEqual(HttpStatusCode.OK, seen.Status);
            Assert.DoesNotContain("T 9 of 2026", seen.Text, StringComparison.Ordinal);
        }

        var log = await hospital.Log();
        Assert.Contains(log, entry => entry is { Action: "CHANGE_RETENTION", Reason: "none -> GB, of age at 18, chart 8, minor 8, deceased 8, laboratory 8, prescriptions 8" });
        Assert.DoesNotContain(log, entry => entry.Reason.Contains("tribunal", StringComparison.Ordinal) || $"{entry.Resource} {entry.Reason}".Contains("T 9 of 2026", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        if (hospital is not null)
        {
            await hospital.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    private string Code() => sample.Code(Role.Admin);

    private static async Task<string> Find(Browser browser, string number) => (await browser.Send("POST", "/find", new Dictionary<string, string>(StringComparer.Ordinal) { ["q"] = number })).Text;

    private static async Task Done(Browser browser, string address, params (string Name, string Value)[] fields) => Assert.Equal(HttpStatusCode.SeeOther, (await Send(browser, address, fields)).Status);

    private static async Task<Seen> Refused(Browser browser, string address, params (string Name, string Value)[] fields)
    {
        var seen = await Send(browser, address, fields);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, seen.Status);
        return seen;
    }

    private static Task<Seen> Send(Browser browser, string address, (string Name, string Value)[] fields) =>
        browser.Send("POST", address, fields.ToDictionary(field => field.Name, field => field.Value, StringComparer.Ordinal));
}

public sealed class RetentionWebOnSqliteTests(SampleHospital sample) : RetentionWebTests(sample), IClassFixture<SampleHospital>;

public sealed class RetentionWebOnPostgresTests(SampleOnPostgres sample) : RetentionWebTests(sample), IClassFixture<SampleOnPostgres>;
