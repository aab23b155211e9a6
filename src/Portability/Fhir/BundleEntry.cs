using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir;

/// <summary>What a bundle and each of its entries ask for (https://hl7.org/fhir/R4/bundle.html).</summary>
internal static class BundleEntry
{
    public static Error Nested { get; } = new("fhir.nested-bundle", "A bundle lies inside another file. Import it as a file of its own.");

    private static Error History { get; } = new("fhir.ambiguous-history", "The bundle holds several versions of one resource, and which one holds now cannot be told. Export the current versions.");

    private static Error Answer { get; } = new("fhir.bundle-is-answer", "The bundle is a server's answer to a transaction and not the data. Import the data itself.");

    private static Error NoRequest { get; } = new("fhir.no-request", "The entry of a transaction or batch does not say what to do. Add request.method and request.url.");

    private static Error Delete { get; } = new("fhir.delete-refused", "Importing does not delete. Destroy or correct records inside the hospital, where it is decided and recorded.");

    private static Error Patch { get; } = new("fhir.patch-refused", "Importing does not patch. Send the whole resource.");

    private static Error Question { get; } = new("fhir.request-without-data", "The entry asks a server for something and carries no data. Remove it.");

    private static Error NoResource { get; } = new("fhir.no-resource", "The entry carries no resource. Remove it or add the resource.");

    private static Error Mismatch { get; } = new("fhir.request-mismatch", "The address of the request does not name the resource that the entry carries. Correct one of them.");

    /// <summary>Why a bundle of that type is not taken as a whole, or null.</summary>
    public static Error? Refusal(string type, JsonElement entries) => type switch
    {
        "transaction-response" or "batch-response" => Answer,
        "history" => Repeats(entries) ? History : null,
        _ => null,
    };

    public static Result<(string? FullUrl, JsonElement Resource, RequestIntent Intent, string? Query)> Read(JsonElement entry, string bundleType)
    {
        var fullUrl = entry.TryGetProperty("fullUrl", out var url) ? url.GetString() : null;
        var carried = entry.TryGetProperty("resource", out var resource);
        if (bundleType is not ("transaction" or "batch"))
        {
            return carried ? (fullUrl, resource, RequestIntent.None, null) : NoResource;
        }

        if (!entry.TryGetProperty("request", out var request))
        {
            return NoRequest;
        }

        var method = request.TryGetProperty("method", out var verb) ? verb.GetString() : null;
        switch (method)
        {
            case "DELETE":
                return Delete;
            case "PATCH":
                return Patch;
            case "POST" or "PUT" when carried:
                break;
            case "POST" or "PUT":
                return NoResource;
            default:
                return Question;
        }

        var address = request.TryGetProperty("url", out var target) ? target.GetString()! : string.Empty;
        var mark = address.IndexOf('?', StringComparison.Ordinal);
        var path = (mark < 0 ? address : address[..mark]).Trim('/').Split('/');
        var type = resource.ValueKind == JsonValueKind.Object && resource.TryGetProperty("resourceType", out var name) ? ResourceType.Of(name) : null;
        if (method == "POST")
        {
            var unless = request.TryGetProperty("ifNoneExist", out var condition) ? condition.GetString()!.TrimStart('?') : null;
            return path[^1] != type ? Mismatch
                : (fullUrl, resource, unless is null ? RequestIntent.Create : RequestIntent.CreateUnlessFound, unless);
        }

        if (mark >= 0)
        {
            return path[^1] != type ? Mismatch : (fullUrl, resource, RequestIntent.UpdateFound, address[(mark + 1)..]);
        }

        var id = resource.ValueKind == JsonValueKind.Object && resource.TryGetProperty("id", out var text) && text.ValueKind == JsonValueKind.String
            && Primitives.IsId(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(text)[1..^1]) ? text.GetString() : null;
        return path.Length < 2 || path[^2] != type || path[^1] != id ? Mismatch : (fullUrl, resource, RequestIntent.Update, null);
    }

    private static bool Repeats(JsonElement entries)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in entries.ValueKind == JsonValueKind.Array ? entries.EnumerateArray() : default)
        {
            // Without a readable name it cannot be told apart from the others.
            if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty("resource", out _) || !entry.TryGetProperty("fullUrl", out var url)
                || url.ValueKind != JsonValueKind.String || Primitives.Check(url, Primitive.Uri, 4096) is not null || !seen.Add(url.GetString()!))
            {
                return true;
            }
        }

        return false;
    }
}
