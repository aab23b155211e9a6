using System.Buffers.Text;
using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using Mangrove.Kernel;

namespace Mangrove.Vault.Clients;

/// <summary>For whom a certificate was signed. The numbers are stored.</summary>
public enum ClientKind
{
    /// <summary>A program of somebody else, an integration.</summary>
    Program = 1,

    /// <summary>A desktop device of the hospital.</summary>
    Device = 2,
}

/// <summary>A certificate that the hospital's authority has signed for a client, as it is listed.</summary>
public sealed record ClientCertificate
{
    /// <summary>The columns that <see cref="Read"/> expects, in its order.</summary>
    internal const string Columns = "fingerprint, serial, kind, holder, name, valid_from, valid_to, issued, issued_by, revoked, revoked_by, certificate";

    /// <summary>SHA-256 of the certificate (DER), 64 hexadecimal digits in lower case.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Its serial number, hexadecimal digits in lower case.</summary>
    public required string Serial { get; init; }

    /// <summary>For what kind of client.</summary>
    public required ClientKind Kind { get; init; }

    /// <summary>Client id of the program, or name of the device.</summary>
    public required string Name { get; init; }

    /// <summary>From when it is good.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>Until when, this moment not included.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>When it was signed.</summary>
    public required DateTimeOffset Issued { get; init; }

    /// <summary>The administrator who had it signed.</summary>
    public required StaffId IssuedBy { get; init; }

    /// <summary>When it was taken back; null while it was not.</summary>
    public DateTimeOffset? Revoked { get; init; }

    /// <summary>The administrator who took it back.</summary>
    public StaffId? RevokedBy { get; init; }

    /// <summary>The row of the integration or the device.</summary>
    internal Guid Holder { get; init; }

    internal byte[] Der { get; init; } = [];

    /// <summary>Whether it opens anything at this moment.</summary>
    public bool IsGood(DateTimeOffset now) => Revoked is null && From <= now && now < To;

    /// <summary>The certificate as a text that every program reads.</summary>
    public string Pem() => PemEncoding.WriteString("CERTIFICATE", Der);

    internal static ClientCertificate Read(DbDataReader row) => new()
    {
        Fingerprint = Convert.ToHexStringLower(row.Bytes(0)),
        Serial = Convert.ToHexStringLower(row.Bytes(1)),
        Kind = (ClientKind)row.GetInt64(2),
        Holder = row.Guid(3),
        Name = row.GetString(4),
        From = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
        To = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)),
        Issued = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(7)),
        IssuedBy = new StaffId((int)row.GetInt64(8)),
        Revoked = row.LongOrNull(9) is { } revoked ? DateTimeOffset.FromUnixTimeMilliseconds(revoked) : null,
        RevokedBy = row.LongOrNull(10) is { } by ? new StaffId((int)by) : null,
        Der = row.Bytes(11),
    };
}

/// <summary>
/// Who stands behind a connection, by the certificate that it showed: listed, good and not taken back at the moment when it
/// was asked. Only <see cref="ClientCertificates.Standing"/> makes one.
/// </summary>
public sealed record ShownClient
{
    internal ShownClient(ClientCertificate certificate)
    {
        Fingerprint = certificate.Fingerprint;
        Kind = certificate.Kind;
        Name = certificate.Name;
        Holder = certificate.Holder;
    }

    /// <summary>SHA-256 of the certificate, 64 hexadecimal digits in lower case.</summary>
    public string Fingerprint { get; }

    /// <summary>What kind of client.</summary>
    public ClientKind Kind { get; }

    /// <summary>Client id of the program, or name of the device.</summary>
    public string Name { get; }

    internal Guid Holder { get; }

    /// <summary>The fingerprint as a token names it: <c>x5t#S256</c> (RFC 8705, 3.1).</summary>
    internal string Thumbprint => Base64Url.EncodeToString(Convert.FromHexString(Fingerprint));
}

/// <summary>A certificate that was just signed, with the authority above it.</summary>
/// <param name="Certificate">As it is listed.</param>
/// <param name="Authority">The certificate of the hospital's authority, as text.</param>
public sealed record IssuedCertificate(ClientCertificate Certificate, string Authority)
{
    /// <summary>Both, the client's own first, as programs take a chain.</summary>
    public string Chain => string.Create(CultureInfo.InvariantCulture, $"{Certificate.Pem()}\n{Authority}\n");
}
