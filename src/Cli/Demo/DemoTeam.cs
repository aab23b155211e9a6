using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Demo;

/// <summary>An account of the sample hospital, as scripts read it from demo-accounts.json.</summary>
/// <param name="Pin">Unlocks the person's own screen.</param>
/// <param name="TotpSecret">Base32, for an authenticator app; null where the role signs in without a second factor.</param>
/// <param name="RecoveryCodes">Each stands for one code of the app; none where there is no second factor.</param>
internal sealed record DemoAccount(string Role, string User, string Password, string Pin, string? TotpSecret, string StaffId, IReadOnlyList<string> RecoveryCodes)
{
    /// <summary>Without the secrets.</summary>
    public override string ToString() => $"{nameof(DemoAccount)} {User}";
}

/// <summary>The staff of the sample hospital, one for each role.</summary>
internal sealed record DemoTeam(IReadOnlyList<DemoAccount> Accounts, IReadOnlyDictionary<Role, StaffId> Staff)
{
    // Where everybody's first day is spent.
    private const string SetUpDevice = "set-up";

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

    /// <summary>
    /// Makes the accounts as an administrator would, and then does for each what its person would do on the first day:
    /// chooses a password by the one-time link, signs in, sets up the phone where the role asks for one, chooses a PIN.
    /// </summary>
    public static async Task<DemoTeam> Hire(Hospital hospital, FirstSetUp setUp, CancellationToken cancel)
    {
        var links = new List<StaffLink>();
        foreach (var (role, user, name, department) in People)
        {
            links.Add((await hospital.Vault.Identity.Staff.Create(setUp.Setup, new NewStaff(user, name, role.Slug(), department), cancel)).Value);
        }

        // Hashing takes most of it: everybody's first day at once, on every processor.
        var accounts = await Task.WhenAll(People.Zip(links, (person, link) => FirstDay(hospital, person.Role, link, cancel)));
        return new DemoTeam(accounts, People.Zip(links).ToDictionary(pair => pair.First.Role, pair => pair.Second.Staff));
    }

    private static async Task<DemoAccount> FirstDay(Hospital hospital, Role role, StaffLink link, CancellationToken cancel)
    {
        var identity = hospital.Vault.Identity;
        var password = await Accepted(identity, link, cancel);
        var pin = Pin();
        var step = (await identity.SignIn.Password(link.User, password, SetUpDevice, cancel)).Value;
        string? secret = null;
        IReadOnlyList<string> codes = [];
        var session = step.Session;
        if (session is null)
        {
            secret = identity.SignIn.Enrol(step.Ticket, SetUpDevice).Value.Secret;
            session = (await identity.SignIn.FirstCode(step.Ticket, CodeNow(secret, hospital.Clock), SetUpDevice, cancel)).Value;
            codes = identity.SecondFactor.TakeCodes(session.Actor) ?? [];
        }

        session = (await identity.Pin.Choose(session.Token, password, pin, cancel)).Value;
        await identity.Sessions.End(session.Token, cancel);
        return new DemoAccount(role.Slug(), link.User, password, pin, secret, link.Staff.ToString(), codes);
    }

    private static string CodeNow(string secret, TimeProvider clock) => Base32.TryDecode(secret, out var bytes)
        ? Totp.Code(bytes, clock.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds)
        : throw new InvalidOperationException("The secret of an authenticator is not base32.");

    // Five groups of four out of 31 signs: 99 bits.
    private static string Password() => string.Join('-', Enumerable.Range(0, 5).Select(_ => RandomNumberGenerator.GetString(Signs, 4)));

    // Random signs spell a name or a common word now and then: drawn again, like a PIN that the rules refuse.
    private static async Task<string> Accepted(IdentityDesk identity, StaffLink link, CancellationToken cancel)
    {
        while (true)
        {
            var password = Password();
            var chosen = await identity.Staff.SetPassword(link.Token, password, cancel);
            if (chosen.Error is not { Code: "password.contains-name" or "password.common" })
            {
                _ = chosen.Value;
                return password;
            }
        }
    }

    // What the rules for PINs refuse is drawn again: they are the product's, not this file's.
    private static string Pin()
    {
        while (true)
        {
            var pin = RandomNumberGenerator.GetString("0123456789", StaffPin.Length);
            if (StaffPin.Check(pin) is null)
            {
                return pin;
            }
        }
    }
}
