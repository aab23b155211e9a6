using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mangrove.Vault.Destruction;

/// <summary>What an order has come to so far, kept with it step by step: the certificate is made of this. No protected information.</summary>
public sealed record DestructionFacts
{
    /// <summary>Number of the entry that says that the keys are destroyed.</summary>
    public long Announced { get; init; }

    /// <summary>Patients' keys, by patient: how many, and SHA-256 of what was wrapped.</summary>
    public IReadOnlyList<DestroyedKeys> Keys { get; init; } = [];

    /// <summary>Rows that were deleted or made anonymous, by table.</summary>
    public IReadOnlyDictionary<string, long> Rows { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Version of the data key that the patients' keys were under at the latest.</summary>
    public int? DataVersion { get; init; }

    /// <summary>Version of the backup key likewise.</summary>
    public int? BackupVersion { get; init; }

    /// <summary>The epoch under which bundles are rewritten.</summary>
    public Guid? Epoch { get; init; }

    /// <summary>Epochs whose keys are destroyed.</summary>
    public IReadOnlyList<Guid> Epochs { get; init; } = [];

    /// <summary>Key bundles that were rewritten.</summary>
    public IReadOnlyList<RewrittenBundle> Bundles { get; init; } = [];

    /// <summary>Targets of backups that could not be reached, and are waited for.</summary>
    public IReadOnlyList<string> Outstanding { get; init; } = [];

    /// <summary>Places where backups once went and where nothing could be reached; they are not waited for.</summary>
    public IReadOnlyList<string> Unreached { get; init; } = [];

    /// <summary>Key bundles that this hospital's keys do not open, by file.</summary>
    public IReadOnlyList<string> Unopened { get; init; } = [];

    /// <summary>Whether a change of the root key was asked for.</summary>
    public bool RootAsked { get; init; }

    /// <summary>Whether the root key was changed.</summary>
    public bool RootRotated { get; init; }

    /// <summary>What was looked through at the end: places, and how much of the patients was found there.</summary>
    public IReadOnlyDictionary<string, long> Looked { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    internal string ToJson() => JsonSerializer.Serialize(this, DestructionJson.Default.DestructionFacts);

    internal static DestructionFacts Parse(string json) => JsonSerializer.Deserialize(json, DestructionJson.Default.DestructionFacts) ?? throw new InvalidOperationException("An order without facts.");
}

/// <summary>The keys of one patient that were destroyed.</summary>
/// <param name="Patient">The record's id.</param>
/// <param name="Count">The key in use and older ones; 0 for a patient without any.</param>
/// <param name="Sha256">Of the wrapped keys, the newest first, hexadecimal.</param>
public sealed record DestroyedKeys(Guid Patient, int Count, string Sha256);

/// <summary>A key bundle that was rewritten without the patients.</summary>
/// <param name="Target">The target.</param>
/// <param name="File">Its name there.</param>
/// <param name="Before">SHA-256 of the bundle of before, hexadecimal.</param>
/// <param name="After">Of the new one.</param>
/// <param name="Removed">Keys of the patients that were in it.</param>
public sealed record RewrittenBundle(string Target, string File, string Before, string After, int Removed);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(DestructionFacts))]
[JsonSerializable(typeof(DestructionCertificate))]
internal sealed partial class DestructionJson : JsonSerializerContext;
