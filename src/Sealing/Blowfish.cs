using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Mangrove.Sealing;

/// <summary>The state of the Blowfish cipher with bcrypt's expensive key schedule (Provos and Mazières 1999).</summary>
internal sealed class Blowfish
{
    private const int PLength = 18;
    private const int SLength = 4 * 256;
    private const int KeySize = PLength * 4;

    private static readonly Lazy<uint[]> Start = new(() => PiDigits.Words(PLength + SLength));

    // The P-array and the four S-boxes in one array, in the order in which pi fills them. Pinned: it depends on the key.
    private readonly uint[] state = GC.AllocateUninitializedArray<uint>(PLength + SLength, pinned: true);

    /// <summary>EksBlowfishSetup.</summary>
    /// <param name="key">The password with its closing zero, repeated to 72 bytes.</param>
    /// <param name="salt">16 bytes.</param>
    /// <param name="cost">Binary logarithm of the number of rounds.</param>
    /// <param name="correction">XORed into the first word of the state; see <see cref="Bcrypt"/>.</param>
    internal Blowfish(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, int cost, uint correction)
    {
        Span<uint> keyWords = stackalloc uint[PLength];
        Span<uint> saltWords = stackalloc uint[PLength];
        for (var i = 0; i < PLength; i++)
        {
            keyWords[i] = BinaryPrimitives.ReadUInt32BigEndian(key[(i * 4)..KeySize]);
            saltWords[i] = BinaryPrimitives.ReadUInt32BigEndian(salt[(i % 4 * 4)..]);
        }

        Start.Value.CopyTo(state, 0);
        state[0] ^= correction;
        Mix(keyWords);
        ExpandWithSalt(saltWords);
        for (var rounds = 1UL << cost; rounds > 0; rounds--)
        {
            Mix(keyWords);
            Expand();
            Mix(saltWords);
            Expand();
        }

        keyWords.Clear();
    }

    /// <summary>Encrypts one block of two words in place.</summary>
    internal void Encrypt(ref uint left, ref uint right) =>
        Encrypt(ref MemoryMarshal.GetArrayDataReference(state), ref left, ref right);

    internal void Clear() => state.AsSpan().Clear();

    private void Mix(ReadOnlySpan<uint> words)
    {
        for (var i = 0; i < PLength; i++)
        {
            state[i] ^= words[i];
        }
    }

    private void ExpandWithSalt(ReadOnlySpan<uint> salt)
    {
        uint left = 0, right = 0;
        for (var i = 0; i < state.Length; i += 2)
        {
            left ^= salt[i % 4];
            right ^= salt[(i + 1) % 4];
            Encrypt(ref left, ref right);
            state[i] = left;
            state[i + 1] = right;
        }
    }

    private void Expand()
    {
        ref var p = ref MemoryMarshal.GetArrayDataReference(state);
        uint left = 0, right = 0;
        for (var i = 0; i < PLength + SLength; i += 2)
        {
            Encrypt(ref p, ref left, ref right);
            Unsafe.Add(ref p, i) = left;
            Unsafe.Add(ref p, i + 1) = right;
        }
    }

    /// <summary>
    /// Sixteen rounds without bounds checks: bcrypt is all this method, and its speed decides how dear a guess is to
    /// us compared with an attacker. Every index is a constant below 18 or a byte.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Encrypt(ref uint p, ref uint left, ref uint right)
    {
        ref var s0 = ref Unsafe.Add(ref p, PLength);
        ref var s1 = ref Unsafe.Add(ref p, PLength + 256);
        ref var s2 = ref Unsafe.Add(ref p, PLength + 512);
        ref var s3 = ref Unsafe.Add(ref p, PLength + 768);
        var l = left ^ p;
        var r = right;
        for (nint i = 1; i < 17; i += 2)
        {
            r ^= Unsafe.Add(ref p, i) ^ unchecked(
                ((Unsafe.Add(ref s0, (nint)(l >> 24)) + Unsafe.Add(ref s1, (nint)((l >> 16) & 0xff)))
                    ^ Unsafe.Add(ref s2, (nint)((l >> 8) & 0xff))) + Unsafe.Add(ref s3, (nint)(l & 0xff)));
            l ^= Unsafe.Add(ref p, i + 1) ^ unchecked(
                ((Unsafe.Add(ref s0, (nint)(r >> 24)) + Unsafe.Add(ref s1, (nint)((r >> 16) & 0xff)))
                    ^ Unsafe.Add(ref s2, (nint)((r >> 8) & 0xff))) + Unsafe.Add(ref s3, (nint)(r & 0xff)));
        }

        left = r ^ Unsafe.Add(ref p, 17);
        right = l;
    }
}
