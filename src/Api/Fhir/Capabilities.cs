using System.Text.Json;

namespace Mangrove.Api.Fhir;

/// <summary>What this server can do, as R4's CapabilityStatement. It says no more than is there.</summary>
internal static class Capabilities
{
    public static byte[] Statement { get; } = JsonSerializer.SerializeToUtf8Bytes(new
    {
        resourceType = "CapabilityStatement",
        status = "active",
        date = "2026-11-23",
        kind = "instance",
        software = new { name = "Mangrove" },
        implementation = new { description = "The hospital's own records, by the role or the approved scopes of who asks. Every answer is an entry in the audit log." },
        fhirVersion = "4.0.1",
        format = new[] { "application/fhir+json" },
        rest = new[]
        {
            new
            {
                mode = "server",
                security = new
                {
                    service = new[] { new { coding = new[] { new { system = "http://terminology.hl7.org/CodeSystem/restful-security-service", code = "SMART-on-FHIR" } } } },
                    description = "Programs: SMART Backend Services, private_key_jwt with ES256, tokens of five minutes; see .well-known/smart-configuration. Staff: the hospital's own sign-in.",
                },
                resource = new object[]
                {
                    new { type = "Patient", interaction = new[] { new { code = "read" } } },
                    new
                    {
                        type = "Observation",
                        interaction = new[] { new { code = "search-type" } },
                        searchParam = new[]
                        {
                            new { name = "patient", type = "reference" },
                            new { name = "category", type = "token" },
                            new { name = "code", type = "token" },
                        },
                    },
                },
            },
        },
    });
}
