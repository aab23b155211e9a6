using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// Keys under keys. <see cref="Wrap"/> is AES-KWP (RFC 5649), for keys that stand where only one of them can stand;
/// <see cref="WrapBound"/> also authenticates a context, for keys in a table of many, so that a wrapped key cannot be
/// moved to another patient. Both are docs/formats/sealed-field.md.
/// </summary>
public static class KeyWrap
{
    private const byte BoundFormat = 0x01;
    private const int BoundBodyAt = 1 + NonceSource.NonceSize;
    private const int BoundSize = BoundBodyAt + KeyMaterial.Size + Envelope.TagSize;
    private const int LongestContext = 512;

    private static ReadOnlySpan<byte> BoundLabel => "mangrove/bound-key/1"u8;

    /// <summary>Wraps a key of 1 to 4,096 bytes; the result is 8 bytes longer, rounded up to a multiple of 8.</summary>
    public static byte[] Wrap(KeyMaterial wrapping, ReadOnlySpan<byte> key)
    {
        if (key.Length is 0 or > 4096)
        {
            throw new ArgumentException("A key to wrap is 1 to 4,096 bytes.", nameof(key));
        }

        using var aes = Aes.Create();
        aes.SetKey(wrapping.Bytes);
        return aes.EncryptKeyWrapPadded(key);
    }

    /// <summary>Unwraps a 32-byte key.</summary>
    /// <exception cref="SealBroken">It was not wrapped by this key, was changed, or is not 32 bytes.</exception>
    public static KeyMaterial Unwrap(KeyMaterial wrapping, ReadOnlySpan<byte> wrapped)
    {
        // 40 bytes: RFC 5649's 8-byte integrity block and the key.
        if (wrapped.Length != KeyMaterial.Size + 8)
        {
            throw new SealBroken();
        }

        Span<byte> key = stackalloc byte[KeyMaterial.Size];
        try
        {
            using var aes = Aes.Create();
            aes.SetKey(wrapping.Bytes);
            if (!aes.TryDecryptKeyWrapPadded(wrapped, key, out var written) || written != KeyMaterial.Size)
            {
                throw new SealBroken();
            }

            return KeyMaterial.From(key);
        }
        catch (CryptographicException broken) when (broken is not SealBroken)
        {
            throw new SealBroken();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Wraps a key so that it unwraps only with the same context, such as a patient id.</summary>
    /// <param name="context">Canonical bytes of what the key belongs to, up to 512.</param>
    public static byte[] WrapBound(KeyMaterial wrapping, KeyMaterial key, ReadOnlySpan<byte> context)
    {
        Span<byte> associated = stackalloc byte[LongestContext + 64];
        associated = associated[..WriteAssociated(context, associated)];

        var wrapped = new byte[BoundSize];
        wrapped[0] = BoundFormat;
        var nonce = wrapped.AsSpan(1, NonceSource.NonceSize);
        NonceSource.Next(nonce);
        var cipher = wrapping.TakeCipher();
        try
        {
            cipher.Encrypt(
                nonce, key.Bytes, wrapped.AsSpan(BoundBodyAt, KeyMaterial.Size), wrapped.AsSpan(^Envelope.TagSize..),
                associated);
        }
        finally
        {
            wrapping.ReturnCipher(cipher);
        }

        return wrapped;
    }

    /// <summary>Unwraps a key that was bound to this context.</summary>
    /// <exception cref="SealBroken">Another wrapping key, another context, or changed bytes.</exception>
    public static KeyMaterial UnwrapBound(KeyMaterial wrapping, ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> context)
    {
        if (wrapped.Length != BoundSize || wrapped[0] != BoundFormat)
        {
            throw new SealBroken();
        }

        Span<byte> associated = stackalloc byte[LongestContext + 64];
        associated = associated[..WriteAssociated(context, associated)];
        Span<byte> key = stackalloc byte[KeyMaterial.Size];
        var cipher = wrapping.TakeCipher();
        try
        {
            cipher.Decrypt(
                wrapped.Slice(1, NonceSource.NonceSize), wrapped.Slice(BoundBodyAt, KeyMaterial.Size),
                wrapped[^Envelope.TagSize..], key, associated);
            return KeyMaterial.From(key);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new SealBroken();
        }
        finally
        {
            wrapping.ReturnCipher(cipher);
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static int WriteAssociated(ReadOnlySpan<byte> context, Span<byte> destination)
    {
        if (context.Length > LongestContext)
        {
            throw new ArgumentException("A context is at most 512 bytes.", nameof(context));
        }

        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)BoundLabel.Length);
        BoundLabel.CopyTo(destination[2..]);
        var at = 2 + BoundLabel.Length;
        BinaryPrimitives.WriteUInt16BigEndian(destination[at..], (ushort)context.Length);
        context.CopyTo(destination[(at + 2)..]);
        return at + 2 + context.Length;
    }
}
