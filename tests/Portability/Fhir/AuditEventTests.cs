using System.Text;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Portability.Fhir;
using Mangrove.Vault.Audit;

namespace Mangrove.Tests.Portability.Fhir;

/// <summary>Entries of the log as AuditEvents: valid by the official schema and definitions, and what claims a profile of IHE BALP keeps its rules.</summary>
public sealed class AuditEventTests
{
    private static readonly Guid Patient = Ids.New();

    [Fact]
    public void Every_kind_of_entry_is_a_valid_audit_event()
    {
        using var scratch = new Scratch();
        var lines = new StringBuilder();
        var count = 0;
        foreach (var kind in Enum.GetValues<AuditKind>())
        {
            foreach (var outcome in Enum.GetValues<AuditOutcome>())
            {
                foreach (var (patients, records, device) in ((Guid[], bool, string)[])[([Patient], false, "OPD-1"), ([Patient], true, "OPD-1"), ([], false, ""), ([Patient, Ids.New()], false, "address:10.0.0.1")])
                {
                    lines.Append(Encoding.UTF8.GetString(Written(Entry(kind, outcome, patients, records, device)))).Append('\n');
                    count++;
                }
            }
        }

        var verdict = FhirCheck.Validate(scratch.Write("AuditEvent.ndjson", lines.ToString()));
        Assert.Equal(count, verdict.Resources);
        Assert.Empty(verdict.Problems);
    }

    // PatientRead.fsh and PatientUpdate.fsh of IHE's Basic Audit Log Patterns.
    [Theory]
    [InlineData(false, "PatientRead", "R", "read", "110152", "110153", "IRCP")]
    [InlineData(true, "PatientUpdate", "U", "update", "110153", "110152", "AUT")]
    public void A_look_and_a_change_keep_the_rules_of_the_profile_that_they_claim(bool records, string profile, string action, string interaction, string client, string server, string user)
    {
        var written = JsonDocument.Parse(Written(Entry(AuditKind.Access, AuditOutcome.Allowed, [Patient], records, "OPD-1"))).RootElement;
        Assert.Equal($"https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{profile}", written.GetProperty("meta").GetProperty("profile")[0].GetString());
        Assert.Equal(("rest", action, "0"), (written.GetProperty("type").GetProperty("code").GetString(), written.GetProperty("action").GetString(), written.GetProperty("outcome").GetString()));
        Assert.Equal(interaction, written.GetProperty("subtype").EnumerateArray().Single(one => one.GetProperty("system").GetString() == "http://hl7.org/fhir/restful-interaction").GetProperty("code").GetString());
        var agents = written.GetProperty("agent").EnumerateArray().ToDictionary(one => one.GetProperty("type").GetProperty("coding")[0].GetProperty("code").GetString()!);
        Assert.Equal(new[] { client, server, user }.Order(StringComparer.Ordinal), agents.Keys.Order(StringComparer.Ordinal));
        Assert.All((string[])[client, server], code => Assert.True(agents[code].TryGetProperty("who", out _) && agents[code].TryGetProperty("network", out _) && !agents[code].GetProperty("requestor").GetBoolean()));
        Assert.True(agents[user].GetProperty("requestor").GetBoolean());
        Assert.False(agents[user].TryGetProperty("network", out _));
        var entities = written.GetProperty("entity").EnumerateArray().ToLookup(one => one.GetProperty("type").GetProperty("code").GetString());
        Assert.Equal("4", Assert.Single(entities["2"]).GetProperty("role").GetProperty("code").GetString());
        var patient = Assert.Single(entities["1"]);
        Assert.Equal(("1", "P-1048370"), (patient.GetProperty("role").GetProperty("code").GetString(), patient.GetProperty("what").GetProperty("identifier").GetProperty("value").GetString()));
    }

    [Fact]
    public void A_refusal_and_a_search_claim_no_profile_and_what_was_typed_at_a_break_glass_is_nowhere()
    {
        Assert.DoesNotContain("\"meta\"", Text(Entry(AuditKind.Access, AuditOutcome.Refused, [Patient], false, "OPD-1")), StringComparison.Ordinal);
        Assert.DoesNotContain("\"meta\"", Text(Entry(AuditKind.Access, AuditOutcome.Allowed, [Patient, Ids.New()], false, "OPD-1")), StringComparison.Ordinal);
        var glass = Text(Entry(AuditKind.Access, AuditOutcome.BreakGlass, [Patient], false, "OPD-1"));
        Assert.DoesNotContain("reason of the entry", glass, StringComparison.Ordinal);
        Assert.Contains("\"BTG\"", glass, StringComparison.Ordinal);
    }

    private static AuditEntry Entry(AuditKind kind, AuditOutcome outcome, Guid[] patients, bool records, string device) => new(
        482_870, DateTimeOffset.UnixEpoch.AddDays(20_000), "dr.ahmed", "S-0042", "VIEW_CHART", "patient:P-1048370", ["diagnosis"], device, "", "sess_1", "Treatment", "reason of the entry",
        outcome, kind, 0, patients, Ids.New(), Ids.New(), Ids.New(), new byte[32], new byte[32]) { Records = records };

    private static byte[] Written(AuditEntry entry) => ResourceWriter.Write(entry, new Dictionary<Guid, string> { [Patient] = "P-1048370" });

    private static string Text(AuditEntry entry) => Encoding.UTF8.GetString(Written(entry));
}
