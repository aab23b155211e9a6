using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mangrove.Sealing;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Backups;

/// <summary>
/// The open beginning of a key bundle: whose it is, and how its key is reached - by the epoch key of the hospital that
/// runs, or through a slot by whoever recovers. It holds no key in the clear and nothing of a patient.
/// </summary>
internal sealed record BundleHead
{
    public const int LongestHead = 1024 * 1024;

    public int Format { get; init; } = 1;

    public Guid Facility { get; init; }

    public string FacilityName { get; init; } = string.Empty;

    /// <summary>The backup that it belongs to.</summary>
    public Guid Backup { get; init; }

    /// <summary>The epoch whose key wraps the bundle's.</summary>
    public Guid Epoch { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>The bundle's own key under the epoch's.</summary>
    public byte[] Wrapped { get; init; } = [];

    /// <summary>The epoch's key for each recipient of recovery.</summary>
    public IReadOnlyList<RecoverySlot> Slots { get; init; } = [];

    private static ReadOnlySpan<byte> Magic => "MGKB"u8;

    /// <summary>What a slot is bound to.</summary>
    public static byte[] SlotContext(Guid facility, Guid epoch) => Encoding.UTF8.GetBytes($"mangrove backup epoch:{facility:N}:{epoch:N}");

    /// <summary>What the wrapping of the bundle's key is bound to.</summary>
    public byte[] KeyContext() => Encoding.UTF8.GetBytes($"bundle:{Facility:N}:{Backup:N}:{Epoch:N}");

    /// <summary>Writes the head and gives its hash, which the archive behind it is bound to.</summary>
    public byte[] WriteTo(Stream target)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, BundleJson.Default.BundleHead);
        Span<byte> frame = stackalloc byte[8];
        Magic.CopyTo(frame);
        BinaryPrimitives.WriteInt32BigEndian(frame[4..], json.Length);
        target.Write(frame);
        target.Write(json);
        return SHA256.HashData(json);
    }

    /// <summary>Reads the head where the stream stands.</summary>
    /// <exception cref="SealBroken">None stands there.</exception>
    public static (BundleHead Head, byte[] Hash) ReadFrom(Stream source)
    {
        Span<byte> frame = stackalloc byte[8];
        if (source.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) < frame.Length || !frame.StartsWith(Magic)
            || BinaryPrimitives.ReadInt32BigEndian(frame[4..]) is not (> 0 and <= LongestHead and var length))
        {
            throw new SealBroken();
        }

        var json = new byte[length];
        if (source.ReadAtLeast(json, length, throwOnEndOfStream: false) < length)
        {
            throw new SealBroken();
        }

        try
        {
            return JsonSerializer.Deserialize(json, BundleJson.Default.BundleHead) is { Format: 1, Wrapped: not null, Slots: not null } head
                ? (head, SHA256.HashData(json))
                : throw new SealBroken();
        }
        catch (JsonException)
        {
            throw new SealBroken();
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(BundleHead))]
internal sealed partial class BundleJson : JsonSerializerContext;

/// <summary>What a bundle keeps inside, besides the copy of keys.db: the keys that reach everything else.</summary>
internal sealed record BundleKeys(
    string FacilityName,
    byte[] SignerPublic,
    IReadOnlyList<(KeyPurpose Purpose, int Version, KeyMaterial Key)> Purposes,
    IReadOnlyList<(Guid Id, KeyMaterial Key)> Blobs,
    IReadOnlyList<(string Name, long Length)> Parts)
{
    private const byte Format = 1;

    public byte[] ToBytes()
    {
        // Room for everything, so that no key is left in a buffer that was too small.
        var capacity = 1024 + (4 * FacilityName.Length) + (64 * (Purposes.Count + Blobs.Count)) + Parts.Sum(part => 32 + (4 * part.Name.Length));
        var writer = new CanonicalWriter(Format, capacity).Text(FacilityName).Bytes(SignerPublic).List(Purposes.Count);
        foreach (var (purpose, version, key) in Purposes)
        {
            writer.Number((int)purpose).Number(version).Bytes(key.Bytes);
        }

        writer.List(Blobs.Count);
        foreach (var (id, key) in Blobs)
        {
            writer.Id(id).Bytes(key.Bytes);
        }

        writer.List(Parts.Count);
        foreach (var (name, length) in Parts)
        {
            writer.Text(name).Number(length);
        }

        var bytes = writer.ToArray();
        writer.Wipe();
        return bytes;
    }

    /// <exception cref="CanonicalBroken">The bytes are of another form.</exception>
    public static BundleKeys Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new CanonicalReader(bytes);
        if (reader.Version != Format)
        {
            throw new CanonicalBroken();
        }

        var name = reader.Text();
        var signer = reader.Bytes().ToArray();
        var purposes = new List<(KeyPurpose, int, KeyMaterial)>();
        for (var left = reader.List(); left > 0; left--)
        {
            purposes.Add(((KeyPurpose)reader.Number(), checked((int)reader.Number()), KeyMaterial.From(reader.Bytes())));
        }

        var blobs = new List<(Guid, KeyMaterial)>();
        for (var left = reader.List(); left > 0; left--)
        {
            blobs.Add((reader.Id(), KeyMaterial.From(reader.Bytes())));
        }

        var parts = new List<(string, long)>();
        for (var left = reader.List(); left > 0; left--)
        {
            parts.Add((reader.Text(), reader.Number()));
        }

        reader.End();
        return new BundleKeys(name, signer, purposes, blobs, parts);
    }
}
