using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mangrove.Tests.Sealing;

/// <summary>A repeatable stream of bytes: SHA-256 in counter mode over a seed, so a failure can be run again.</summary>
internal sealed class SeededBytes(int seed)
{
    private readonly byte[] block = new byte[32];
    private readonly byte[] input = new byte[12];
    private int used = 32;
    private long counter;

    public int Below(int limit)
    {
        Span<byte> four = stackalloc byte[4];
        Fill(four);
        return (int)(BinaryPrimitives.ReadUInt32LittleEndian(four) % (uint)limit);
    }

    public byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        Fill(bytes);
        return bytes;
    }

    public void Fill(Span<byte> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            if (used == block.Length)
            {
                BinaryPrimitives.WriteInt32LittleEndian(input, seed);
                BinaryPrimitives.WriteInt64LittleEndian(input.AsSpan(4), counter++);
                SHA256.HashData(input, block);
                used = 0;
            }

            destination[i] = block[used++];
        }
    }
}
