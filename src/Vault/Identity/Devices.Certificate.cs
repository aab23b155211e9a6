using System.Collections.Concurrent;
using Mangrove.Kernel;
using Mangrove.Vault.Clients;

namespace Mangrove.Vault.Identity;

/// <summary>Desktop devices: registered like the others, and known by the certificate that their connection shows.</summary>
public sealed partial class Devices
{
    // By the row. A device that is registered and has no browser's cookie has a certificate.
    private readonly ConcurrentDictionary<Guid, KnownDevice> certified = new();

    /// <summary>Which device stands behind the certificate of a connection; null for a program's.</summary>
    public KnownDevice? ShownBy(ShownClient shown)
    {
        ArgumentNullException.ThrowIfNull(shown);
        return shown.Kind == ClientKind.Device ? certified.GetValueOrDefault(shown.Holder) : null;
    }

    /// <summary>Whether a request of a session comes over a connection of the device where it was begun. A cookie says nothing there.</summary>
    /// <param name="device">The session's device, as its actor carries it.</param>
    /// <param name="shown">By what the connection is known.</param>
    public bool IsAt(string device, ShownClient shown) => ShownBy(shown)?.Name == device;

    /// <summary>
    /// Where somebody signs in or resumes over a connection with a certificate: the handshake was the proof, and that the
    /// certificate still stands is asked once more.
    /// </summary>
    /// <returns>The device's name as the log writes it, or <c>device.unregistered</c>.</returns>
    public async Task<Result<string>> Prove(ShownClient shown, string address, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(shown);
        if (ShownBy(shown) is { } device && await certificates.Standing(shown.Fingerprint, cancel) is not null)
        {
            return device.Name;
        }

        await log.Refuse(Actor.Maker.Unknown(address), Sessions.Act("SIGN_IN_REFUSED", shown.Kind == ClientKind.Device ? $"device:{shown.Name}" : "sign-in", "device"), Unregistered, cancel);
        return Unregistered;
    }

    /// <summary>
    /// Makes a device one with a certificate in the course of a change. What a browser had of it is dead, and its sessions
    /// end; one that has certificates keeps them, because a new one comes before the old one runs out.
    /// </summary>
    /// <returns>The device and what it had instead of a certificate, or <c>device.unknown</c>.</returns>
    internal async Task<Result<(RegisteredDevice Device, string? Instead)>> TakeCertificate(SessionChange change, string name, Actor admin, CancellationToken cancel)
    {
        if (await Find(change, name, cancel) is not { } device)
        {
            return NoSuchDevice;
        }

        if (certified.ContainsKey(device.Id))
        {
            return (device, (string?)null);
        }

        var now = clock.GetUtcNow();
        await change.Connection.Run(
            "UPDATE device SET code = NULL, code_expires = NULL, token = NULL, public_key = NULL, enrolled = @now WHERE id = @id AND revoked IS NULL",
            cancel,
            ("@now", now.ToUnixTimeMilliseconds()),
            ("@id", device.Id));
        await Close(change, device, admin, cancel);
        change.AfterCommit += () => Learn(device.Id, new KnownDevice(device.Name, device.Department, device.By, now));
        string? instead = device.Enrolled is null ? "code" : "browser key";
        return (device, instead);
    }

    private void Learn(Guid id, KnownDevice device)
    {
        certified[id] = device;
        standings.Register(device.Name, device.Department);
    }

    /// <summary>Reads the desktops, and gives their names.</summary>
    private async Task<IEnumerable<string>> LoadCertified(System.Data.Common.DbConnection connection, CancellationToken cancel)
    {
        var desktops = await connection.Query(Select + " WHERE device.enrolled IS NOT NULL AND device.token IS NULL AND device.revoked IS NULL", Read, cancel);
        foreach (var device in desktops)
        {
            Learn(device.Id, new KnownDevice(device.Name, device.Department, device.By, device.Enrolled!.Value));
        }

        foreach (var gone in certified.Keys.Except(desktops.Select(device => device.Id)))
        {
            certified.TryRemove(gone, out _);
        }

        return desktops.Select(device => device.Name);
    }
}
