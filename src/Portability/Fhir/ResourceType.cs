using System.Text.Json;

namespace Mangrove.Portability.Fhir;

/// <summary>Reads the name of a resource type without trusting it: the text may be any bytes.</summary>
internal static class ResourceType
{
    private const int Longest = 64;

    public static string? Of(JsonElement name)
    {
        var raw = System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(name);
        return name.ValueKind == JsonValueKind.String && raw.Length is > 2 and <= Longest && Primitives.IsId(raw[1..^1]) ? name.GetString() : null;
    }
}
