using System.Data.Common;
using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>Where an account stands.</summary>
public enum AccountState
{
    /// <summary>Made by an administrator; the person has not chosen a password yet.</summary>
    Invited = 1,

    /// <summary>May sign in, once a password is set.</summary>
    Active = 2,

    /// <summary>May not sign in until an administrator restores it.</summary>
    Suspended = 3,

    /// <summary>Closed for good. The row stays, because the log names its staff number.</summary>
    Revoked = 4,
}

/// <summary>An account as the vault keeps it. The password hash is never part of it: only sign-in reads that column.</summary>
internal sealed record Account
{
    /// <summary>The columns that <see cref="Read"/> expects, in its order.</summary>
    public const string Columns = "account.id, account.number, account.username, account.name, account.role, account.department, account.state, account.created, account.password_changed, account.signed_in, account.link_expires";

    public const int ColumnCount = 11;

    public required Guid Id { get; init; }

    public required string User { get; init; }

    public required string DisplayName { get; init; }

    public required StaffId Staff { get; init; }

    public required Role Role { get; init; }

    public string? Department { get; init; }

    public required AccountState State { get; init; }

    public required DateTimeOffset Created { get; init; }

    public DateTimeOffset? PasswordChanged { get; init; }

    public DateTimeOffset? SignedIn { get; init; }

    public DateTimeOffset? LinkExpires { get; init; }

    public static Account Read(DbDataReader row) => new()
    {
        Id = row.Guid(0),
        Staff = new StaffId((int)row.GetInt64(1)),
        User = row.GetString(2),
        DisplayName = row.GetString(3),
        Role = (Role)row.GetInt64(4),
        Department = row.TextOrNull(5),
        State = (AccountState)row.GetInt64(6),
        Created = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(7)),
        PasswordChanged = Time(row.LongOrNull(8)),
        SignedIn = Time(row.LongOrNull(9)),
        LinkExpires = Time(row.LongOrNull(10)),
    };

    public StaffMember Member() => new()
    {
        Staff = Staff,
        User = User,
        DisplayName = DisplayName,
        Role = Role,
        Department = Department,
        State = State,
        Created = Created,
        PasswordChanged = PasswordChanged,
        SignedIn = SignedIn,
        LinkExpires = LinkExpires,
    };

    private static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } value ? DateTimeOffset.FromUnixTimeMilliseconds(value) : null;
}

/// <summary>A member of staff as the administrator's pages show them.</summary>
public sealed record StaffMember
{
    public required StaffId Staff { get; init; }

    public required string User { get; init; }

    public required string DisplayName { get; init; }

    public required Role Role { get; init; }

    public string? Department { get; init; }

    public required AccountState State { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>When the person last chose a password; null before the first.</summary>
    public DateTimeOffset? PasswordChanged { get; init; }

    /// <summary>Last sign-in.</summary>
    public DateTimeOffset? SignedIn { get; init; }

    /// <summary>When the one-time link that is out ends; null when none is out.</summary>
    public DateTimeOffset? LinkExpires { get; init; }

    /// <summary>Whether the person has a phone that shows one-time codes. Known in the list of the staff only.</summary>
    public bool HasPhone { get; init; }

    /// <summary>How many passkeys the person has. Known in the list of the staff only.</summary>
    public int Passkeys { get; init; }

    /// <summary>Whether the person signs in with a second factor. Known in the list of the staff only.</summary>
    public bool SecondFactor => HasPhone || Passkeys > 0;
}

/// <summary>A member of staff as the entries of the log are read: who stands behind a user name, and the role now.</summary>
public sealed record Colleague(StaffId Staff, string User, string DisplayName, Role Role);

/// <summary>What an administrator says of a new member of staff.</summary>
/// <param name="User">3 to 64 letters, digits, <c>.</c>, <c>_</c> or <c>-</c>; unique whatever the case.</param>
/// <param name="DisplayName">As colleagues and patients read it, at most 128 characters.</param>
/// <param name="Role">Slug of one of the seven roles, such as <c>front-desk</c>.</param>
/// <param name="Department">Optional, at most 64 characters.</param>
public sealed record NewStaff(string User, string DisplayName, string Role, string? Department = null);

/// <summary>
/// A one-time link by which a person chooses a password. The token is shown to the administrator once and kept as a
/// hash only; it ends when used, when replaced, or at <paramref name="Expires"/>.
/// </summary>
public sealed record StaffLink(StaffId Staff, string User, string Token, DateTimeOffset Expires)
{
    /// <summary>Without the token, which opens an account.</summary>
    public override string ToString() => $"{nameof(StaffLink)} {Staff}";
}
