using System.Data.Common;
using Mangrove.Kernel;

namespace Mangrove.Vault.Health;

/// <summary>
/// Letters that wait to be sent. A letter is put in within the transaction of what it tells of, so that it exists exactly
/// when that does; and it is sent at least once: it counts as delivered when a server has said that it took it, and
/// a power cut between the two sends it again, under the same number.
/// </summary>
public sealed class Outbox
{
    private const int LongestSubject = 120;
    private const int LongestBody = 4_000;
    private const int LongestReceipt = 200;
    private const int AtOnce = 20;

    // While one server of several has a letter in hand the others leave it; a server that dies lets it go by this.
    private static readonly TimeSpan InHand = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan[] Waits = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1)];

    /// <summary>RFC 5321, 4.5.4.1: at least four to five days.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromDays(5);

    private static readonly TimeSpan Kept = TimeSpan.FromDays(90);

    private readonly Store store;
    private readonly MailDesk mail;
    private readonly TimeProvider clock;

    internal Outbox(Store store, MailDesk mail, TimeProvider clock)
    {
        this.store = store;
        this.mail = mail;
        this.clock = clock;
    }

    /// <summary>Puts a letter in for everybody of an audience, within the caller's transaction.</summary>
    /// <param name="connection">Of the transaction.</param>
    /// <param name="kind">Stable: what it is about.</param>
    /// <param name="audience">Who is told.</param>
    /// <param name="subject">ASCII, one line of at most 120 characters.</param>
    /// <param name="body">At most 4,000 characters. MUST NOT contain protected health information: ids and our own words only.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>To how many addresses it goes.</returns>
    internal static async Task<int> Put(DbConnection connection, string kind, MailAudience audience, string subject, string body, DateTimeOffset now, CancellationToken cancel)
    {
        if (subject.Length is 0 or > LongestSubject || subject.Any(sign => sign is < ' ' or > '~'))
        {
            throw new ArgumentException("A subject is one line of ASCII.", nameof(subject));
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, LongestBody, nameof(body));
        var addresses = await connection.Query(
            "SELECT DISTINCT address FROM mail_recipient WHERE (@one <> 0 AND audience = 1) OR (@two <> 0 AND audience = 2) ORDER BY address",
            row => row.GetString(0),
            cancel,
            ("@one", audience.HasFlag(MailAudience.Administrators) ? 1 : 0),
            ("@two", audience.HasFlag(MailAudience.PrivacyOfficer) ? 1 : 0));
        foreach (var address in addresses)
        {
            await connection.Run(
                "INSERT INTO letter (id, kind, address, subject, body, created, due, tries) VALUES (@id, @kind, @address, @subject, @body, @now, @now, 0)",
                cancel,
                ("@id", Ids.New()),
                ("@kind", kind),
                ("@address", address),
                ("@subject", subject),
                ("@body", body),
                ("@now", now.ToUnixTimeMilliseconds()));
        }

        return addresses.Count;
    }

    /// <summary>Sends what is due now. Nothing where no server of mail is set.</summary>
    /// <param name="carrier">Who speaks to the server.</param>
    /// <param name="cancel">Gives up; what is under way is sent again.</param>
    /// <returns>How many were delivered.</returns>
    public async Task<int> Deliver(ILetterCarrier carrier, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(carrier);
        if (await mail.Server(cancel) is not { } server)
        {
            return 0;
        }

        await using var connection = await store.Open(cancel);
        var now = clock.GetUtcNow();
        await connection.Run("DELETE FROM letter WHERE created < @old AND (delivered IS NOT NULL OR given_up IS NOT NULL)", cancel, ("@old", (now - Kept).ToUnixTimeMilliseconds()));
        var due = await Read(connection, "WHERE delivered IS NULL AND given_up IS NULL AND due <= @now ORDER BY due, created", AtOnce, now, cancel);
        var password = due.Count == 0 ? null : await mail.Password(cancel);
        var delivered = 0;
        foreach (var letter in due)
        {
            var taken = await connection.Run(
                "UPDATE letter SET due = @later WHERE id = @id AND delivered IS NULL AND due <= @now",
                cancel,
                ("@later", (clock.GetUtcNow() + InHand).ToUnixTimeMilliseconds()),
                ("@id", letter.Id),
                ("@now", now.ToUnixTimeMilliseconds()));
            if (taken == 1)
            {
                delivered += await Try(connection, carrier, server, password, letter, cancel) ? 1 : 0;
            }
        }

        return delivered;
    }

    /// <summary>The newest letters first.</summary>
    public async Task<IReadOnlyList<Letter>> Newest(int most, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await Read(connection, "WHERE created <= @now ORDER BY created DESC, address", most, clock.GetUtcNow() + TimeSpan.FromDays(1), cancel);
    }

    /// <summary>How many wait for more than an hour.</summary>
    public async Task<long> Late(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return (long)(await connection.Scalar(
            "SELECT COUNT(*) FROM letter WHERE delivered IS NULL AND given_up IS NULL AND created < @late",
            cancel,
            ("@late", (clock.GetUtcNow() - TimeSpan.FromHours(1)).ToUnixTimeMilliseconds())))!;
    }

    private async Task<bool> Try(DbConnection connection, ILetterCarrier carrier, MailServer server, string? password, Letter letter, CancellationToken cancel)
    {
        try
        {
            var receipt = await carrier.Carry(server, password, letter, cancel);
            await connection.Run(
                "UPDATE letter SET delivered = @now, receipt = @receipt, problem = NULL, tries = tries + 1 WHERE id = @id",
                CancellationToken.None,
                ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()),
                ("@receipt", receipt.Length > LongestReceipt ? receipt[..LongestReceipt] : receipt),
                ("@id", letter.Id));
            return true;
        }
        catch (RefusedInput refused)
        {
            var now = clock.GetUtcNow();
            var over = now - letter.Created > Patience;
            await connection.Run(
                "UPDATE letter SET tries = tries + 1, problem = @problem, due = @due, given_up = @over WHERE id = @id",
                CancellationToken.None,
                ("@problem", refused.Code),
                ("@due", (now + Waits[Math.Min(letter.Tries, Waits.Length - 1)]).ToUnixTimeMilliseconds()),
                ("@over", over ? now.ToUnixTimeMilliseconds() : null),
                ("@id", letter.Id));
            return false;
        }
    }

    private static Task<List<Letter>> Read(DbConnection connection, string which, int most, DateTimeOffset now, CancellationToken cancel) => connection.Query(
        $"SELECT id, kind, address, subject, body, created, tries, problem, delivered, receipt, given_up FROM letter {which} LIMIT @most",
        row => new Letter(
            row.Guid(0),
            row.GetString(1),
            row.GetString(2),
            row.GetString(3),
            row.GetString(4),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
            (int)row.GetInt64(6),
            row.TextOrNull(7),
            Time(row.LongOrNull(8)),
            row.TextOrNull(9),
            Time(row.LongOrNull(10))),
        cancel,
        ("@now", now.ToUnixTimeMilliseconds()),
        ("@most", most));

    private static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
}
