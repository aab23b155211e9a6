using System.Collections.Concurrent;
using System.Data.Common;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Clients;

/// <summary>
/// The list of certificates of clients. A handshake cannot wait for a database, so what is not taken back is also kept in
/// memory, which follows the table at every commit; each request is judged by the table itself (<see cref="Standing"/>).
/// </summary>
internal sealed class CertificateRegister(Store store, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, ClientCertificate> listed = new(StringComparer.Ordinal);

    /// <summary>Reads what stands in the table, when the hospital is opened.</summary>
    public async Task Load(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        await Load(connection, cancel);
    }

    /// <summary>Lets memory be what stands in the table: what is not there any more is forgotten.</summary>
    public async Task Load(DbConnection connection, CancellationToken cancel)
    {
        var standing = await connection.Query($"SELECT {ClientCertificate.Columns} FROM client_certificate WHERE revoked IS NULL", ClientCertificate.Read, cancel);
        foreach (var certificate in standing)
        {
            listed[certificate.Fingerprint] = certificate;
        }

        foreach (var gone in listed.Keys.Except(standing.Select(certificate => certificate.Fingerprint), StringComparer.Ordinal))
        {
            listed.TryRemove(gone, out _);
        }
    }

    /// <summary>What is listed under a fingerprint and not taken back, as memory knows it; it may have run out.</summary>
    public ClientCertificate? Listed(string fingerprint) => listed.GetValueOrDefault(fingerprint);

    /// <summary>Who stands behind a fingerprint now, asked of the table; null when nobody does.</summary>
    public async Task<ShownClient?> Standing(string fingerprint, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await Good(connection, fingerprint, clock.GetUtcNow(), cancel) is { } certificate ? new ShownClient(certificate) : null;
    }

    /// <summary>The certificate with this fingerprint, if it is good at this moment.</summary>
    public static async Task<ClientCertificate?> Good(DbConnection connection, string fingerprint, DateTimeOffset now, CancellationToken cancel)
    {
        var found = await connection.Query($"SELECT {ClientCertificate.Columns} FROM client_certificate WHERE fingerprint = @fingerprint", ClientCertificate.Read, cancel, ("@fingerprint", Convert.FromHexString(fingerprint)));
        return found is [var certificate] && certificate.IsGood(now) ? certificate : null;
    }

    /// <summary>Every certificate of a holder, newest first.</summary>
    public static Task<List<ClientCertificate>> Of(DbConnection connection, ClientKind kind, Guid holder, CancellationToken cancel) => connection.Query(
        $"SELECT {ClientCertificate.Columns} FROM client_certificate WHERE kind = @kind AND holder = @holder ORDER BY issued DESC, valid_to DESC, fingerprint",
        ClientCertificate.Read,
        cancel,
        ("@kind", (int)kind),
        ("@holder", holder));

    /// <summary>Lists a certificate in the course of a change; memory follows after the commit.</summary>
    public async Task Add(SessionChange change, ClientCertificate certificate, CancellationToken cancel)
    {
        await change.Connection.Run(
            """
            INSERT INTO client_certificate (fingerprint, serial, kind, holder, name, valid_from, valid_to, issued, issued_by, certificate)
            VALUES (@fingerprint, @serial, @kind, @holder, @name, @from, @to, @issued, @by, @certificate)
            """,
            cancel,
            ("@fingerprint", Convert.FromHexString(certificate.Fingerprint)),
            ("@serial", Convert.FromHexString(certificate.Serial)),
            ("@kind", (int)certificate.Kind),
            ("@holder", certificate.Holder),
            ("@name", certificate.Name),
            ("@from", certificate.From.ToUnixTimeMilliseconds()),
            ("@to", certificate.To.ToUnixTimeMilliseconds()),
            ("@issued", certificate.Issued.ToUnixTimeMilliseconds()),
            ("@by", certificate.IssuedBy.Number),
            ("@certificate", certificate.Der));
        change.AfterCommit += () => listed[certificate.Fingerprint] = certificate;
    }

    /// <summary>Takes one certificate back in the course of a change; false when it was not there or was taken back before.</summary>
    public async Task<bool> End(SessionChange change, string fingerprint, Actor by, CancellationToken cancel)
    {
        var ended = await change.Connection.Run(
            "UPDATE client_certificate SET revoked = @now, revoked_by = @by WHERE fingerprint = @fingerprint AND revoked IS NULL",
            cancel,
            ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()),
            ("@by", by.Staff.Number),
            ("@fingerprint", Convert.FromHexString(fingerprint)));
        change.AfterCommit += () => listed.TryRemove(fingerprint, out _);
        return ended == 1;
    }

    /// <summary>Takes every certificate of a holder back in the course of a change. Gives how many there were.</summary>
    public async Task<int> EndOf(SessionChange change, ClientKind kind, Guid holder, Actor by, CancellationToken cancel)
    {
        var ended = 0;
        foreach (var certificate in await Of(change.Connection, kind, holder, cancel))
        {
            ended += certificate.Revoked is null && await End(change, certificate.Fingerprint, by, cancel) ? 1 : 0;
        }

        return ended;
    }
}
