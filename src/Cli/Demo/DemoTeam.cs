using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Demo;

/// <summary>An account of the sample hospital, as scripts read it from demo-accounts.json.</summary>
/// <param name="Pin">Null until the product has PINs.</param>
/// <param name="TotpSecret">Null until the product has one-time codes.</param>
internal sealed record DemoAccount(string Role, string User, string Password, string? Pin, string? TotpSecret, string StaffId)
{
    /// <summary>Without the password.</summary>
    public override string ToString() => $"{nameof(DemoAccount)} {User}";
}

/// <summary>The staff of the sample hospital, one for each role.</summary>
internal sealed record DemoTeam(IReadOnlyList<DemoAccount> Accounts, IReadOnlyDictionary<Role, StaffId> Staff)
{
    // Letters and digits that are not taken for each other when read aloud or typed off a screen.
    private const string Signs = "abcdefghjkmnpqrstuvwxyz23456789";

    private static readonly (Role Role, string User, string Name, string Department)[] People =
    [
        (Role.FrontDesk, "desk.mwende", "Faith Mwende", "Reception"),
        (Role.Cashier, "cash.otieno", "Daniel Otieno", "Cash office"),
        (Role.Nurse, "nurse.wanjiru", "Grace Wanjiru", "Emergency"),
        (Role.Doctor, "dr.ahmed", "Dr Yusuf Ahmed", "Emergency"),
        (Role.Pharmacist, "pharm.salim", "Khadija Salim", "Pharmacy"),
        (Role.LabTech, "lab.chebet", "Ruth Chebet", "Laboratory"),
        (Role.Admin, "admin.njoroge", "Peter Njoroge", "Administration"),
    ];

    public StaffId Doctor => Staff[Role.Doctor];

    public StaffId Nurse => Staff[Role.Nurse];

    public StaffId Pharmacist => Staff[Role.Pharmacist];

    public StaffId LabTech => Staff[Role.LabTech];

    /// <summary>Makes the accounts as an administrator would, and chooses each password by its one-time link.</summary>
    public static async Task<DemoTeam> Hire(Hospital hospital, FirstSetUp setUp, CancellationToken cancel)
    {
        var accounts = new List<DemoAccount>();
        var staff = new Dictionary<Role, StaffId>();
        foreach (var (role, user, name, department) in People)
        {
            var link = (await hospital.Vault.Identity.Staff.Create(setUp.Setup, new NewStaff(user, name, role.Slug(), department), cancel)).Value;
            var password = Password();
            var member = (await hospital.Vault.Identity.Staff.SetPassword(link.Token, password, cancel)).Value;
            accounts.Add(new DemoAccount(role.Slug(), user, password, null, null, member.Staff.ToString()));
            staff[role] = member.Staff;
        }

        return new DemoTeam(accounts, staff);
    }

    // Five groups of four out of 31 signs: 99 bits.
    private static string Password() => string.Join('-', Enumerable.Range(0, 5).Select(_ => RandomNumberGenerator.GetString(Signs, 4)));
}
