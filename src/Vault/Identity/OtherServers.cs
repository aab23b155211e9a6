using System.Data.Common;
using Mangrove.Vault.Clients;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Follows what another server of the hospital changed, where several stand on one PostgreSQL database: sessions, devices,
/// certificates of clients, times of sessions and rules of departments, which requests are judged by from memory. Every
/// change counts one number up in its own transaction (<see cref="Sessions.Change{T}"/>), so none can be forgotten; the number
/// is asked every second, and what stands behind it is read again only when it moved. On SQLite one process owns the
/// folder, and there is nobody to follow.
/// </summary>
internal sealed class OtherServers(Store store, Sessions sessions, SessionRules rules, DepartmentRules departments, CertificateRegister certificates, Devices devices)
{
    // Of the state that memory has. The first look reads everything once more: the number of before is not known.
    private long seen = -1;

    /// <summary>Counts a change, in the transaction of the change.</summary>
    public static Task<int> Count(DbConnection connection, CancellationToken cancel) =>
        connection.Run("UPDATE vault_version SET version = version + 1 WHERE id = 1", cancel);

    /// <summary>Looks once. True when something had changed, here or there, and was read.</summary>
    public async Task<bool> Follow(CancellationToken cancel)
    {
        if (store.IsSqlite)
        {
            return false;
        }

        await using (var connection = await store.Open(cancel))
        {
            if (await Version(connection, cancel) == Interlocked.Read(ref seen))
            {
                return false;
            }
        }

        // The number first: what is written between is read twice and missed never.
        var version = 0L;
        await sessions.Follow(
            async connection =>
            {
                version = await Version(connection, cancel);
                await rules.Load(connection, cancel);
                await departments.Load(connection, cancel);
                await certificates.Load(connection, cancel);
                await devices.Load(connection, cancel);
            },
            cancel);
        Interlocked.Exchange(ref seen, version);
        return true;
    }

    private static async Task<long> Version(DbConnection connection, CancellationToken cancel) =>
        (long)(await connection.Scalar("SELECT version FROM vault_version WHERE id = 1", cancel) ?? 0L);
}
