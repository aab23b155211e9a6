namespace Mangrove.Vault.Clients;

/// <summary>
/// The table of vault.db about certificates of clients: what the hospital's authority has signed for programs and for desktop
/// devices, and what of it was taken back. It holds no secret: a certificate is public, and its private key was never here.
/// </summary>
internal static class ClientStore
{
    // The holder is a row of integration or of device, by the kind: one list, because a handshake asks one question.
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS client_certificate (
            fingerprint BLOB NOT NULL PRIMARY KEY,
            serial BLOB NOT NULL UNIQUE,
            kind INTEGER NOT NULL,
            holder BLOB NOT NULL,
            name TEXT NOT NULL,
            valid_from INTEGER NOT NULL,
            valid_to INTEGER NOT NULL,
            issued INTEGER NOT NULL,
            issued_by INTEGER NOT NULL,
            revoked INTEGER NULL,
            revoked_by INTEGER NULL,
            certificate BLOB NOT NULL,
            CHECK (kind IN (1, 2)),
            CHECK (valid_from < valid_to));
        CREATE INDEX IF NOT EXISTS client_certificate_holder ON client_certificate (kind, holder)
        """;

    /// <summary>Creates the table where it is missing: in a new hospital, and in one that an earlier version made.</summary>
    public static Task Create(Store store, CancellationToken cancel) => store.Create(Schema, cancel);
}
