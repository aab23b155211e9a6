using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Integrations;

/// <summary>The public key of a program, on P-256: what its assertions are checked with (RFC 7518, 3.4).</summary>
public sealed record ClientKey
{
    private const int LongestText = 4096;

    private readonly byte[] info;

    private ClientKey(byte[] info, string thumbprint)
    {
        this.info = info;
        Thumbprint = thumbprint;
    }

    /// <summary>SHA-256 of the key as RFC 7638 writes it, in base64url: both sides can read it out to each other.</summary>
    public string Thumbprint { get; }

    private static Error Bad { get; } = new("integration.key-invalid", "This is no public key on P-256. Give it as PEM (BEGIN PUBLIC KEY) or as a JSON Web Key of kty EC and crv P-256.");

    private static Error Private { get; } = new("integration.key-private", "This is a private key, and nobody here may have it. Let the other side make a new pair and send the public half.");

    /// <summary>Reads a key as somebody pasted it.</summary>
    /// <returns>The key, or <c>integration.key-invalid</c>, <c>integration.key-private</c>.</returns>
    public static Result<ClientKey> Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > LongestText)
        {
            return Bad;
        }

        var trimmed = text.Trim();
        if (trimmed.Contains("PRIVATE KEY", StringComparison.Ordinal))
        {
            return Private;
        }

        return trimmed.StartsWith('{') ? FromJson(trimmed) : FromPem(trimmed);
    }

    internal byte[] Bytes() => [.. info];

    internal static ClientKey Stored(byte[] info)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(info, out _);
        return Of(key);
    }

    /// <summary>Whether the signature is this key's, of exactly these bytes.</summary>
    internal bool Verifies(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using var verifier = CheckpointVerifier.From(info);
        return verifier.Verify(data, signature);
    }

    private static Result<ClientKey> FromPem(string text)
    {
        if (!PemEncoding.TryFind(text, out var fields) || text[fields.Label] != "PUBLIC KEY")
        {
            return Bad;
        }

        try
        {
            return FromInfo(Convert.FromBase64String(text[fields.Base64Data]));
        }
        catch (FormatException)
        {
            return Bad;
        }
    }

    private static Result<ClientKey> FromInfo(byte[] info)
    {
        try
        {
            // Refuses other curves, points beside the curve and bytes after the key.
            CheckpointVerifier.From(info).Dispose();
        }
        catch (SealBroken)
        {
            return Bad;
        }

        return Stored(info);
    }

    private static Result<ClientKey> FromJson(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            var members = json.RootElement;
            if (members.TryGetProperty("d", out _))
            {
                return Private;
            }

            if (Member(members, "kty") != "EC" || Member(members, "crv") != "P-256" || Member(members, "x") is not { } x || Member(members, "y") is not { } y)
            {
                return Bad;
            }

            using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Base64Url.DecodeFromChars(x), Y = Base64Url.DecodeFromChars(y) } });
            return FromInfo(key.ExportSubjectPublicKeyInfo());
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException or CryptographicException)
        {
            return Bad;
        }
    }

    private static string? Member(JsonElement members, string name) =>
        members.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;

    private static ClientKey Of(ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;

        // The members in the order and spelling of RFC 7638, 3.2.
        var canonical = $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
        return new ClientKey(key.ExportSubjectPublicKeyInfo(), Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(canonical))));
    }
}
