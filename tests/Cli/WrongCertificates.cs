using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Vault;

namespace Mangrove.Tests.Cli;

/// <summary>Certificates that a handshake with a client has to refuse, each wrong in one way.</summary>
internal sealed class WrongCertificates(SystemSecrets secrets, TimeProvider clock)
{
    public const string ClientUse = "1.3.6.1.5.5.7.3.2";
    public const string ServerUse = "1.3.6.1.5.5.7.3.1";

    public X509Certificate2 Self()
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Subject(own, [ClientUse]).CreateSelfSigned(clock.GetUtcNow().AddDays(-1), clock.GetUtcNow().AddDays(30));
    }

    /// <summary>By an authority of the same name as the hospital's.</summary>
    public X509Certificate2 Stranger()
    {
        using var root = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest("CN=Kivuko Referral Hospital authority", root, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        using var authority = request.CreateSelfSigned(clock.GetUtcNow().AddDays(-2), clock.GetUtcNow().AddDays(300));
        return Sign(authority, root, [ClientUse], -1, 30);
    }

    /// <summary>By the hospital's own authority, past its list: as if somebody had had its key for a moment.</summary>
    public async Task<X509Certificate2> Authority(string[] uses, int from = -1, int to = 30)
    {
        using var root = await Key(SystemSecrets.AuthorityKey);
        using var authority = await Certificate(SystemSecrets.AuthorityCertificate);
        return Sign(authority, root, uses, from, to);
    }

    /// <summary>What the server itself shows.</summary>
    public async Task<X509Certificate2> ServersOwn()
    {
        using var own = await Key("tls-server-key");
        using var certificate = await Certificate("tls-server");
        return certificate.CopyWithPrivateKey(own);
    }

    private async Task<ECDsa> Key(string name)
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(await secrets.Get(name, default), out _);
        return key;
    }

    private async Task<X509Certificate2> Certificate(string name) => X509CertificateLoader.LoadCertificate((await secrets.Get(name, default))!);

    private X509Certificate2 Sign(X509Certificate2 authority, ECDsa root, string[] uses, int from, int to)
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = clock.GetUtcNow();
        using var bare = Subject(own, uses).Create(authority.SubjectName, X509SignatureGenerator.CreateForECDsa(root), now.AddDays(from), now.AddDays(to), RandomNumberGenerator.GetBytes(16));
        return bare.CopyWithPrivateKey(own);
    }

    private static CertificateRequest Subject(ECDsa own, string[] uses)
    {
        var request = new CertificateRequest("CN=lab-bridge", own, HashAlgorithmName.SHA384);
        if (uses.Length > 0)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. uses.Select(use => new Oid(use))], true));
        }

        return request;
    }
}
