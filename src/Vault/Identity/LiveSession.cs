namespace Mangrove.Vault.Identity;

/// <summary>
/// Time that has passed by two clocks at once. The larger counts: the wall clock can be set back, and the monotonic
/// one of some systems stands still while the machine sleeps (threats S6).
/// </summary>
internal readonly struct Since
{
    private readonly long wall;
    private readonly long ticks;
    private readonly TimeSpan before;

    private Since(long wall, long ticks, TimeSpan before)
    {
        this.wall = wall;
        this.ticks = ticks;
        this.before = before;
    }

    /// <summary>The wall time of the beginning, in Unix milliseconds.</summary>
    public long Wall => wall;

    public static Since Now(TimeProvider clock) => At(clock, clock.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Since a stored wall time; the time that lies before this process counts by the wall clock alone.</summary>
    public static Since At(TimeProvider clock, long wall)
    {
        var passed = clock.GetUtcNow().ToUnixTimeMilliseconds() - wall;
        return new Since(wall, clock.GetTimestamp(), TimeSpan.FromMilliseconds(Math.Max(0, passed)));
    }

    public TimeSpan Elapsed(TimeProvider clock)
    {
        var byWall = TimeSpan.FromMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds() - wall);
        var byTicks = before + clock.GetElapsedTime(ticks);
        return byWall > byTicks ? byWall : byTicks;
    }
}

/// <summary>A session that has not ended, as this process keeps it beside its row. Carries the person's role as it is now, because any change of an account ends the session.</summary>
internal sealed class LiveSession(Guid id, string token, Account account, string handle, string device, Since created, Since touched, bool locked)
{
    /// <summary>Reads sessions with their accounts, for <see cref="Read"/>.</summary>
    public static string Select { get; } =
        $"SELECT {Account.Columns}, session.id, session.token, session.handle, session.device, session.created, session.touched, session.locked FROM session JOIN account ON account.id = session.account";

    private readonly Lock gate = new();
    private Since touched = touched;
    private long stored = touched.Wall;

    public Guid Id => id;

    /// <summary>SHA-256 of the token, in hexadecimal.</summary>
    public string Token => token;

    public Account Account => account;

    public string Handle => handle;

    public string Device => device;

    public bool Locked => locked;

    public Actor Actor { get; } = Actor.Maker.Staff(account, device, handle);

    public bool Expired(IdentityOptions options, TimeProvider clock) => created.Elapsed(clock) >= options.SessionLife;

    public bool Idle(IdentityOptions options, TimeProvider clock)
    {
        lock (gate)
        {
            return touched.Elapsed(clock) >= options.IdleLock;
        }
    }

    /// <summary>Takes note of a gesture. Gives the wall time to store when the stored one has grown too old.</summary>
    public long? Touch(IdentityOptions options, TimeProvider clock)
    {
        lock (gate)
        {
            touched = Since.Now(clock);
            if (touched.Wall - stored < (long)options.TouchLag.TotalMilliseconds)
            {
                return null;
            }

            stored = touched.Wall;
            return stored;
        }
    }

    /// <summary>Takes over a later gesture that another server stored.</summary>
    public void Learn(long wall, TimeProvider clock)
    {
        lock (gate)
        {
            if (wall > touched.Wall)
            {
                touched = Since.At(clock, wall);
                stored = wall;
            }
        }
    }

    public static LiveSession Read(System.Data.Common.DbDataReader row, TimeProvider clock) => new(
        row.Guid(Account.ColumnCount),
        Convert.ToHexString(row.Bytes(Account.ColumnCount + 1)),
        Account.Read(row),
        row.GetString(Account.ColumnCount + 2),
        row.GetString(Account.ColumnCount + 3),
        Since.At(clock, row.GetInt64(Account.ColumnCount + 4)),
        Since.At(clock, row.GetInt64(Account.ColumnCount + 5)),
        !row.IsDBNull(Account.ColumnCount + 6));

    /// <summary>The same session, locked.</summary>
    public LiveSession Lock() => new(id, token, account, handle, device, created, touched, locked: true);

    /// <summary>The same session under a new token, open from now.</summary>
    public LiveSession Under(string newToken, TimeProvider clock) => new(id, newToken, account, handle, device, created, Since.Now(clock), locked: false);
}
