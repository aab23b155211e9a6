using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Continuity;

/// <summary>Where the audit log stood in a backup: an anchor of the log outside the hospital's disk.</summary>
/// <param name="Size">Number of entries.</param>
/// <param name="Root">Root of the RFC 6962 tree over them, hexadecimal; empty before the first checkpoint.</param>
public sealed record ManifestAudit(long Size, string Root);

/// <summary>Where the list of chunks stands in the data archive.</summary>
/// <param name="Index">Number of its first chunk.</param>
/// <param name="Offset">Where that stands in the file.</param>
/// <param name="Length">Length of the list in bytes.</param>
/// <param name="Sha256">SHA-256 of the list, hexadecimal. Each chunk's own SHA-256 stands in the list, so this one vouches for all.</param>
public sealed record ManifestTable(int Index, long Offset, long Length, string Sha256);

/// <summary>
/// What a backup is: signed by the hospital and chained to the one before it, so that none can be changed, left out or
/// put in another's place without being noticed. It names no patient. docs/formats/archive.md.
/// </summary>
public sealed record BackupManifest
{
    public int Format { get; init; } = 1;

    public Guid Facility { get; init; }

    /// <summary>Names the backup and its data archive.</summary>
    public Guid Backup { get; init; }

    /// <summary>From 1, without gaps within a target.</summary>
    public long Number { get; init; }

    /// <summary>SHA-256 of the manifest before it as it lies in the target, hexadecimal; null for the first.</summary>
    public string? Previous { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>Whether every chunk lies in its own archive.</summary>
    public bool Complete { get; init; }

    /// <summary>The version of Mangrove that made it.</summary>
    public string Version { get; init; } = string.Empty;

    /// <summary><c>sqlite</c> or <c>postgres</c>.</summary>
    public string Storage { get; init; } = string.Empty;

    /// <summary>Newest migration of the clinic's tables.</summary>
    public string Schema { get; init; } = string.Empty;

    public ManifestAudit Audit { get; init; } = new(0, string.Empty);

    /// <summary>Number of rows by table, such as <c>clinic.patient</c>, for comparing after a restore.</summary>
    public IReadOnlyDictionary<string, long> Rows { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Epoch of the key bundle.</summary>
    public Guid Epoch { get; init; }

    /// <summary>Length of the data archive in bytes.</summary>
    public long Length { get; init; }

    /// <summary>Bytes of the files in it, before chunks that others hold were left out.</summary>
    public long Content { get; init; }

    public ManifestTable Table { get; init; } = new(0, 0, 0, string.Empty);

    /// <summary>Every archive in which chunks of it lie; its own is the first.</summary>
    public IReadOnlyList<Guid> Archives { get; init; } = [];

    /// <summary>The manifest as it is signed and stored: one line of JSON.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.BackupManifest);

    /// <summary>The stored file: the manifest's line, and the signature's in Base64.</summary>
    public static byte[] File(byte[] manifest, byte[] signature) => [.. manifest, (byte)'\n', .. System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(signature)), (byte)'\n'];

    /// <summary>Reads a stored manifest. Without <paramref name="keys"/> nothing of it is proven.</summary>
    /// <exception cref="RefusedInput"><c>backup.manifest-bad</c>: of another form, another version or not signed by this hospital.</exception>
    public static BackupManifest Parse(ReadOnlySpan<byte> stored, IArchiveKeys? keys)
    {
        var line = stored.IndexOf((byte)'\n');
        if (line < 0 || line + 2 > stored.Length || stored[^1] != (byte)'\n')
        {
            throw Bad();
        }

        var signature = new byte[CheckpointSigner.SignatureSize];
        if (!Convert.TryFromBase64String(System.Text.Encoding.ASCII.GetString(stored[(line + 1)..^1]), signature, out var written) || written != signature.Length
            || !stored[(line + 1)..^1].SequenceEqual(System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(signature))))
        {
            // The last comparison: Base64 can be written in several ways, and a stored manifest in one.
            throw Bad();
        }

        BackupManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(stored[..line], ManifestJson.Default.BackupManifest);
        }
        catch (JsonException)
        {
            throw Bad();
        }

        return manifest is { Format: 1, Archives.Count: > 0, Table: { Length: >= 0, Sha256.Length: 2 * SHA256.HashSizeInBytes }, Audit: not null, Rows: not null }
            && manifest.Archives[0] == manifest.Backup
            && (keys is null || (keys.Facility == manifest.Facility && keys.Verify(stored[..line], signature)))
                ? manifest
                : throw Bad();
    }

    private static RefusedInput Bad() => new("backup.manifest-bad", "The manifest of this backup was changed, is damaged or is not this hospital's. Use another backup.");
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
