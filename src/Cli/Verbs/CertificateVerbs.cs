using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Clients;

namespace Mangrove.Cli.Verbs;

/// <summary>What the verbs about certificates share: of a program by its client id, of a device by its name.</summary>
internal abstract class CertificateVerb : HospitalVerb
{
    private readonly Option<string> name;

    protected CertificateVerb(ClientKind kind, string verb, string description)
        : base(verb, description, kind == ClientKind.Program ? "integration certificate" : "device certificate", actsAsSomebody: true)
    {
        Kind = kind;
        name = kind == ClientKind.Program
            ? new Option<string>("--client") { Description = "Client id of the program.", HelpName = "CLIENT", Required = true }
            : new Option<string>("--name") { Description = "Name of the device.", HelpName = "NAME", Required = true };
        Add(name);
    }

    protected ClientKind Kind { get; }

    protected string NameIn(ParseResult arguments) => arguments.GetValue(name)!;

    protected static object Shown(ClientCertificate one) => new
    {
        fingerprint = one.Fingerprint,
        serial = one.Serial,
        name = one.Name,
        from = one.From,
        to = one.To,
        issued = one.Issued,
        issuedBy = one.IssuedBy.ToString(),
        revoked = one.Revoked,
    };
}

/// <summary>Signs a certificate from a request that lies in a file.</summary>
internal sealed class CertificateIssueVerb : CertificateVerb
{
    private const int LongestRequest = 16 * 1024;

    private readonly Option<string> request = new("--request") { Description = "The certificate request (PKCS#10, PEM). Nothing of it is taken but its key.", HelpName = "FILE", Required = true };
    private readonly Option<string?> output = new("--out") { Description = "Where the certificate and the authority's are written; printed when left out. A file that is there is not replaced.", HelpName = "FILE" };
    private readonly Option<int?> days;

    public CertificateIssueVerb(ClientKind kind)
        : base(kind, "issue", kind == ClientKind.Program
            ? "Sign a certificate for a program. It runs beside those that the program has."
            : "Sign a certificate for a registered device, which shows it instead of a browser's key from then on.")
    {
        days = new Option<int?>("--days")
        {
            Description = string.Create(CultureInfo.InvariantCulture, $"Its life, 1 to {ClientCertificates.MostDays} days; {(kind == ClientKind.Program ? ClientCertificates.ProgramDays : ClientCertificates.DeviceDays)} when left out."),
            HelpName = "N",
        };
        Add(request, days, output);
    }

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var asked = await Read(call.Full(arguments.GetValue(request)!), cancel);
        var file = arguments.GetValue(output) is { } named ? call.Full(named) : null;
        if (File.Exists(file))
        {
            throw new RefusedInput("certificate.out-file", "The file for the certificate is there already and is not replaced. Name another one; nothing was signed.");
        }

        var clients = hospital.Vault.Clients;
        var (name, life) = (NameIn(arguments), arguments.GetValue(days));
        var issued = (Kind == ClientKind.Program
            ? await clients.IssueToProgram(actor, name, asked, life, cancel)
            : await clients.IssueToDevice(actor, name, asked, life, cancel)).Value;
        if (file is not null)
        {
            await Write(file, issued.Chain, cancel);
        }

        var words = string.Create(CultureInfo.InvariantCulture, $"SHA-256 {issued.Certificate.Fingerprint}, until {issued.Certificate.To:yyyy-MM-dd}");
        return Answer.Of(
            new { certificate = Shown(issued.Certificate), pem = issued.Certificate.Pem(), authority = issued.Authority, file },
            file is null ? $"{issued.Chain}{words}" : words);
    }

    private static async Task<string> Read(string path, CancellationToken cancel)
    {
        try
        {
            return new FileInfo(path).Length <= LongestRequest ? await File.ReadAllTextAsync(path, cancel) : throw new RefusedInput("certificate.request-invalid", "The file is too long for a certificate request.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RefusedInput("certificate.request-file", "The file with the certificate request cannot be read. Name a readable file.");
        }
    }

    private static async Task Write(string path, string chain, CancellationToken cancel)
    {
        try
        {
            await using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            await using var writer = new StreamWriter(stream);
            await writer.WriteAsync(chain.AsMemory(), cancel);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RefusedInput("certificate.out-file", "The certificate was signed and is on the list, but the file could not be written. Fetch it on the page of the client, or revoke it and name another file.");
        }
    }
}

/// <summary>Every certificate of a client, those taken back too.</summary>
internal sealed class CertificateListVerb(ClientKind kind) : CertificateVerb(kind, "list", "Every certificate of one client, newest first, those that were taken back too.")
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var now = hospital.Clock.GetUtcNow();
        var all = await hospital.Vault.Clients.List(actor, Kind, NameIn(arguments), cancel);
        return Answer.Of(
            all.Select(Shown).ToArray(),
            all.Count == 0
                ? "No certificate was signed under this name."
                : string.Join('\n', all.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Fingerprint}  {(one.Revoked is not null ? "revoked" : one.IsGood(now) ? "good" : "run out"),-8} until {one.To:yyyy-MM-dd}"))));
    }
}

/// <summary>Takes a certificate back.</summary>
internal sealed class CertificateRevokeVerb : CertificateVerb
{
    private readonly Option<string> fingerprint = new("--fingerprint") { Description = "SHA-256 of the certificate, as the list shows it.", HelpName = "SHA256", Required = true };

    public CertificateRevokeVerb(ClientKind kind)
        : base(kind, "revoke", "Take a certificate back: it opens nothing from the next request on.") => Add(fingerprint);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var revoked = (await hospital.Vault.Clients.Revoke(actor, Kind, NameIn(arguments), arguments.GetValue(fingerprint)!, cancel)).Value;
        return Answer.Of(new { fingerprint = revoked.Fingerprint, name = revoked.Name }, $"The certificate of {revoked.Name} is revoked.");
    }
}

/// <summary>Lets a program in by certificate alone, or by either way again.</summary>
internal sealed class CertificateRequireVerb : CertificateVerb
{
    private readonly Option<bool> off = new("--off") { Description = "Let it in by a signed assertion alone again." };

    public CertificateRequireVerb()
        : base(ClientKind.Program, "require", "Let a program in by its certificate alone: a token that is bound to none is neither given nor taken.") => Add(off);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var changed = (await hospital.Vault.Integrations.Directory.RequireCertificate(actor, NameIn(arguments), !arguments.GetValue(off), cancel)).Value;
        return Answer.Of(
            new { client = changed.Client, certificateOnly = changed.CertificateOnly },
            changed.CertificateOnly ? $"{changed.Client} is let in by its certificate alone." : $"{changed.Client} is let in by a signed assertion or its certificate.");
    }
}
