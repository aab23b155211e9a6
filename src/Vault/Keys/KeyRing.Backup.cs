using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>What backups need of the ring: every purpose key once more under the key of a bundle, and back.</summary>
internal sealed partial class KeyRing
{
    /// <summary>Every purpose key of every version. Owned by the ring: do not dispose.</summary>
    internal IReadOnlyList<(KeyPurpose Purpose, int Version, KeyMaterial Key)> Purposes() =>
        [.. purposes.Select(entry => (entry.Key.Purpose, entry.Key.Version, entry.Value.Key))];

    /// <summary>The newest version of a purpose, for what keeps the version beside what it wrapped.</summary>
    internal int NewestVersion(KeyPurpose purpose) => purposes.Keys.Where(key => key.Purpose == purpose).Max(key => key.Version);

    /// <summary>A purpose key of one version.</summary>
    /// <exception cref="SealBroken">There is none: it was retired, or the row names one that never was.</exception>
    internal KeyMaterial At(KeyPurpose purpose, int version) => purposes.TryGetValue((purpose, version), out var entry) ? entry.Key : throw new SealBroken();

    /// <summary>Puts the purpose keys of a restored keys.db under a new root key.</summary>
    /// <exception cref="RefusedInput"><c>restore.keys-differ</c>: the bundle's keys are not those of its keys.db.</exception>
    internal static async Task Rewrap(Store store, IReadOnlyList<(KeyPurpose Purpose, int Version, KeyMaterial Key)> keys, KeyMaterial root, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        foreach (var (purpose, version, key) in keys)
        {
            if (await connection.Run(
                "UPDATE purpose_key SET wrapped = @wrapped WHERE purpose = @purpose AND version = @version",
                cancel,
                ("@wrapped", KeyWrap.WrapBound(root, key, Context(purpose, version))),
                ("@purpose", (long)purpose),
                ("@version", version)) != 1)
            {
                throw Differ();
            }
        }

        if (await connection.Scalar("SELECT COUNT(*) FROM purpose_key", cancel) is not long count || count != keys.Count)
        {
            throw Differ();
        }

        await transaction.CommitAsync(cancel);
    }

    private static RefusedInput Differ() => new("restore.keys-differ", "The keys of this backup do not belong to its keys.db. Nothing was restored; use another backup.");
}
