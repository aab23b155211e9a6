using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// Seals a key to a recovery recipient, of whom only the public key is known: HPKE (RFC 9180), mode base,
/// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; docs/formats/recovery.md. What is sealed is opened by
/// <see cref="RecoveryKey.Open"/> alone, and by nobody who could only seal. It does not say who sealed it: whoever
/// needs to know that MUST authenticate the place where it stands.
/// </summary>
public static class RecoverySeal
{
    /// <summary>Length of a recipient's public key, in bytes: an uncompressed point of P-256 (SEC 1, 2.3.3).</summary>
    public const int PublicKeySize = Hpke.PublicKeySize;

    /// <summary>Length of every sealed key, in bytes: ephemeral point 65, ciphertext 32, tag 16.</summary>
    public const int Size = Hpke.PublicKeySize + KeyMaterial.Size + Envelope.TagSize;

    /// <summary>The longest context, in bytes.</summary>
    public const int LongestContext = Hpke.LongestContext;

    /// <summary>Seals one key. Two seals of one key differ and cannot be told to hold the same.</summary>
    /// <param name="publicKey">The recipient's, 65 bytes.</param>
    /// <param name="key">What is sealed.</param>
    /// <param name="context">HPKE's <c>info</c>, up to 512 bytes: what the key belongs to. Opening asks for the same.</param>
    /// <exception cref="SealBroken">The public key is no point of P-256.</exception>
    /// <exception cref="ArgumentException">The context is longer than 512 bytes.</exception>
    public static byte[] Seal(ReadOnlySpan<byte> publicKey, KeyMaterial key, ReadOnlySpan<byte> context)
    {
        if (context.Length > LongestContext)
        {
            throw new ArgumentException("A context is at most 512 bytes.", nameof(context));
        }

        var sealedKey = new byte[Size];
        using var ephemeral = RecoveryKey.Generate();
        var sender = ephemeral.PublicKey;
        sender.CopyTo(sealedKey, 0);

        Span<byte> shared = stackalloc byte[KeyMaterial.Size];
        Span<byte> wrapping = stackalloc byte[KeyMaterial.Size];
        Span<byte> first = stackalloc byte[NonceSource.NonceSize];
        try
        {
            ephemeral.Agree(publicKey, sender, publicKey, shared);
            Hpke.Schedule(shared, context, wrapping, first);

            // The nonce is derived, not drawn: the key is new with every ephemeral key and encrypts this one message.
            using var cipher = new AesGcm(wrapping, Envelope.TagSize);
            cipher.Encrypt(
                first, key.Bytes, sealedKey.AsSpan(PublicKeySize, KeyMaterial.Size), sealedKey.AsSpan(^Envelope.TagSize..));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
            CryptographicOperations.ZeroMemory(wrapping);
        }

        return sealedKey;
    }
}
