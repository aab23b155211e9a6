using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;

namespace Mangrove.Vault.Clients;

/// <summary>
/// Certificates of the hospital's authority for programs and for desktop devices (threats S13, service tokens): signed by an
/// administrator from a request that shows its key, listed, and taken back at once. What a certificate opens is asked of the
/// list at every request, never of the certificate alone.
/// </summary>
public sealed class ClientCertificates
{
    /// <summary>How the log names a certificate that was refused at the door.</summary>
    public const string ShowAction = "SHOW_CERTIFICATE";

    /// <summary>The longest life: browsers and operating systems take no longer one of a server either.</summary>
    public const int MostDays = 397;

    /// <summary>Life of a program's certificate when nothing else is said, in days.</summary>
    public const int ProgramDays = 90;

    /// <summary>Life of a device's certificate when nothing else is said, in days.</summary>
    public const int DeviceDays = 365;

    private const int FingerprintLength = 64;

    private readonly Store store;
    private readonly CertificateRegister register;
    private readonly Devices devices;
    private readonly AdministratorAct acts;
    private readonly Door door;
    private readonly Receipt.Log log;
    private readonly ClientAuthority authority;
    private readonly CallBudget notes;
    private readonly TimeProvider clock;

    internal ClientCertificates(Store store, IdentityDesk identity, Door door, Receipt.Log log, SystemSecrets secrets, TimeProvider clock)
    {
        this.store = store;
        this.door = door;
        this.log = log;
        this.clock = clock;
        register = identity.Certificates;
        devices = identity.Devices;
        acts = new AdministratorAct(identity.Sessions, door, log);
        authority = new ClientAuthority(secrets, identity.Hospital, clock);

        // One refusal of a kind and an address a minute is an entry, the rest are the same.
        notes = new CallBudget(1, TimeSpan.FromMinutes(1), clock);
    }

    private static Error NoSuch { get; } = new("certificate.unknown", "There is no such certificate of this client, or it was taken back before. Look it up in the list.");

    private static Error NoProgram { get; } = new("integration.unknown", "There is no integration with this client id. Look it up in the list.");

    private static Error EndedProgram { get; } = new("integration.state", "The integration was ended, which does not allow this.");

    /// <summary>
    /// Signs a certificate for a program. It runs beside those that the program has, so that it can change over before one
    /// runs out.
    /// </summary>
    /// <param name="admin">Who acts.</param>
    /// <param name="client">Client id of the program.</param>
    /// <param name="request">The certificate request (PKCS#10) as PEM; nothing of it is taken but its key.</param>
    /// <param name="days">Its life, 1 to <see cref="MostDays"/>; null for <see cref="ProgramDays"/>.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The certificate, or <c>integration.unknown</c>, <c>integration.state</c> (ended), <c>certificate.days</c>,
    /// <c>certificate.request-invalid</c>, <c>certificate.key</c>, <c>certificate.private</c>.
    /// </returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<IssuedCertificate>> IssueToProgram(Actor admin, string client, string? request, int? days, CancellationToken cancel) => Issue(
        admin,
        ClientKind.Program,
        client,
        request,
        days ?? ProgramDays,
        async change =>
        {
            if (await Program(change, client, cancel) is not { } program)
            {
                return (NoProgram, null);
            }

            if (program.State == IntegrationState.Revoked)
            {
                return (EndedProgram, null);
            }

            return (new Holder(program.Id, program.Client), null);
        },
        cancel);

    /// <summary>
    /// Signs a certificate for a registered device, which from then on shows who it is by it: the code or the browser's key
    /// of before is dead, and what was begun with it ends.
    /// </summary>
    /// <param name="admin">Who acts.</param>
    /// <param name="name">Name of the device.</param>
    /// <param name="request">The certificate request (PKCS#10) as PEM; nothing of it is taken but its key.</param>
    /// <param name="days">Its life, 1 to <see cref="MostDays"/>; null for <see cref="DeviceDays"/>.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The certificate, or <c>device.unknown</c>, <c>certificate.days</c>, <c>certificate.request-invalid</c>,
    /// <c>certificate.key</c>, <c>certificate.private</c>.
    /// </returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<IssuedCertificate>> IssueToDevice(Actor admin, string name, string? request, int? days, CancellationToken cancel) => Issue(
        admin,
        ClientKind.Device,
        name,
        request,
        days ?? DeviceDays,
        async change =>
        {
            var taken = await devices.TakeCertificate(change, name, admin, cancel);
            if (taken.Error is { } unknown)
            {
                return (unknown, null);
            }

            return (new Holder(taken.Value.Device.Id, taken.Value.Device.Name), taken.Value.Instead);
        },
        cancel);

    /// <summary>Takes a certificate back: it opens nothing from the next request on, and a device's sessions end.</summary>
    /// <returns>The certificate as it was, or <c>certificate.unknown</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<ClientCertificate>> Revoke(Actor admin, ClientKind kind, string name, string fingerprint, CancellationToken cancel) => acts.Run<ClientCertificate>(
        admin,
        "REVOKE_CERTIFICATE",
        ResourceOf(kind, null),
        async change =>
        {
            if (Cleaned(fingerprint) is not { } wanted || await Find(change, kind, name, wanted, cancel) is not { } found || !await register.End(change, wanted, admin, cancel))
            {
                return NoSuch;
            }

            if (kind == ClientKind.Device)
            {
                await change.EndAt(found.Name, SessionEnd.DeviceRevoked, admin, cancel);
            }

            return new Acted<ClientCertificate>(found, ResourceOf(kind, found.Name), $"certificate {found.Fingerprint} -> revoked");
        },
        cancel);

    /// <summary>Every certificate of a client, newest first. Looking is an entry.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<IReadOnlyList<ClientCertificate>> List(Actor admin, ClientKind kind, string name, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var found = await connection.Query(
            $"SELECT {ClientCertificate.Columns} FROM client_certificate WHERE kind = @kind AND name = @name ORDER BY issued DESC, valid_to DESC, fingerprint",
            ClientCertificate.Read,
            cancel,
            ("@kind", (int)kind),
            ("@name", name));

        // What was typed stands in the log only when something has that name.
        await door.Record(admin, Rights.Administration, Sessions.Act("LIST_CERTIFICATES", ResourceOf(kind, found.Count == 0 ? null : name), null), cancel);
        return found;
    }

    /// <summary>
    /// The clients that soon have none that is good: of each its last certificate, where that ends within a time. For whoever
    /// looks the installation over; nobody's data, and no entry.
    /// </summary>
    /// <param name="within">Counted from now.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<IReadOnlyList<ClientCertificate>> EndingSoon(TimeSpan within, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        await using var connection = await store.Open(cancel);
        var standing = await connection.Query($"SELECT {ClientCertificate.Columns} FROM client_certificate WHERE revoked IS NULL ORDER BY kind, name", ClientCertificate.Read, cancel);
        return
        [
            .. standing.Where(one => one.IsGood(now))
                .GroupBy(one => one.Holder)
                .Select(all => all.MaxBy(one => one.To)!)
                .Where(last => last.To <= now + within),
        ];
    }

    /// <summary>The certificate of the hospital's authority as text, for whoever takes a chain.</summary>
    public async Task<string> Authority(CancellationToken cancel)
    {
        using var certificate = await authority.Certificate(cancel);
        return certificate.ExportCertificatePem();
    }

    /// <summary>What judges handshakes. The caller disposes of it.</summary>
    /// <exception cref="RefusedInput"><c>keys.incomplete</c>: the hospital has no authority.</exception>
    public async Task<ClientGate> Gate(CancellationToken cancel) => new(await authority.Certificate(cancel), register, clock);

    /// <summary>Who stands behind a certificate at this moment, asked of the table; null when it opens nothing any more.</summary>
    public Task<ShownClient?> Standing(X509Certificate2 certificate, CancellationToken cancel) => register.Standing(ClientGate.Fingerprint(certificate), cancel);

    /// <summary>
    /// Whether who was shown still stands, as memory knows it: listed, not taken back, and not run out by the hospital's
    /// clock. For what goes on for long over one connection and looks often; each request asks <see cref="Standing"/>.
    /// </summary>
    public bool Stands(ShownClient shown)
    {
        ArgumentNullException.ThrowIfNull(shown);
        return register.Listed(shown.Fingerprint) is { } listed && listed.IsGood(clock.GetUtcNow());
    }

    /// <summary>Writes down that a certificate was refused; of many alike one a minute.</summary>
    /// <param name="address">Where the connection came from.</param>
    /// <param name="certificate">What it showed; null for nothing.</param>
    /// <param name="why">From <see cref="ClientGate.Judge"/>, or why a standing connection was refused.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="AuditUnavailable">The entry cannot be made durable.</exception>
    public async Task NoteRefusal(string address, string? certificate, Error why, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(why);
        if (notes.Take($"{address} {why.Code}") is null)
        {
            // Named only when it is one of ours: what a stranger shows is not repeated.
            var known = Cleaned(certificate) is { } fingerprint && await Known(fingerprint, cancel);
            await log.Refuse(Actor.Maker.Unknown($"address:{address}"), Sessions.Act(ShowAction, known ? $"certificate:{certificate}" : "certificate", null), why, cancel);
        }
    }

    private static string ResourceOf(ClientKind kind, string? name) => (kind, name) switch
    {
        (ClientKind.Program, null) => "integration",
        (ClientKind.Program, _) => $"integration:{name}",
        (_, null) => "devices",
        _ => $"device:{name}",
    };

    /// <summary>A fingerprint as people copy it: colons and spaces between the digits, either case.</summary>
    private static string? Cleaned(string? text)
    {
        if (text is null or { Length: > FingerprintLength * 2 })
        {
            return null;
        }

        var digits = string.Concat(text.Where(sign => sign is not (':' or ' '))).ToLowerInvariant();
        return digits.Length == FingerprintLength && digits.All(char.IsAsciiHexDigitLower) ? digits : null;
    }

    private static async Task<(Guid Id, string Client, IntegrationState State)?> Program(SessionChange change, string client, CancellationToken cancel)
    {
        var found = await change.Connection.Query(
            "SELECT id, client, state FROM integration WHERE client = @client",
            row => (Id: row.Guid(0), Client: row.GetString(1), State: (IntegrationState)row.GetInt64(2)),
            cancel,
            ("@client", client));
        return found is [var program] ? program : null;
    }

    private static async Task<ClientCertificate?> Find(SessionChange change, ClientKind kind, string name, string fingerprint, CancellationToken cancel)
    {
        var found = await change.Connection.Query(
            $"SELECT {ClientCertificate.Columns} FROM client_certificate WHERE fingerprint = @fingerprint AND kind = @kind AND name = @name",
            ClientCertificate.Read,
            cancel,
            ("@fingerprint", Convert.FromHexString(fingerprint)),
            ("@kind", (int)kind),
            ("@name", name));
        return found is [var certificate] ? certificate : null;
    }

    private async Task<bool> Known(string fingerprint, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await connection.Scalar("SELECT kind FROM client_certificate WHERE fingerprint = @fingerprint", cancel, ("@fingerprint", Convert.FromHexString(fingerprint))) is not null;
    }

    private Task<Result<IssuedCertificate>> Issue(
        Actor admin,
        ClientKind kind,
        string name,
        string? request,
        int days,
        Func<SessionChange, Task<(Result<Holder> Holder, string? Instead)>> find,
        CancellationToken cancel) => acts.Run<IssuedCertificate>(
        admin,
        "ISSUE_CERTIFICATE",
        ResourceOf(kind, null),
        async change =>
        {
            if (days is < 1 or > MostDays)
            {
                return new Error("certificate.days", string.Create(CultureInfo.InvariantCulture, $"A certificate lives 1 to {MostDays} days."));
            }

            var key = CertificateAsked.Key(request);
            if (key.Error is { } bad)
            {
                return bad;
            }

            var (found, instead) = await find(change);
            if (found.Error is { } unknown)
            {
                return unknown;
            }

            var holder = found.Value;
            var now = clock.GetUtcNow();
            var before = (await CertificateRegister.Of(change.Connection, kind, holder.Id, cancel)).FirstOrDefault(one => one.IsGood(now));
            using var signed = await authority.Sign(key.Value, kind, holder.Name, TimeSpan.FromDays(days), cancel);
            var certificate = new ClientCertificate
            {
                Fingerprint = ClientGate.Fingerprint(signed),
                Serial = Convert.ToHexStringLower(signed.SerialNumberBytes.Span),
                Kind = kind,
                Holder = holder.Id,
                Name = holder.Name,
                From = ClientAuthority.Utc(signed.NotBefore),
                To = ClientAuthority.Utc(signed.NotAfter),
                Issued = now,
                IssuedBy = admin.Staff,
                Der = signed.RawData,
            };
            await register.Add(change, certificate, cancel);
            return new Acted<IssuedCertificate>(
                new IssuedCertificate(certificate, await Authority(cancel)),
                ResourceOf(kind, holder.Name),
                string.Create(CultureInfo.InvariantCulture, $"certificate {before?.Fingerprint ?? instead ?? "none"} -> {certificate.Fingerprint}, until {certificate.To:yyyy-MM-dd}"));
        },
        cancel);

    private sealed record Holder(Guid Id, string Name);
}
