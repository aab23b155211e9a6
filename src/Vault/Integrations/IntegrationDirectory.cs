using System.Globalization;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Integrations;

/// <summary>
/// The programs of others that may read here, and the acts of the administrators on them: register, put the agreement on
/// file, approve by two, stop and end. Every change is one transaction with its entry of before and after inside.
/// </summary>
public sealed class IntegrationDirectory
{
    private const int LongestName = 64;
    private const int LongestSigner = 128;
    private const int HashSize = 32;

    // An agreement without an end is none: nobody would ever look at it again.
    private const int LongestAgreementYears = 10;

    private static readonly Purpose[] Purposes = [Purpose.Treatment, Purpose.Registration, Purpose.Payment];

    private readonly Store store;
    private readonly AdministratorAct acts;
    private readonly CertificateRegister certificates;
    private readonly Door door;
    private readonly TimeProvider clock;

    internal IntegrationDirectory(Store store, AdministratorAct acts, CertificateRegister certificates, Door door, TimeProvider clock)
    {
        this.store = store;
        this.acts = acts;
        this.certificates = certificates;
        this.door = door;
        this.clock = clock;
    }

    /// <summary>What an integration may be for.</summary>
    public static IReadOnlyList<Purpose> MayBeFor => Purposes;

    private static Error NoSuch { get; } = new("integration.unknown", "There is no integration with this client id. Look it up in the list.");

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private DateOnly Today => DateOnly.FromDateTime(clock.GetLocalNow().DateTime);

    /// <summary>Every integration, those that ended last. Looking is an entry.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<IReadOnlyList<Integration>> List(Actor admin, CancellationToken cancel)
    {
        await door.Record(admin, Rights.Administration, Sessions.Act("LIST_INTEGRATIONS", "integrations", null), cancel);
        await using var connection = await store.Open(cancel);
        return await connection.Query($"SELECT {Integration.Columns} FROM integration ORDER BY CASE state WHEN 5 THEN 1 ELSE 0 END, client", Integration.Read, cancel);
    }

    /// <summary>Those whose agreement is on file and who wait for approvals; a notice for administrators, without an entry of its own.</summary>
    public async Task<IReadOnlyList<Integration>> Awaiting(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var all = await connection.Query($"SELECT {Integration.Columns} FROM integration WHERE state = 2 ORDER BY filed", Integration.Read, cancel);
        return [.. all.Where(one => !one.HasLapsed(Today))];
    }

    /// <summary>Names of the programs by how the log names them; for whoever reads the log. No entry of its own.</summary>
    public async Task<IReadOnlyDictionary<string, string>> Names(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var rows = await connection.Query("SELECT client, name FROM integration ORDER BY client", row => (Client: row.GetString(0), Name: row.GetString(1)), cancel);
        return rows.ToDictionary(row => Actor.Maker.ServicePrefix + row.Client, row => row.Name, StringComparer.Ordinal);
    }

    /// <summary>Registers a program with its key and what it asks for. It may do nothing yet.</summary>
    /// <returns>
    /// The integration, or <c>integration.client-invalid</c>, <c>integration.client-taken</c>, <c>integration.name-invalid</c>,
    /// <c>integration.purpose</c>, <c>integration.scopes</c>, a code of <see cref="ClientKey.Parse"/>.
    /// </returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<Integration>> Register(Actor admin, NewIntegration asked, CancellationToken cancel) => acts.Run<Integration>(
        admin,
        "REGISTER_INTEGRATION",
        "integration",
        async change =>
        {
            var key = ClientKey.Parse(asked.Key);
            if ((Malformed(asked) ?? key.Error) is { } bad)
            {
                return bad;
            }

            var scopes = ServiceScope.Parse(asked.Scopes);
            if (scopes is null)
            {
                return new Error("integration.scopes", "Choose at least one part of the record. Scopes are those of the list, each once.");
            }

            var added = await change.Connection.Run(
                """
                INSERT INTO integration (id, client, name, purpose, public_key, scopes, registered_by, registered, state, filing, generation)
                VALUES (@id, @client, @name, @purpose, @key, @scopes, @by, @now, @state, 0, 0)
                ON CONFLICT (client) DO NOTHING
                """,
                cancel,
                ("@id", Ids.New()),
                ("@client", asked.Client),
                ("@name", asked.Name.Trim().Normalize()),
                ("@purpose", (int)asked.Purpose),
                ("@key", key.Value.Bytes()),
                ("@scopes", ServiceScope.Join(scopes)),
                ("@by", admin.Staff.Number),
                ("@now", Now),
                ("@state", (int)IntegrationState.Requested));
            return added == 0
                ? new Error("integration.client-taken", "This client id belongs to another integration, maybe one that ended. Choose another.")
                : Done(await Load(change, asked.Client, cancel), $"none -> requested, for {asked.Purpose}, key {key.Value.Thumbprint}, {ServiceScope.Join(scopes)}");
        },
        cancel);

    /// <summary>
    /// Puts a signed agreement on file. Approvals of before were about another one and go; what was given out stops.
    /// </summary>
    /// <returns>The integration, or <c>integration.unknown</c>, <c>integration.state</c> (ended), <c>agreement.hash</c>, <c>agreement.signer</c>, <c>agreement.expires</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<Integration>> FileAgreement(Actor admin, string client, NewAgreement agreement, CancellationToken cancel) => Change(
        admin,
        "FILE_AGREEMENT",
        client,
        async (change, before) =>
        {
            if (Malformed(agreement) is { } bad)
            {
                return bad;
            }

            var filed = await change.Connection.Run(
                """
                UPDATE integration SET agreement = @hash, signer = @signer, expires = @expires, filed_by = @by, filed = @now, filing = filing + 1,
                    first_by = NULL, first_at = NULL, second_by = NULL, second_at = NULL, lapsed = NULL, state = @agreed, generation = generation + 1
                WHERE id = @id AND state <> @revoked
                """,
                cancel,
                ("@hash", Convert.FromHexString(agreement.Hash)),
                ("@signer", agreement.Signer.Trim().Normalize()),
                ("@expires", agreement.Expires.DayNumber),
                ("@by", admin.Staff.Number),
                ("@now", Now),
                ("@agreed", (int)IntegrationState.Agreed),
                ("@id", before.Id),
                ("@revoked", (int)IntegrationState.Revoked));
            return filed == 0
                ? WrongState(before)
                : Done(
                    await Load(change, client, cancel),
                    $"{Word(before.State)} -> {Word(IntegrationState.Agreed)}, agreement {before.Agreement?.Hash[..12] ?? "none"} -> {agreement.Hash.ToLowerInvariant()[..12]}, signed by {agreement.Signer.Trim()}, until {agreement.Expires:yyyy-MM-dd}");
        },
        cancel);

    /// <summary>
    /// One administrator's yes to the agreement with this number of filing. The second one, of somebody else, makes the
    /// integration active. Whoever registered it counts as one like everybody else.
    /// </summary>
    /// <returns>
    /// The integration, or <c>integration.unknown</c>, <c>integration.state</c>, <c>integration.changed</c> (another agreement
    /// lies there now), <c>integration.approved-already</c>, <c>service.agreement-expired</c>.
    /// </returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<Integration>> Approve(Actor admin, string client, int filing, CancellationToken cancel) => Change(
        admin,
        "APPROVE_INTEGRATION",
        client,
        async (change, before) =>
        {
            if (admin.Role != Role.Admin)
            {
                // Set-up administers too, but an approval is a person's.
                return new Error("integration.person", "An approval is given by a signed-in administrator.");
            }

            if (before.State is IntegrationState.Agreed && before.HasLapsed(Today))
            {
                return new Error("service.agreement-expired", "The business associate agreement has run out. Put the new one on file first.");
            }

            // Compared and set by one statement each: of any number at the same moment one is the first and one the second (threats P12).
            if (await Give("first", "first_by IS NULL", IntegrationState.Agreed) == 1)
            {
                return Done(await Load(change, client, cancel), $"approvals 0 -> 1 of 2, of agreement {filing}");
            }

            if (await Give("second", "first_by IS NOT NULL AND first_by <> @by AND second_by IS NULL", IntegrationState.Active) == 1)
            {
                return Done(await Load(change, client, cancel), $"approvals 1 -> 2 of 2, of agreement {filing}, {Word(IntegrationState.Agreed)} -> {Word(IntegrationState.Active)}");
            }

            return before switch
            {
                { State: not IntegrationState.Agreed } => WrongState(before),
                _ when before.Filing != filing => new Error("integration.changed", "Another agreement was put on file meanwhile. Read it, then approve."),
                _ => new Error("integration.approved-already", "You have approved this already. The second approval is somebody else's."),
            };

            Task<int> Give(string which, string when, IntegrationState next) => change.Connection.Run(
                $"UPDATE integration SET {which}_by = @by, {which}_at = @now, state = @next WHERE id = @id AND state = @agreed AND filing = @filing AND {when}",
                cancel,
                ("@by", admin.Staff.Number),
                ("@now", Now),
                ("@next", (int)next),
                ("@id", before.Id),
                ("@agreed", (int)IntegrationState.Agreed),
                ("@filing", filing));
        },
        cancel);

    /// <summary>Stops an active integration; what was given out stops at once and for good.</summary>
    /// <returns>The integration, or <c>integration.unknown</c>, <c>integration.state</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<Integration>> Suspend(Actor admin, string client, CancellationToken cancel) =>
        Move(admin, "SUSPEND_INTEGRATION", client, "state = 3", IntegrationState.Suspended, cancel);

    /// <summary>Lets a stopped integration act again, on the approvals that it has. Tokens of before stay dead.</summary>
    /// <returns>The integration, or <c>integration.unknown</c>, <c>integration.state</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<Integration>> Resume(Actor admin, string client, CancellationToken cancel) =>
        Move(admin, "RESUME_INTEGRATION", client, "state = 4", IntegrationState.Active, cancel);

    /// <summary>Ends an integration for good, from any state, and takes its certificates back. Its client id is never given again.</summary>
    /// <returns>The integration, or <c>integration.unknown</c>, <c>integration.state</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<Integration>> Revoke(Actor admin, string client, CancellationToken cancel) =>
        Move(admin, "REVOKE_INTEGRATION", client, "state <> 5", IntegrationState.Revoked, cancel);

    /// <summary>Ends every token that is out, and nothing else: the program asks for a new one and goes on.</summary>
    /// <returns>The integration, or <c>integration.unknown</c>, <c>integration.state</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<Integration>> EndTokens(Actor admin, string client, CancellationToken cancel) =>
        Move(admin, "END_SERVICE_TOKENS", client, "state = 3", IntegrationState.Active, cancel);

    /// <summary>
    /// Says whether a program is let in by certificate alone. Tokens that are bound to none are then refused from the next
    /// call on, and none is given out any more.
    /// </summary>
    /// <returns>The integration, or <c>integration.unknown</c>, <c>integration.state</c> (ended).</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<Integration>> RequireCertificate(Actor admin, string client, bool only, CancellationToken cancel) => Change(
        admin,
        "REQUIRE_CERTIFICATE",
        client,
        async (change, before) =>
        {
            if (before.State == IntegrationState.Revoked)
            {
                return WrongState(before);
            }

            await change.Connection.Run(
                only
                    ? "INSERT INTO certificate_only (integration, since, set_by) VALUES (@id, @now, @by) ON CONFLICT (integration) DO NOTHING"
                    : "DELETE FROM certificate_only WHERE integration = @id",
                cancel,
                [("@id", before.Id), .. only ? new (string, object?)[] { ("@now", Now), ("@by", admin.Staff.Number) } : []]);
            return Done(await Load(change, client, cancel), $"{Way(before.CertificateOnly)} -> {Way(only)}");
        },
        cancel);

    private static string Way(bool only) => only ? "certificate only" : "any way";

    internal static string Word(IntegrationState state) => state switch
    {
        IntegrationState.Requested => "requested",
        IntegrationState.Agreed => "agreement on file",
        IntegrationState.Active => "active",
        IntegrationState.Suspended => "suspended",
        _ => "revoked",
    };

    private static Error WrongState(Integration integration) => new("integration.state", $"The integration is {Word(integration.State)}, which does not allow this.");

    private static Acted<Integration> Done(Integration? integration, string reason) =>
        integration is null ? NoSuch : new Acted<Integration>(integration, IntegrationGate.Resource(integration), reason);

    private static async Task<Integration?> Load(SessionChange change, string client, CancellationToken cancel)
    {
        var rows = await change.Connection.Query($"SELECT {Integration.Columns} FROM integration WHERE client = @client", Integration.Read, cancel, ("@client", client));
        return rows is [var integration] ? integration : null;
    }

    private static Error? Malformed(NewIntegration asked)
    {
        if (asked.Client is not { Length: >= 3 and <= 40 } || !char.IsAsciiLetterLower(asked.Client[0]) || !asked.Client.All(sign => char.IsAsciiLetterLower(sign) || char.IsAsciiDigit(sign) || sign == '-'))
        {
            return new Error("integration.client-invalid", "A client id has 3 to 40 lower-case letters, digits and hyphens, and begins with a letter.");
        }

        if (!IsLine(asked.Name, LongestName))
        {
            return new Error("integration.name-invalid", "A name has 1 to 64 characters on one line.");
        }

        return Purposes.Contains(asked.Purpose) ? null : new Error("integration.purpose", "Choose what the integration is for: treatment, registration or payment.");
    }

    private Error? Malformed(NewAgreement agreement)
    {
        if (agreement.Hash is not { Length: HashSize * 2 } || !agreement.Hash.All(char.IsAsciiHexDigit))
        {
            return new Error("agreement.hash", "Give the SHA-256 of the signed document: 64 hexadecimal digits, as sha256sum prints them.");
        }

        if (!IsLine(agreement.Signer, LongestSigner))
        {
            return new Error("agreement.signer", "Say who signed for the other side, in 1 to 128 characters on one line.");
        }

        return agreement.Expires > Today && agreement.Expires <= Today.AddYears(LongestAgreementYears)
            ? null
            : new Error("agreement.expires", $"The last day of the agreement is after today and at most {LongestAgreementYears} years away.");
    }

    /// <summary>Whole UTF-16 without control or format characters: what the screen shows is what is stored.</summary>
    private static bool IsLine(string? text, int most) =>
        !string.IsNullOrWhiteSpace(text) && text.Length <= most && text.EnumerateRunes().All(rune =>
            rune != Rune.ReplacementChar && Rune.GetUnicodeCategory(rune) is not
                (System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format
                or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator));

    private Task<Result<Integration>> Move(Actor admin, string action, string client, string when, IntegrationState next, CancellationToken cancel) => Change(
        admin,
        action,
        client,
        async (change, before) =>
        {
            if (await change.Connection.Run(
                $"UPDATE integration SET state = @next, generation = generation + 1 WHERE id = @id AND {when}",
                cancel,
                ("@next", (int)next),
                ("@id", before.Id)) == 0)
            {
                return WrongState(before);
            }

            var ended = next == IntegrationState.Revoked ? await certificates.EndOf(change, ClientKind.Program, before.Id, admin, cancel) : 0;
            return Done(
                await Load(change, client, cancel),
                before.State == next ? "tokens ended" : string.Create(CultureInfo.InvariantCulture, $"{Word(before.State)} -> {Word(next)}{(ended > 0 ? $", {ended} certificates revoked" : null)}"));
        },
        cancel);

    /// <summary>What stands against <see cref="Stop"/>: null or <c>integration.unknown</c>.</summary>
    internal static async Task<Error?> Unstopped(SessionChange change, string client, CancellationToken cancel) => await Load(change, client, cancel) is null ? NoSuch : null;

    /// <summary>
    /// Stops a program in the course of a containment: its tokens are dead at once, its certificates are revoked, and an active one
    /// is suspended.
    /// </summary>
    /// <returns>What was done, or <c>integration.unknown</c>.</returns>
    internal async Task<Result<string>> Stop(SessionChange change, string client, Actor admin, string incident, CancellationToken cancel)
    {
        if (await Load(change, client, cancel) is not { } before)
        {
            return NoSuch;
        }

        await change.Connection.Run(
            "UPDATE integration SET state = CASE WHEN state = @active THEN @suspended ELSE state END, generation = generation + 1 WHERE id = @id",
            cancel,
            ("@active", (long)IntegrationState.Active),
            ("@suspended", (long)IntegrationState.Suspended),
            ("@id", before.Id));
        var ended = await certificates.EndOf(change, ClientKind.Program, before.Id, admin, cancel);
        var after = before.State == IntegrationState.Active ? IntegrationState.Suspended : before.State;
        var outcome = string.Create(CultureInfo.InvariantCulture, $"{Word(before.State)} -> {Word(after)}, tokens ended, {ended} certificates revoked");
        await door.Record(admin, Rights.Administration, Sessions.Act("SUSPEND_INTEGRATION", IntegrationGate.Resource(before), $"{outcome}, {incident}"), cancel);
        return outcome;
    }

    private Task<Result<Integration>> Change(Actor admin, string action, string client, Func<SessionChange, Integration, Task<Acted<Integration>>> act, CancellationToken cancel) =>
        acts.Run<Integration>(
            admin,
            action,
            "integration",
            async change => await Load(change, client, cancel) is { } before ? await act(change, before) : NoSuch,
            cancel);
}
