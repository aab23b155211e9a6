using System.Data.Common;
using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Health;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Glass;

/// <summary>Who is told of emergency accesses, by what, and what came of it.</summary>
public sealed partial class GlassDesk
{
    private const int MostOfficers = 10;

    private enum NoticeKind
    {
        Opened = 1,
        Overdue = 2,
    }

    /// <summary>Whether notices come to this person: administrators, and those who answer for privacy.</summary>
    public bool IsTold(Actor actor)
    {
        ArgumentNullException.ThrowIfNull(actor);
        return actor.May(Rights.Administration) || (actor.Role is not null && officers.Contains(actor.Staff.Number));
    }

    /// <summary>How many notices wait to be seen by this person.</summary>
    public async Task<int> Unseen(Actor actor, CancellationToken cancel)
    {
        if (!IsTold(actor))
        {
            return 0;
        }

        await using var connection = await store.Open(cancel);
        return (int)(long)(await connection.Scalar(
            "SELECT COUNT(*) FROM glass_notice JOIN account ON account.id = glass_notice.account WHERE account.number = @number AND glass_notice.seen IS NULL",
            cancel,
            ("@number", actor.Staff.Number)))!;
    }

    /// <summary>The person says that they have seen every notice that came to them. The receipt is an entry.</summary>
    /// <returns>How many there were.</returns>
    /// <exception cref="Refused">Nobody is told anything in this role.</exception>
    public async Task<int> See(Actor actor, CancellationToken cancel)
    {
        await Require(actor, Sessions.Act("SEE_GLASS_NOTICES", "glass", null), cancel);
        var seen = await sessions.Change(
            async change =>
            {
                var count = await change.Connection.Run(
                    "UPDATE glass_notice SET seen = @now WHERE seen IS NULL AND account = (SELECT id FROM account WHERE number = @number)",
                    cancel,
                    ("@now", Now),
                    ("@number", actor.Staff.Number));
                change.Keep = count > 0;
                if (count > 0)
                {
                    await log.Note(actor, Sessions.Act("SEE_GLASS_NOTICES", "glass", string.Create(CultureInfo.InvariantCulture, $"{count} seen")), cancel);
                }

                return count;
            },
            cancel);
        Changed?.Invoke(this, EventArgs.Empty);
        return seen;
    }

    /// <summary>Who is told now.</summary>
    public async Task<GlassRecipients> Told(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var all = await Recipients(connection, Guid.Empty, cancel);
        return new GlassRecipients([.. all.Where(one => one.Officer).Select(one => one.Staff)], all.Count);
    }

    /// <summary>Names those who answer for privacy: they are told of each emergency access, and may review it.</summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="wanted">Staff numbers of active accounts, 1 to 10.</param>
    /// <param name="proof">The administrator's own second factor.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Who is told now, or <c>glass.officers</c>, <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<GlassRecipients>> Name(Actor admin, IReadOnlyCollection<StaffId> wanted, FactorProof proof, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        var named = await identity.Acts.Run<GlassRecipients>(
            admin,
            "NAME_PRIVACY_OFFICERS",
            "glass",
            async change =>
            {
                var before = (await Recipients(change.Connection, Guid.Empty, cancel)).Where(one => one.Officer).Select(one => one.Staff);
                var known = (await change.Connection.Query($"SELECT {Account.Columns} FROM account WHERE state = @active", Account.Read, cancel, ("@active", (int)AccountState.Active)))
                    .Where(account => wanted.Contains(account.Staff)).ToList();
                if (known.Count is 0 or > MostOfficers || known.Count != wanted.Distinct().Count())
                {
                    return new Error("glass.officers", string.Create(CultureInfo.InvariantCulture, $"Choose 1 to {MostOfficers} people with an active account."));
                }

                if (await identity.SecondFactor.Ask(change, admin, proof, FactorActs.Officers, cancel) is { } refused)
                {
                    return refused;
                }

                await change.Connection.Run("DELETE FROM privacy_officer", cancel);
                foreach (var account in known)
                {
                    await change.Connection.Run("INSERT INTO privacy_officer (account, since, named_by) VALUES (@account, @now, @by)", cancel, ("@account", account.Id), ("@now", Now), ("@by", admin.Staff.Number));
                }

                var all = await Recipients(change.Connection, Guid.Empty, cancel);
                change.AfterCommit = () => officers = known.Select(account => account.Staff.Number).ToHashSet();
                return new Acted<GlassRecipients>(new GlassRecipients([.. known.Select(account => account.Staff)], all.Count), "glass", $"{Numbers(before)} -> {Numbers(known.Select(account => account.Staff))}");
            },
            cancel);
        if (named.Ok)
        {
            Changed?.Invoke(this, EventArgs.Empty);
        }

        return named;
    }

    private static string Numbers(IEnumerable<StaffId> staff) => string.Join(' ', staff.OrderBy(one => one.Number)) is { Length: > 0 } all ? all : "nobody";

    /// <summary>Everybody who is told, but for one account: whoever breaks the glass does not count among them.</summary>
    private static Task<List<(Guid Account, StaffId Staff, bool Officer)>> Recipients(DbConnection connection, Guid except, CancellationToken cancel) => connection.Query(
        """
        SELECT account.id, account.number, privacy_officer.since FROM account LEFT JOIN privacy_officer ON privacy_officer.account = account.id
        WHERE account.state = @active AND account.id <> @except AND (account.role = @admin OR privacy_officer.since IS NOT NULL) ORDER BY account.number
        """,
        row => (row.Guid(0), new StaffId((int)row.GetInt64(1)), row.LongOrNull(2) is not null),
        cancel,
        ("@active", (int)AccountState.Active),
        ("@except", except),
        ("@admin", (int)Role.Admin));

    /// <summary>Puts notices and letters in, within the caller's transaction.</summary>
    /// <returns>Whom, in words for the log.</returns>
    private static async Task<string> Tell(DbConnection connection, Guid glass, NoticeKind kind, Account about, DateTimeOffset now, CancellationToken cancel)
    {
        var told = await Recipients(connection, about.Id, cancel);
        foreach (var one in told)
        {
            await connection.Run(
                "INSERT INTO glass_notice (id, glass, kind, account, created) VALUES (@id, @glass, @kind, @account, @now)",
                cancel,
                ("@id", Ids.New()),
                ("@glass", glass),
                ("@kind", (int)kind),
                ("@account", one.Account),
                ("@now", now.ToUnixTimeMilliseconds()));
        }

        // Mail is kept in places that no hospital controls: neither the patient nor their number stands there.
        var number = glass.ToString("N")[..8];
        var letters = await Outbox.Put(
            connection,
            LetterKind(glass),
            MailAudience.Administrators | MailAudience.PrivacyOfficer,
            kind == NoticeKind.Opened ? $"Mangrove: emergency access {number}" : $"Mangrove: no justification for emergency access {number}",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{(kind == NoticeKind.Opened ? $"{about.Staff} ({about.Role.Title()}) opened a record in an emergency." : $"{about.Staff} ({about.Role.Title()}) wrote no justification within {JustifyWithin.TotalHours:0} hours. Their right to open records in an emergency is suspended.")}\nTime: {now:yyyy-MM-dd HH:mm} UTC. Number of the access: {number}.\nThe page Privacy of Mangrove (/privacy) says more. Answers to this letter are not read.\n"),
            now,
            cancel);
        var enough = told.Count >= 2 && told.Exists(one => one.Officer);
        return string.Create(CultureInfo.InvariantCulture, $"{told.Count} told, {letters} letters{(enough ? "" : ", too few or no privacy officer")}");
    }

    private static string LetterKind(Guid glass) => $"break-glass:{glass:N}";
}
