using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Those who have shown their password and not their second factor. Kept in memory only: after a restart they begin
/// again. Only somebody with a right password gets in here, so the number is bounded by the staff's.
/// </summary>
internal sealed class PendingSignIns(TimeProvider clock) : IDisposable
{
    /// <summary>Long enough to install an app on a phone.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, PendingSignIn> waiting = new(StringComparer.Ordinal);

    /// <summary>A ticket for the second step. It replaces one that the same account has on the same device.</summary>
    public string Open(Account account, string hash, string device, bool mustEnrol, bool hasPhone, IReadOnlyList<string> passkeysAt)
    {
        foreach (var (key, other) in waiting)
        {
            if (Over(other) || (other.Account.Id == account.Id && other.Device == device))
            {
                Take(key);
            }
        }

        var ticket = Token.New();
        waiting[Key(ticket)!] = new PendingSignIn(account, hash, device, mustEnrol, Since.Now(clock)) { HasPhone = hasPhone, PasskeysAt = passkeysAt };
        return ticket;
    }

    /// <summary>Who holds a ticket on this device; null when it is over.</summary>
    public PendingSignIn? Find(string? ticket, string device)
    {
        if (Key(ticket) is not { } key || !waiting.TryGetValue(key, out var found) || found.Device != device)
        {
            return null;
        }

        if (!Over(found))
        {
            return found;
        }

        Take(key);
        return null;
    }

    /// <summary>Ends a ticket.</summary>
    public void Close(string? ticket)
    {
        if (Key(ticket) is { } key)
        {
            Take(key);
        }
    }

    public void Dispose()
    {
        foreach (var key in waiting.Keys)
        {
            Take(key);
        }
    }

    private static string? Key(string? ticket) => Token.Hash(ticket) is { } hash ? Convert.ToHexString(hash) : null;

    private bool Over(PendingSignIn one) => one.Began.Elapsed(clock) >= Life;

    private void Take(string key)
    {
        if (waiting.TryRemove(key, out var gone))
        {
            gone.Forget();
        }
    }
}

/// <summary>One of them.</summary>
internal sealed class PendingSignIn(Account account, string hash, string device, bool mustEnrol, Since began)
{
    // Wrong codes and passkeys until the password is asked again.
    private const int Tries = 5;

    private readonly Lock gate = new();
    private byte[]? secret;
    private int tries;

    public Account Account => account;

    /// <summary>The hash of the password that was checked: a reset meanwhile makes the ticket worthless.</summary>
    public string Hash => hash;

    public string Device => device;

    public bool MustEnrol => mustEnrol;

    public Since Began => began;

    public required bool HasPhone { get; init; }

    public required IReadOnlyList<string> PasskeysAt { get; init; }

    /// <summary>What a passkey was asked here: bound to this ticket, and so to its device and its password.</summary>
    public PasskeyTurn Passkey { get; } = new();

    /// <summary>Counts a try before it is checked; false when there have been too many.</summary>
    public bool Count() => Interlocked.Increment(ref tries) <= Tries;

    /// <summary>The secret of the authenticator to come: the same each time it is asked for, so that reloading the page spoils nothing.</summary>
    public byte[] Secret()
    {
        lock (gate)
        {
            return secret ??= SecondFactors.NewSecret();
        }
    }

    /// <summary>Zeroes the secret.</summary>
    public void Forget()
    {
        lock (gate)
        {
            CryptographicOperations.ZeroMemory(secret);
            secret = null;
        }
    }
}
