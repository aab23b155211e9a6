using System.Text.RegularExpressions;
using Mangrove.Kernel;

namespace Mangrove.Vault.Health;

/// <summary>How a server of mail is spoken to.</summary>
public enum MailSecurity
{
    /// <summary>None of them: refused.</summary>
    Unchosen = 0,

    /// <summary>TLS from the first byte (usually port 465).</summary>
    Tls = 1,

    /// <summary>STARTTLS, and nothing is sent where the server does not offer it (usually port 587).</summary>
    StartTls = 2,

    /// <summary>No TLS: a server on this very machine only.</summary>
    None = 3,
}

/// <summary>The hospital's server of mail.</summary>
/// <param name="Host">Name or address.</param>
/// <param name="Port">1 to 65,535.</param>
/// <param name="Security">Whether TLS is spoken, and from when on.</param>
/// <param name="Sender">The address that letters come from.</param>
/// <param name="Login">User name at the server; empty where it asks for none.</param>
/// <param name="Authority">The certificate (PEM) of the authority that the server's certificate comes from; empty for those that the system trusts.</param>
public sealed partial record MailServer(string Host, int Port, MailSecurity Security, string Sender, string Login, string Authority)
{
    private const int LongestAuthority = 8_000;

    /// <summary>What is wrong with it; null when nothing is.</summary>
    internal Error? Malformed() => this switch
    {
        _ when !HostName().IsMatch(Host) => new Error("mail.host", "Give the name or address of the mail server, such as mail.hospital.example."),
        _ when Port is < 1 or > 65_535 => new Error("mail.port", "Give a port from 1 to 65535; usual are 465 and 587."),
        _ when Security is not (MailSecurity.Tls or MailSecurity.StartTls or MailSecurity.None) => new Error("mail.security", "Choose TLS, STARTTLS, or none for a server on this machine."),
        _ when Security == MailSecurity.None && !IsThisMachine => new Error("mail.needs-tls", "Letters leave this machine by TLS only. Choose TLS or STARTTLS."),
        _ when !IsAddress(Sender) => new Error("mail.sender", "Give the sender as an address, such as mangrove@hospital.example."),
        _ when Login.Length > 200 || Login.Any(char.IsControl) => new Error("mail.login", "The user name at the mail server has at most 200 characters."),
        _ when Authority.Length > LongestAuthority || (Authority.Length > 0 && !Certificate(Authority)) => new Error("mail.authority", "Give the authority as one certificate in PEM, from BEGIN to END CERTIFICATE; or leave it empty."),
        _ => null,
    };

    /// <summary>Whether the host is this machine by its name.</summary>
    public bool IsThisMachine => Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (System.Net.IPAddress.TryParse(Host, out var address) && System.Net.IPAddress.IsLoopback(address));

    /// <summary>Whether a text is an address of mail as we write it: ASCII, nothing quoted, nothing that could begin a line.</summary>
    public static bool IsAddress(string text) => text is { Length: <= 254 } && Address().IsMatch(text);

    private static bool Certificate(string pem)
    {
        try
        {
            using var read = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(pem);
            return true;
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"\A[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\z", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Address();

    [GeneratedRegex(@"\A([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45})\z", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex HostName();
}

/// <summary>
/// A letter on its way to one address. Its text names things by number and by words of our own: it leaves the hospital's
/// machine, and stays wherever it arrives.
/// </summary>
/// <param name="Id">Random; the letter's own number (Message-ID), the same at every try.</param>
/// <param name="Kind">Stable: <c>alarm</c>, <c>alarm-over</c>, <c>test</c>.</param>
/// <param name="Address">Whom it is for.</param>
/// <param name="Subject">ASCII, one line.</param>
/// <param name="Body">Lines of text.</param>
/// <param name="Created">When it was put into the outbox.</param>
/// <param name="Tries">How often it was tried.</param>
/// <param name="Problem">Stable code of what the last try came to; null where there was none or it went well.</param>
/// <param name="Delivered">When a server took it; null before.</param>
/// <param name="Receipt">What the server said when it took it.</param>
/// <param name="GivenUp">When it was given up; null where it was not.</param>
public sealed record Letter(Guid Id, string Kind, string Address, string Subject, string Body, DateTimeOffset Created, int Tries, string? Problem, DateTimeOffset? Delivered, string? Receipt, DateTimeOffset? GivenUp);
