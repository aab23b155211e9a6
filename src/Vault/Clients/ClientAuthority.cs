using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Kernel;

namespace Mangrove.Vault.Clients;

/// <summary>The hospital's own authority as it signs for clients. What stands in a certificate is made here, whatever was asked for.</summary>
internal sealed class ClientAuthority(SystemSecrets secrets, string facility, TimeProvider clock)
{
    /// <summary>id-kp-clientAuth (RFC 5280, 4.2.1.12): the one use of these certificates.</summary>
    public const string ClientUse = "1.3.6.1.5.5.7.3.2";

    // RFC 5280 allows 64 characters of a name.
    private const int LongestName = 64;
    private const int SerialSize = 16;

    // The clocks of two machines.
    private static readonly TimeSpan ClockSlack = TimeSpan.FromHours(1);

    /// <summary>The authority's certificate.</summary>
    /// <exception cref="RefusedInput"><c>keys.incomplete</c>.</exception>
    public async Task<X509Certificate2> Certificate(CancellationToken cancel) =>
        X509CertificateLoader.LoadCertificate(await Need(SystemSecrets.AuthorityCertificate, cancel));

    /// <summary>Signs a certificate for a client's key. It is good for nothing but to show who calls.</summary>
    public async Task<X509Certificate2> Sign(PublicKey key, ClientKind kind, string name, TimeSpan life, CancellationToken cancel)
    {
        using var authority = await Certificate(cancel);
        var request = new CertificateRequest(Subject(kind, name), key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ClientUse)], critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri($"urn:mangrove:{Word(kind)}:{name}"));
        request.CertificateExtensions.Add(names.Build());

        var now = clock.GetUtcNow();
        var (first, last) = (Utc(authority.NotBefore), Utc(authority.NotAfter));
        var (from, to) = (now - ClockSlack, now + life);
        var bytes = await Need(SystemSecrets.AuthorityKey, cancel);
        try
        {
            using var signing = ECDsa.Create();
            signing.ImportPkcs8PrivateKey(bytes, out _);
            return request.Create(
                authority.SubjectName,
                X509SignatureGenerator.CreateForECDsa(signing),
                from < first ? first : from,
                to < last ? to : last,
                RandomNumberGenerator.GetBytes(SerialSize));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>A time of a certificate, which the framework gives in the machine's own zone.</summary>
    public static DateTimeOffset Utc(DateTime time) => new(time.ToUniversalTime(), TimeSpan.Zero);

    private static string Word(ClientKind kind) => kind == ClientKind.Program ? "program" : "device";

    private X500DistinguishedName Subject(ClientKind kind, string name)
    {
        var builder = new X500DistinguishedNameBuilder();

        // The builder encodes the last one first: the common name ends up where readers of such names look for it.
        builder.AddCommonName(name);
        builder.AddOrganizationalUnitName(Word(kind));
        builder.AddOrganizationName(facility.Length > LongestName ? facility[..LongestName] : facility);
        return builder.Build();
    }

    private async Task<byte[]> Need(string name, CancellationToken cancel) => await secrets.Get(name, cancel)
        ?? throw new RefusedInput("keys.incomplete", "keys.db has no certificate of this hospital. Restore keys.db from its own backup.");
}
