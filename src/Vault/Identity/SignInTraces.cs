using System.Collections.Concurrent;
using System.Data.Common;

namespace Mangrove.Vault.Identity;

/// <summary>What stands between a person's sign-in and the one before it, for them to judge whether somebody else tried.</summary>
/// <param name="Before">The sign-in before; null where none is on record.</param>
/// <param name="BeforeAt">The device of that one; null where none is on record.</param>
/// <param name="Wrong">Wrong passwords, codes and passkeys under their name since then, wherever they were typed.</param>
/// <param name="LastWrong">The latest of them; null without any.</param>
public sealed record SignInTrace(DateTimeOffset? Before, string? BeforeAt, int Wrong, DateTimeOffset? LastWrong);

/// <summary>The same as it stays to be read in the person's own account.</summary>
/// <param name="Since">When they signed in last, and where.</param>
/// <param name="At">The device of it.</param>
/// <param name="Found">What that sign-in found.</param>
/// <param name="Wrong">Wrong tries after it.</param>
/// <param name="LastWrong">The latest of those; null without any.</param>
public sealed record SignInHistory(DateTimeOffset Since, string At, SignInTrace Found, int Wrong, DateTimeOffset? LastWrong);

/// <summary>
/// Counts wrong tries to sign in, account by account, until the sign-in that shows them to the account's owner. The count is
/// in the table, so that a restart hides nothing, and it is taken and begun anew by one statement in the transaction of the
/// session. A name that nobody has is counted in a row of its own, by the same statement: whoever tries learns nothing from
/// how long the answer takes.
/// </summary>
internal sealed class SignInTraces(Store store, TimeProvider clock) : IDisposable
{
    private readonly ConcurrentDictionary<string, (SignInTrace Trace, Since Made)> waiting = new(StringComparer.Ordinal);

    // As in SignInThrottle: one writer at a time, so that a flood waits without holding a thread each.
    private readonly SemaphoreSlim turn = new(1, 1);

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Counts a wrong try, before it is answered.</summary>
    /// <param name="account">Whose name was typed; null where nobody has it.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task CountWrong(Guid? account, CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            await using var connection = await store.Open(cancel);
            await connection.Run(
                """
                INSERT INTO sign_in_trace (account, wrong, last_wrong, found_wrong) VALUES (@account, 1, @now, 0)
                ON CONFLICT (account) DO UPDATE SET wrong = sign_in_trace.wrong + 1, last_wrong = excluded.last_wrong
                """,
                cancel,
                ("@account", account ?? Guid.Empty),
                ("@now", Now));
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Takes what there is for the owner to see and begins anew, inside the transaction that opens the session.</summary>
    public async Task<SignInTrace> Take(DbConnection connection, Guid account, string device, CancellationToken cancel)
    {
        var found = await connection.Query(
            """
            INSERT INTO sign_in_trace (account, wrong, signed_at, device, found_wrong) VALUES (@account, 0, @now, @device, 0)
            ON CONFLICT (account) DO UPDATE SET
                found_wrong = sign_in_trace.wrong, found_last = sign_in_trace.last_wrong, prior_at = sign_in_trace.signed_at, prior_device = sign_in_trace.device,
                wrong = 0, last_wrong = NULL, signed_at = excluded.signed_at, device = excluded.device
            RETURNING prior_at, prior_device, found_wrong, found_last
            """,
            row => Read(row, 0),
            cancel,
            ("@account", account),
            ("@now", Now),
            ("@device", device));
        return found[0];
    }

    /// <summary>Keeps a trace for the first page of a session.</summary>
    public void Keep(string session, SignInTrace trace)
    {
        foreach (var (other, one) in waiting)
        {
            if (Over(one.Made))
            {
                waiting.TryRemove(other, out _);
            }
        }

        waiting[session] = (trace, Since.Now(clock));
    }

    /// <summary>Gives it to that page, once; null afterwards.</summary>
    public SignInTrace? Show(string session) => waiting.TryRemove(session, out var one) && !Over(one.Made) ? one.Trace : null;

    /// <summary>What the account's owner may read at any time; null before their first sign-in that was recorded.</summary>
    public static async Task<SignInHistory?> Of(DbConnection connection, int staff, CancellationToken cancel)
    {
        var rows = await connection.Query(
            """
            SELECT prior_at, prior_device, found_wrong, found_last, signed_at, sign_in_trace.device, wrong, last_wrong
            FROM sign_in_trace JOIN account ON account.id = sign_in_trace.account WHERE account.number = @number AND signed_at IS NOT NULL
            """,
            row => new SignInHistory(Time(row.GetInt64(4)), row.GetString(5), Read(row, 0), (int)row.GetInt64(6), row.LongOrNull(7) is { } last ? Time(last) : null),
            cancel,
            ("@number", staff));
        return rows is [var history] ? history : null;
    }

    public void Dispose() => turn.Dispose();

    private static SignInTrace Read(DbDataReader row, int from) => new(
        row.LongOrNull(from) is { } before ? Time(before) : null,
        row.TextOrNull(from + 1),
        (int)row.GetInt64(from + 2),
        row.LongOrNull(from + 3) is { } last ? Time(last) : null);

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private bool Over(Since made) => made.Elapsed(clock) >= PendingSignIns.Life;
}
