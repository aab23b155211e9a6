using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Integrations;

/// <summary>A request for a token, as it came over the wire.</summary>
/// <param name="Assertion">The client's own signed statement of who it is (RFC 7523); null where its certificate alone says so.</param>
/// <param name="Scope">The scopes asked for, divided by spaces.</param>
/// <param name="Audience">The address that was asked: the assertion must have been made for it.</param>
/// <param name="Address">Where the request came from.</param>
public sealed record TokenRequest(string? Assertion, string? Scope, string Audience, string Address)
{
    /// <summary>Who stands behind the connection by its certificate; null on a connection without one.</summary>
    public ShownClient? Certificate { get; init; }

    /// <summary>The client id as typed, where the certificate alone says who asks (RFC 8705, 2).</summary>
    public string? Client { get; init; }

    /// <summary>Without the assertion, which opens something until it is used.</summary>
    public override string ToString() => $"{nameof(TokenRequest)} {Address}";
}

/// <summary>A token that was given out: it stands for its bearer for five minutes at most.</summary>
public sealed record ServiceToken(string Text, string Scope, TimeSpan Life)
{
    /// <summary>Without the token.</summary>
    public override string ToString() => $"{nameof(ServiceToken)} {Scope}";
}

/// <summary>
/// Tokens for programs, in the manner of SMART Backend Services: the program signs an assertion with the key that was
/// registered and gets a token of five minutes, signed by the hospital. The token is only a claim: whether its program may
/// act is asked of the row at every call, and once more by the door.
/// </summary>
public sealed class ServiceTokens
{
    public const string IssueAction = "ISSUE_SERVICE_TOKEN";

    // RFC 8705, 3.1: the confirmation of a token that is bound to a certificate, and the hash in it.
    private const string Confirmation = "cnf";
    private const string ConfirmedBy = "x5t#S256";

    private const int LongestId = 128;

    /// <summary>How long a token and an assertion live at most.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    // The clocks of two machines; threats allow 30 seconds.
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    // Kept longer than an assertion can be good for, also when the wall clock is put right meanwhile.
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    private readonly Store store;
    private readonly IntegrationGate gate;
    private readonly TokenSigner signer;
    private readonly Receipt.Log log;
    private readonly TimeProvider clock;
    private readonly CallBudget addresses;
    private readonly CallBudget clients;
    private readonly CallBudget notes;
    private readonly string issuer;

    internal ServiceTokens(Store store, IntegrationGate gate, TokenSigner signer, Receipt.Log log, Guid facility, TimeProvider clock)
    {
        this.store = store;
        this.gate = gate;
        this.signer = signer;
        this.log = log;
        this.clock = clock;
        issuer = $"urn:uuid:{facility:D}";

        // A program needs one token in five minutes. The first budget guards the checking of signatures, the second the
        // giving out, and the third the log: one refusal of a kind a minute is an entry, the rest are the same.
        addresses = new CallBudget(60, TimeSpan.FromSeconds(1), clock);
        clients = new CallBudget(20, TimeSpan.FromSeconds(3), clock);
        notes = new CallBudget(1, TimeSpan.FromMinutes(1), clock);
    }

    /// <summary>One answer for whatever is wrong with an assertion: nothing about clients can be learnt from it.</summary>
    public static Error NotVerified { get; } = new("service.client", "The client could not be verified. The hospital's log says why.");

    /// <summary>One answer for whatever is wrong with a token.</summary>
    public static Error NotValid { get; } = new("service.token", "The access token is missing, wrong, expired or withdrawn. Ask for a new one.");

    private long NowSeconds => clock.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>
    /// Checks who asks, by an assertion, by the certificate of the connection or by both, and gives a token for the scopes asked
    /// for, which must all be approved. Over a connection with a certificate the token is bound to it (RFC 8705).
    /// </summary>
    /// <returns>The token, or <c>service.client</c>, <c>service.scope</c>, <c>service.wait</c>.</returns>
    /// <exception cref="AuditUnavailable">The entry cannot be made durable; no token is given.</exception>
    public async Task<Result<ServiceToken>> Issue(TokenRequest request, CancellationToken cancel)
    {
        if (addresses.Take(request.Address) is { } wait)
        {
            return Wait(wait);
        }

        var byCertificate = request is { Assertion: null, Certificate: not null };
        var assertion = SignedToken.Read(request.Assertion);
        if (assertion is null && !byCertificate)
        {
            return await Refuse(request, null, new Error("service.assertion-malformed", NotVerified.Message), cancel);
        }

        var found = (byCertificate ? request.Client : assertion!.Claim("iss")) is { } client ? await Find(client, cancel) : null;
        if (found is null)
        {
            return await Refuse(request, null, new Error("service.unknown", NotVerified.Message), cancel);
        }

        // Also beside an assertion: whoever stole a client's key does not bind its tokens to a certificate of their own.
        if (request.Certificate is { } shown && (shown.Kind != ClientKind.Program || shown.Holder != found.Id))
        {
            return await Refuse(request, found, new Error("service.certificate-client", NotVerified.Message), cancel);
        }

        if (assertion is not null && Fault(assertion, found, request.Audience) is { } fault)
        {
            return await Refuse(request, found, new Error(fault, NotVerified.Message), cancel);
        }

        if (clients.Take(found.Client) is { } pause)
        {
            return Wait(pause);
        }

        if (assertion is not null && !await UseUp(assertion, found, cancel))
        {
            return await Refuse(request, found, new Error("service.assertion-replayed", NotVerified.Message), cancel);
        }

        var standing = await gate.Standing(found.Id, null, request.Certificate?.Fingerprint, cancel);
        if (standing.Error is { } missing)
        {
            return await Refuse(request, found, missing, cancel);
        }

        var integration = standing.Value;
        if (ServiceScope.Parse(request.Scope) is not { } scopes || !scopes.All(integration.Scopes.Contains))
        {
            var scope = new Error("service.scope", "A scope is unknown or was not approved for this client.");
            await Note(request, integration, scope, cancel);
            return scope;
        }

        return await Give(request, integration, scopes, cancel);
    }

    /// <summary>Who calls with this token: asked of the row, at this moment.</summary>
    /// <param name="token">As it stands after <c>Bearer</c>.</param>
    /// <param name="address">Where the call came from; stands in the log.</param>
    /// <param name="shown">Who stands behind the connection by its certificate; null on a connection without one.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The actor, or <c>service.token</c>, whatever is wrong.</returns>
    public async Task<Result<Actor>> Check(string? token, string address, ShownClient? shown, CancellationToken cancel)
    {
        if (SignedToken.Read(token) is not { } read || !await signer.Signed(read, cancel))
        {
            return NotValid;
        }

        var now = NowSeconds;
        if (read.Claim("iss") != issuer || read.Claim("aud") != issuer
            || read.Seconds("exp") is not { } expires || expires <= now
            || read.Seconds("iat") is not { } issued || issued > now + (long)Skew.TotalSeconds
            || read.Claim("sub") is not { } client || read.Claim("jti") is not { } id || read.Seconds("gen") is not { } generation
            || ServiceScope.Parse(read.Claim("scope")) is not { } scopes)
        {
            return NotValid;
        }

        // A bound token opens nothing but a connection that shows its certificate, and over such a connection no other token does.
        if ((read.Has(Confirmation) || shown is not null) && (shown is null || read.Inside(Confirmation, ConfirmedBy) != shown.Thumbprint))
        {
            return NotValid;
        }

        var standing = await gate.Standing(client, generation, shown?.Fingerprint, cancel);
        return standing.Error is null
            ? Actor.Maker.Service(standing.Value, [.. scopes.Select(scope => scope.Category)], Device(standing.Value, address), Session(id), shown?.Fingerprint)
            : NotValid;
    }

    private static string Device(Integration integration, string address) => $"integration:{integration.Name}, {address}";

    private static string Session(string id) => $"tok_{id[..16]}";

    private static Error Wait(TimeSpan left) => new(
        "service.wait",
        string.Create(CultureInfo.InvariantCulture, $"Too many requests. Wait {Math.Max(1, (int)Math.Ceiling(left.TotalSeconds))} s: one token lives for five minutes."));

    /// <summary>What is wrong with an assertion, as the log names it; null when nothing is.</summary>
    private string? Fault(SignedToken assertion, Integration client, string audience)
    {
        if (!assertion.Fits(client.Key.Verifies))
        {
            return "service.assertion-signature";
        }

        if (assertion.Claim("sub") != client.Client)
        {
            return "service.assertion-subject";
        }

        if (assertion.OneOf("aud") != audience)
        {
            return "service.assertion-audience";
        }

        var (now, skew) = (NowSeconds, (long)Skew.TotalSeconds);
        if (assertion.Seconds("exp") is not { } expires || expires <= now - skew || expires > now + (long)Life.TotalSeconds + skew)
        {
            return "service.assertion-expired";
        }

        if (Later("nbf") || Later("iat"))
        {
            return "service.assertion-early";
        }

        return assertion.Claim("jti") is { Length: > 0 and <= LongestId } ? null : "service.assertion-id";

        bool Later(string claim) => assertion.Has(claim) && (assertion.Seconds(claim) is not { } time || time > now + skew);
    }

    private async Task<ServiceToken> Give(TokenRequest request, Integration integration, IReadOnlyList<ServiceScope> scopes, CancellationToken cancel)
    {
        var id = Ids.New().ToString("N");
        var text = ServiceScope.Join(scopes);
        var actor = Actor.Maker.Service(integration, [.. scopes.Select(scope => scope.Category)], Device(integration, request.Address), Session(id), request.Certificate?.Fingerprint);
        var reason = request.Certificate is { } bound ? $"{text}, bound to certificate {bound.Fingerprint}" : text;
        await log.Note(actor, Sessions.Act(IssueAction, IntegrationGate.Resource(integration), reason) with { Purpose = integration.Purpose }, cancel);
        var now = NowSeconds;
        var claims = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["iss"] = issuer,
            ["aud"] = issuer,
            ["sub"] = integration.Client,
            ["iat"] = now,
            ["exp"] = now + (long)Life.TotalSeconds,
            ["jti"] = id,
            ["gen"] = integration.Generation,
            ["scope"] = text,
        };
        if (request.Certificate is { } confirmed)
        {
            claims[Confirmation] = new Dictionary<string, string>(StringComparer.Ordinal) { [ConfirmedBy] = confirmed.Thumbprint };
        }

        return new ServiceToken(await signer.Write(claims, cancel), text, Life);
    }

    /// <summary>Uses an assertion up. Of two at the same time one is the first; the row stays until the assertion has run out.</summary>
    private async Task<bool> UseUp(SignedToken assertion, Integration client, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        await using var connection = await store.Open(cancel);
        await connection.Run("DELETE FROM assertion_used WHERE expires < @now", cancel, ("@now", now.ToUnixTimeMilliseconds()));
        return await connection.Run(
            "INSERT INTO assertion_used (integration, jti, expires) VALUES (@client, @jti, @expires) ON CONFLICT (integration, jti) DO NOTHING",
            cancel,
            ("@client", client.Id),
            ("@jti", SHA256.HashData(Encoding.UTF8.GetBytes(assertion.Claim("jti")!))),
            ("@expires", (DateTimeOffset.FromUnixTimeSeconds(assertion.Seconds("exp")!.Value) + Remembered).ToUnixTimeMilliseconds())) == 1;
    }

    private async Task<Integration?> Find(string client, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var rows = await connection.Query($"SELECT {Integration.Columns} FROM integration WHERE client = @client", Integration.Read, cancel, ("@client", client));
        return rows is [var found] ? found : null;
    }

    private async Task<Error> Refuse(TokenRequest request, Integration? client, Error why, CancellationToken cancel)
    {
        await Note(request, client, why, cancel);
        return NotVerified;
    }

    /// <summary>A refusal as an entry. Whoever has not proven to be the client is nobody in the log, and what was typed is not repeated.</summary>
    private async Task Note(TokenRequest request, Integration? client, Error why, CancellationToken cancel)
    {
        if (notes.Take($"{request.Address} {client?.Client} {why.Code}") is null)
        {
            await log.Refuse(
                Actor.Maker.Unknown($"address:{request.Address}"),
                Sessions.Act(IssueAction, client is null ? "integration" : IntegrationGate.Resource(client), null),
                why,
                cancel);
        }
    }
}
