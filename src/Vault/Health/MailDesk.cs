using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Health;

/// <summary>Where letters go and from where, as the page shows it. The password is never shown.</summary>
/// <param name="Server">Null where none is set: then no letter is sent.</param>
/// <param name="HasPassword">Whether one is kept.</param>
/// <param name="Administrators">Addresses of those who look after the machine.</param>
/// <param name="PrivacyOfficer">Addresses of whoever answers for privacy.</param>
public sealed record MailState(MailServer? Server, bool HasPassword, IReadOnlyList<string> Administrators, IReadOnlyList<string> PrivacyOfficer);

/// <summary>
/// The hospital's server of mail and who gets letters. Changed by administrators only, each change an entry; the password
/// is sealed in the key store and in no table.
/// </summary>
public sealed class MailDesk
{
    /// <summary>Most addresses of one list.</summary>
    public const int MostAddresses = 20;

    private const string PasswordName = "mail-password";
    private const string Mail = "mail";
    private const int LongestPassword = 200;

    private readonly Store store;
    private readonly AdministratorAct acts;
    private readonly SystemSecrets secrets;
    private readonly TimeProvider clock;

    internal MailDesk(Store store, IdentityDesk identity, SystemSecrets secrets, TimeProvider clock)
    {
        this.store = store;
        acts = identity.Acts;
        this.secrets = secrets;
        this.clock = clock;
    }

    /// <summary>What is set.</summary>
    public async Task<MailState> State(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var addresses = await connection.Query("SELECT audience, address FROM mail_recipient ORDER BY address", row => (Audience: (MailAudience)row.GetInt64(0), Address: row.GetString(1)), cancel);
        return new MailState(
            await Read(connection, cancel),
            await HasPassword(cancel),
            [.. addresses.Where(one => one.Audience == MailAudience.Administrators).Select(one => one.Address)],
            [.. addresses.Where(one => one.Audience == MailAudience.PrivacyOfficer).Select(one => one.Address)]);
    }

    /// <summary>Sets the server and who gets letters.</summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="server">The server.</param>
    /// <param name="password">A new password; null keeps the one that is there, empty forgets it. Another host forgets it too.</param>
    /// <param name="administrators">Addresses of those who look after the machine; one at least.</param>
    /// <param name="privacyOfficer">Addresses of whoever answers for privacy; may be empty.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// What is set now, or <c>mail.host</c>, <c>mail.port</c>, <c>mail.security</c>, <c>mail.needs-tls</c>, <c>mail.sender</c>, <c>mail.login</c>,
    /// <c>mail.authority</c>, <c>mail.password</c>, <c>mail.administrators</c>, <c>mail.privacy</c>.
    /// </returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<MailState>> Change(Actor admin, MailServer server, string? password, IReadOnlyList<string> administrators, IReadOnlyList<string> privacyOfficer, CancellationToken cancel)
    {
        var forget = false;
        var changed = await acts.Run<bool>(
            admin,
            "CHANGE_MAIL",
            Mail,
            async change =>
            {
                ArgumentNullException.ThrowIfNull(server);
                if (server.Malformed() is { } malformed)
                {
                    return malformed;
                }

                if (password is { Length: > LongestPassword } || password?.Any(char.IsControl) == true || (password is { Length: > 0 } && server.Security == MailSecurity.None))
                {
                    return new Error("mail.password", "A password at the mail server has at most 200 characters, and is sent by TLS only.");
                }

                if (administrators.Count is 0 or > MostAddresses || !administrators.All(MailServer.IsAddress))
                {
                    return new Error("mail.administrators", "Give 1 to 20 addresses of administrators, one in a line.");
                }

                if (privacyOfficer.Count > MostAddresses || !privacyOfficer.All(MailServer.IsAddress))
                {
                    return new Error("mail.privacy", "Give at most 20 addresses for privacy, one in a line.");
                }

                // The old password is for the old server: it must not go to whoever somebody names instead.
                var before = await Read(change.Connection, cancel);
                forget = password is null && before is not null && (before.Host != server.Host || before.Port != server.Port || before.Login != server.Login);
                if (forget || password is not null)
                {
                    await Keep("", cancel);
                }

                await Write(change.Connection, admin, server, cancel);
                await change.Connection.Run("DELETE FROM mail_recipient", cancel);
                foreach (var (audience, address) in administrators.Distinct(StringComparer.Ordinal).Select(one => (MailAudience.Administrators, one)).Concat(privacyOfficer.Distinct(StringComparer.Ordinal).Select(one => (MailAudience.PrivacyOfficer, one))))
                {
                    await change.Connection.Run("INSERT INTO mail_recipient (audience, address) VALUES (@audience, @address)", cancel, ("@audience", (int)audience), ("@address", address));
                }

                return new Acted<bool>(
                    true,
                    Mail,
                    $"{(before is null ? "none" : Words(before))} -> {Words(server)}, {administrators.Count} administrators, {privacyOfficer.Count} for privacy{(password is null ? forget ? ", password forgotten" : "" : password.Length == 0 ? ", password forgotten" : ", new password")}");
            },
            cancel);
        if (changed.Error is { } error)
        {
            return error;
        }

        // After a power cut before this there is none, and the letters say so.
        if (password is { Length: > 0 })
        {
            await Keep(password, cancel);
        }

        return await State(cancel);
    }

    /// <summary>Puts a letter to everybody into the outbox, to see whether it arrives.</summary>
    /// <returns>To how many addresses, or <c>mail.none</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<int>> Test(Actor admin, CancellationToken cancel) => acts.Run<int>(
        admin,
        "TEST_MAIL",
        Mail,
        async change =>
        {
            if (await Read(change.Connection, cancel) is null)
            {
                return new Error("mail.none", "No mail server is set yet. Save one first.");
            }

            var now = clock.GetUtcNow();
            var count = await Outbox.Put(
                change.Connection,
                "test",
                MailAudience.Administrators | MailAudience.PrivacyOfficer,
                "Mangrove: a test letter",
                "This is a test letter of Mangrove. Alarms of the server and notices for privacy come to this address.\nNothing has to be done. Answers are not read.\n",
                now,
                cancel);
            return new Acted<int>(count, Mail, $"{count} addresses");
        },
        cancel);

    internal async Task<MailServer?> Server(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await Read(connection, cancel);
    }

    internal async Task<string?> Password(CancellationToken cancel)
    {
        byte[]? kept;
        try
        {
            kept = await secrets.Get(PasswordName, cancel);
        }
        catch (SealBroken)
        {
            throw new RefusedInput("mail.password-broken", "The sealed password of the mail server does not open: keys.db was changed. Verify the log, then save the password again on the page Mail.");
        }

        try
        {
            return kept is { Length: > 0 } ? Encoding.UTF8.GetString(kept) : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(kept);
        }
    }

    // One that does not open is there all the same, and the page is where it is saved again.
    private async Task<bool> HasPassword(CancellationToken cancel)
    {
        try
        {
            return await Password(cancel) is not null;
        }
        catch (RefusedInput)
        {
            return true;
        }
    }

    private async Task Keep(string password, CancellationToken cancel)
    {
        var bytes = Encoding.UTF8.GetBytes(password);
        try
        {
            await secrets.Put(PasswordName, bytes, cancel);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static string Words(MailServer server) => $"{server.Host}:{server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)} by {server.Security switch { MailSecurity.Tls => "TLS", MailSecurity.StartTls => "STARTTLS", _ => "no TLS, on this machine" }}";

    private static async Task<MailServer?> Read(System.Data.Common.DbConnection connection, CancellationToken cancel) => (await connection.Query(
        "SELECT host, port, security, sender, login, authority FROM mail_server WHERE id = 1",
        row => new MailServer(row.GetString(0), (int)row.GetInt64(1), (MailSecurity)row.GetInt64(2), row.GetString(3), row.GetString(4), row.GetString(5)),
        cancel)).FirstOrDefault();

    private Task<int> Write(System.Data.Common.DbConnection connection, Actor admin, MailServer server, CancellationToken cancel) => connection.Run(
        """
        INSERT INTO mail_server (id, host, port, security, sender, login, authority, changed_by, changed) VALUES (1, @host, @port, @security, @sender, @login, @authority, @by, @now)
        ON CONFLICT (id) DO UPDATE SET host = excluded.host, port = excluded.port, security = excluded.security, sender = excluded.sender,
            login = excluded.login, authority = excluded.authority, changed_by = excluded.changed_by, changed = excluded.changed
        """,
        cancel,
        ("@host", server.Host),
        ("@port", server.Port),
        ("@security", (int)server.Security),
        ("@sender", server.Sender),
        ("@login", server.Login),
        ("@authority", server.Authority),
        ("@by", admin.Staff.Number),
        ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()));
}
