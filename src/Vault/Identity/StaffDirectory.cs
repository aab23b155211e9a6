using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>
/// The accounts of the staff. Administrators make, change and close them; the person alone chooses the password, by a
/// one-time link. Every change is an entry with what was before and after, and ends the person's live session at once.
/// </summary>
public sealed partial class StaffDirectory
{
    private const int LongestName = 128;
    private const int LongestDepartment = 64;

    private readonly Store store;
    private readonly Sessions sessions;
    private readonly Door door;
    private readonly AdministratorAct acts;
    private readonly Receipt.Log log;
    private readonly PasswordGate passwords;
    private readonly IdentityOptions options;
    private readonly string hospital;
    private readonly TimeProvider clock;

    /// <param name="hospital">Name of the hospital, which no password may contain.</param>
    internal StaffDirectory(
        Store store,
        Sessions sessions,
        Door door,
        Receipt.Log log,
        PasswordGate passwords,
        IdentityOptions options,
        string hospital,
        TimeProvider clock)
    {
        this.store = store;
        this.sessions = sessions;
        this.door = door;
        acts = new AdministratorAct(sessions, door, log);
        this.log = log;
        this.passwords = passwords;
        this.options = options;
        this.hospital = hospital;
        this.clock = clock;
    }

    internal static Error HasAccounts { get; } = new("init.already", "This hospital has accounts already. An administrator adds more.");

    private static Error NoSuchStaff { get; } = new("staff.unknown", "There is no member of staff with this number. Look it up in the staff list.");

    private static Error BadLink { get; } = new("link.invalid", "This link has been used, replaced or has run out. Ask an administrator for a new one.");

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Makes an account, with the next staff number, and a one-time link by which the person chooses a password.</summary>
    /// <returns>The link, or <c>staff.user-invalid</c>, <c>staff.user-taken</c>, <c>staff.name-invalid</c>, <c>staff.department-invalid</c>, <c>role.unknown</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<StaffLink>> Create(Actor admin, NewStaff staff, CancellationToken cancel) =>
        Change(admin, "CREATE_STAFF", change => Insert(change, staff, cancel), cancel);

    /// <summary>Everybody with an account, by staff number. Looking is an entry.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<IReadOnlyList<StaffMember>> List(Actor admin, CancellationToken cancel)
    {
        await door.Record(admin, Rights.Administration, Sessions.Act("LIST_STAFF", "staff", null), cancel);
        await using var connection = await store.Open(cancel);
        return await connection.Query(
            $"SELECT {Account.Columns}, authenticator.since, (SELECT COUNT(*) FROM passkey WHERE passkey.account = account.id) FROM account LEFT JOIN authenticator ON authenticator.account = account.id ORDER BY number",
            row => Account.Read(row).Member() with { HasPhone = !row.IsDBNull(Account.ColumnCount), Passkeys = (int)row.GetInt64(Account.ColumnCount + 1) },
            cancel);
    }

    /// <summary>Everybody with an account as the log names them, by staff number; for whoever reads the log. No entry of its own.</summary>
    public async Task<IReadOnlyList<Colleague>> Roster(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await connection.Query(
            "SELECT number, username, name, role FROM account ORDER BY number",
            row => new Colleague(new StaffId((int)row.GetInt64(0)), row.GetString(1), row.GetString(2), (Role)row.GetInt64(3)),
            cancel);
    }

    /// <summary>Names of the staff by number, as records show who did what. Holds no more than colleagues know of each other.</summary>
    public async Task<IReadOnlyDictionary<StaffId, string>> Names(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var rows = await connection.Query("SELECT number, name FROM account", row => (Staff: new StaffId((int)row.GetInt64(0)), Name: row.GetString(1)), cancel);
        return rows.ToDictionary(row => row.Staff, row => row.Name);
    }

    /// <summary>Gives another role; the live session ends.</summary>
    /// <returns>The account, or <c>role.unknown</c>, <c>staff.unknown</c>, <c>staff.state</c> (closed), <c>staff.last-admin</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<StaffMember>> ChangeRole(Actor admin, StaffId staff, string role, CancellationToken cancel) => Change<StaffMember>(
        admin,
        "CHANGE_ROLE",
        async change =>
        {
            var parsed = RoleNames.Parse(role);
            if (parsed.Error is { } unknown)
            {
                return Outcome<StaffMember>.No(staff, unknown);
            }

            if (await Load(change, staff, cancel) is not { } account)
            {
                return Outcome<StaffMember>.No(staff, NoSuchStaff);
            }

            if (account.State == AccountState.Revoked)
            {
                return Outcome<StaffMember>.No(staff, WrongState(account.State));
            }

            if (parsed.Value != Role.Admin && await IsLastAdmin(change, account, cancel))
            {
                return Outcome<StaffMember>.No(staff, LastAdmin);
            }

            await change.Connection.Run("UPDATE account SET role = @role WHERE id = @id", cancel, ("@role", (int)parsed.Value), ("@id", account.Id));
            await change.EndOf(account.Id, SessionEnd.RoleChanged, admin, cancel);
            var after = account with { Role = parsed.Value };
            return Outcome<StaffMember>.Yes(staff, after.Member(), $"role {account.Role.Slug()} -> {after.Role.Slug()}");
        },
        cancel);

    /// <summary>Puts somebody into another department, or into none. What they may see does not hang on it, so the session goes on.</summary>
    /// <returns>The account, or <c>staff.department-invalid</c>, <c>staff.unknown</c>, <c>staff.state</c> (closed).</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<StaffMember>> ChangeDepartment(Actor admin, StaffId staff, string? department, CancellationToken cancel) => Change<StaffMember>(
        admin,
        "CHANGE_DEPARTMENT",
        async change =>
        {
            if (DepartmentError(department) is { } malformed)
            {
                return Outcome<StaffMember>.No(staff, malformed);
            }

            if (await Load(change, staff, cancel) is not { } account)
            {
                return Outcome<StaffMember>.No(staff, NoSuchStaff);
            }

            if (account.State == AccountState.Revoked)
            {
                return Outcome<StaffMember>.No(staff, WrongState(account.State));
            }

            var after = account with { Department = Cleaned(department) };
            await change.Connection.Run("UPDATE account SET department = @department WHERE id = @id", cancel, ("@department", after.Department), ("@id", account.Id));
            return Outcome<StaffMember>.Yes(staff, after.Member(), $"department {account.Department ?? "none"} -> {after.Department ?? "none"}");
        },
        cancel);

    /// <summary>Shuts an account until it is restored; the live session ends.</summary>
    /// <returns>The account, or <c>staff.unknown</c>, <c>staff.state</c>, <c>staff.last-admin</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<StaffMember>> Suspend(Actor admin, StaffId staff, CancellationToken cancel) =>
        Move(admin, "SUSPEND_STAFF", staff, [AccountState.Invited, AccountState.Active], _ => AccountState.Suspended, SessionEnd.Suspended, cancel);

    /// <summary>Opens a suspended account again: as active when a password had been chosen, else as invited.</summary>
    /// <returns>The account, or <c>staff.unknown</c>, <c>staff.state</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<StaffMember>> Restore(Actor admin, StaffId staff, CancellationToken cancel) =>
        Move(admin, "RESTORE_STAFF", staff, [AccountState.Suspended], account => account.PasswordChanged is null ? AccountState.Invited : AccountState.Active, null, cancel);

    /// <summary>Closes an account for good, with its password and link. Its staff number and user name are never given again.</summary>
    /// <returns>The account, or <c>staff.unknown</c>, <c>staff.state</c>, <c>staff.last-admin</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<StaffMember>> Revoke(Actor admin, StaffId staff, CancellationToken cancel) =>
        Move(admin, "REVOKE_STAFF", staff, [AccountState.Invited, AccountState.Active, AccountState.Suspended], _ => AccountState.Revoked, SessionEnd.Revoked, cancel);

    /// <summary>
    /// Gives a new one-time link. The password of before stops working now and the live session ends, so that a stolen
    /// password is of no use while the link is on its way.
    /// </summary>
    /// <returns>The link, or <c>staff.unknown</c>, <c>staff.state</c> (suspended or closed).</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<StaffLink>> ResetPassword(Actor admin, StaffId staff, CancellationToken cancel) => Change<StaffLink>(
        admin,
        "RESET_PASSWORD",
        async change =>
        {
            if (await Load(change, staff, cancel) is not { } account)
            {
                return Outcome<StaffLink>.No(staff, NoSuchStaff);
            }

            if (account.State is not (AccountState.Invited or AccountState.Active))
            {
                return Outcome<StaffLink>.No(staff, WrongState(account.State));
            }

            var token = Token.New();
            var expires = clock.GetUtcNow() + options.LinkLife;
            await change.Connection.Run(
                "UPDATE account SET hash = NULL, link = @link, link_expires = @expires WHERE id = @id",
                cancel,
                ("@link", Token.Hash(token)),
                ("@expires", expires.ToUnixTimeMilliseconds()),
                ("@id", account.Id));
            await StaffPin.Forget(change.Connection, account.Id, cancel);
            await change.EndOf(account.Id, SessionEnd.PasswordReset, admin, cancel);
            return Outcome<StaffLink>.Yes(staff, new StaffLink(staff, account.User, token, expires), $"password {(account.PasswordChanged is null ? "none" : "set")} -> link");
        },
        cancel);

    /// <summary>
    /// Takes the second factor, phone and passkeys, from somebody who lost it; the live session ends. Where the role asks for one, the
    /// next sign-in sets up another.
    /// </summary>
    /// <returns>The account, or <c>staff.unknown</c>, <c>staff.state</c> (closed), <c>factor.none</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<StaffMember>> ResetSecondFactor(Actor admin, StaffId staff, CancellationToken cancel) => Change<StaffMember>(
        admin,
        "RESET_SECOND_FACTOR",
        async change =>
        {
            if (await Load(change, staff, cancel) is not { } account)
            {
                return Outcome<StaffMember>.No(staff, NoSuchStaff);
            }

            if (account.State == AccountState.Revoked)
            {
                return Outcome<StaffMember>.No(staff, WrongState(account.State));
            }

            if (await SecondFactors.Forget(change.Connection, account.Id, cancel) is not { } had)
            {
                return Outcome<StaffMember>.No(staff, new Error("factor.none", "This account has no second factor to take away."));
            }

            await change.EndOf(account.Id, SessionEnd.FactorReset, admin, cancel);
            return Outcome<StaffMember>.Yes(staff, account.Member(), $"{had} -> none");
        },
        cancel);

    /// <summary>Whom a one-time link is for, so that the page can greet. Does not use it up.</summary>
    /// <returns>The person, or <c>link.invalid</c>.</returns>
    public async Task<Result<StaffMember>> Invited(string? token, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await Holder(connection, token, cancel) is { } account ? account.Member() : BadLink;
    }

    /// <summary>
    /// Chooses a password by a one-time link, which is used up by it: of two at the same time one succeeds. A password
    /// that breaks the rules does not use the link up.
    /// </summary>
    /// <returns>
    /// The account, now active, or <c>link.invalid</c> (whatever the reason), <c>signin.busy</c>, or the broken rule:
    /// <c>password.too-short</c>, <c>password.too-long</c>, <c>password.not-text</c>, <c>password.common</c>, <c>password.contains-name</c>.
    /// </returns>
    public async Task<Result<StaffMember>> SetPassword(string? token, string? password, CancellationToken cancel)
    {
        Account? holder;
        await using (var connection = await store.Open(cancel))
        {
            holder = await Holder(connection, token, cancel);
        }

        if (holder is null)
        {
            return BadLink;
        }

        if (PasswordRules.Check(password, holder.User, holder.DisplayName, hospital) is { } broken)
        {
            return broken;
        }

        using var place = passwords.TryEnter();
        if (place is null)
        {
            return SignIn.Busy;
        }

        var hash = await place.Hash(password!, cancel);
        return await sessions.Change<Result<StaffMember>>(
            async change =>
            {
                // The link is compared and cleared by one statement: whoever comes second finds none.
                var now = Now;
                var used = await change.Connection.Run(
                    "UPDATE account SET hash = @hash, link = NULL, link_expires = NULL, state = @active, password_changed = @now WHERE link = @link AND link_expires > @now AND state IN (@invited, @active)",
                    cancel,
                    ("@hash", hash),
                    ("@now", now),
                    ("@link", Token.Hash(token)),
                    ("@invited", (int)AccountState.Invited),
                    ("@active", (int)AccountState.Active));
                if (used == 0)
                {
                    change.Keep = false;
                    return BadLink;
                }

                await change.EndOf(holder.Id, SessionEnd.PasswordReset, null, cancel);
                var account = holder with { State = AccountState.Active, PasswordChanged = DateTimeOffset.FromUnixTimeMilliseconds(now), LinkExpires = null };
                await log.Note(
                    Actor.Maker.Staff(account, SignIn.UnregisteredDevice, Actor.Maker.NoSession),
                    Sessions.Act("SET_PASSWORD", $"staff:{account.Staff}", $"state {Word(holder.State)} -> {Word(account.State)}"),
                    cancel);
                return account.Member();
            },
            cancel);
    }

    /// <summary>Makes the first account of a hospital, by its set-up.</summary>
    internal Task<Result<StaffLink>> CreateFirst(Actor setup, NewStaff staff, CancellationToken cancel) => Change(
        setup,
        "CREATE_STAFF",
        async change =>
        {
            await Serialise(change, cancel);
            return await change.Connection.Scalar("SELECT COUNT(*) FROM account", cancel) is > 0L
                ? Outcome<StaffLink>.No(null, HasAccounts)
                : await Insert(change, staff, cancel);
        },
        cancel);

    private static Error LastAdmin { get; } = new("staff.last-admin", "This is the last active administrator. Make somebody else an administrator first.");

    private static Error WrongState(AccountState state) => new("staff.state", $"The account is {Word(state)}, which does not allow this.");

    private static string Word(AccountState state) => state switch
    {
        AccountState.Invited => "invited",
        AccountState.Active => "active",
        AccountState.Suspended => "suspended",
        _ => "revoked",
    };

    private async Task<Acted<StaffLink>> Insert(SessionChange change, NewStaff staff, CancellationToken cancel)
    {
        var role = RoleNames.Parse(staff.Role);
        if ((role.Error ?? Malformed(staff)) is { } bad)
        {
            return Outcome<StaffLink>.No(null, bad);
        }

        var number = (long)(await change.Connection.Scalar("UPDATE staff_number SET last = last + 1 WHERE id = 1 RETURNING last", cancel))!;
        var id = new StaffId((int)number);
        var token = Token.New();
        var expires = clock.GetUtcNow() + options.LinkLife;
        var added = await change.Connection.Run(
            """
            INSERT INTO account (id, number, login, username, name, role, department, state, created, link, link_expires)
            VALUES (@id, @number, @login, @username, @name, @role, @department, @state, @created, @link, @expires)
            ON CONFLICT (login) DO NOTHING
            """,
            cancel,
            ("@id", Ids.New()),
            ("@number", number),
            ("@login", staff.User.ToUpperInvariant()),
            ("@username", staff.User),
            ("@name", staff.DisplayName.Trim().Normalize()),
            ("@role", (int)role.Value),
            ("@department", Cleaned(staff.Department)),
            ("@state", (int)AccountState.Invited),
            ("@created", Now),
            ("@link", Token.Hash(token)),
            ("@expires", expires.ToUnixTimeMilliseconds()));
        return added == 0
            ? Outcome<StaffLink>.No(null, new Error("staff.user-taken", "This user name belongs to another account. Choose another."))
            : Outcome<StaffLink>.Yes(id, new StaffLink(id, staff.User, token, expires), $"none -> role {role.Value.Slug()}, state {Word(AccountState.Invited)}");
    }

    private static Error? Malformed(NewStaff staff)
    {
        // "unknown" is how the log names whoever has no account.
        if (staff.User is not { Length: >= 3 and <= 64 }
            || !staff.User.All(sign => char.IsAsciiLetterOrDigit(sign) || sign is '.' or '_' or '-')
            || staff.User.Equals("unknown", StringComparison.OrdinalIgnoreCase))
        {
            return new Error("staff.user-invalid", "A user name has 3 to 64 letters, digits, dots, hyphens or underscores.");
        }

        if (!IsLine(staff.DisplayName, LongestName) || string.IsNullOrWhiteSpace(staff.DisplayName))
        {
            return new Error("staff.name-invalid", "A name has 1 to 128 characters on one line.");
        }

        return DepartmentError(staff.Department);
    }

    private static Error? DepartmentError(string? department) => department is null || IsLine(department, LongestDepartment)
        ? null
        : new Error("staff.department-invalid", "A department has at most 64 characters on one line.");

    private static string? Cleaned(string? department) => string.IsNullOrWhiteSpace(department) ? null : department.Trim().Normalize();

    /// <summary>Whole UTF-16, no control or format character: what the screen shows is what is stored.</summary>
    private static bool IsLine(string? text, int most) =>
        text is not null && text.Length <= most && text.EnumerateRunes().All(rune =>
            rune != Rune.ReplacementChar && Rune.GetUnicodeCategory(rune) is not
                (System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format
                or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator));

    private Task<Result<StaffMember>> Move(
        Actor admin,
        string action,
        StaffId staff,
        AccountState[] from,
        Func<Account, AccountState> to,
        SessionEnd? ends,
        CancellationToken cancel) => Change<StaffMember>(
        admin,
        action,
        async change =>
        {
            if (await Load(change, staff, cancel) is not { } account)
            {
                return Outcome<StaffMember>.No(staff, NoSuchStaff);
            }

            if (!from.Contains(account.State))
            {
                return Outcome<StaffMember>.No(staff, WrongState(account.State));
            }

            var after = account with { State = to(account) };
            if (after.State != AccountState.Active && await IsLastAdmin(change, account, cancel))
            {
                return Outcome<StaffMember>.No(staff, LastAdmin);
            }

            await change.Connection.Run("UPDATE account SET state = @state WHERE id = @id", cancel, ("@state", (int)after.State), ("@id", account.Id));
            if (after.State == AccountState.Revoked)
            {
                after = after with { LinkExpires = null };
                await change.Connection.Run("UPDATE account SET hash = NULL, link = NULL, link_expires = NULL WHERE id = @id", cancel, ("@id", account.Id));
                await StaffPin.Forget(change.Connection, account.Id, cancel);
                await SecondFactors.Forget(change.Connection, account.Id, cancel);
            }

            if (ends is { } why)
            {
                await change.EndOf(account.Id, why, admin, cancel);
            }

            return Outcome<StaffMember>.Yes(staff, after.Member(), $"state {Word(account.State)} -> {Word(after.State)}");
        },
        cancel);

    private Task<Result<T>> Change<T>(Actor admin, string action, Func<SessionChange, Task<Acted<T>>> act, CancellationToken cancel) =>
        acts.Run(admin, action, "staff", act, cancel);

    /// <summary>Holds the one row that all changes of accounts pass, so that two administrators cannot demote each other at the same time.</summary>
    private static Task<int> Serialise(SessionChange change, CancellationToken cancel) =>
        change.Connection.Run("UPDATE staff_number SET last = last WHERE id = 1", cancel);

    private static async Task<Account?> Load(SessionChange change, StaffId staff, CancellationToken cancel)
    {
        await Serialise(change, cancel);
        var rows = await change.Connection.Query($"SELECT {Account.Columns} FROM account WHERE number = @number", Account.Read, cancel, ("@number", staff.Number));
        return rows is [var account] ? account : null;
    }

    private static async Task<bool> IsLastAdmin(SessionChange change, Account account, CancellationToken cancel) =>
        account is { Role: Role.Admin, State: AccountState.Active }
        && await change.Connection.Scalar(
            "SELECT COUNT(*) FROM account WHERE role = @admin AND state = @active AND id <> @id",
            cancel,
            ("@admin", (int)Role.Admin),
            ("@active", (int)AccountState.Active),
            ("@id", account.Id)) is 0L;

    private async Task<Account?> Holder(System.Data.Common.DbConnection connection, string? token, CancellationToken cancel)
    {
        if (Token.Hash(token) is not { } link)
        {
            return null;
        }

        var rows = await connection.Query(
            $"SELECT {Account.Columns} FROM account WHERE link = @link AND link_expires > @now AND state IN (@invited, @active)",
            Account.Read,
            cancel,
            ("@link", link),
            ("@now", Now),
            ("@invited", (int)AccountState.Invited),
            ("@active", (int)AccountState.Active));
        return rows is [var account] ? account : null;
    }

    /// <summary>What an act on an account came to.</summary>
    private static class Outcome<T>
    {
        public static Acted<T> Yes(StaffId staff, T value, string reason) => new(value, $"staff:{staff}", reason);

        public static Acted<T> No(StaffId? staff, Error refusal) => new(default, staff is { } id ? $"staff:{id}" : null, null, refusal);
    }
}
