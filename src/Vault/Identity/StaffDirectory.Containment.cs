using Mangrove.Kernel;
using Mangrove.Vault.Access;

namespace Mangrove.Vault.Identity;

/// <summary>What an incident does to accounts, within its own transaction.</summary>
public sealed partial class StaffDirectory
{
    /// <summary>What stands against <see cref="Freeze"/>: null, <c>staff.unknown</c> or <c>staff.last-admin</c>.</summary>
    internal static async Task<Error?> Unfrozen(SessionChange change, StaffId staff, CancellationToken cancel) =>
        await Load(change, staff, cancel) is not { } account ? NoSuchStaff : await IsLastAdmin(change, account, cancel) ? LastAdmin : null;

    /// <summary>
    /// Freezes an account in the course of a containment: its sessions end, and a link that is out opens nothing. One that is
    /// suspended or closed already only loses what is open.
    /// </summary>
    /// <returns>User name and what was done, or <c>staff.unknown</c>, <c>staff.last-admin</c>.</returns>
    internal async Task<Result<(string User, string Outcome)>> Freeze(SessionChange change, StaffId staff, Actor admin, string incident, CancellationToken cancel)
    {
        if (await Load(change, staff, cancel) is not { } account)
        {
            return NoSuchStaff;
        }

        if (await IsLastAdmin(change, account, cancel))
        {
            return LastAdmin;
        }

        var outcome = $"state {Word(account.State)}";
        if (account.State is AccountState.Active or AccountState.Invited)
        {
            outcome = $"{outcome} -> {Word(AccountState.Suspended)}";
            await change.Connection.Run("UPDATE account SET state = @state, link = NULL, link_expires = NULL WHERE id = @id", cancel, ("@state", (int)AccountState.Suspended), ("@id", account.Id));
            await door.Record(admin, Rights.Administration, Sessions.Act("SUSPEND_STAFF", $"staff:{staff}", $"{outcome}, {incident}"), cancel);
        }

        await change.EndOf(account.Id, SessionEnd.Suspended, admin, cancel);
        return (account.User, outcome);
    }
}
