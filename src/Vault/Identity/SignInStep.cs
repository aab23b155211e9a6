using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>What a right password came to: a session, or a ticket for the second step.</summary>
public sealed record SignInStep
{
    private SignInStep()
    {
    }

    /// <summary>The session, where no second factor is asked.</summary>
    public SignedIn? Session { get; private init; }

    /// <summary>The ticket, where one is: the secret that the second step carries. Good for some minutes on the same device.</summary>
    public string? Ticket { get; private init; }

    /// <summary>With a ticket: the person has no authenticator yet and sets one up now.</summary>
    public bool MustEnrol { get; private init; }

    /// <summary>Without the ticket.</summary>
    public override string ToString() => nameof(SignInStep);

    internal static SignInStep Into(SignedIn session) => new() { Session = session };

    internal static SignInStep Next(string ticket, bool mustEnrol) => new() { Ticket = ticket, MustEnrol = mustEnrol };
}

/// <summary>Who stands between password and second factor, for the page that asks for it.</summary>
public sealed record SignInHolder(string User, string DisplayName, StaffId Staff, Role Role, bool MustEnrol)
{
    /// <summary>Whether an authenticator shows codes; without one a recovery code alone can be typed.</summary>
    public bool HasPhone { get; init; } = true;

    /// <summary>The names of the hospital under which the person has passkeys: each works under its own alone.</summary>
    public IReadOnlyList<string> PasskeysAt { get; init; } = [];
}

/// <summary>
/// A new authenticator before its first code: what the phone takes, as a picture or by hand. Shown to its owner alone and
/// kept nowhere but in memory until a code of it has been shown.
/// </summary>
/// <param name="Secret">Base32, for typing.</param>
/// <param name="Address">The same as an <c>otpauth://</c> address, for a QR code.</param>
public sealed record Enrolment(string Secret, string Address)
{
    /// <summary>Without the secret.</summary>
    public override string ToString() => nameof(Enrolment);
}
