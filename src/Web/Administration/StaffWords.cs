using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Web.Administration;

/// <summary>Accounts in words.</summary>
internal static class StaffWords
{
    public static IReadOnlyList<KeyValuePair<string, string>> Roles { get; } = [.. Enum.GetValues<Role>().Select(role => KeyValuePair.Create(role.Slug(), role.Title()))];

    public static string State(StaffMember member, DateTimeOffset now) => member.State switch
    {
        AccountState.Invited when member.LinkExpires > now => "Invited",
        AccountState.Invited => "Invited, link has run out",
        AccountState.Active when member.LinkExpires > now => "Active, new password awaited",
        AccountState.Active when member.LinkExpires is not null => "Active, link has run out",
        _ => member.State.ToString(),
    };

    /// <summary>Orange only where somebody has to act: a link that ran out, an account that is shut.</summary>
    public static string? Tone(StaffMember member, DateTimeOffset now) => member switch
    {
        { State: AccountState.Revoked } => null,
        { State: AccountState.Suspended } => "orange",
        { LinkExpires: { } ends } when ends <= now => "orange",
        { State: AccountState.Active } => "brand",
        _ => null,
    };

    /// <summary>By what somebody signs in beside the password.</summary>
    public static string Factor(StaffMember member) => (member.HasPhone, member.Passkeys) switch
    {
        (false, 0) => "none",
        (true, 0) => "phone",
        (false, 1) => "passkey",
        (false, var many) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{many} passkeys"),
        (true, 1) => "phone, passkey",
        (true, var many) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"phone, {many} passkeys"),
    };

    public static string When(DateTimeOffset? time) => time is { } at ? $"{ClinicalTime.Day(at.ToLocalTime())} {ClinicalTime.Minute(at.ToLocalTime())}" : "never";
}
