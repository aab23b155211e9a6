using System.Data.Common;
using Mangrove.Sealing;
using Microsoft.AspNetCore.Identity;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Passkeys as the table keeps them. The public key is sealed for its account under a key that hangs from the pepper:
/// whoever can write to vault.db cannot plant a passkey of their own there. A passkey that was shown is counted on by one
/// compare-and-set statement in the caller's transaction, so that a count that went back, or one answer twice, is refused.
/// </summary>
internal sealed class PasskeyFactors(Peppers pepper, TimeProvider clock)
{
    private const string Columns = "id, credential, public_key, site, name, sign_count, transports, verified, backup_eligible, backed_up, created, used";

    // The words of Web Authentication, Level 3, 5.8.4: anything else that a browser says is not kept.
    private static readonly string[] KnownTransports = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The passkeys of an account, oldest first.</summary>
    /// <exception cref="SealBroken">A public key was changed beside the vault.</exception>
    public async Task<List<PasskeyRow>> Of(DbConnection connection, Guid account, CancellationToken cancel)
    {
        using var held = pepper.Hold();
        return await connection.Query(
            $"SELECT {Columns} FROM passkey WHERE account = @account ORDER BY created, id",
            row => new PasskeyRow
            {
                Id = row.Guid(0),
                Credential = row.Bytes(1),
                PublicKey = pepper.Open(Sealing, row.Bytes(2), Address(account)),
                Site = row.GetString(3),
                Name = row.GetString(4),
                SignCount = row.GetInt64(5),
                Transports = row.GetString(6).Split(',', StringSplitOptions.RemoveEmptyEntries),
                Verified = row.GetInt64(7) != 0,
                BackupEligible = row.GetInt64(8) != 0,
                BackedUp = row.GetInt64(9) != 0,
                Created = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(10)),
                Used = row.LongOrNull(11) is { } used ? DateTimeOffset.FromUnixTimeMilliseconds(used) : null,
            },
            cancel,
            ("@account", account));
    }

    /// <summary>How many an account has.</summary>
    public static async Task<long> Count(DbConnection connection, Guid account, CancellationToken cancel) =>
        (long)(await connection.Scalar("SELECT COUNT(*) FROM passkey WHERE account = @account", cancel, ("@account", account)) ?? 0L);

    /// <summary>The names of the hospital under which an account has passkeys.</summary>
    public static Task<List<string>> Sites(DbConnection connection, Guid account, CancellationToken cancel) =>
        connection.Query("SELECT DISTINCT site FROM passkey WHERE account = @account ORDER BY site", row => row.GetString(0), cancel, ("@account", account));

    /// <summary>What a browser is asked; null when the account has no passkey at this site.</summary>
    public async Task<(string Options, PasskeyChallenge Challenge)?> Ask(DbConnection connection, Account account, PasskeySite site, CancellationToken cancel)
    {
        var known = await At(connection, account.Id, site, cancel);
        return known.Count == 0 ? null : await PasskeyCheck.Ask(account, known, site, clock);
    }

    /// <summary>Checks an answer and counts the passkey on, inside the caller's transaction.</summary>
    public async Task<PasskeyUse> Use(DbConnection connection, Account account, PasskeyChallenge challenge, string? answer, CancellationToken cancel)
    {
        var known = await At(connection, account.Id, challenge.Site, cancel);
        if (await PasskeyCheck.Shown(account, known, challenge, answer) is not { } shown)
        {
            // The framework says no without a reason. Asked once more as if nothing had been counted, it tells a key whose
            // count went back, which may be a copy, from any other answer.
            var uncounted = await PasskeyCheck.Shown(account, [.. known.Select(row => row with { SignCount = 0 })], challenge, answer);
            return uncounted is null ? PasskeyUse.No : PasskeyUse.Back(PasskeyMark.Of(uncounted.CredentialId));
        }

        var mark = PasskeyMark.Of(shown.CredentialId);
        return await connection.Run(
            """
            UPDATE passkey SET sign_count = @count, backed_up = @copied, used = @now
            WHERE credential = @credential AND account = @account AND (sign_count < @count OR (sign_count = 0 AND @count = 0))
            """,
            cancel,
            ("@count", (long)shown.SignCount),
            ("@copied", shown.IsBackedUp),
            ("@now", Now),
            ("@credential", shown.CredentialId),
            ("@account", account.Id)) == 1
                ? PasskeyUse.Of(mark)
                : PasskeyUse.Back(mark);
    }

    /// <summary>Keeps a new passkey; false when an account has it already.</summary>
    public async Task<bool> Keep(DbConnection connection, Guid account, PasskeySite site, string name, UserPasskeyInfo made, CancellationToken cancel) => await connection.Run(
        """
        INSERT INTO passkey (id, account, credential, public_key, site, name, sign_count, transports, verified, backup_eligible, backed_up, created)
        VALUES (@id, @account, @credential, @key, @site, @name, @count, @transports, @verified, @eligible, @copied, @now) ON CONFLICT (credential) DO NOTHING
        """,
        cancel,
        ("@id", Kernel.Ids.New()),
        ("@account", account),
        ("@credential", made.CredentialId),
        ("@key", pepper.Seal(Sealing, made.PublicKey, Address(account))),
        ("@site", site.Name),
        ("@name", name),
        ("@count", (long)made.SignCount),
        ("@transports", string.Join(',', KnownTransports.Intersect(made.Transports ?? [], StringComparer.Ordinal))),
        ("@verified", made.IsUserVerified),
        ("@eligible", made.IsBackupEligible),
        ("@copied", made.IsBackedUp),
        ("@now", Now)) == 1;

    /// <summary>Takes one away; false when the account has no such passkey.</summary>
    public static async Task<bool> Remove(DbConnection connection, Guid account, Guid passkey, CancellationToken cancel) =>
        await connection.Run("DELETE FROM passkey WHERE account = @account AND id = @id", cancel, ("@account", account), ("@id", passkey)) == 1;

    /// <summary>What the key that seals public keys is derived for.</summary>
    internal static ReadOnlySpan<byte> Sealing => "mangrove passkey"u8;

    private async Task<List<PasskeyRow>> At(DbConnection connection, Guid account, PasskeySite site, CancellationToken cancel) =>
        [.. (await Of(connection, account, cancel)).Where(row => row.Site == site.Name)];

    internal static CellAddress Address(Guid account) => new(Guid.Empty, "passkey", "public_key", account, Guid.Empty, 1);
}

/// <summary>What an answer of a passkey came to.</summary>
/// <param name="Counted">It was right, and was counted.</param>
/// <param name="WentBack">Its signature was right and its count was not higher than the last: it may be a copy.</param>
/// <param name="Mark">Which passkey, as the log names it; null when none was right.</param>
internal readonly record struct PasskeyUse(bool Counted, bool WentBack, string? Mark)
{
    public static PasskeyUse No { get; }

    public static PasskeyUse Of(string mark) => new(true, false, mark);

    public static PasskeyUse Back(string mark) => new(false, true, mark);
}
