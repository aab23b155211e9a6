using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Mangrove.Vault.Integrations;

/// <summary>
/// A JSON Web Token in compact form (RFC 7515, 3.1), taken apart and not believed yet. Strict on purpose: three parts in
/// canonical base64url, JSON objects without a doubled member, one algorithm. What a header says of keys (<c>jku</c>,
/// <c>jwk</c>, <c>x5u</c>) is not read: the key is the one that was registered.
/// </summary>
internal sealed class SignedToken
{
    /// <summary>The one algorithm: ECDSA on P-256 with SHA-256. There is no list to confuse.</summary>
    public const string Algorithm = "ES256";

    private const int Longest = 4096;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 4, AllowDuplicateProperties = false };

    private readonly JsonElement header;
    private readonly JsonElement claims;
    private readonly byte[] signed;
    private readonly byte[] signature;

    private SignedToken(JsonElement header, JsonElement claims, byte[] signed, byte[] signature)
    {
        this.header = header;
        this.claims = claims;
        this.signed = signed;
        this.signature = signature;
    }

    /// <summary>Takes a token apart; null when it is none.</summary>
    public static SignedToken? Read(string? text)
    {
        if (text is null or { Length: > Longest } || text.Split('.') is not [var head, var body, var seal])
        {
            return null;
        }

        return Part(head) is { } first && Part(body) is { } second && Part(seal) is { } signature && Object(first) is { } header && Object(second) is { } claims
            ? new SignedToken(header, claims, Encoding.ASCII.GetBytes(text, 0, head.Length + 1 + body.Length), signature)
            : null;
    }

    /// <summary>Writes a token of ours.</summary>
    public static string Write(object header, object claims, Func<byte[], byte[]> sign)
    {
        var text = $"{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(header))}.{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        return $"{text}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    /// <summary>
    /// Whether the header asks for nothing but the one algorithm and the signature fits. Extensions that a reader must
    /// understand (RFC 7515, 4.1.11) are not understood here.
    /// </summary>
    public bool Fits(Signature fits) => Text(header, "alg") == Algorithm && !header.TryGetProperty("crit", out _) && fits(signed, signature);

    /// <summary>A text of the header; null when it is missing or no text.</summary>
    public string? Header(string name) => Text(header, name);

    /// <summary>A text among the claims; null when it is missing or no text.</summary>
    public string? Claim(string name) => Text(claims, name);

    /// <summary>A claim that may be one text or a list of one (RFC 7519, 4.1.3: the audience).</summary>
    public string? OneOf(string name) => claims.TryGetProperty(name, out var claim) && claim is { ValueKind: JsonValueKind.Array } && claim.GetArrayLength() == 1 && claim[0].ValueKind == JsonValueKind.String
        ? claim[0].GetString()
        : Claim(name);

    /// <summary>Seconds since 1970 as a whole number; null when it is missing or anything else.</summary>
    public long? Seconds(string name) => claims.TryGetProperty(name, out var claim) && claim.ValueKind == JsonValueKind.Number && claim.TryGetInt64(out var seconds) ? seconds : null;

    /// <summary>A text of a member inside a claim; null when either is missing or anything else.</summary>
    public string? Inside(string name, string member) => claims.TryGetProperty(name, out var claim) && claim.ValueKind == JsonValueKind.Object ? Text(claim, member) : null;

    /// <summary>Whether the claim is there at all.</summary>
    public bool Has(string name) => claims.TryGetProperty(name, out _);

    private static string? Text(JsonElement members, string name) =>
        members.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;

    private static byte[]? Part(string text)
    {
        if (text.Length == 0 || text.Contains('=', StringComparison.Ordinal) || !Base64Url.IsValid(text) || text.Any(char.IsWhiteSpace))
        {
            return null;
        }

        var bytes = Base64Url.DecodeFromChars(text);

        // Several spellings decode to the same bytes; one token has one spelling.
        return Base64Url.EncodeToString(bytes) == text ? bytes : null;
    }

    private static JsonElement? Object(byte[] bytes)
    {
        try
        {
            using var json = JsonDocument.Parse(bytes, Strict);
            return json.RootElement.ValueKind == JsonValueKind.Object ? json.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether a signature is of exactly these bytes.</summary>
    public delegate bool Signature(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature);
}
