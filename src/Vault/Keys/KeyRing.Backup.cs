using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>What backups need of the ring: every purpose key once more under the key of a bundle, and back.</summary>
internal sealed partial class KeyRing
{
    /// <summary>
    /// Copies keys.db, and gives the purpose keys that are in the copy, no more and no fewer: nothing writes keys.db meanwhile.
    /// The keys are the ring's: hold (<see cref="Hold"/>) from before the copy until they are no longer used.
    /// </summary>
    internal async Task<(T Copy, IReadOnlyList<(KeyPurpose Purpose, int Version, KeyMaterial Key)> Keys)> Copied<T>(Func<Task<T>> copy, CancellationToken cancel)
    {
        using var turn = await Writing(cancel);
        var made = await copy();
        return (made, [.. purposes.All.Select(key => (key.Purpose, key.Version, key.Key))]);
    }

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
