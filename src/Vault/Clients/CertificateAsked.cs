using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Kernel;

namespace Mangrove.Vault.Clients;

/// <summary>
/// What is taken of a certificate request (PKCS#10, RFC 2986): its public key and nothing else. Names, uses and lives that it
/// asks for are not read; the signature in it shows that whoever asks has the private half.
/// </summary>
internal static class CertificateAsked
{
    private const int LongestText = 16 * 1024;
    private const int LeastBits = 3072;
    private const int MostBits = 8192;
    private const string EllipticCurve = "1.2.840.10045.2.1";
    private const string P256 = "1.2.840.10045.3.1.7";

    private static Error Bad { get; } = new("certificate.request-invalid", "This is no certificate request that shows its key. Give it as PEM (BEGIN CERTIFICATE REQUEST), as openssl req -new writes it.");

    private static Error WeakKey { get; } = new("certificate.key", "The key of the request is neither on P-256 nor RSA of 3072 to 8192 bits. Make a new key and a new request.");

    private static Error Private { get; } = new("certificate.private", "This holds a private key, and nobody here may have it. Make a new key, and send the certificate request alone.");

    /// <summary>Reads a request as somebody pasted it.</summary>
    /// <returns>The public key, or <c>certificate.request-invalid</c>, <c>certificate.key</c>, <c>certificate.private</c>.</returns>
    public static Result<PublicKey> Key(string? text)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > LongestText)
        {
            return Bad;
        }

        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
        {
            return Private;
        }

        try
        {
            // Without options the signature of the request is verified and its extensions are left out.
            var asked = CertificateRequest.LoadSigningRequestPem(text, HashAlgorithmName.SHA384, CertificateRequestLoadOptions.Default, RSASignaturePadding.Pkcs1);
            return IsStrong(asked.PublicKey) ? asked.PublicKey : WeakKey;
        }
        catch (Exception malformed) when (malformed is CryptographicException or ArgumentException or FormatException or NotSupportedException)
        {
            return Bad;
        }
    }

    private static bool IsStrong(PublicKey key)
    {
        if (key.Oid.Value == EllipticCurve)
        {
            using var curve = key.GetECDsaPublicKey();
            return curve?.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == P256;
        }

        using var rsa = key.GetRSAPublicKey();
        return rsa?.KeySize is >= LeastBits and <= MostBits;
    }
}
