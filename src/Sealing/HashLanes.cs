using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// SHA-256 (FIPS 180-4) of up to eight short messages at once, one in each lane of a vector. For public bytes only, such
/// as the log's entries and tree nodes: the platform's call costs five times what it hashes there. Where the machine has
/// no such vectors, and for long messages, the platform hashes.
/// </summary>
internal ref struct HashLanes
{
    /// <summary>Messages at once.</summary>
    internal const int Lanes = 8;

    /// <summary>Length of the working space that the caller lends, in bytes.</summary>
    internal const int ScratchSize = Lanes * LaneSize;

    private const int BlockSize = 64;
    private const int LaneSize = 8 * BlockSize;

    // The padding: one bit, and the length in eight bytes.
    private const int Longest = LaneSize - 1 - sizeof(long);

    private static readonly uint[] Start =
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    private static readonly uint[] Round =
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    private readonly Span<byte> scratch;
    private readonly Span<byte> hashes;
    private LaneNumbers ends;
    private LaneNumbers places;
    private int used;
    private int next;

    /// <param name="scratch">Working space of <see cref="ScratchSize"/>.</param>
    /// <param name="hashes">Where the hashes go, 32 bytes each, in the order of <see cref="Add"/>.</param>
    internal HashLanes(Span<byte> scratch, Span<byte> hashes)
    {
        this.scratch = scratch[..ScratchSize];
        this.hashes = hashes;
    }

    /// <summary>
    /// Hashes prefix and parts, now or together with the next messages: the hash stands there after <see cref="Finish"/>.
    /// The parts are read before any later hash is written.
    /// </summary>
    internal void Add(byte prefix, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var length = 1 + first.Length + second.Length;
        if (!Vector256.IsHardwareAccelerated || length > Longest)
        {
            Hashing.Prefixed(prefix, first, second, Place(next++));
            return;
        }

        var lane = scratch.Slice(used * LaneSize, LaneSize);
        lane[0] = prefix;
        first.CopyTo(lane[1..]);
        second.CopyTo(lane[(1 + first.Length)..]);
        var end = (length + 1 + sizeof(long) + BlockSize - 1) / BlockSize;
        lane[length] = 0x80;
        lane[(length + 1)..((end * BlockSize) - sizeof(long))].Clear();
        BinaryPrimitives.WriteInt64BigEndian(lane[((end * BlockSize) - sizeof(long))..], length * 8L);
        ends[used] = end;
        places[used++] = next++;
        if (used == Lanes)
        {
            Finish();
        }
    }

    /// <summary>Hashes what still waits.</summary>
    internal void Finish()
    {
        if (used == 0)
        {
            return;
        }

        var last = 0;
        for (var lane = 0; lane < used; lane++)
        {
            last = Math.Max(last, ends[lane]);
        }

        Span<Vector256<uint>> state = stackalloc Vector256<uint>[8];
        Span<Vector256<uint>> words = stackalloc Vector256<uint>[16];
        for (var part = 0; part < state.Length; part++)
        {
            state[part] = Vector256.Create(Start[part]);
        }

        for (var block = 1; block <= last; block++)
        {
            Load(words, (block - 1) * BlockSize);
            Compress(state, words);

            // A shorter message ends here; what its lane goes on to compute is nothing.
            for (var lane = 0; lane < used; lane++)
            {
                if (ends[lane] == block)
                {
                    var hash = Place(places[lane]);
                    for (var part = 0; part < state.Length; part++)
                    {
                        BinaryPrimitives.WriteUInt32BigEndian(hash[(part * sizeof(uint))..], state[part][lane]);
                    }
                }
            }
        }

        used = 0;
    }

    private readonly Span<byte> Place(int number) => hashes.Slice(number * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes);

    private readonly void Load(Span<Vector256<uint>> words, int at)
    {
        for (var word = 0; word < words.Length; word++, at += sizeof(uint))
        {
            var read = Vector256.Create(
                BitConverter.ToUInt32(scratch[at..]),
                BitConverter.ToUInt32(scratch[(at + LaneSize)..]),
                BitConverter.ToUInt32(scratch[(at + (2 * LaneSize))..]),
                BitConverter.ToUInt32(scratch[(at + (3 * LaneSize))..]),
                BitConverter.ToUInt32(scratch[(at + (4 * LaneSize))..]),
                BitConverter.ToUInt32(scratch[(at + (5 * LaneSize))..]),
                BitConverter.ToUInt32(scratch[(at + (6 * LaneSize))..]),
                BitConverter.ToUInt32(scratch[(at + (7 * LaneSize))..]));
            words[word] = BitConverter.IsLittleEndian ? Turned(read) : read;
        }
    }

    private static Vector256<uint> Turned(Vector256<uint> words) =>
        (Right(words, 8) & Vector256.Create(0xff00ff00)) | (Right(words, 24) & Vector256.Create(0x00ff00ffu));

    private static void Compress(Span<Vector256<uint>> state, Span<Vector256<uint>> words)
    {
        var (a, b, c, d) = (state[0], state[1], state[2], state[3]);
        var (e, f, g, h) = (state[4], state[5], state[6], state[7]);
        for (var round = 0; round < Round.Length; round++)
        {
            var word = words[round & 15];
            if (round > 15)
            {
                var early = words[(round + 1) & 15];
                var late = words[(round + 14) & 15];
                word += (Right(early, 7) ^ Right(early, 18) ^ (early >>> 3)) + words[(round + 9) & 15]
                    + (Right(late, 17) ^ Right(late, 19) ^ (late >>> 10));
                words[round & 15] = word;
            }

            var first = h + (Right(e, 6) ^ Right(e, 11) ^ Right(e, 25)) + Vector256.ConditionalSelect(e, f, g)
                + Vector256.Create(Round[round]) + word;
            var second = (Right(a, 2) ^ Right(a, 13) ^ Right(a, 22)) + ((a & b) | (c & (a | b)));
            (h, g, f, e) = (g, f, e, d + first);
            (d, c, b, a) = (c, b, a, first + second);
        }

        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Right(Vector256<uint> word, [System.Diagnostics.CodeAnalysis.ConstantExpected] byte bits) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(word, bits) : (word >>> bits) | (word << (32 - bits));

    [InlineArray(Lanes)]
    private struct LaneNumbers
    {
        private int number;
    }
}
