using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Api.Fhir;

/// <summary>Answers as FHIR writes them. What is refused and what does not exist get the same bytes, so nothing can be learnt from them.</summary>
internal static class FhirAnswer
{
    private const string MediaType = "application/fhir+json; charset=utf-8";

    private static readonly byte[] BadToken = Outcome("login", "The access token is missing, wrong, expired or withdrawn. Ask for a new one.");

    private static readonly byte[] Absent = Outcome("not-found", "Not found, or not yours to open.");

    public static IResult Resource(ReadOnlySpan<byte> resource) => Results.Text(resource, MediaType, StatusCodes.Status200OK);

    public static IResult NotFound() => Results.Text(Absent, MediaType, StatusCodes.Status404NotFound);

    /// <summary>The one answer for whatever is wrong with a program's token.</summary>
    public static IResult Unauthorised() => Results.Text(BadToken, MediaType, StatusCodes.Status401Unauthorized);

    /// <param name="sentence">Says what to do; takes nothing from the request.</param>
    public static IResult BadRequest(string sentence) => Results.Text(Outcome("invalid", sentence), MediaType, StatusCodes.Status400BadRequest);

    public static IResult Unavailable(string sentence) => Results.Text(Outcome("transient", sentence), MediaType, StatusCodes.Status503ServiceUnavailable);

    private static byte[] Outcome(string code, string sentence)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "OperationOutcome");
            json.WriteStartArray("issue");
            json.WriteStartObject();
            json.WriteString("severity", "error");
            json.WriteString("code", code);
            json.WriteString("diagnostics", sentence);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
