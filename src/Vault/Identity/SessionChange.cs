using System.Collections.Concurrent;
using System.Data.Common;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Glass;

namespace Mangrove.Vault.Identity;

/// <summary>
/// A change of sessions while its transaction is open: writes rows and entries now, and remembers what memory has to
/// follow after the commit. Lives inside <see cref="Sessions.Change{T}"/> only.
/// </summary>
internal sealed class SessionChange(DbConnection connection, Receipt.Log log, TimeProvider clock, ConcurrentDictionary<string, LiveSession> live, Standings standings)
{
    private readonly List<LiveSession> removed = [];
    private readonly List<LiveSession> added = [];
    private readonly List<(string Handle, SessionTurn Turn)> turns = [];

    public DbConnection Connection => connection;

    /// <summary>Set false to roll the change back.</summary>
    public bool Keep { get; set; } = true;

    public Action? AfterCommit { get; set; }

    public IReadOnlyList<(string Handle, SessionTurn Turn)> Turns => turns;

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Ends the sessions of an account; all but <paramref name="except"/>.</summary>
    public async Task EndOf(Guid account, SessionEnd why, Actor? by, CancellationToken cancel, LiveSession? except = null)
    {
        foreach (var session in live.Values.Where(session => session.Account.Id == account && session.Id != except?.Id))
        {
            await End(session, why, by, cancel);
        }

        // One that another server opened a moment ago is in the table only.
        await connection.Run(
            "UPDATE session SET revoked = @now, ended = @why WHERE account = @account AND revoked IS NULL AND id <> @except",
            cancel,
            ("@now", Now),
            ("@why", (int)why),
            ("@account", account),
            ("@except", except?.Id ?? Guid.Empty));
        await EndGlassOfEnded(cancel);
    }

    /// <summary>Ends every session that was begun at a device.</summary>
    public async Task EndAt(string device, SessionEnd why, Actor? by, CancellationToken cancel)
    {
        foreach (var session in live.Values.Where(session => session.Device == device))
        {
            await End(session, why, by, cancel);
        }

        await connection.Run(
            "UPDATE session SET revoked = @now, ended = @why WHERE device = @device AND revoked IS NULL",
            cancel,
            ("@now", Now),
            ("@why", (int)why),
            ("@device", device));
        await EndGlassOfEnded(cancel);
    }

    /// <summary>Ends one session; false when it had ended already.</summary>
    public async Task<bool> End(LiveSession session, SessionEnd why, Actor? by, CancellationToken cancel)
    {
        var ended = await connection.Run(
            "UPDATE session SET revoked = @now, ended = @why WHERE id = @id AND revoked IS NULL",
            cancel,
            ("@now", Now),
            ("@why", (int)why),
            ("@id", session.Id)) == 1;
        removed.Add(session);
        if (ended)
        {
            turns.Add((session.Handle, SessionTurn.Ended));
            var request = why == SessionEnd.SignedOut
                ? Sessions.Act("SIGN_OUT", session.Handle, null)
                : Sessions.Act("SESSION_ENDED", session.Handle, why.ToString());
            await log.Note(by ?? session.Actor, request, cancel);
            await EndGlass(session.Actor, GlassEnd.SessionEnded, null, cancel);
        }

        return ended;
    }

    /// <summary>Inserts a session that replaces the account's live one. Gives the device of that one, or null.</summary>
    public async Task<string?> Begin(LiveSession session, byte[] token, CancellationToken cancel)
    {
        var before = live.Values.FirstOrDefault(one => one.Account.Id == session.Account.Id)?.Device;
        await EndOf(session.Account.Id, SessionEnd.Elsewhere, null, cancel);
        await connection.Run(
            "INSERT INTO session (id, handle, token, account, device, created, touched) VALUES (@id, @handle, @token, @account, @device, @now, @now)",
            cancel,
            ("@id", session.Id),
            ("@handle", session.Handle),
            ("@token", token),
            ("@account", session.Account.Id),
            ("@device", session.Device),
            ("@now", Now));
        added.Add(session);
        return before;
    }

    public Task<bool> Lock(LiveSession session, string reason, CancellationToken cancel) => LockIf(session, () => true, reason, cancel);

    /// <summary>Locks a session that is still to be locked now that the turn has come; a gesture may have come between.</summary>
    public async Task<bool> LockIf(LiveSession session, Func<bool> due, string reason, CancellationToken cancel)
    {
        if (!due() || await connection.Run(
            "UPDATE session SET locked = @now WHERE id = @id AND revoked IS NULL AND locked IS NULL",
            cancel,
            ("@now", Now),
            ("@id", session.Id)) == 0)
        {
            Keep = false;
            return false;
        }

        await log.Note(session.Actor, Sessions.Act("LOCK", session.Handle, reason), cancel);
        await EndGlass(session.Actor, GlassEnd.Locked, null, cancel);
        removed.Add(session);
        added.Add(session.Lock());
        turns.Add((session.Handle, SessionTurn.Locked));
        return true;
    }

    /// <summary>Unlocks under a new token; null when the session ended or was unlocked by another request meanwhile.</summary>
    public async Task<LiveSession?> Unlock(LiveSession session, byte[] token, Request act, CancellationToken cancel)
    {
        if (await connection.Run(
            "UPDATE session SET token = @new, locked = NULL, wrong = 0, touched = @now WHERE id = @id AND token = @old AND revoked IS NULL AND locked IS NOT NULL",
            cancel,
            ("@new", token),
            ("@now", Now),
            ("@id", session.Id),
            ("@old", Convert.FromHexString(session.Token))) == 0)
        {
            Keep = false;
            return null;
        }

        await log.Note(session.Actor, act, cancel);
        var unlocked = session.Under(Convert.ToHexString(token), clock);
        removed.Add(session);
        added.Add(unlocked);
        turns.Add((session.Handle, SessionTurn.Unlocked));
        return unlocked;
    }

    /// <summary>Puts an open session under a new token; null when it ended, locked or got another one meanwhile.</summary>
    public async Task<LiveSession?> Renew(LiveSession session, byte[] token, CancellationToken cancel)
    {
        if (await connection.Run(
            "UPDATE session SET token = @new, touched = @now WHERE id = @id AND token = @old AND revoked IS NULL AND locked IS NULL",
            cancel,
            ("@new", token),
            ("@now", Now),
            ("@id", session.Id),
            ("@old", Convert.FromHexString(session.Token))) == 0)
        {
            return null;
        }

        var renewed = session.Under(Convert.ToHexString(token), clock);
        removed.Add(session);
        added.Add(renewed);
        return renewed;
    }

    /// <summary>Ends the emergency accesses of a session, or the one to a patient, with an entry for each.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> EndGlass(Actor actor, GlassEnd why, PatientId? patient, CancellationToken cancel)
    {
        var ended = await connection.Query(
            "UPDATE glass SET ended = @now, ended_by = @why WHERE session = @session AND ended IS NULL AND (@all = 1 OR patient = @patient) RETURNING id, patient, mrn",
            row => (Id: row.Guid(0), Patient: new PatientRef(new PatientId(row.Guid(1)), row.GetString(2))),
            cancel,
            ("@now", Now),
            ("@why", (int)why),
            ("@session", actor.SessionId),
            ("@all", patient is null),
            ("@patient", patient?.Value ?? Guid.Empty));
        foreach (var (id, of) in ended)
        {
            await log.Note(actor, Sessions.Act("CLOSE_GLASS", $"glass:{id.ToString("N")[..8]}", why.ToString()) with { Patients = [of] }, cancel);
        }

        return ended.Count;
    }

    // Of sessions that another server opened a moment ago, which are in the table only; what ended them has its entry.
    private Task<int> EndGlassOfEnded(CancellationToken cancel) => connection.Run(
        "UPDATE glass SET ended = @now, ended_by = @why WHERE ended IS NULL AND session IN (SELECT handle FROM session WHERE revoked IS NOT NULL)",
        cancel,
        ("@now", Now),
        ("@why", (int)GlassEnd.SessionEnded));

    /// <summary>Lets memory follow the table.</summary>
    public void Apply()
    {
        foreach (var session in removed)
        {
            live.TryRemove(session.Token, out _);

            // One that goes on under another token was never shut.
            if (added.TrueForAll(one => one.Handle != session.Handle))
            {
                standings.Close(session.Handle);
            }

            if (added.TrueForAll(one => one.Handle != session.Handle || one.Locked))
            {
                standings.Glass.Drop(session.Handle);
            }
        }

        foreach (var session in added)
        {
            live[session.Token] = session;
            standings.Set(session.Handle, !session.Locked);
        }

        AfterCommit?.Invoke();
    }

    /// <summary>Takes every session that was touched out of memory: nobody acts in one whose row is in doubt.</summary>
    public void Forget()
    {
        foreach (var session in removed)
        {
            live.TryRemove(session.Token, out _);
            standings.Close(session.Handle);
            standings.Glass.Drop(session.Handle);
        }
    }
}
