using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>The first account of a new hospital: an administrator, who signs up by a one-time link like everybody after.</summary>
public sealed class FirstAdministrator
{
    private readonly StaffDirectory directory;

    internal FirstAdministrator(StaffDirectory directory) => this.directory = directory;

    /// <summary>Makes the account.</summary>
    /// <returns>The link, or <c>init.already</c> when any account exists, <c>staff.user-invalid</c>, <c>staff.name-invalid</c>.</returns>
    public Task<Result<StaffLink>> Create(FirstSetUp setUp, string user, string displayName, CancellationToken cancel) =>
        directory.CreateFirst(setUp.Setup, new NewStaff(user, displayName, Role.Admin.Slug()), cancel);
}
