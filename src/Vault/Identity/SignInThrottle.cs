using System.Globalization;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Makes whoever fails to sign in wait, longer each time, by user name and device together: failures on one device do
/// not keep the same person out on another, and no wait is for good (threats S11). User names without an account are
/// counted alike, so that waiting does not tell that an account exists. Counts outlive a restart.
/// </summary>
internal sealed class SignInThrottle(Store store, Peppers pepper, IdentityOptions options, TimeProvider clock) : IDisposable
{
    // A count this old is forgotten.
    private static readonly TimeSpan Forgotten = TimeSpan.FromHours(24);

    // One count at a time: a database that is being written to makes its callers wait with a thread each, and a flood of
    // them would leave none for the writer to go on with.
    private readonly SemaphoreSlim turn = new(1, 1);

    // Beyond this many doublings every wait is the longest.
    private const int MostDoublings = 20;

    /// <summary>
    /// Counts an attempt before its password is checked, in one statement, so that attempts in parallel cannot share a
    /// count. Null when the attempt may go on, else how long to wait.
    /// </summary>
    public async Task<Wait?> Count(byte[] subject, CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            return await CountInTurn(subject, cancel);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private async Task<Wait?> CountInTurn(byte[] subject, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var longest = (long)options.LongestWait.TotalMilliseconds;
        await using var connection = await store.Open(cancel);

        // A time further ahead than the longest wait was written under a clock that has been set back since: it does not count.
        var failures = await connection.Scalar(
            """
            INSERT INTO throttle (subject, failures, until, last, noted) VALUES (@subject, 1, @now, @now, 0)
            ON CONFLICT (subject) DO UPDATE SET
                failures = CASE WHEN throttle.last < @old THEN 1 ELSE throttle.failures + 1 END,
                last = @now,
                until = @now + CASE
                    WHEN throttle.last < @old OR throttle.failures + 1 < @free THEN 0
                    WHEN throttle.failures + 1 - @free > @doublings THEN @longest
                    WHEN (@first << CAST(throttle.failures + 1 - @free AS INTEGER)) > @longest THEN @longest
                    ELSE @first << CAST(throttle.failures + 1 - @free AS INTEGER) END
            WHERE throttle.until <= @now OR throttle.until > @now + @longest
            RETURNING failures
            """,
            cancel,
            ("@subject", subject),
            ("@now", now),
            ("@old", now - (long)Forgotten.TotalMilliseconds),
            ("@free", options.FreeTries),
            ("@doublings", MostDoublings),
            ("@first", (long)options.FirstWait.TotalMilliseconds),
            ("@longest", longest));
        if (failures is long count)
        {
            if (count == 1)
            {
                await connection.Run("DELETE FROM throttle WHERE last < @old", cancel, ("@old", now - (long)Forgotten.TotalMilliseconds));
            }

            return null;
        }

        var until = (long)(await connection.Scalar("SELECT until FROM throttle WHERE subject = @subject", cancel, ("@subject", subject)) ?? now);

        // One entry in the log for each wait, not for each attempt in it: nobody can fill the log by hammering.
        var first = await connection.Run("UPDATE throttle SET noted = until WHERE subject = @subject AND noted < until", cancel, ("@subject", subject)) == 1;
        return new Wait(TimeSpan.FromMilliseconds(Math.Max(0, until - now)), first);
    }

    /// <summary>Forgets the failures, after a sign-in that went well.</summary>
    public async Task Clear(byte[] subject, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        await connection.Run("DELETE FROM throttle WHERE subject = @subject", cancel, ("@subject", subject));
    }

    /// <summary>
    /// A keyed hash of user name and device: what people type into the wrong box does not reach the database. Under the newest
    /// pepper only, so that counts begin anew when it is rotated, once a year.
    /// </summary>
    public byte[] Subject(string login, string device) =>
        pepper.Mac(Encoding.UTF8.GetBytes($"mangrove sign-in throttle\0{login.Length}\0{login}\0{device}")).Mac;

    /// <summary>How long to wait, and whether this wait is not in the log yet.</summary>
    internal readonly record struct Wait(TimeSpan Left, bool First)
    {
        public Error Refusal
        {
            get
            {
                var seconds = Math.Max(1, (int)Math.Ceiling(Left.TotalSeconds));
                return new Error("signin.wait", string.Create(CultureInfo.InvariantCulture, $"Too many failed attempts here. Wait {seconds} s and try again, or ask an administrator for a new password link."));
            }
        }
    }
}
