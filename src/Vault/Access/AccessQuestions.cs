using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Access;

/// <summary>One thing that the policy looks at, and what it came to.</summary>
/// <param name="What">What was looked at: account, device, record.</param>
/// <param name="Refusal">Why it says no; null where it does not stand in the way.</param>
/// <param name="Reason">The same in a sentence, for yes and no.</param>
public sealed record AccessReason(string What, Error? Refusal, string Reason);

/// <summary>
/// Answers administrators who ask whether a colleague may read something, and why: the same policy decides, about somebody
/// who is not there. Nothing is opened, and no actor of that colleague leaves the vault. The question is an entry.
/// </summary>
public sealed class AccessQuestions
{
    private readonly Store store;
    private readonly Door door;
    private readonly Standings standings;

    internal AccessQuestions(Store store, Door door, Standings standings)
    {
        this.store = store;
        this.door = door;
        this.standings = standings;
    }

    private static Error NoSuchUser { get; } = new("policy.user", "No account has this user name. Look it up under People.");

    /// <summary>Asks about one account, at one device where that is named.</summary>
    /// <param name="admin">Who asks.</param>
    /// <param name="user">User name of the account asked about.</param>
    /// <param name="device">Registered name of a device, or null for any that the rules let in.</param>
    /// <param name="patient">The patient asked about.</param>
    /// <param name="field">The field to be read.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Everything that was looked at, or <c>policy.user</c>, <c>device.unknown</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<IReadOnlyList<AccessReason>>> Ask(Actor admin, string user, string? device, PatientRef patient, FieldUse field, CancellationToken cancel)
    {
        var request = new Request { Action = "EXPLAIN_POLICY", Purpose = Purpose.Administration, Patients = [patient], Reads = [field] };
        if (await Find(user, cancel) is not { } account)
        {
            await door.Record(admin, Rights.Administration, request with { Resource = "account:none" }, cancel);
            return NoSuchUser;
        }

        if (device is { Length: > 0 } && !standings.Registered(device))
        {
            await door.Record(admin, Rights.Administration, request with { Reason = account.User }, cancel);
            return new Error("device.unknown", "There is no such device, or no browser has registered as it yet.");
        }

        var rights = RoleMatrix.Of(account.Role);
        var subject = Actor.Maker.Staff(account, device ?? string.Empty, Actor.Maker.NoSession);
        var refusal = await door.Judge(admin, subject, request with { Purpose = rights.Purposes.First() }, cancel);
        var reasons = new List<AccessReason>
        {
            account.State == AccountState.Active
                ? new("account", null, $"{account.DisplayName} is {account.Role.Title()}, and the account is active.")
                : new("account", new Error("access.account", "This account signs nobody in."), $"The account of {account.DisplayName} is {account.State.ToString().ToLowerInvariant()}: nobody signs in with it."),
        };
        if (device is { Length: > 0 })
        {
            var there = standings.AtDevice(account.Role, device);
            reasons.Add(there is null ? new("device", null, $"{device} stands in {standings.DepartmentOf(device)}, where this role works.") : new("device", there, there.Code == "access.department" ? $"{device} stands in {standings.DepartmentOf(device)}, where this role does not work." : there.Message));
        }
        else
        {
            reasons.Add(new("device", null, standings.DevicesRequired ? "At any registered device whose department the role works in." : "At any device: this hospital lets unregistered ones in."));
        }

        var care = rights.NeedsCareRelationship ? ", and the patient is in care here now" : "";
        reasons.Add(refusal is null ? new("record", null, $"The role reads {field.Category} for {rights.Purposes.First()}{care}.") : new("record", refusal, refusal.Code == "access.role" ? $"The role does not read {field.Category}." : refusal.Message));
        return reasons;
    }

    private async Task<Account?> Find(string user, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await connection.Query($"SELECT {Account.Columns} FROM account WHERE login = @login", Account.Read, cancel, ("@login", user.Trim().ToUpperInvariant())) is [var account] ? account : null;
    }
}
