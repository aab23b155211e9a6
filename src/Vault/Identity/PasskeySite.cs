namespace Mangrove.Vault.Identity;

/// <summary>
/// The name and port under which a browser has the hospital open. A passkey is made for one name and answers to no
/// other, which is what a page that only looks like ours cannot get around. A bare address is no such name
/// (Web Authentication, Level 3, 5.1.2 and 5.4.2), so there is no site for it.
/// </summary>
public sealed record PasskeySite
{
    private const int LongestName = 253;
    private const int SecurePort = 443;

    private PasskeySite(string name, string origin)
    {
        Name = name;
        Origin = origin;
    }

    /// <summary>The relying party's id: the host name, in small letters.</summary>
    public string Name { get; }

    /// <summary>The origin that a browser writes into what its passkey signs: <c>https://name:port</c>.</summary>
    public string Origin { get; }

    /// <summary>The site of a host, or null where it is an address or no name.</summary>
    /// <param name="host">MUST be a host that the server answers to, and not merely one that a request names.</param>
    /// <param name="port">The port that the server listens on.</param>
    public static PasskeySite? At(string? host, int port)
    {
        if (host is not { Length: > 0 and <= LongestName } || host.EndsWith('.') || Uri.CheckHostName(host) != UriHostNameType.Dns)
        {
            return null;
        }

        // Browsers read a last part of digits as an address, also where it is a short one such as 127.1.
        var name = host.ToLowerInvariant();
        return name[(name.LastIndexOf('.') + 1)..].All(char.IsAsciiDigit)
            ? null
            : new PasskeySite(name, port == SecurePort ? $"https://{name}" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"https://{name}:{port}"));
    }
}
