using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web;

/// <summary>What a form holds, as typed: what a draft keeps and a refused form shows again.</summary>
internal static class FormFields
{
    private const int MostFields = 1000;

    /// <summary>The fields that were sent, without the antiforgery token.</summary>
    public static async Task<Dictionary<string, string>> Sent(HttpContext http, CancellationToken cancel) =>
        (await http.Request.ReadFormAsync(cancel))
            .Where(field => field.Key != FormToken.FieldName)
            .Take(MostFields)
            .ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.Ordinal);

    public static string Keep(Dictionary<string, string> fields) => JsonSerializer.Serialize(fields);

    public static Dictionary<string, string> Restore(string content) => JsonSerializer.Deserialize<Dictionary<string, string>>(content) ?? [];
}
