using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mangrove.Verifier;

/// <summary>The 250 bytes of a checkpoint (docs/formats/audit-log.md), not yet believed.</summary>
internal sealed class CheckpointBytes
{
    public const int Length = 250;
    public const int SignedLength = 186;

    private readonly byte[] bytes;

    private CheckpointBytes(byte[] bytes) => this.bytes = bytes;

    public static ReadOnlySpan<byte> Label => "mangrove-audit-checkpoint\u0001"u8;

    public ReadOnlySpan<byte> Facility => bytes.AsSpan(26, 16);

    public ReadOnlySpan<byte> Log => bytes.AsSpan(42, 16);

    public long Size => BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(58));

    public ReadOnlySpan<byte> Head => bytes.AsSpan(66, 32);

    public ReadOnlySpan<byte> Root => bytes.AsSpan(98, 32);

    public long Time => BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(130));

    public ReadOnlySpan<byte> Before => bytes.AsSpan(154, 32);

    public ReadOnlySpan<byte> Signed => bytes.AsSpan(0, SignedLength);

    public ReadOnlySpan<byte> Signature => bytes.AsSpan(SignedLength);

    public static CheckpointBytes? Read(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Length && bytes.StartsWith(Label)
        && BinaryPrimitives.ReadInt64BigEndian(bytes[58..]) >= 1
        && BinaryPrimitives.ReadInt64BigEndian(bytes[130..]) is >= 0 and <= 253_402_300_799_999
            ? new CheckpointBytes(bytes.ToArray())
            : null;

    /// <summary>What the next checkpoint carries as its link: SHA-256(02, own link, the 250 bytes).</summary>
    public void Link(Span<byte> link)
    {
        Span<byte> hashed = stackalloc byte[1 + 32 + Length];
        hashed[0] = 2;
        Before.CopyTo(hashed[1..]);
        bytes.CopyTo(hashed[33..]);
        SHA256.HashData(hashed, link);
    }
}
