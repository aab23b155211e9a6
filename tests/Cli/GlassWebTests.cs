using System.Net;
using System.Text.RegularExpressions;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Audit;

namespace Mangrove.Tests.Cli;

/// <summary>Emergency access over the wire: what a closed record says, what opens it, and what stays shut all the same.</summary>
public abstract partial class GlassWebTests(SampleHospital sample) : IAsyncDisposable
{
    private const string Words = "Collapsed in corridor B, pulse 38. Need medicines.";

    private readonly Queue<string> codes = new();
    private HostedHospital? hospital;

    [Fact]
    public async Task A_closed_record_is_opened_with_a_second_factor_and_everybody_who_answers_for_it_is_told()
    {
        hospital = await HostedHospital.Open(sample, sample.Storage, TimeProvider.System, Ids.New);
        var patients = await hospital.Patients.Arrive();
        var (closed, other) = (patients.Last(one => !one.InCare).Patient, (await hospital.Patients.Arrive()).Last(one => !one.InCare).Patient);
        var chart = "/patients/" + closed.Values["patient"];
        using var doctor = await WithPhone(Role.Doctor);
        using var admin = await hospital.SignIn(Role.Admin);

        // Closed, and like one that there is not; the way out stands there, and who the patient is where it leads.
        var shut = await doctor.Send("GET", chart);
        Assert.Equal(HttpStatusCode.NotFound, shut.Status);
        Assert.Contains("This chart is closed to you", shut.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("MarkNameMark", shut.Text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("/glass", (await admin.Send("GET", chart)).Text, StringComparison.Ordinal);
        var form = await doctor.Send("GET", chart + "/glass");
        Assert.Equal(HttpStatusCode.OK, form.Status);
        Assert.Contains("MarkNameMark", form.Text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("MarkNotesMark", form.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await doctor.Send("GET", $"/patients/{Ids.New():N}/glass")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.Send("GET", chart + "/glass")).Status);

        // What is missing is said, and what was typed stands there again; the code never does.
        var wrong = await Break(doctor, chart, "life-at-risk", Words, "not-the-code");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.Status);
        Assert.Contains("factor.code", wrong.Text, StringComparison.Ordinal);
        Assert.Contains(Words, wrong.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("not-the-code", wrong.Text, StringComparison.Ordinal);
        Assert.Contains("glass.reason", (await Break(doctor, chart, "because", Words, "x")).Text, StringComparison.Ordinal);
        Assert.Contains("glass.words", (await Break(doctor, chart, "life-at-risk", "now", "x")).Text, StringComparison.Ordinal);

        // Of an access of before, if there was one, everything has been seen.
        Assert.Equal(HttpStatusCode.SeeOther, (await admin.Send("POST", "/privacy/seen")).Status);
        Assert.DoesNotContain("data-test=\"glass-notice\"", (await admin.Send("GET", "/privacy/notices")).Text, StringComparison.Ordinal);

        var old = doctor.Cookies;
        var opened = await Break(doctor, chart, "life-at-risk", Words, codes.Dequeue());
        Assert.Equal(HttpStatusCode.SeeOther, opened.Status);
        Assert.True(doctor.Enter(opened));
        Assert.NotEqual(old, doctor.Cookies);

        // The record with its strip; told at once; another record, and what leaves the screen, stay shut.
        var record = await doctor.Send("GET", chart);
        Assert.Equal(HttpStatusCode.OK, record.Status);
        Assert.Contains("MarkNotesMark", record.Text, StringComparison.Ordinal);
        Assert.Contains("data-test=\"glass-strip\"", record.Text, StringComparison.Ordinal);
        Assert.Contains("data-test=\"glass-owed\"", record.Text, StringComparison.Ordinal);
        Assert.InRange(int.Parse(LeftNow().Match(record.Text).Groups["left"].Value, System.Globalization.CultureInfo.InvariantCulture), 3_500, 3_600);
        Assert.InRange(int.Parse((await doctor.Send("GET", chart + "/glass/state")).Text, System.Globalization.CultureInfo.InvariantCulture), 3_500, 3_600);
        Assert.Contains("data-test=\"glass-notice\"", (await admin.Send("GET", "/privacy/notices")).Text, StringComparison.Ordinal);
        Assert.Contains("data-test=\"glass-notice\"", (await admin.Send("GET", "/admin")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await doctor.Send("GET", "/patients/" + other.Values["patient"])).Status);
        var id = Guid.ParseExact(closed.Values["patient"], "N").ToString("D");
        Assert.Equal(HttpStatusCode.NotFound, (await doctor.Send("GET", $"/fhir/R4/Patient/{id}")).Status);
        Assert.DoesNotContain("MarkNotesMark", (await doctor.Send("GET", $"/fhir/R4/Observation?patient={id}")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, (await doctor.Send("GET", chart + "/glass")).Status);

        // Closed by the person: gone at once.
        Assert.Equal(HttpStatusCode.SeeOther, (await doctor.Send("POST", chart + "/glass/close")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await doctor.Send("GET", chart)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await doctor.Send("GET", chart + "/glass/state")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await doctor.Send("POST", chart + "/glass/close")).Status);

        // The justification, and the review by somebody else.
        var own = await doctor.Send("GET", "/glass");
        var access = Access().Match(own.Text).Groups["id"].Value;
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await doctor.Send("POST", "/glass/" + access, Form(("words", "short")))).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await doctor.Send("POST", "/glass/" + access, Form(("words", "Read medicines and allergies before the first dose.")))).Status);
        Assert.DoesNotContain("data-test=\"glass-owed\"", (await doctor.Send("GET", "/patients")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await doctor.Send("GET", "/privacy")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await doctor.Send("GET", "/privacy/" + access)).Status);
        Assert.Contains(access[..8], (await admin.Send("GET", "/privacy")).Text, StringComparison.Ordinal);
        var file = (await admin.Send("GET", "/privacy/" + access)).Text;
        Assert.Contains(Words, file, StringComparison.Ordinal);
        Assert.Contains("before the first dose", file, StringComparison.Ordinal);
        Assert.DoesNotContain("MarkNameMark", file, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await admin.Send("POST", "/privacy/" + access, Form(("outcome", "appropriate"), ("words", "ok")))).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await admin.Send("POST", "/privacy/" + access, Form(("outcome", "appropriate"), ("words", "It could not wait, and nothing else was read.")))).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await admin.Send("POST", "/privacy/seen")).Status);
        Assert.DoesNotContain("data-test=\"glass-notice\"", (await admin.Send("GET", "/admin")).Text, StringComparison.Ordinal);

        var log = await hospital.Log();
        var flagged = log.Where(entry => entry.Outcome == AuditOutcome.BreakGlass && entry.Patients.Contains(Guid.ParseExact(closed.Values["patient"], "N"))).ToList();
        Assert.Equal(["BREAK_GLASS", "VIEW_CHART"], flagged.Select(entry => entry.Action).Distinct().Order(StringComparer.Ordinal));
        Assert.All(flagged, entry => Assert.StartsWith($"glass:{access[..8]}", entry.Reason, StringComparison.Ordinal));
        Assert.All(flagged, entry => Assert.Equal([Guid.ParseExact(closed.Values["patient"], "N")], entry.Patients));
    }

    [Fact]
    public async Task A_nurse_reads_in_an_emergency_what_a_doctor_reads_and_writes_no_more_than_ever()
    {
        hospital = await HostedHospital.Open(sample, sample.Storage, TimeProvider.System, Ids.New);
        var closed = (await hospital.Patients.Arrive()).Last(one => !one.InCare).Patient;
        var chart = "/patients/" + closed.Values["patient"];
        using var nurse = await WithPhone(Role.Nurse);
        var opened = await Break(nurse, chart, "unconscious", Words, codes.Dequeue());
        Assert.Equal(HttpStatusCode.SeeOther, opened.Status);
        Assert.True(nurse.Enter(opened));

        var record = (await nurse.Send("GET", chart)).Text;
        Assert.Contains("MarkNotesMark", record, StringComparison.Ordinal);
        Assert.DoesNotContain("data-test=\"addendum-open\"", record, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await nurse.Send("POST", $"{chart}/notes/{closed.Values["note"]}/addenda", Form(("id", Ids.New().ToString("N")), ("text", "A nurse wrote this.")))).Status);

        // Who locks the screen has to begin anew.
        await nurse.Send("POST", "/lock");
        Assert.NotEqual(HttpStatusCode.OK, (await nurse.Send("GET", chart)).Status);
        Assert.Contains((await hospital.Log()), entry => entry is { Action: "CLOSE_GLASS", Reason: "Locked" });
    }

    public async ValueTask DisposeAsync()
    {
        if (hospital is not null)
        {
            await hospital.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Signs somebody in who has set up a phone before.</summary>
    private async Task<Browser> WithPhone(Role role)
    {
        var (user, password) = sample.Login(role);
        var desk = hospital!.Hospital.Vault.Identity;
        var session = (await desk.SignIn.Password(user, password, "address:10.0.0.7", default)).Value.Session!;
        Assert.True(Base32.TryDecode((await desk.SecondFactor.Begin(session.Token, password, default, default)).Value.Secret, out var secret));
        var renewed = (await desk.SecondFactor.Confirm(session.Token, Totp.Code(secret, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds), default)).Value;
        foreach (var code in desk.SecondFactor.TakeCodes(renewed.Actor)!)
        {
            codes.Enqueue(code);
        }

        return await Browser.SignIn(hospital.Address, user, password, codes.Dequeue);
    }

    private static Task<Seen> Break(Browser browser, string chart, string reason, string words, string code) =>
        browser.Send("POST", chart + "/glass", Form(("reason", reason), ("words", words), ("code", code)));

    private static Dictionary<string, string> Form(params (string Name, string Value)[] fields) => fields.ToDictionary(field => field.Name, field => field.Value, StringComparer.Ordinal);

    [GeneratedRegex("data-glass-left=\"(?<left>\\d+)\"", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex LeftNow();

    [GeneratedRegex("action=\"/glass/(?<id>[0-9a-f]{32})\"", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Access();
}

public sealed class GlassWebOnSqliteTests(SampleHospital sample) : GlassWebTests(sample), IClassFixture<SampleHospital>;

public sealed class GlassWebOnPostgresTests(SampleOnPostgres sample) : GlassWebTests(sample), IClassFixture<SampleOnPostgres>;
