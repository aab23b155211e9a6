using Mangrove.Kernel;
using Mangrove.Vault.Access;

namespace Mangrove.Vault.Identity;

/// <summary>What an incident does to devices, within its own transaction.</summary>
public sealed partial class Devices
{
    /// <summary>What stands against <see cref="Shut"/>: null or <c>device.unknown</c>.</summary>
    internal static async Task<Error?> Unshut(SessionChange change, string name, CancellationToken cancel) => await Find(change, name, cancel) is null ? NoSuchDevice : null;

    /// <summary>Takes a device out of the house in the course of a containment, as <see cref="Revoke"/> does.</summary>
    /// <returns>The device as it was, or <c>device.unknown</c>.</returns>
    internal async Task<Result<RegisteredDevice>> Shut(SessionChange change, string name, Actor admin, string incident, CancellationToken cancel)
    {
        if (await Find(change, name, cancel) is not { } device)
        {
            return NoSuchDevice;
        }

        await End(change, device, admin, cancel);
        await door.Record(admin, Rights.Administration, Sessions.Act("REVOKE_DEVICE", $"device:{device.Name}", $"registered -> revoked, {incident}"), cancel);
        return device;
    }
}
