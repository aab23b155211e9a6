using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>Follows the versions that another server of the hospital made or retired, where several stand on one database.</summary>
internal sealed partial class KeyRing
{
    /// <summary>Waits until a version is so old that every other process with the same keys has followed; on SQLite there is none.</summary>
    internal async Task LetOthersFollow(PurposeKey made, TimeSpan age, CancellationToken cancel)
    {
        if (!store.IsSqlite && made.Created + age - clock.GetUtcNow() is { Ticks: > 0 } left)
        {
            await Task.Delay(left, clock, cancel);
        }
    }

    /// <summary>
    /// Takes in versions that are new in the table and lets go of those that are gone from it. Called every second; reads a row
    /// a version. A version under another root key than this process has is left out: what names it does not open here
    /// until this server was started anew.
    /// </summary>
    internal async Task Follow(CancellationToken cancel)
    {
        if (store.IsSqlite)
        {
            return;
        }

        using var turn = await Writing(cancel);
        await using var connection = await store.Open(cancel);
        var rows = await connection.Query(
            "SELECT purpose, version, id, wrapped, created FROM purpose_key",
            row => (Purpose: (KeyPurpose)row.GetInt64(0), Version: (int)row.GetInt64(1), Id: row.Guid(2), Wrapped: row.Bytes(3), Created: row.GetInt64(4)),
            cancel);
        var least = await Least(connection, cancel);
        var known = purposes;
        foreach (var row in rows.Where(row => known.Find(row.Purpose, row.Version) is null && row.Version >= least.GetValueOrDefault(row.Purpose, 1)))
        {
            try
            {
                var key = KeyWrap.UnwrapBound(root, row.Wrapped, Context(row.Purpose, row.Version));
                purposes = purposes.With(new PurposeKey(row.Purpose, row.Version, row.Id, key, DateTimeOffset.FromUnixTimeMilliseconds(row.Created)));
            }
            catch (SealBroken)
            {
                // Said above; the next start has the new root key.
            }
        }

        foreach (var gone in known.All.Where(key => !rows.Exists(row => row.Purpose == key.Purpose && row.Version == key.Version) && key != purposes.Newest(key.Purpose)))
        {
            purposes = purposes.Without(gone);

            // Wrapped keys that were read under it were wrapped anew in the table.
            cache.Clear();
            gone.Key.Dispose();
        }
    }
}
