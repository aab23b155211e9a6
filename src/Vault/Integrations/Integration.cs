using System.Data.Common;
using Mangrove.Kernel;
using Mangrove.Vault.Access;

namespace Mangrove.Vault.Integrations;

/// <summary>Where an integration stands. The numbers are stored.</summary>
public enum IntegrationState
{
    /// <summary>Registered by an administrator. No agreement is on file.</summary>
    Requested = 1,

    /// <summary>A business associate agreement is on file; two administrators have to approve.</summary>
    Agreed = 2,

    /// <summary>Approved by two. Whether it may act is still asked at every call.</summary>
    Active = 3,

    /// <summary>Stopped by an administrator until it is resumed.</summary>
    Suspended = 4,

    /// <summary>Ended for good. The row stays, because the log names its client.</summary>
    Revoked = 5,
}

/// <summary>
/// A business associate agreement as it is on file: the document lies in the hospital's own archive, its SHA-256 here, so
/// that nobody can hold up another one later.
/// </summary>
/// <param name="Hash">SHA-256 of the signed document, 64 hexadecimal digits in lower case.</param>
/// <param name="Signer">Who signed for the other side.</param>
/// <param name="Expires">The last day on which it holds, by the hospital's calendar.</param>
/// <param name="FiledBy">The administrator who put it on file.</param>
/// <param name="Filed">When.</param>
public sealed record Agreement(string Hash, string Signer, DateOnly Expires, StaffId FiledBy, DateTimeOffset Filed);

/// <summary>One administrator's yes to exactly the agreement, the key and the scopes that stood there.</summary>
public sealed record Approval(StaffId By, DateTimeOffset At);

/// <summary>A program of somebody else that may read over FHIR: who it is, what it asked for, and why it may or may not.</summary>
public sealed record Integration
{
    /// <summary>The columns that <see cref="Read"/> expects, in its order.</summary>
    internal const string Columns =
        "id, client, name, purpose, public_key, scopes, registered_by, registered, state, filing, agreement, signer, expires, filed_by, filed, first_by, first_at, second_by, second_at, lapsed, generation, (SELECT COUNT(*) FROM certificate_only WHERE certificate_only.integration = integration.id)";

    internal Guid Id { get; private init; }

    /// <summary>How it names itself (<c>client_id</c>); never given again.</summary>
    public required string Client { get; init; }

    public required string Name { get; init; }

    /// <summary>What the hospital lets it act for.</summary>
    public required Purpose Purpose { get; init; }

    public required ClientKey Key { get; init; }

    public required IReadOnlyList<ServiceScope> Scopes { get; init; }

    public required StaffId RegisteredBy { get; init; }

    public required DateTimeOffset Registered { get; init; }

    public required IntegrationState State { get; init; }

    /// <summary>Counts the agreements that were put on file. An approval names it, so that nobody approves another one than was read.</summary>
    public required int Filing { get; init; }

    public Agreement? Agreement { get; init; }

    public Approval? First { get; init; }

    public Approval? Second { get; init; }

    /// <summary>When the agreement was found to have run out. It stays so although a clock is set back.</summary>
    public DateTimeOffset? Lapsed { get; init; }

    /// <summary>Whether it is let in by certificate alone: tokens that are bound to none are neither given nor taken.</summary>
    public bool CertificateOnly { get; private init; }

    /// <summary>Counts up when everything given out has to stop: tokens carry it.</summary>
    internal long Generation { get; private init; }

    /// <summary>Whether the agreement has run out by this day or was found so before.</summary>
    public bool HasLapsed(DateOnly today) => Lapsed is not null || Agreement is { } agreement && agreement.Expires < today;

    /// <summary>
    /// Why it may not act on this day, or null. The three facts are asked one by one and not taken from the state alone:
    /// an agreement that holds, two different approvals, and a state that is neither stopped nor ended.
    /// </summary>
    public Error? Missing(DateOnly today) => this switch
    {
        { State: IntegrationState.Revoked } => new Error("service.revoked", "This integration was ended by the hospital."),
        { State: IntegrationState.Suspended } => new Error("service.suspended", "This integration is stopped. An administrator can resume it."),
        { Agreement: null } => new Error("service.no-agreement", "No business associate agreement is on file for this integration."),
        _ when HasLapsed(today) => new Error("service.agreement-expired", "The business associate agreement has run out. An administrator puts the new one on file."),
        { First: null } or { Second: null } => new Error("service.not-approved", "Two administrators have not approved this integration."),
        _ when First!.By == Second!.By => new Error("service.not-approved", "Two administrators have not approved this integration."),
        { State: not IntegrationState.Active } => new Error("service.not-active", "This integration is not active."),
        _ => null,
    };

    internal static Integration Read(DbDataReader row)
    {
        var hash = row.IsDBNull(10) ? null : Convert.ToHexStringLower(row.Bytes(10));
        return new Integration
        {
            Id = row.Guid(0),
            Client = row.GetString(1),
            Name = row.GetString(2),
            Purpose = (Purpose)row.GetInt64(3),
            Key = ClientKey.Stored(row.Bytes(4)),
            // A scope that this version does not know gives nothing.
            Scopes = ServiceScope.Parse(row.GetString(5)) ?? [],
            RegisteredBy = Staff(row.GetInt64(6)),
            Registered = Time(row.GetInt64(7)),
            State = (IntegrationState)row.GetInt64(8),
            Filing = (int)row.GetInt64(9),
            Agreement = hash is null ? null : new Agreement(hash, row.GetString(11), DateOnly.FromDayNumber((int)row.GetInt64(12)), Staff(row.GetInt64(13)), Time(row.GetInt64(14))),
            First = row.IsDBNull(15) ? null : new Approval(Staff(row.GetInt64(15)), Time(row.GetInt64(16))),
            Second = row.IsDBNull(17) ? null : new Approval(Staff(row.GetInt64(17)), Time(row.GetInt64(18))),
            Lapsed = row.LongOrNull(19) is { } lapsed ? Time(lapsed) : null,
            Generation = row.GetInt64(20),
            CertificateOnly = row.GetInt64(21) > 0,
        };
    }

    private static StaffId Staff(long number) => new((int)number);

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}

/// <summary>What an administrator says of a new integration.</summary>
/// <param name="Client">3 to 40 lower-case letters, digits and hyphens, beginning with a letter; unique for good.</param>
/// <param name="Name">As staff and the log read it, at most 64 characters.</param>
/// <param name="Purpose">Treatment, registration or payment.</param>
/// <param name="Key">The program's public key: P-256, as PEM or as a JSON Web Key.</param>
/// <param name="Scopes">Scopes, divided by spaces.</param>
public sealed record NewIntegration(string Client, string Name, Purpose Purpose, string Key, string Scopes);

/// <summary>What an administrator says of an agreement that was signed.</summary>
/// <param name="Hash">SHA-256 of the document, 64 hexadecimal digits.</param>
/// <param name="Signer">Who signed for the other side, at most 128 characters.</param>
/// <param name="Expires">The last day on which it holds.</param>
public sealed record NewAgreement(string Hash, string Signer, DateOnly Expires);
