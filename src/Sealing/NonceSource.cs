using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// The ONLY maker of nonces: 96 random bits (NIST SP 800-38D, 8.2.2). Each thread draws 4 KiB at a time, because a
/// single draw costs as much as an encryption. No public member accepts a nonce (threats K3).
/// </summary>
internal static class NonceSource
{
    internal const int NonceSize = 12;

    private const int PoolSize = 4096;

    [ThreadStatic]
    private static byte[]? pool;

    [ThreadStatic]
    private static int next;

    internal static void Next(Span<byte> nonce)
    {
        if (pool is null || next + NonceSize > pool.Length)
        {
            pool ??= new byte[PoolSize];
            RandomNumberGenerator.Fill(pool);
            next = 0;
        }

        var drawn = pool.AsSpan(next, NonceSize);
        drawn.CopyTo(nonce[..NonceSize]);
        drawn.Clear();
        next += NonceSize;

        // A virtual machine restored twice from one snapshot holds the same pool twice. Adding the monotonic counter
        // keeps a uniform nonce uniform and makes the two machines diverge.
        var head = BinaryPrimitives.ReadInt64LittleEndian(nonce);
        BinaryPrimitives.WriteInt64LittleEndian(nonce, head ^ Stopwatch.GetTimestamp());
    }
}
