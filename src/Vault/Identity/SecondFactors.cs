using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Identity;

/// <summary>
/// One-time codes from the person's phone (RFC 6238) and the recovery codes beside them, as the tables keep them. A code
/// of the step now or of the one before is taken, once, whatever comes in parallel (threats S5). The secret is sealed
/// under a key that hangs from the pepper, recovery codes are kept as peppered hashes: neither is in the database.
/// </summary>
internal sealed class SecondFactors(Peppers pepper, TimeProvider clock)
{
    private const int SecretSize = 20;
    private const int RecoveryCodes = 10;
    private const int RecoveryLength = 10;

    // Letters and digits that are not taken for each other when read off paper: ten of 31 are 49 bits.
    private const string RecoverySigns = "abcdefghjkmnpqrstuvwxyz23456789";

    /// <summary>The longest text that can be a code of either kind.</summary>
    public const int LongestCode = 32;

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Whether the account has a second factor, must have one, or neither.</summary>
    public static async Task<FactorStanding> Standing(DbConnection connection, Account account, CancellationToken cancel)
    {
        if (await Has(connection, account.Id, cancel))
        {
            return FactorStanding.Enrolled;
        }

        return await Required(connection, account.Role, cancel) ? FactorStanding.Missing : FactorStanding.NotAsked;
    }

    /// <summary>Whether the account has an authenticator or a passkey.</summary>
    public static async Task<bool> Has(DbConnection connection, Guid account, CancellationToken cancel) =>
        await HasPhone(connection, account, cancel) || await PasskeyFactors.Count(connection, account, cancel) > 0;

    /// <summary>Whether the account has an authenticator.</summary>
    public static async Task<bool> HasPhone(DbConnection connection, Guid account, CancellationToken cancel) =>
        await connection.Scalar("SELECT since FROM authenticator WHERE account = @account", cancel, ("@account", account)) is not null;

    /// <summary>Whether a role signs in with a second factor. Administrators always do.</summary>
    public static async Task<bool> Required(DbConnection connection, Role role, CancellationToken cancel) =>
        role == Role.Admin || await connection.Scalar("SELECT role FROM second_factor_role WHERE role = @role", cancel, ("@role", (int)role)) is not null;

    /// <summary>
    /// Uses up a code of the account; false when it is none, or was used before. Compared and marked by one statement,
    /// inside the caller's transaction.
    /// </summary>
    public async Task<SpentCode> Spend(DbConnection connection, Guid account, string? typed, CancellationToken cancel)
    {
        if (Clean(typed) is not { } code)
        {
            return SpentCode.None;
        }

        if (code.Length == 6 && code.All(char.IsAsciiDigit))
        {
            if (await connection.Scalar("SELECT secret FROM authenticator WHERE account = @account", cancel, ("@account", account)) is not byte[] envelope)
            {
                return SpentCode.None;
            }

            var secret = pepper.Open(Sealing, envelope, Address(account));
            try
            {
                return Step(secret, code) is { } step && await connection.Run(
                    "UPDATE authenticator SET last_step = @step WHERE account = @account AND last_step < @step",
                    cancel,
                    ("@step", step),
                    ("@account", account)) == 1
                        ? SpentCode.OneTime
                        : SpentCode.None;
            }
            finally
            {
                CryptographicOperations.ZeroMemory(secret);
            }
        }

        if (code.Length == RecoveryLength)
        {
            foreach (var hidden in pepper.MacsOf(Message(account, code)))
            {
                if (await connection.Run(
                    "UPDATE recovery_code SET used = @now WHERE account = @account AND code = @code AND used IS NULL",
                    cancel,
                    ("@now", Now),
                    ("@account", account),
                    ("@code", hidden)) == 1)
                {
                    return SpentCode.Recovery;
                }
            }
        }

        return SpentCode.None;
    }

    /// <summary>A new secret, as the person's phone takes it. Nothing is kept until a code of it has been shown.</summary>
    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(SecretSize);

    /// <summary>The step of which a text is the code: the one now, or the one before; the next is never taken.</summary>
    public long? Step(ReadOnlySpan<byte> secret, ReadOnlySpan<char> code)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds;
        return Totp.Matches(secret, now, code) ? now : Totp.Matches(secret, now - 1, code) ? now - 1 : null;
    }

    /// <summary>What was typed, without the gaps that people read codes with; null when it can be no code.</summary>
    public static string? Clean(string? typed)
    {
        if (typed is not { Length: > 0 and <= LongestCode })
        {
            return null;
        }

        return string.Concat(typed.Where(sign => !char.IsWhiteSpace(sign) && sign != '-')).ToLowerInvariant();
    }

    /// <summary>
    /// Makes a secret the account's authenticator, in place of the one before, and gives ten new recovery codes; those of
    /// before are dead.
    /// </summary>
    public async Task<IReadOnlyList<string>> Keep(DbConnection connection, Guid account, byte[] secret, long step, CancellationToken cancel)
    {
        await connection.Run(
            """
            INSERT INTO authenticator (account, secret, last_step, since) VALUES (@account, @secret, @step, @now)
            ON CONFLICT (account) DO UPDATE SET secret = excluded.secret, last_step = excluded.last_step, since = excluded.since
            """,
            cancel,
            ("@account", account),
            ("@secret", pepper.Seal(Sealing, secret, Address(account))),
            ("@step", step),
            ("@now", Now));
        return await NewCodes(connection, account, cancel);
    }

    /// <summary>Ten new recovery codes in place of those of before, as they are printed: two groups of five.</summary>
    public async Task<IReadOnlyList<string>> NewCodes(DbConnection connection, Guid account, CancellationToken cancel)
    {
        await connection.Run("DELETE FROM recovery_code WHERE account = @account", cancel, ("@account", account));
        var codes = new List<string>(RecoveryCodes);
        while (codes.Count < RecoveryCodes)
        {
            var code = RandomNumberGenerator.GetString(RecoverySigns, RecoveryLength);
            var (version, hidden) = pepper.Mac(Message(account, code));
            await connection.Run(
                "INSERT INTO recovery_code (account, code, pepper) VALUES (@account, @code, @pepper)",
                cancel,
                ("@account", account),
                ("@code", hidden),
                ("@pepper", version));
            codes.Add($"{code[..5]}-{code[5..]}");
        }

        return codes;
    }

    /// <summary>Takes authenticator, passkeys and recovery codes from an account. What it had, in words for the log; null when it had no second factor.</summary>
    public static async Task<string?> Forget(DbConnection connection, Guid account, CancellationToken cancel)
    {
        await connection.Run("DELETE FROM recovery_code WHERE account = @account", cancel, ("@account", account));
        var passkeys = await connection.Run("DELETE FROM passkey WHERE account = @account", cancel, ("@account", account));
        var phone = await connection.Run("DELETE FROM authenticator WHERE account = @account", cancel, ("@account", account)) == 1;
        var keys = passkeys == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"passkeys {passkeys}");
        return (phone, keys) switch { (true, null) => "one-time codes", (true, _) => $"one-time codes, {keys}", _ => keys };
    }

    /// <summary>Takes the authenticator from an account; recovery codes too, where no passkey is left for them to stand for.</summary>
    public static async Task ForgetPhone(DbConnection connection, Guid account, CancellationToken cancel)
    {
        await connection.Run("DELETE FROM authenticator WHERE account = @account", cancel, ("@account", account));
        if (!await Has(connection, account, cancel))
        {
            await connection.Run("DELETE FROM recovery_code WHERE account = @account", cancel, ("@account", account));
        }
    }

    /// <summary>What the key that seals secrets is derived for.</summary>
    internal static ReadOnlySpan<byte> Sealing => "mangrove authenticator secret"u8;

    private static byte[] Message(Guid account, string code) =>
        [.. "mangrove recovery code\0"u8, .. account.ToByteArray(bigEndian: true), .. Encoding.ASCII.GetBytes(code)];

    internal static CellAddress Address(Guid account) => new(Guid.Empty, "authenticator", "secret", account, Guid.Empty, 1);
}

/// <summary>Whether an account signs in with a second factor.</summary>
internal enum FactorStanding
{
    /// <summary>Has none and needs none.</summary>
    NotAsked = 0,

    /// <summary>Has one: its code is asked at every sign-in.</summary>
    Enrolled = 1,

    /// <summary>Needs one and has none: sets it up before the first session.</summary>
    Missing = 2,
}

/// <summary>Which kind of code was used up.</summary>
internal enum SpentCode
{
    /// <summary>None: the text is no code of this account, or was used before.</summary>
    None = 0,

    OneTime = 1,

    Recovery = 2,
}
