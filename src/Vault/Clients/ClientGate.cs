using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Kernel;

namespace Mangrove.Vault.Clients;

/// <summary>
/// Judges the certificate that a connection shows while it shakes hands. Four things are asked, each for itself: a chain to
/// the hospital's authority and to nothing else, the one use, the dates by the hospital's clock, and that it is listed and
/// not taken back. Nobody outside is asked.
/// </summary>
public sealed class ClientGate : IDisposable
{
    private readonly CertificateRegister register;
    private readonly TimeProvider clock;

    internal ClientGate(X509Certificate2 authority, CertificateRegister register, TimeProvider clock)
    {
        Authority = authority;
        this.register = register;
        this.clock = clock;
    }

    /// <summary>The certificate of the hospital's authority. It stays this gate's to dispose of.</summary>
    public X509Certificate2 Authority { get; }

    /// <summary>SHA-256 of a certificate, 64 hexadecimal digits in lower case.</summary>
    public static string Fingerprint(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span));
    }

    /// <summary>How a chain of a client is built: to this authority, at this moment, without a word to the network.</summary>
    public X509ChainPolicy Policy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Authority },
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
        VerificationTime = clock.GetUtcNow().UtcDateTime,
        ApplicationPolicy = { new Oid(ClientAuthority.ClientUse) },
    };

    /// <summary>Why a connection with this certificate is refused; null when it may go on.</summary>
    /// <returns><c>client.certificate-missing</c>, <c>client.certificate-expired</c>, <c>client.certificate-chain</c>, <c>client.certificate-use</c> or <c>client.certificate-unlisted</c>.</returns>
    public Error? Judge(X509Certificate2? certificate)
    {
        if (certificate is null)
        {
            return new Error("client.certificate-missing", "Show a certificate that this hospital has signed for you.");
        }

        var now = clock.GetUtcNow();
        if (now < ClientAuthority.Utc(certificate.NotBefore) || now >= ClientAuthority.Utc(certificate.NotAfter))
        {
            return new Error("client.certificate-expired", "This certificate is not good at this moment. An administrator signs a new one.");
        }

        using var chain = new X509Chain { ChainPolicy = Policy() };
        if (!chain.Build(certificate))
        {
            return new Error("client.certificate-chain", "This certificate was not signed by this hospital for clients.");
        }

        // A certificate without this extension would pass the chain for every use; one with more would too.
        if (certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().SingleOrDefault() is not { } uses
            || uses.EnhancedKeyUsages.Cast<Oid>().Select(use => use.Value).ToArray() is not [ClientAuthority.ClientUse])
        {
            return new Error("client.certificate-use", "This certificate is not one of a client.");
        }

        return register.Listed(Fingerprint(certificate)) is null
            ? new Error("client.certificate-unlisted", "This certificate was taken back, or is not on this hospital's list. An administrator signs a new one.")
            : null;
    }

    /// <inheritdoc/>
    public void Dispose() => Authority.Dispose();
}
