using System.Collections.Concurrent;
using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>Where a person stands with their second factor.</summary>
/// <param name="Since">When the authenticator was set up; null without one.</param>
/// <param name="CodesLeft">Recovery codes that have not been used.</param>
/// <param name="Required">Whether the role signs in with one in any case.</param>
/// <param name="Passkeys">How many passkeys there are.</param>
public sealed record SecondFactorState(DateTimeOffset? Since, int CodesLeft, bool Required, int Passkeys)
{
    /// <summary>Whether there is a second factor of either kind.</summary>
    public bool Any => Since is not null || Passkeys > 0;
}

/// <summary>
/// The second factor of a signed-in person: set up, exchanged for another phone's, given new recovery codes, taken away
/// where the role allows it. Each asks for the password again, and for a code where there is an authenticator.
/// </summary>
public sealed class SecondFactor : IDisposable
{
    private readonly Sessions sessions;
    private readonly Receipt.Log log;
    private readonly OwnerCheck owners;
    private readonly SecondFactors factors;
    private readonly FreshCodes fresh;
    private readonly FreshFactor asking;
    private readonly Door door;
    private readonly string hospital;
    private readonly TimeProvider clock;

    // Secrets on their way to a phone, by session. One whose session ended is swept out by the next.
    private readonly ConcurrentDictionary<string, Coming> coming = new(StringComparer.Ordinal);

    /// <param name="hospital">Name of the hospital, as authenticator apps show it.</param>
    internal SecondFactor(Sessions sessions, Receipt.Log log, OwnerCheck owners, SecondFactors factors, FreshCodes fresh, FreshFactor asking, Door door, string hospital, TimeProvider clock)
    {
        this.sessions = sessions;
        this.log = log;
        this.owners = owners;
        this.factors = factors;
        this.fresh = fresh;
        this.asking = asking;
        this.door = door;
        this.hospital = hospital;
        this.clock = clock;
    }

    internal static Error WrongCode { get; } = new("factor.code", "This code is wrong, or was used before. Wait for the next one on your phone and type that.");

    private static Error NotBegun { get; } = new("factor.not-begun", "Nothing is being set up here, or it took longer than ten minutes. Begin again.");

    internal static Error StillRequired { get; } = new("factor.required", "Your role signs in with a second factor. You can set up another phone, but not go without.");

    /// <summary>Where the person stands.</summary>
    public Task<SecondFactorState> Of(Actor actor, CancellationToken cancel) => sessions.Read(
        async connection => new SecondFactorState(
            await connection.Scalar("SELECT since FROM authenticator JOIN account ON account.id = authenticator.account WHERE account.number = @number", cancel, ("@number", actor.Staff.Number)) is long since
                ? DateTimeOffset.FromUnixTimeMilliseconds(since)
                : null,
            (int)(long)(await connection.Scalar(
                "SELECT COUNT(*) FROM recovery_code JOIN account ON account.id = recovery_code.account WHERE account.number = @number AND recovery_code.used IS NULL",
                cancel,
                ("@number", actor.Staff.Number)) ?? 0L),
            actor.Role is { } role && await SecondFactors.Required(connection, role, cancel),
            (int)(long)(await connection.Scalar(
                "SELECT COUNT(*) FROM passkey JOIN account ON account.id = passkey.account WHERE account.number = @number",
                cancel,
                ("@number", actor.Staff.Number)) ?? 0L)),
        cancel);

    /// <summary>Begins to set up an authenticator, the first or another. The one of before counts until <see cref="Confirm"/>.</summary>
    /// <returns>What the phone takes, or <c>session.ended</c>, <c>password.current-wrong</c>, <c>factor.code</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>, <c>signin.wait</c>, <c>signin.busy</c>.</returns>
    public async Task<Result<Enrolment>> Begin(string? token, string? password, FactorProof proof, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        var shown = await Show(session, password, proof, Act("ENROL_SECOND_FACTOR", session, "begun"), cancel);
        if (shown.Error is { } refused)
        {
            return refused;
        }

        using var owner = shown.Value;
        foreach (var (handle, other) in coming)
        {
            if (handle == session.Handle || other.Began.Elapsed(clock) >= PendingSignIns.Life)
            {
                Drop(handle);
            }
        }

        var secret = SecondFactors.NewSecret();
        coming[session.Handle] = new Coming(secret, owner.Hash, Since.Now(clock));
        return Describe(secret, hospital, session.Account.User);
    }

    /// <summary>The authenticator that is being set up in a session, for its page to be shown again; null when none is.</summary>
    public Enrolment? Begun(Actor actor) => Fresh(actor.SessionId) is { } one ? Describe(one.Secret, hospital, actor.User) : null;

    /// <summary>Sets the authenticator up by its first code. The session goes on under a new token.</summary>
    /// <returns>The session under its new token, or <c>session.ended</c>, <c>factor.not-begun</c>, <c>factor.code</c>.</returns>
    public async Task<Result<SignedIn>> Confirm(string? token, string? code, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        if (Fresh(session.Handle) is not { } one)
        {
            return NotBegun;
        }

        var act = Act("ENROL_SECOND_FACTOR", session, "one-time codes");
        if (factors.Step(one.Secret, SecondFactors.Clean(code)) is not { } step)
        {
            await log.Refuse(session.Actor, act, WrongCode, cancel);
            return WrongCode;
        }

        IReadOnlyList<string> codes = [];
        var renewed = await sessions.Renew(
            session,
            one.Hash,
            async change =>
            {
                codes = await factors.Keep(change.Connection, session.Account.Id, one.Secret, step, cancel);
                await log.Note(session.Actor, act, cancel);
            },
            cancel);
        if (renewed.Error is null)
        {
            Drop(session.Handle);
            fresh.Keep(session.Handle, codes);
        }

        return renewed;
    }

    /// <summary>The recovery codes that were just made in a session: given out once, to the page that shows them; null afterwards.</summary>
    public IReadOnlyList<string>? TakeCodes(Actor actor) => fresh.Take(actor.SessionId);

    /// <summary>Gives ten new recovery codes; those of before are dead.</summary>
    /// <returns>The session under its new token, or the codes of <see cref="Begin"/>.</returns>
    public async Task<Result<SignedIn>> NewCodes(string? token, string? password, FactorProof proof, CancellationToken cancel)
    {
        IReadOnlyList<string> codes = [];
        var renewed = await Change(
            token,
            password,
            proof,
            "NEW_RECOVERY_CODES",
            async (change, session) =>
            {
                codes = await factors.NewCodes(change.Connection, session.Account.Id, cancel);
                return null;
            },
            cancel);
        if (renewed.Error is null)
        {
            fresh.Keep(renewed.Value.Actor.SessionId, codes);
        }

        return renewed;
    }

    /// <summary>Takes the phone away, where the role needs no second factor or a passkey stays.</summary>
    /// <returns>The session under its new token, or <c>factor.required</c>, or the codes of <see cref="Begin"/>.</returns>
    public async Task<Result<SignedIn>> Remove(string? token, string? password, FactorProof proof, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is { } session && await sessions.Read(connection => Last(connection, session.Account, cancel), cancel))
        {
            await log.Refuse(session.Actor, Act("REMOVE_SECOND_FACTOR", session, null), StillRequired, cancel);
            return StillRequired;
        }

        return await Change(token, password, proof, "REMOVE_SECOND_FACTOR", async (change, one) =>
        {
            // Asked once more where nothing comes between: a passkey may have been taken away meanwhile.
            if (await Last(change.Connection, one.Account, cancel))
            {
                return StillRequired;
            }

            await SecondFactors.ForgetPhone(change.Connection, one.Account.Id, cancel);
            return null;
        }, cancel);
    }

    /// <summary>Roles that sign in with a second factor in any case. Administrators are always among them.</summary>
    public Task<IReadOnlySet<Role>> RequiredRoles(CancellationToken cancel) => sessions.Read<IReadOnlySet<Role>>(
        async connection => new HashSet<Role>(await connection.Query("SELECT role FROM second_factor_role", row => (Role)row.GetInt64(0), cancel)) { Role.Admin },
        cancel);

    /// <summary>
    /// Says which roles sign in with a second factor. Whoever has none sets one up at the next sign-in; live sessions go on.
    /// Asking less than before asks the administrator for their own second factor.
    /// </summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="wanted">All roles that are to have one; administrators need not be named.</param>
    /// <param name="proof">The administrator's own second factor; asked only when a role is let off.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The roles from now on, or <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<IReadOnlySet<Role>>> Require(Actor admin, IReadOnlySet<Role> wanted, FactorProof proof, CancellationToken cancel)
    {
        var before = await RequiredRoles(cancel);
        var after = new HashSet<Role>(wanted) { Role.Admin };
        if (!admin.May(Rights.Administration))
        {
            // Says no, writes the refusal and throws.
            await door.Record(admin, Rights.Administration, Sessions.Act("REQUIRE_SECOND_FACTOR", "sign-in-rules", null), cancel);
        }

        var act = Sessions.Act("REQUIRE_SECOND_FACTOR", "sign-in-rules", $"{Words(before)} -> {Words(after)}");
        var refused = await sessions.Change<Error?>(
            async change =>
            {
                if (!before.IsSubsetOf(after) && await Ask(change, admin, proof, FactorActs.Roles, cancel) is { } no)
                {
                    change.Keep = false;
                    return no;
                }

                await change.Connection.Run("DELETE FROM second_factor_role", cancel);
                foreach (var role in after)
                {
                    await change.Connection.Run("INSERT INTO second_factor_role (role) VALUES (@role)", cancel, ("@role", (int)role));
                }

                await door.Record(admin, Rights.Administration, act, cancel);
                return null;
            },
            cancel);
        if (refused is not null)
        {
            await log.Refuse(admin, act, refused, cancel);
            return refused;
        }

        return after;
    }

    public void Dispose()
    {
        foreach (var handle in coming.Keys)
        {
            Drop(handle);
        }
    }

    /// <inheritdoc cref="FreshFactor.Prove(SessionChange, Actor, FactorProof, string, CancellationToken)"/>
    internal Task<Error?> Ask(SessionChange change, Actor actor, FactorProof proof, string act, CancellationToken cancel) => asking.Prove(change, actor, proof, act, cancel);

    /// <summary>What a phone takes of a secret: base32 by hand, or as an address in a QR code.</summary>
    internal static Enrolment Describe(byte[] secret, string hospital, string user)
    {
        var text = Base32.Encode(secret);
        var issuer = Uri.EscapeDataString(hospital);
        return new Enrolment(text, $"otpauth://totp/{issuer}:{Uri.EscapeDataString(user)}?secret={text}&issuer={issuer}&algorithm=SHA1&digits=6&period={Totp.StepSeconds}");
    }

    private static Request Act(string action, LiveSession session, string? reason) => Sessions.Act(action, $"staff:{session.Account.Staff}", reason);

    private static string Words(IEnumerable<Role> roles) => string.Join(", ", roles.Order().Select(role => role.Slug()));

    private async Task<Result<SignedIn>> Change(string? token, string? password, FactorProof proof, string action, Func<SessionChange, LiveSession, Task<Error?>> act, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        var request = Act(action, session, null);
        var shown = await Show(session, password, proof, request, cancel);
        if (shown.Error is { } refused)
        {
            return refused;
        }

        using var owner = shown.Value;
        Error? refusal = null;
        var renewed = await sessions.Renew(
            session,
            owner.Hash,
            async change =>
            {
                refusal = await act(change, session);
                change.Keep = refusal is null;
                if (change.Keep)
                {
                    await log.Note(session.Actor, request, cancel);
                }
            },
            cancel);
        if (refusal is null)
        {
            return renewed;
        }

        await log.Refuse(session.Actor, request, refusal, cancel);
        return refusal;
    }

    /// <summary>Asks for the password, and for the second factor where there is one, which is used up by it.</summary>
    internal async Task<Result<Owner>> Show(LiveSession session, string? password, FactorProof proof, Request act, CancellationToken cancel)
    {
        var asked = await owners.Ask(session, password, act, cancel);
        if (asked.Error is { } refused)
        {
            return refused;
        }

        var refusal = await sessions.Change(
            async change =>
            {
                var missing = await asking.Show(change, session, proof, cancel);
                change.Keep = missing is null;
                return missing;
            },
            cancel);
        if (refusal is null)
        {
            return asked.Value;
        }

        asked.Value.Dispose();
        await log.Refuse(session.Actor, act, refusal, cancel);
        return refusal;
    }

    /// <summary>Whether the phone is the only second factor of somebody who has to have one.</summary>
    private static async Task<bool> Last(System.Data.Common.DbConnection connection, Account account, CancellationToken cancel) =>
        await PasskeyFactors.Count(connection, account.Id, cancel) == 0 && await SecondFactors.Required(connection, account.Role, cancel);

    private Coming? Fresh(string handle)
    {
        if (!coming.TryGetValue(handle, out var one))
        {
            return null;
        }

        if (one.Began.Elapsed(clock) < PendingSignIns.Life)
        {
            return one;
        }

        Drop(handle);
        return null;
    }

    private void Drop(string handle)
    {
        if (coming.TryRemove(handle, out var gone))
        {
            CryptographicOperations.ZeroMemory(gone.Secret);
        }
    }

    private sealed record Coming(byte[] Secret, string Hash, Since Began);
}
