using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;

namespace Mangrove.Web.Shell;

/// <summary>Sign-ins of before and wrong tries, in words.</summary>
internal static class TraceWords
{
    /// <summary>What to do about wrong tries.</summary>
    public const string Advice = "If they were not yours, change your password and tell an administrator now.";

    public static string Last(SignInTrace trace) => trace is { Before: { } before, BeforeAt: { } device }
        ? $"You signed in last on {When(before)} at {Place(device)}"
        : "This is your first sign-in on record";

    public static string When(DateTimeOffset time) => $"{ClinicalTime.Day(time.ToLocalTime())} {ClinicalTime.Minute(time.ToLocalTime())}";

    /// <summary>The registered name of a device; an address is no name, and says nothing to the person.</summary>
    public static string Place(string device) => SignInPages.NameOf(device) is { } name && name != SignIn.UnregisteredDevice ? name : "an unregistered device";

    public static string Tries(int count, DateTimeOffset? last) => count switch
    {
        0 => "None",
        1 => $"One wrong try{At(last)}",
        _ => string.Create(CultureInfo.InvariantCulture, $"{count} wrong tries{At(last)}"),
    };

    private static string At(DateTimeOffset? last) => last is { } time ? $" (the latest {When(time)})" : "";
}
