using System.Globalization;
using System.Net;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Verifier;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Cli;

/// <summary>The log for people: filters, plots, exports that are signed, the accounting for a patient, the root on paper. Each look is an entry, and no address names anybody.</summary>
public sealed partial class AuditPagesTests(AuditPagesTests.House house) : IClassFixture<AuditPagesTests.House>
{
    [Theory]
    [InlineData("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\tx", "'\tx")]
    [InlineData("\rx", "\"'\rx\"")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("P-1000001", "P-1000001")]
    public void No_cell_of_a_table_is_run_by_a_spreadsheet(string value, string cell) =>
        Assert.Equal(cell, Assembly.Load("Mangrove.Web").GetType("Mangrove.Web.Administration.AuditCsv")!.GetMethod("Cell", BindingFlags.NonPublic | BindingFlags.Static)!.Invoke(null, [value]));

    [Fact]
    public async Task An_export_is_a_signed_table_and_signed_audit_events_for_whoever_made_it_and_an_entry()
    {
        using var admin = await house.Hosted.SignIn(Role.Admin);
        var answer = await admin.Send("POST", "/admin/audit/export", new(StringComparer.Ordinal) { ["number"] = house.Number });
        Assert.Equal(HttpStatusCode.SeeOther, answer.Status);
        var address = Location().Match(answer.Headers).Groups["to"].Value;
        Assert.Matches("^/admin/audit/exports/[0-9a-f]{32}$", address);
        var page = await admin.Send("GET", address);
        Assert.Contains("acts.csv", page.Text, StringComparison.Ordinal);

        using var key = ECDsa.Create();
        key.ImportFromPem((await admin.Send("GET", address + "/log.pem")).Text);
        Assert.Equal(NoteKey.Read(house.Hosted.Hospital.Vault.Review.PublicKey).ToString().Split('+', 3)[2], Convert.ToBase64String([2, .. key.ExportSubjectPublicKeyInfo()]));
        foreach (var file in (string[])["acts.csv", "AuditEvent.ndjson"])
        {
            var bytes = (await admin.Send("GET", $"{address}/{file}")).Body;
            var signature = (await admin.Send("GET", $"{address}/{file}.sig")).Body;
            Assert.True(key.VerifyData(bytes, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
            bytes[^2] ^= 1;
            Assert.False(key.VerifyData(bytes, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        var lines = (await admin.Send("GET", address + "/acts.csv")).Text.TrimEnd().Split("\r\n");
        var events = (await admin.Send("GET", address + "/AuditEvent.ndjson")).Text.TrimEnd().Split('\n');
        Assert.StartsWith("seq,timestamp,actor,", lines[0], StringComparison.Ordinal);
        Assert.True(lines.Length > 1);
        Assert.Equal(lines.Length - 1, events.Length);
        Assert.All(events, one => Assert.Contains(house.Number, one, StringComparison.Ordinal));
        Assert.Contains(await house.Hosted.Log(), entry => entry.Action == "EXPORT_AUDIT_LOG" && entry.Resource == $"audit:patient:{house.Number}");

        // Somebody else's session, an id that nobody has, and more than a file of this export.
        using var nurse = await house.Hosted.SignIn(Role.Nurse);
        Assert.Equal(HttpStatusCode.NotFound, (await nurse.Send("GET", address)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.Send("GET", $"/admin/audit/exports/{new string('0', 32)}/acts.csv")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.Send("GET", address + "/vault.db")).Status);
    }

    [Fact]
    public async Task The_accounting_for_a_patient_says_who_got_what_and_is_an_entry()
    {
        using var admin = await house.Hosted.SignIn(Role.Admin);
        var paper = await admin.Send("POST", "/admin/audit/disclosures", new(StringComparer.Ordinal) { ["number"] = house.Number });
        Assert.Equal(HttpStatusCode.OK, paper.Status);
        Assert.Contains("Accounting of disclosures", paper.Text, StringComparison.Ordinal);
        var outside = paper.Text[paper.Text.IndexOf("aria-label=\"Given to others\"", StringComparison.Ordinal)..paper.Text.IndexOf("aria-label=\"Looked at in the hospital\"", StringComparison.Ordinal)];
        Assert.Contains("Exported records", outside, StringComparison.Ordinal);
        Assert.Contains("data-test=\"paper-row\"", paper.Text[paper.Text.IndexOf("aria-label=\"Looked at in the hospital\"", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.Contains(await house.Hosted.Log(), entry => entry.Action == "ACCOUNT_DISCLOSURES" && entry.Resource == $"audit:patient:{house.Number}");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await admin.Send("POST", "/admin/audit/disclosures", new(StringComparer.Ordinal) { ["number"] = "" })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await admin.Send("POST", "/admin/audit/disclosures", new(StringComparer.Ordinal) { ["number"] = "P-1" })).Status);
    }

    [Fact]
    public async Task Purpose_and_device_narrow_the_list_and_the_plots_stand_beside_it()
    {
        using var admin = await house.Hosted.SignIn(Role.Admin);
        var all = await admin.Send("POST", "/admin/audit", []);
        Assert.Contains("data-test=\"audit-times\"", all.Text, StringComparison.Ordinal);
        Assert.Contains("data-test=\"audit-hours\"", all.Text, StringComparison.Ordinal);
        var system = await admin.Send("POST", "/admin/audit", new(StringComparer.Ordinal) { ["purpose"] = "System" });
        Assert.NotEmpty(Acts().Matches(system.Text));
        var entries = (await house.Hosted.Log()).ToDictionary(entry => entry.Seq.ToString(CultureInfo.InvariantCulture));
        Assert.All(Acts().Matches(system.Text), act => Assert.Equal("System", entries[act.Groups["seq"].Value].Purpose));
        var nowhere = await admin.Send("POST", "/admin/audit", new(StringComparer.Ordinal) { ["device"] = "No-Such-Device" });
        Assert.Empty(Acts().Matches(nowhere.Text));
        var device = entries.Values.Last(entry => entry.Device.Length > 0).Device;
        foreach (var typed in (string[])[device, device.Replace("address:", "", StringComparison.Ordinal)])
        {
            var there = await admin.Send("POST", "/admin/audit", new(StringComparer.Ordinal) { ["device"] = typed });
            Assert.NotEmpty(Acts().Matches(there.Text));
            Assert.All(Acts().Matches(there.Text), act => Assert.True(!entries.TryGetValue(act.Groups["seq"].Value, out var entry) || entry.Device == device));
        }

        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await admin.Send("POST", "/admin/audit", new(StringComparer.Ordinal) { ["purpose"] = "Curiosity" })).Status);
    }

    [Fact]
    public async Task The_root_on_paper_is_a_note_that_the_verifier_takes_as_an_anchor()
    {
        using var admin = await house.Hosted.SignIn(Role.Admin);
        var page = await admin.Send("GET", "/admin/audit/root");
        var text = WebUtility.HtmlDecode(Printed().Match(page.Text).Groups["note"].Value);
        var review = house.Hosted.Hospital.Vault.Review;
        using var key = NoteKey.Read(review.PublicKey);
        Assert.True(Note.Read(text).SignedBy(key));
        Assert.Contains(await house.Hosted.Log(), entry => entry.Action == "PRINT_LOG_ROOT");
        Assert.Empty((await Verified(key, text)).Findings);
    }

    /// <summary>The server goes on writing of its own accord, and a log that grew while it was read is not judged: it is read again.</summary>
    private async Task<Verdict> Verified(NoteKey key, string anchor)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await LogVerification.Run(Path.Combine(house.Data, "audit.db"), [key], Anchor.ReadAll(Encoding.UTF8.GetBytes(anchor)), [], 8, TimeProvider.System, null, default);
            }
            catch (VerifierRefusal busy) when (busy.Code == "verifier.log-busy" && tries < 10)
            {
                // An entry came between the first and the last byte.
            }
        }
    }

    [Theory]
    [InlineData("GET", "/admin/audit/root", "PRINT_LOG_ROOT")]
    [InlineData("POST", "/admin/audit/export", "VIEW_AUDIT_LOG")]
    [InlineData("POST", "/admin/audit/disclosures", "VIEW_AUDIT_LOG")]
    public async Task Whoever_may_not_read_the_log_gets_nothing_and_the_try_is_an_entry(string method, string path, string action)
    {
        using var nurse = await house.Hosted.SignIn(Role.Nurse);
        var before = (await house.Hosted.Log()).Count(Tried);
        var answer = await nurse.Send(method, path, new(StringComparer.Ordinal) { ["number"] = house.Number });
        Assert.True(answer.Status is HttpStatusCode.Forbidden or HttpStatusCode.NotFound, answer.Status.ToString());
        Assert.DoesNotContain(house.Number, answer.Text, StringComparison.Ordinal);
        Assert.Equal(before + 1, (await house.Hosted.Log()).Count(Tried));

        bool Tried(AuditEntry entry) => entry.Action == action && entry.Outcome == AuditOutcome.Refused;
    }

    [GeneratedRegex("Location: (?<to>[^\\n]+)", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Location();

    [GeneratedRegex("data-test=\"act\" data-seq=\"(?<seq>[0-9]+)\"", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Acts();

    [GeneratedRegex("data-test=\"root-note\">(?<note>[^<]+)</pre>", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Printed();

    /// <summary>One server for the class, and a patient whose record somebody opened.</summary>
    public sealed class House : SampleHospital, IAsyncLifetime
    {
        private HostedHospital? hosted;

        internal HostedHospital Hosted => hosted ?? throw new InvalidOperationException("The server has not started yet.");

        internal string Number { get; private set; } = "";

        public new async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            using var folder = new Folder();
            var (user, file) = Account("admin");
            var exported = await Executable.Run("export", "fhir", "--out", folder["all"], "--as", user, "--password-file", file, "--data", Data, "--json");
            Assert.True(exported.Exit == 0, exported.Out + exported.Error);
            hosted = await HostedHospital.Open(this, Storage, TimeProvider.System, Ids.New);
            var touched = (await hosted.Log()).Last(entry => entry.Patients.Count == 1).Patients[0];
            await using var clinic = await hosted.Hospital.Clinics.CreateDbContextAsync();
            Number = await clinic.Patients.Where(row => row.Id == touched).Select(row => row.Mrn).SingleAsync();
        }

        public new async ValueTask DisposeAsync()
        {
            if (hosted is not null)
            {
                await hosted.DisposeAsync();
            }

            await base.DisposeAsync();
        }
    }
}
