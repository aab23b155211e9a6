using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>One version of one purpose's key while the system is unsealed. The material is the ring's.</summary>
internal sealed record PurposeKey(KeyPurpose Purpose, int Version, Guid Id, KeyMaterial Key, DateTimeOffset Created)
{
    /// <summary>Without the material.</summary>
    public override string ToString() => $"{Purpose} {Version}";
}

/// <summary>
/// The purpose keys of one moment. Immutable: a new version or a retired one makes another set, so that no reader ever sees
/// a version named that it cannot find.
/// </summary>
internal sealed class PurposeKeys
{
    private readonly PurposeKey[] keys;

    private PurposeKeys(IEnumerable<PurposeKey> keys) => this.keys = [.. keys.OrderBy(key => key.Purpose).ThenBy(key => key.Version)];

    public static PurposeKeys None { get; } = new([]);

    /// <summary>By purpose and version.</summary>
    public IReadOnlyList<PurposeKey> All => keys;

    public bool Has(KeyPurpose purpose) => Array.Exists(keys, key => key.Purpose == purpose);

    /// <summary>The version in use: new things are sealed under it.</summary>
    public PurposeKey Newest(KeyPurpose purpose) => Array.FindLast(keys, key => key.Purpose == purpose) ?? throw new ObjectDisposedException(nameof(KeyRing));

    public PurposeKey? Find(KeyPurpose purpose, int version) => Array.Find(keys, key => key.Purpose == purpose && key.Version == version);

    public PurposeKeys With(PurposeKey added) => new(keys.Append(added));

    public PurposeKeys Without(PurposeKey gone) => new(keys.Where(key => key != gone));
}
