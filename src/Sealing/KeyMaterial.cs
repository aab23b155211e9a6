using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// A 256-bit symmetric key. It lives in one pinned array, so the collector never leaves copies behind, and is zeroed
/// when disposed (threats K10). It is never text: there is no way to build one from a string or to print one.
/// Safe for concurrent use; MUST NOT be disposed while another thread still works with it.
/// </summary>
public sealed class KeyMaterial : IDisposable
{
    /// <summary>Length of every key, in bytes.</summary>
    public const int Size = 32;

    private readonly byte[] bytes;

    // One idle cipher, taken out while in use: an AesGcm object must not serve two threads, and making one costs as
    // much as an encryption. Invariant: a disposed key holds no cipher.
    private AesGcm? idle;
    private volatile bool disposed;

    private KeyMaterial() => bytes = GC.AllocateUninitializedArray<byte>(Size, pinned: true);

    /// <summary>The key's bytes. The span MUST NOT be kept beyond the key's life.</summary>
    /// <exception cref="ObjectDisposedException">The key has been zeroed.</exception>
    public ReadOnlySpan<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return bytes;
        }
    }

    /// <summary>A new key from the system's generator.</summary>
    public static KeyMaterial Generate()
    {
        var key = new KeyMaterial();
        RandomNumberGenerator.Fill(key.bytes);
        return key;
    }

    /// <summary>A key with a copy of these 32 bytes; the caller zeroes the original.</summary>
    /// <exception cref="ArgumentException">The source is not 32 bytes long.</exception>
    public static KeyMaterial From(ReadOnlySpan<byte> source)
    {
        if (source.Length != Size)
        {
            throw new ArgumentException("A key is exactly 32 bytes.", nameof(source));
        }

        var key = new KeyMaterial();
        source.CopyTo(key.bytes);
        return key;
    }

    /// <summary>Zeroes the key. A second call does nothing.</summary>
    public void Dispose()
    {
        disposed = true;
        Interlocked.Exchange(ref idle, null)?.Dispose();
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>Says that it is a key, and nothing about it.</summary>
    public override string ToString() => "key";

    internal AesGcm TakeCipher()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return Interlocked.Exchange(ref idle, null) ?? new AesGcm(bytes, Envelope.TagSize);
    }

    internal void ReturnCipher(AesGcm cipher)
    {
        if (disposed || Interlocked.CompareExchange(ref idle, cipher, null) is not null)
        {
            cipher.Dispose();
            return;
        }

        // Disposed between the look and the return: whoever takes it out now disposes of it, once.
        if (disposed)
        {
            Interlocked.Exchange(ref idle, null)?.Dispose();
        }
    }
}
