using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Serving;

namespace Mangrove.Cli.Verbs;

/// <summary>
/// The certificate of the hospital's own authority, for the workstations that are to trust it, and its fingerprint: what the
/// browser's page about it shows is compared with what the server itself says here.
/// </summary>
internal sealed class AuthorityVerb() : HospitalVerb("authority", "The certificate of the hospital's own authority and its fingerprint, for workstations that are to trust it.")
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        using var authority = await Certificates.Authority(hospital.Vault.Secrets, cancel);
        var pem = authority.ExportCertificatePem();
        var sha256 = string.Join(':', SHA256.HashData(authority.RawData).Select(part => part.ToString("X2", CultureInfo.InvariantCulture)));
        return Answer.Of(
            new { subject = authority.Subject, notAfter = authority.NotAfter.ToUniversalTime(), sha256, pem },
            $"{pem}\n{authority.Subject}, until {authority.NotAfter.ToUniversalTime():yyyy-MM-dd}\nSHA-256 {sha256}");
    }
}
