using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>What an envelope says openly: which key opens it. Not authenticated until the envelope is opened.</summary>
/// <param name="KeyId">Id of the key; exactly this key is tried and no other (threats K6).</param>
/// <param name="KeyVersion">Version of the purpose key that the key hangs from.</param>
public readonly record struct EnvelopeHeader(Guid KeyId, int KeyVersion);

/// <summary>
/// Seals a field: AES-256-GCM with a fresh random nonce, padded, bound to its <see cref="CellAddress"/>. The bytes
/// are docs/formats/sealed-field.md. Opening accepts that format and nothing else; unsealed bytes are an error and
/// never pass through (threats K5).
/// </summary>
public static class Envelope
{
    /// <summary>Length of the authentication tag in bytes; no shorter tag is ever accepted (threats K4).</summary>
    public const int TagSize = 16;

    /// <summary>The longest plaintext, in bytes. Larger files are sealed in chunks.</summary>
    public const int LongestPlaintext = 256 * 1024 * 1024;

    private const ushort Format = 0x4D01; // 'M', version 1
    private const int KeyVersionAt = 2;
    private const int KeyIdAt = 6;
    private const int NonceAt = 22;
    private const int BodyAt = NonceAt + NonceSource.NonceSize;
    private const int LengthSize = 4;
    private const int Shortest = BodyAt + LengthSize + 1 + TagSize;
    private const int LongestOnStack = 1024;

    /// <summary>Seals a value for one place.</summary>
    /// <param name="plaintext">The value; empty is a value too.</param>
    /// <param name="key">The key to seal with, usually the patient's.</param>
    /// <param name="keyId">The id under which the opener will find the key.</param>
    /// <param name="keyVersion">Version of the key, 1 or more.</param>
    /// <param name="address">The place; opening needs the same one.</param>
    /// <param name="padding">How the length is hidden; Padmé unless said otherwise.</param>
    /// <exception cref="ArgumentException">The address, the version or the length is out of its range.</exception>
    public static byte[] Seal(
        ReadOnlySpan<byte> plaintext, KeyMaterial key, Guid keyId, int keyVersion, in CellAddress address,
        Padding padding = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keyVersion, 1);
        if (plaintext.Length > LongestPlaintext)
        {
            throw new ArgumentException("A value is at most 256 MiB long; seal larger files in chunks.", nameof(plaintext));
        }

        Span<byte> associated = stackalloc byte[CellAddress.LongestAssociatedData];
        associated = associated[..address.WriteAssociatedData(Format, keyId, keyVersion, associated)];

        var envelope = new byte[BodyAt + LengthSize + padding.PaddedLength(plaintext.Length) + TagSize];
        BinaryPrimitives.WriteUInt16BigEndian(envelope, Format);
        BinaryPrimitives.WriteInt32BigEndian(envelope.AsSpan(KeyVersionAt), keyVersion);
        keyId.TryWriteBytes(envelope.AsSpan(KeyIdAt), bigEndian: true, out _);
        var nonce = envelope.AsSpan(NonceAt, NonceSource.NonceSize);
        NonceSource.Next(nonce);

        // The plaintext is laid out where its ciphertext will stand and encrypted in place: no second copy of it.
        var body = envelope.AsSpan(BodyAt, envelope.Length - BodyAt - TagSize);
        BinaryPrimitives.WriteInt32BigEndian(body, plaintext.Length);
        plaintext.CopyTo(body[LengthSize..]);
        var cipher = key.TakeCipher();
        try
        {
            cipher.Encrypt(nonce, body, body, envelope.AsSpan(envelope.Length - TagSize), associated);
        }
        catch
        {
            CryptographicOperations.ZeroMemory(body);
            throw;
        }
        finally
        {
            key.ReturnCipher(cipher);
        }

        return envelope;
    }

    /// <summary>Opens an envelope at its place.</summary>
    /// <exception cref="SealBroken">Anything at all is wrong with it.</exception>
    public static byte[] Open(ReadOnlySpan<byte> envelope, KeyMaterial key, in CellAddress address)
    {
        var bodySize = BodySize(envelope);
        byte[]? rented = null;
        var body = bodySize <= LongestOnStack
            ? stackalloc byte[LongestOnStack]
            : rented = ArrayPool<byte>.Shared.Rent(bodySize);
        body = body[..bodySize];
        try
        {
            return OpenBody(envelope, key, address, body).ToArray();
        }
        finally
        {
            Forget(body, rented);
        }
    }

    /// <summary>Opens an envelope into the caller's buffer and returns the number of bytes written.</summary>
    /// <param name="destination">At least <see cref="LongestContent"/> bytes are always enough.</param>
    /// <exception cref="SealBroken">Anything at all is wrong with the envelope.</exception>
    /// <exception cref="ArgumentException">The value is longer than the destination.</exception>
    public static int Open(
        ReadOnlySpan<byte> envelope, KeyMaterial key, in CellAddress address, Span<byte> destination)
    {
        var bodySize = BodySize(envelope);
        byte[]? rented = null;
        var body = bodySize <= LongestOnStack
            ? stackalloc byte[LongestOnStack]
            : rented = ArrayPool<byte>.Shared.Rent(bodySize);
        body = body[..bodySize];
        try
        {
            var plaintext = OpenBody(envelope, key, address, body);
            plaintext.CopyTo(destination);
            return plaintext.Length;
        }
        finally
        {
            Forget(body, rented);
        }
    }

    /// <summary>Opens an envelope and appends its value to a buffer; nothing is appended when it does not open.</summary>
    /// <exception cref="SealBroken">Anything at all is wrong with the envelope.</exception>
    public static void Open(
        ReadOnlySpan<byte> envelope, KeyMaterial key, in CellAddress address, IBufferWriter<byte> destination)
    {
        var span = destination.GetSpan(Math.Max(1, LongestContent(envelope.Length)));
        destination.Advance(Open(envelope, key, address, span));
    }

    /// <summary>The most bytes that an envelope of this length can hold.</summary>
    public static int LongestContent(int envelopeLength) =>
        Math.Max(0, envelopeLength - BodyAt - LengthSize - TagSize);

    /// <summary>Which key opens this envelope.</summary>
    /// <exception cref="SealBroken">It is not an envelope of the known format.</exception>
    public static EnvelopeHeader ReadHeader(ReadOnlySpan<byte> envelope)
    {
        BodySize(envelope);
        return Header(envelope);
    }

    /// <summary>Whether an envelope is of today's format and names this key.</summary>
    /// <exception cref="SealBroken">It is not an envelope of a known format.</exception>
    public static bool IsNewest(ReadOnlySpan<byte> envelope, Guid keyId) => ReadHeader(envelope).KeyId == keyId;

    private static EnvelopeHeader Header(ReadOnlySpan<byte> envelope) => new(
        new Guid(envelope.Slice(KeyIdAt, 16), bigEndian: true),
        BinaryPrimitives.ReadInt32BigEndian(envelope[KeyVersionAt..]));

    private static int BodySize(ReadOnlySpan<byte> envelope)
    {
        if (envelope.Length < Shortest
            || BinaryPrimitives.ReadUInt16BigEndian(envelope) != Format
            || BinaryPrimitives.ReadInt32BigEndian(envelope[KeyVersionAt..]) < 1)
        {
            throw new SealBroken();
        }

        return envelope.Length - BodyAt - TagSize;
    }

    private static ReadOnlySpan<byte> OpenBody(
        ReadOnlySpan<byte> envelope, KeyMaterial key, in CellAddress address, Span<byte> body)
    {
        var header = Header(envelope);
        Span<byte> associated = stackalloc byte[CellAddress.LongestAssociatedData];
        associated = associated[..address.WriteAssociatedData(Format, header.KeyId, header.KeyVersion, associated)];

        var cipher = key.TakeCipher();
        try
        {
            cipher.Decrypt(
                envelope.Slice(NonceAt, NonceSource.NonceSize),
                envelope.Slice(BodyAt, body.Length),
                envelope[^TagSize..],
                body,
                associated);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new SealBroken();
        }
        finally
        {
            key.ReturnCipher(cipher);
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(body);
        if (length < 0 || length > body.Length - LengthSize || body[(LengthSize + length)..].ContainsAnyExcept((byte)0))
        {
            throw new SealBroken();
        }

        return body.Slice(LengthSize, length);
    }

    private static void Forget(Span<byte> body, byte[]? rented)
    {
        CryptographicOperations.ZeroMemory(body);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
