using System.Buffers.Binary;
using Mangrove.Sealing;

namespace Mangrove.Vault.Audit;

/// <summary>
/// A signed statement about the whole log at one size: its last hash and the root of the RFC 6962 tree over every entry.
/// Kept outside the log (an anchor) it proves later that nothing before it was changed or cut off. It contains no
/// protected health information. Format: docs/formats/audit-log.md.
/// </summary>
public sealed class Checkpoint
{
    internal const int HashSize = 32;
    internal const int BodySize = 26 + 16 + 16 + 8 + HashSize + HashSize + 8 + 16 + HashSize;

    private readonly byte[] bytes;

    private Checkpoint(byte[] bytes) => this.bytes = bytes;

    // The label keeps this signature from meaning anything in another format signed by the same key.
    private static ReadOnlySpan<byte> Label => "mangrove-audit-checkpoint\x01"u8;

    /// <summary>The hospital.</summary>
    public Guid Facility => new(bytes.AsSpan(26, 16), bigEndian: true);

    /// <summary>The log within the hospital; one for each node.</summary>
    public Guid LogId => new(bytes.AsSpan(42, 16), bigEndian: true);

    /// <summary>Number of entries covered: 1 to this sequence number.</summary>
    public long Size => BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(58));

    /// <summary>Hash of the last entry covered, 32 bytes.</summary>
    public ReadOnlyMemory<byte> Head => bytes.AsMemory(66, HashSize);

    /// <summary>Root of the RFC 6962 tree over all entries covered, 32 bytes.</summary>
    public ReadOnlyMemory<byte> Root => bytes.AsMemory(98, HashSize);

    /// <summary>When it was signed, by the server's clock, to the millisecond.</summary>
    public DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(130)));

    /// <summary>The run of the server that signed it.</summary>
    public Guid Boot => new(bytes.AsSpan(138, 16), bigEndian: true);

    /// <summary>
    /// The running hash over every checkpoint before this one with its signature; 32 zero bytes before the first. So the
    /// newest signature vouches for every older one.
    /// </summary>
    public ReadOnlyMemory<byte> Previous => bytes.AsMemory(154, HashSize);

    /// <summary>ECDSA P-256 with SHA-256 over <see cref="Body"/>, 64 bytes (IEEE P1363).</summary>
    public ReadOnlyMemory<byte> Signature => bytes.AsMemory(BodySize);

    /// <summary>The signed bytes.</summary>
    internal ReadOnlySpan<byte> Body => bytes.AsSpan(0, BodySize);

    /// <summary>The running hash that the next checkpoint carries as <see cref="Previous"/>.</summary>
    internal byte[] Link() => HashChain.Next(Previous.Span, bytes);

    /// <summary>The signed bytes and the signature, for keeping as an anchor.</summary>
    public byte[] ToBytes() => [.. bytes];

    /// <summary>The checkpoint that <see cref="ToBytes"/> gave. Says nothing about the signature: the verifier checks it.</summary>
    /// <returns>False when the bytes are not exactly one checkpoint.</returns>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        checkpoint = null;
        if (bytes.Length != BodySize + CheckpointSigner.SignatureSize || !bytes.StartsWith(Label)
            || BinaryPrimitives.ReadInt64BigEndian(bytes[58..]) < 1
            || BinaryPrimitives.ReadInt64BigEndian(bytes[130..]) is < 0 or > 253_402_300_799_999)
        {
            return false;
        }

        checkpoint = new Checkpoint(bytes.ToArray());
        return true;
    }

    internal static Checkpoint Sign(
        CheckpointSigner signer,
        LogIdentity log,
        long size,
        ReadOnlySpan<byte> head,
        ReadOnlySpan<byte> root,
        long unixMilliseconds,
        Guid boot,
        ReadOnlySpan<byte> previous)
    {
        var made = new byte[BodySize + CheckpointSigner.SignatureSize];
        Label.CopyTo(made);
        log.Facility.TryWriteBytes(made.AsSpan(26), bigEndian: true, out _);
        log.Log.TryWriteBytes(made.AsSpan(42), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(made.AsSpan(58), size);
        head.CopyTo(made.AsSpan(66));
        root.CopyTo(made.AsSpan(98));
        BinaryPrimitives.WriteInt64BigEndian(made.AsSpan(130), unixMilliseconds);
        boot.TryWriteBytes(made.AsSpan(138), bigEndian: true, out _);
        previous.CopyTo(made.AsSpan(154));
        signer.Sign(made.AsSpan(0, BodySize)).CopyTo(made.AsSpan(BodySize));
        return new Checkpoint(made);
    }
}
