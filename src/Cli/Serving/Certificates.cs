using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Cli.Serving;

/// <summary>
/// The hospital's own certificate authority (ECDSA P-384) and the server's certificate under it (P-256). Private keys
/// are kept sealed among the system's secrets and written nowhere else.
/// </summary>
internal static class Certificates
{
    private const string AuthorityKey = SystemSecrets.AuthorityKey;
    private const string AuthorityCertificate = SystemSecrets.AuthorityCertificate;
    private const string ServerKey = "tls-server-key";
    private const string ServerCertificate = "tls-server";

    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3653);

    // Browsers refuse longer ones, also from an authority of one's own (825 days is the oldest such limit).
    private static readonly TimeSpan ServerLife = TimeSpan.FromDays(397);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);
    private static readonly TimeSpan ClockSlack = TimeSpan.FromHours(1);

    /// <summary>
    /// Reads the system's certificates behind the start: the framework wants all of them before it shows its own, one
    /// after the other, which is a third of a start.
    /// </summary>
    public static void ReadAhead() => _ = Task.Run(static () =>
    {
        using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
        try
        {
            store.Open(OpenFlags.ReadOnly);
            foreach (var certificate in store.Certificates)
            {
                certificate.Dispose();
            }
        }
        catch (CryptographicException)
        {
            // Nothing depends on it here. Where the framework cannot do without, it says so itself.
        }
    });

    /// <summary>Makes the authority and a first server certificate.</summary>
    public static async Task Issue(SystemSecrets secrets, string facility, IReadOnlyCollection<string> hosts, TimeProvider clock, CancellationToken cancel)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest(Subject(facility + " authority"), key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = clock.GetUtcNow();
        using var authority = request.CreateSelfSigned(now - ClockSlack, now + AuthorityLife);
        await Keep(secrets, AuthorityKey, key, cancel);
        await secrets.Put(AuthorityCertificate, authority.RawData, cancel);
        (await IssueServer(secrets, facility, hosts, clock, cancel)).Dispose();
    }

    /// <summary>The authority's certificate, for browsers and for the check of its dates.</summary>
    public static async Task<X509Certificate2> Authority(SystemSecrets secrets, CancellationToken cancel) =>
        X509CertificateLoader.LoadCertificate(await Need(secrets, AuthorityCertificate, cancel));

    /// <summary>The server's certificate as it stands, without its key.</summary>
    public static async Task<X509Certificate2> Server(SystemSecrets secrets, CancellationToken cancel) =>
        X509CertificateLoader.LoadCertificate(await Need(secrets, ServerCertificate, cancel));

    /// <summary>The server's certificate with its key; a new one when it runs out soon or does not name a host that is served.</summary>
    public static async Task<X509Certificate2> ForServing(SystemSecrets secrets, string facility, IReadOnlyCollection<string> hosts, TimeProvider clock, CancellationToken cancel)
    {
        var certificate = await Server(secrets, cancel);
        var names = NamesIn(certificate);
        var missing = hosts.Where(host => !names.Contains(host)).ToArray();
        if (missing.Length > 0 || certificate.NotAfter.ToUniversalTime() < clock.GetUtcNow().UtcDateTime + RenewBefore)
        {
            certificate.Dispose();
            return await IssueServer(secrets, facility, [.. names, .. missing], clock, cancel);
        }

        using var key = await Take(secrets, ServerKey, cancel);
        using (certificate)
        {
            return Portable(certificate.CopyWithPrivateKey(key));
        }
    }

    /// <summary>Every host name and address that the certificate names.</summary>
    public static IReadOnlySet<string> NamesIn(X509Certificate2 certificate)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var extension in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>())
        {
            names.UnionWith(extension.EnumerateDnsNames());
            names.UnionWith(extension.EnumerateIPAddresses().Select(address => address.ToString()));
        }

        return names;
    }

    private static async Task<X509Certificate2> IssueServer(SystemSecrets secrets, string facility, IReadOnlyCollection<string> hosts, TimeProvider clock, CancellationToken cancel)
    {
        using var authorityKey = await Take(secrets, AuthorityKey, cancel);
        using var authorityOnly = await Authority(secrets, cancel);
        using var authority = authorityOnly.CopyWithPrivateKey(authorityKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject(facility), key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        request.CertificateExtensions.Add(AlternativeNames(hosts));
        var now = clock.GetUtcNow();
        var end = now + ServerLife;
        var last = new DateTimeOffset(authority.NotAfter.ToUniversalTime(), TimeSpan.Zero);
        using var certificate = request.Create(authority, now - ClockSlack, end < last ? end : last, RandomNumberGenerator.GetBytes(16));
        await Keep(secrets, ServerKey, key, cancel);
        await secrets.Put(ServerCertificate, certificate.RawData, cancel);
        return Portable(certificate.CopyWithPrivateKey(key));
    }

    private static X509Extension AlternativeNames(IEnumerable<string> hosts)
    {
        var builder = new SubjectAlternativeNameBuilder();
        var all = new HashSet<string>(["localhost", Dns.GetHostName(), "127.0.0.1", "::1", .. hosts], StringComparer.OrdinalIgnoreCase);
        foreach (var host in all)
        {
            if (!IPAddress.TryParse(host.Trim('[', ']'), out var address))
            {
                builder.AddDnsName(host);
            }
            else if (!address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
            {
                builder.AddIpAddress(address);
            }
        }

        return builder.Build();
    }

    private static X500DistinguishedName Subject(string name)
    {
        // RFC 5280 allows 64 characters of a common name.
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(name.Length > 64 ? name[^64..] : name);
        return builder.Build();
    }

    private static async Task Keep(SystemSecrets secrets, string name, ECDsa key, CancellationToken cancel)
    {
        var bytes = key.ExportPkcs8PrivateKey();
        try
        {
            await secrets.Put(name, bytes, cancel);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static async Task<ECDsa> Take(SystemSecrets secrets, string name, CancellationToken cancel)
    {
        var bytes = await Need(secrets, name, cancel);
        try
        {
            var key = ECDsa.Create();
            key.ImportPkcs8PrivateKey(bytes, out _);
            return key;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static async Task<byte[]> Need(SystemSecrets secrets, string name, CancellationToken cancel) => await secrets.Get(name, cancel)
        ?? throw new RefusedInput("keys.incomplete", "keys.db has no certificate of this hospital. Restore keys.db from its own backup.");

    // Windows' TLS takes only keys that its own store has seen; the round trip stays in memory.
    private static X509Certificate2 Portable(X509Certificate2 certificate)
    {
        if (!OperatingSystem.IsWindows())
        {
            return certificate;
        }

        using (certificate)
        {
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null);
        }
    }
}
