using Mangrove.Vault.Keys;

namespace Mangrove.Vault;

/// <summary>Secrets of the system itself (certificate keys, the ring of the form protection), sealed in the key store.</summary>
public sealed class SystemSecrets
{
    /// <summary>Where the certificate of the hospital's own authority is kept (DER). It is public: browsers learn it.</summary>
    public const string AuthorityCertificate = "tls-authority";

    /// <summary>Where the private key of that authority is kept (PKCS#8). It signs certificates of this server and of clients, and nothing else.</summary>
    public const string AuthorityKey = "tls-authority-key";

    private readonly KeyRing keys;

    internal SystemSecrets(KeyRing keys) => this.keys = keys;

    public Task Put(string name, ReadOnlyMemory<byte> value, CancellationToken cancel) => keys.PutSecret(KeyPurpose.Ring, name, value, cancel);

    public Task<byte[]?> Get(string name, CancellationToken cancel) => keys.Secret(KeyPurpose.Ring, name, cancel);

    public Task<IReadOnlyList<string>> Names(string prefix, CancellationToken cancel) => keys.SecretNames(prefix, cancel);
}
