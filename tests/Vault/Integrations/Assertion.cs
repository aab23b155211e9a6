using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using static System.Buffers.Text.Base64Url;

namespace Mangrove.Tests.Vault.Integrations;

/// <summary>A client's assertion as another library would write it, and whatever can be wrong with one.</summary>
internal sealed class Assertion
{
    private readonly ECDsa key;

    public Assertion(IntegrationHouse house, string client)
    {
        key = house.Key;
        var now = house.Clock.GetUtcNow().ToUnixTimeSeconds();
        Claims = new JsonObject
        {
            ["iss"] = client,
            ["sub"] = client,
            ["aud"] = IntegrationHouse.Audience,
            ["exp"] = now + 300,
            ["jti"] = Convert.ToHexString(RandomNumberGenerator.GetBytes(16)),
        };
    }

    public JsonObject Header { get; } = new() { ["alg"] = "ES256", ["typ"] = "JWT" };

    public JsonObject Claims { get; }

    public Assertion With(string claim, JsonNode? value)
    {
        Claims.Remove(claim);
        if (value is not null)
        {
            Claims[claim] = value;
        }

        return this;
    }

    public Assertion Headed(string name, JsonNode value)
    {
        Header[name] = value;
        return this;
    }

    public string Signed(Func<byte[], byte[]>? sign = null) => Over(Header.ToJsonString(), Claims.ToJsonString(), sign);

    public string Over(string header, string claims, Func<byte[], byte[]>? sign = null)
    {
        var text = $"{EncodeToString(Encoding.UTF8.GetBytes(header))}.{EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{text}.{EncodeToString((sign ?? (bytes => key.SignData(bytes, HashAlgorithmName.SHA256)))(Encoding.UTF8.GetBytes(text)))}";
    }

    /// <summary>The key as both sides know it, used as a shared secret: the classic confusion of algorithms.</summary>
    public string SignedWithThePublicKey() => Headed("alg", "HS256").Signed(bytes => HMACSHA256.HashData(Encoding.UTF8.GetBytes(key.ExportSubjectPublicKeyInfoPem()), bytes));
}
