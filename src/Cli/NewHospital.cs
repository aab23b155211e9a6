using Mangrove.Kernel;

namespace Mangrove.Cli;

/// <summary>A hospital without patients, made just now.</summary>
/// <param name="Facility">Its id.</param>
/// <param name="Link">Where the first administrator chooses a password; good once.</param>
/// <param name="User">The administrator.</param>
/// <param name="Expires">Until when the link is good.</param>
/// <param name="Device">The device that the link registers.</param>
internal sealed record NewHospital(Guid Facility, string Link, string User, DateTimeOffset Expires, string Device)
{
    /// <summary>Makes one, with a link for its first administrator.</summary>
    /// <param name="plan">What it is to be.</param>
    /// <param name="login">User name of the administrator.</param>
    /// <param name="clock">The time.</param>
    /// <param name="cancel">Gives up; nothing is left behind.</param>
    /// <exception cref="RefusedInput">A code of <see cref="Founding.Make"/>.</exception>
    public static async Task<NewHospital> Make(FoundingPlan plan, string login, TimeProvider clock, CancellationToken cancel)
    {
        var (made, link, device) = await Founding.Make(
            plan,
            async (hospital, setUp, token) => (
                hospital.Vault.Facility,
                (await hospital.Vault.Identity.FirstAdministrator.Create(setUp, login, "Administrator", token)).Value,
                await hospital.Vault.Identity.Devices.Found(setUp, token)),
            clock,
            cancel);

        // Both codes stand behind the #: no address that a server or a log sees has them.
        return new NewHospital(made, new Uri(plan.Address, $"/welcome#code={Uri.EscapeDataString(link.Token)}&device={device.Code}").ToString(), link.User, link.Expires, device.Name);
    }
}
