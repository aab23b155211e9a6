using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Vault;

namespace Mangrove.Tests.Vault.Clients;

/// <summary>An authority as set-up makes the hospital's, or a stranger's of the same name, and whatever can be wrong with what one signs.</summary>
internal sealed class TestAuthority : IDisposable
{
    public const string ClientUse = "1.3.6.1.5.5.7.3.2";
    public const string ServerUse = "1.3.6.1.5.5.7.3.1";

    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private readonly TimeProvider clock;

    public TestAuthority(TimeProvider clock)
    {
        this.clock = clock;
        var request = new CertificateRequest("CN=Kivuko Referral Hospital authority", key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        Certificate = request.CreateSelfSigned(clock.GetUtcNow().AddHours(-1), clock.GetUtcNow().AddDays(3653));
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>The hospital's own, kept where set-up keeps it.</summary>
    public static async Task<TestAuthority> Make(SystemSecrets secrets, TimeProvider clock)
    {
        var made = new TestAuthority(clock);
        await secrets.Put(SystemSecrets.AuthorityCertificate, made.Certificate.RawData, default);
        await secrets.Put(SystemSecrets.AuthorityKey, made.key.ExportPkcs8PrivateKey(), default);
        return made;
    }

    /// <summary>Signs what the hospital would not.</summary>
    public X509Certificate2 Sign(ECDsa subject, string[] uses, int fromDays = 0, int toDays = 30)
    {
        var request = new CertificateRequest("CN=lab-bridge", subject, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        if (uses.Length > 0)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. uses.Select(use => new Oid(use))], true));
        }

        var now = clock.GetUtcNow();
        return request.Create(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now.AddDays(fromDays).AddMinutes(-5), now.AddDays(toDays), RandomNumberGenerator.GetBytes(16));
    }

    /// <summary>A request as openssl would write it, asking for more than anybody gets.</summary>
    public static string Request(AsymmetricAlgorithm key)
    {
        var request = key is RSA rsa
            ? new CertificateRequest("CN=Chief of everything, O=Elsewhere", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest("CN=Chief of everything, O=Elsewhere", (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerUse), new Oid(ClientUse)], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("mangrove.hospital.lan");
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSigningRequestPem();
    }

    public void Dispose()
    {
        Certificate.Dispose();
        key.Dispose();
    }
}
