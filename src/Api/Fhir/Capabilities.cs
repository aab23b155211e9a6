using System.Text.Json;

namespace Mangrove.Api.Fhir;

/// <summary>What this server can do, as R4's CapabilityStatement. It says no more than is there.</summary>
internal static class Capabilities
{
    public static byte[] Statement { get; } = JsonSerializer.SerializeToUtf8Bytes(new
    {
        resourceType = "CapabilityStatement",
        status = "active",
        date = "2026-11-22",
        kind = "instance",
        software = new { name = "Mangrove" },
        implementation = new { description = "The hospital's own records, by the role of who asks. Every answer is an entry in the audit log." },
        fhirVersion = "4.0.1",
        format = new[] { "application/fhir+json" },
        rest = new[]
        {
            new
            {
                mode = "server",
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
