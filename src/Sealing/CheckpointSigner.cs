using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// Signs checkpoints of the log: ECDSA on P-256 with SHA-256, signatures in the fixed 64-byte form of IEEE P1363.
/// ECDSA is randomised and malleable, so signature bytes MUST NOT serve as an id. Safe for concurrent use.
/// </summary>
public sealed class CheckpointSigner : IDisposable
{
    /// <summary>Length of a signature in bytes.</summary>
    public const int SignatureSize = 64;

    private readonly ECDsa key;
    private readonly Lock gate = new();

    private CheckpointSigner(ECDsa key) => this.key = key;

    /// <summary>A signer with a new key from the system's generator.</summary>
    public static CheckpointSigner Generate() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>A signer from the 32-byte private scalar that <see cref="ExportPrivateKey"/> gave.</summary>
    /// <exception cref="SealBroken">The bytes are not a private key of P-256.</exception>
    public static CheckpointSigner Import(ReadOnlySpan<byte> privateKey)
    {
        // An all-zero scalar and one above the group order are refused by the import itself.
        if (privateKey.Length != KeyMaterial.Size)
        {
            throw new SealBroken();
        }

        var scalar = GC.AllocateUninitializedArray<byte>(KeyMaterial.Size, pinned: true);
        privateKey.CopyTo(scalar);
        try
        {
            return new(ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar }));
        }
        catch (CryptographicException)
        {
            throw new SealBroken();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(scalar);
        }
    }

    /// <summary>
    /// The private scalar, 32 bytes big-endian, for <see cref="KeyWrap"/>. The caller MUST zero the array.
    /// </summary>
    public byte[] ExportPrivateKey()
    {
        var parameters = key.ExportParameters(includePrivateParameters: true);
        var scalar = GC.AllocateUninitializedArray<byte>(KeyMaterial.Size, pinned: true);
        parameters.D.CopyTo(scalar.AsSpan());
        CryptographicOperations.ZeroMemory(parameters.D);
        return scalar;
    }

    /// <summary>The public key as DER SubjectPublicKeyInfo (RFC 5480).</summary>
    public byte[] ExportPublicKey() => key.ExportSubjectPublicKeyInfo();

    /// <summary>Signs the bytes; the caller's format says what they mean.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        lock (gate)
        {
            return key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    public void Dispose() => key.Dispose();
}

/// <summary>Checks the signatures of one <see cref="CheckpointSigner"/>. Safe for concurrent use.</summary>
public sealed class CheckpointVerifier : IDisposable
{
    private const string P256 = "1.2.840.10045.3.1.7";

    private readonly ECDsa key;
    private readonly Lock gate = new();

    private CheckpointVerifier(ECDsa key) => this.key = key;

    /// <summary>A verifier for a public key given as DER SubjectPublicKeyInfo.</summary>
    /// <exception cref="SealBroken">The bytes are not exactly one public key on P-256.</exception>
    public static CheckpointVerifier From(ReadOnlySpan<byte> publicKey)
    {
        var imported = ECDsa.Create();
        try
        {
            imported.ImportSubjectPublicKeyInfo(publicKey, out var read);
            if (read != publicKey.Length
                || !string.Equals(imported.ExportParameters(false).Curve.Oid.Value, P256, StringComparison.Ordinal))
            {
                throw new SealBroken();
            }

            return new(imported);
        }
        catch (CryptographicException)
        {
            imported.Dispose();
            throw new SealBroken();
        }
    }

    /// <summary>Whether this is the signer's signature of exactly these bytes.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != CheckpointSigner.SignatureSize)
        {
            return false;
        }

        lock (gate)
        {
            return key.VerifyData(
                data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    public void Dispose() => key.Dispose();
}
