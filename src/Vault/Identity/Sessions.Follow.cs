using System.Data.Common;

namespace Mangrove.Vault.Identity;

/// <summary>
/// What another server on the same PostgreSQL database did to the table. A session may be used at each of them; what one ends,
/// locks or puts under a new token is known to the others when they look, once a second.
/// </summary>
public sealed partial class Sessions
{
    /// <summary>Lets memory follow the table, alone in this process, and tells the streams what became of their sessions.</summary>
    /// <param name="beside">Reads what else follows, on the same connection and in the same turn: no change of this process comes between.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task Follow(Func<DbConnection, Task> beside, CancellationToken cancel)
    {
        List<(string Handle, SessionTurn Turn)> turns;
        await turn.WaitAsync(cancel);
        try
        {
            await using var connection = await store.Open(cancel);
            await Load(connection, cancel);
            await beside(connection);
            turns = await Reconcile(connection, cancel);
        }
        finally
        {
            turn.Release();
        }

        Tell(turns);
    }

    /// <summary>Looks whether a token that is not known here opens a session that was begun at another server.</summary>
    private async Task<bool> Adopt(byte[] token, CancellationToken cancel)
    {
        if (store.IsSqlite)
        {
            return false;
        }

        // Not in its turn yet: tokens that open nothing shall not queue up.
        await using var connection = await store.Open(cancel);
        if (await connection.Scalar("SELECT handle FROM session WHERE token = @token AND revoked IS NULL", cancel, ("@token", token)) is null)
        {
            return false;
        }

        await turn.WaitAsync(cancel);
        try
        {
            if (await connection.Query($"{LiveSession.Select} WHERE session.token = @token AND session.revoked IS NULL", row => LiveSession.Read(row, clock), cancel, ("@token", token)) is not [var session])
            {
                return false;
            }

            // Under the token of before it is dead from here on.
            foreach (var old in live.Values.Where(one => one.Id == session.Id))
            {
                live.TryRemove(old.Token, out _);
            }

            live[session.Token] = session;
            standings.Set(session.Handle, !session.Locked);
            return true;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Takes note of gestures that another server saw, before a session is locked for want of any.</summary>
    private async Task LearnTouch(DbConnection connection, LiveSession session, CancellationToken cancel)
    {
        if (!store.IsSqlite && await connection.Scalar("SELECT touched FROM session WHERE id = @id", cancel, ("@id", session.Id)) is long touched)
        {
            session.Learn(touched, clock);
        }
    }

    private async Task<List<(string Handle, SessionTurn Turn)>> Reconcile(DbConnection connection, CancellationToken cancel)
    {
        var turns = new List<(string Handle, SessionTurn Turn)>();
        var stored = (await connection.Query($"{LiveSession.Select} WHERE session.revoked IS NULL", row => LiveSession.Read(row, clock), cancel)).ToDictionary(session => session.Id);
        foreach (var mine in live.Values)
        {
            if (!stored.Remove(mine.Id, out var theirs))
            {
                live.TryRemove(mine.Token, out _);
                standings.Close(mine.Handle);
                turns.Add((mine.Handle, SessionTurn.Ended));
            }
            else if (theirs.Token != mine.Token || theirs.Locked != mine.Locked)
            {
                live.TryRemove(mine.Token, out _);
                live[theirs.Token] = theirs;
                standings.Set(theirs.Handle, !theirs.Locked);
                if (theirs.Locked != mine.Locked)
                {
                    turns.Add((mine.Handle, theirs.Locked ? SessionTurn.Locked : SessionTurn.Unlocked));
                }
            }
        }

        foreach (var other in stored.Values)
        {
            live[other.Token] = other;
            standings.Set(other.Handle, !other.Locked);
        }

        return turns;
    }

    private void Tell(IEnumerable<(string Handle, SessionTurn Turn)> turns)
    {
        foreach (var (handle, became) in turns)
        {
            SessionChanged?.Invoke(this, new SessionChangedEventArgs(handle, became));
        }
    }
}
