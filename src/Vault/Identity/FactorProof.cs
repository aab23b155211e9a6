namespace Mangrove.Vault.Identity;

/// <summary>The second factor of a signed-in person, shown once more: a code, or the answer of a passkey.</summary>
/// <param name="Code">From the phone, or a recovery code.</param>
/// <param name="Passkey">The browser's answer to <see cref="Passkeys.Ask"/>, as JSON.</param>
/// <param name="Site">Where the page is open; null for a bare address.</param>
public readonly record struct FactorProof(string? Code, string? Passkey = null, PasskeySite? Site = null)
{
    /// <summary>Without what was shown.</summary>
    public override string ToString() => nameof(FactorProof);
}

/// <summary>
/// The acts that ask for a second factor once more. A passkey is asked for one of them, in words that the page carries, and
/// its answer is good for no other: what somebody shows to change a time does not let a device in.
/// </summary>
public static class FactorActs
{
    /// <summary>A person's own password, phone, passkeys and recovery codes.</summary>
    public const string Own = "own-account";

    /// <summary>Letting a role off its second factor.</summary>
    public const string Roles = "second-factor-roles";

    /// <summary>Longer times of sessions, or more tries at the lock.</summary>
    public const string Times = "session-times";

    /// <summary>Letting roles work at a department's devices.</summary>
    public const string Departments = "department-roles";

    /// <summary>Letting devices in that are not registered.</summary>
    public const string Devices = "device-rule";

    /// <summary>Rotating keys less often.</summary>
    public const string KeySchedule = "key-schedule";

    /// <summary>Making sheets that recover the hospital's keys.</summary>
    public const string Sheets = "recovery-sheets";

    /// <summary>Opening a record in an emergency.</summary>
    public const string Glass = "break-glass";

    /// <summary>Naming those who answer for privacy.</summary>
    public const string Officers = "privacy-officers";

    /// <summary>Placing and releasing legal holds.</summary>
    public const string Holds = "legal-holds";

    /// <summary>Adopting rules of retention, or making one longer.</summary>
    public const string Retention = "retention-rules";

    /// <summary>Shutting accounts, devices and programs of an incident.</summary>
    public const string Containment = "incident-containment";

    /// <summary>Proposing or approving the destruction of records.</summary>
    public const string Destruction = "destruction";

    internal static bool IsOne(string? act) => act is Own or Roles or Times or Departments or Devices or KeySchedule or Sheets or Glass or Officers or Holds or Retention or Containment or Destruction;
}
