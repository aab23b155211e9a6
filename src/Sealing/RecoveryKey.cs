using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// The key pair of a recovery recipient, on P-256: opens what <see cref="RecoverySeal"/> sealed to its public key. It
/// exists only while somebody recovers or a ceremony runs; Dispose zeroes the private key. Safe for concurrent use;
/// MUST NOT be disposed while another thread still works with it.
/// </summary>
public sealed class RecoveryKey : IDisposable
{
    private readonly byte[] point;

    private RecoveryKey(KeyMaterial scalar, byte[] point)
    {
        Private = scalar;
        this.point = point;
    }

    /// <summary>The public key: 65 bytes, an uncompressed point (SEC 1, 2.3.3). A copy.</summary>
    public byte[] PublicKey => (byte[])point.Clone();

    /// <summary>The private scalar, 32 bytes big-endian. Owned by this key: do not dispose.</summary>
    public KeyMaterial Private { get; }

    /// <summary>A new key pair from the system's generator.</summary>
    public static RecoveryKey Generate()
    {
        using var pair = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        return From(pair);
    }

    /// <summary>The key pair of a private scalar; the caller zeroes the original.</summary>
    /// <param name="d">32 bytes, big-endian, from 1 to the order of the group less 1.</param>
    /// <exception cref="SealBroken">The bytes are not a private key of P-256.</exception>
    public static RecoveryKey FromPrivate(ReadOnlySpan<byte> d)
    {
        if (d.Length != KeyMaterial.Size)
        {
            throw new SealBroken();
        }

        try
        {
            using var pair = Import(d);
            return From(pair);
        }
        catch (CryptographicException broken) when (broken is not SealBroken)
        {
            // An all-zero scalar and one above the group order are refused by the import itself.
            throw new SealBroken();
        }
    }

    /// <summary>Opens a key that was sealed to this recipient.</summary>
    /// <param name="sealedKey">113 bytes from <see cref="RecoverySeal.Seal"/>.</param>
    /// <param name="context">The context given when it was sealed.</param>
    /// <exception cref="SealBroken">Sealed to another recipient, in another context, or changed.</exception>
    public KeyMaterial Open(ReadOnlySpan<byte> sealedKey, ReadOnlySpan<byte> context)
    {
        if (sealedKey.Length != RecoverySeal.Size || context.Length > RecoverySeal.LongestContext)
        {
            throw new SealBroken();
        }

        var sender = sealedKey[..RecoverySeal.PublicKeySize];
        Span<byte> shared = stackalloc byte[KeyMaterial.Size];
        Span<byte> wrapping = stackalloc byte[KeyMaterial.Size];
        Span<byte> first = stackalloc byte[NonceSource.NonceSize];
        Span<byte> key = stackalloc byte[KeyMaterial.Size];
        try
        {
            Agree(sender, sender, point, shared);
            Hpke.Schedule(shared, context, wrapping, first);
            using var cipher = new AesGcm(wrapping, Envelope.TagSize);
            cipher.Decrypt(
                first, sealedKey.Slice(RecoverySeal.PublicKeySize, KeyMaterial.Size), sealedKey[^Envelope.TagSize..], key);
            return KeyMaterial.From(key);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new SealBroken();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
            CryptographicOperations.ZeroMemory(wrapping);
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Zeroes the private key. A second call does nothing.</summary>
    public void Dispose() => Private.Dispose();

    /// <summary>Says that it is a key, and nothing about it.</summary>
    public override string ToString() => "recovery key";

    /// <summary>The KEM's shared secret of this private key and another's public key (RFC 9180, section 4.1).</summary>
    /// <param name="other">The other party's public key: a point is checked to lie on the curve (section 7.1.4).</param>
    /// <param name="sender">The ephemeral public key, in the KEM's context.</param>
    /// <param name="recipient">The recipient's public key, in the KEM's context.</param>
    /// <param name="destination">32 bytes; the caller zeroes them.</param>
    /// <exception cref="SealBroken">The other public key is no point of P-256.</exception>
    internal void Agree(
        ReadOnlySpan<byte> other, ReadOnlySpan<byte> sender, ReadOnlySpan<byte> recipient, Span<byte> destination)
    {
        // 04 marks an uncompressed point: the only form, so that one key has one encoding.
        if (other.Length != Hpke.PublicKeySize || other[0] != 0x04)
        {
            throw new SealBroken();
        }

        byte[]? agreed = null;
        try
        {
            using var mine = Import(Private.Bytes);
            using var theirs = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = other[1..33].ToArray(), Y = other[33..].ToArray() },
            });
            using var publicKey = theirs.PublicKey;
            agreed = mine.DeriveRawSecretAgreement(publicKey);
            Hpke.SharedSecret(agreed, sender, recipient, destination);
        }
        catch (CryptographicException)
        {
            throw new SealBroken();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(agreed);
        }
    }

    private static ECDiffieHellman Import(ReadOnlySpan<byte> d)
    {
        var scalar = GC.AllocateUninitializedArray<byte>(KeyMaterial.Size, pinned: true);
        d.CopyTo(scalar);
        try
        {
            return ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar });
        }
        finally
        {
            CryptographicOperations.ZeroMemory(scalar);
        }
    }

    private static RecoveryKey From(ECDiffieHellman pair)
    {
        var parameters = pair.ExportParameters(includePrivateParameters: true);
        try
        {
            byte[] encoded = [0x04, .. parameters.Q.X!, .. parameters.Q.Y!];
            return new RecoveryKey(KeyMaterial.From(parameters.D), encoded);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(parameters.D);
        }
    }
}
