using System.Data.Common;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Glass;

/// <summary>What happens by itself: accesses end, justifications fall due, another server's changes are followed.</summary>
public sealed partial class GlassDesk
{
    private static readonly TimeSpan KeepEvery = TimeSpan.FromMinutes(1);

    private long keptAt;
    private long noticed = -1;

    /// <summary>Reads what acts are judged by, before the first one comes.</summary>
    internal async Task Load(CancellationToken cancel)
    {
        await time.Load(cancel);
        await using var connection = await store.Open(cancel);
        if (!door.ReadOnly)
        {
            await time.Keep(connection, cancel);
        }

        keptAt = clock.GetTimestamp();
        await Follow(connection, cancel);
        standings.Glass.Begin(time, store.IsSqlite ? null : Elsewhere);
    }

    /// <summary>One look, each second: keeps the time, ends what is over, says what is overdue. Called by <see cref="GlassKeeper"/>.</summary>
    public async Task Turn(CancellationToken cancel)
    {
        var changed = false;
        List<Guid> over;
        List<Guid> overdue;
        await using (var connection = await store.Open(cancel))
        {
            if (clock.GetElapsedTime(keptAt) >= KeepEvery && !door.ReadOnly)
            {
                await time.Keep(connection, cancel);
                keptAt = clock.GetTimestamp();
            }

            over = await connection.Query("SELECT id FROM glass WHERE ended IS NULL AND until <= @now", row => row.Guid(0), cancel, ("@now", time.Now));
            overdue = await connection.Query("SELECT id FROM glass WHERE ended IS NOT NULL AND justified IS NULL AND overdue IS NULL AND due <= @now", row => row.Guid(0), cancel, ("@now", time.Now));
        }

        if (!store.IsSqlite)
        {
            // As a change that changes nothing: no access of this process begins or ends between the reading and the taking over.
            changed = await sessions.Change(
                async change =>
                {
                    change.Keep = false;
                    return await Follow(change.Connection, cancel);
                },
                cancel);
        }

        foreach (var id in door.ReadOnly ? [] : over)
        {
            changed |= await sessions.Change(change => End(change, id, cancel), cancel);
        }

        foreach (var id in door.ReadOnly ? [] : overdue)
        {
            changed |= await sessions.Change(change => Escalate(change, id, cancel), cancel);
        }

        if (changed)
        {
            Changed?.Invoke(this, EventArgs.Empty);
        }
    }

    private async Task<bool> End(SessionChange change, Guid id, CancellationToken cancel)
    {
        var rows = await change.Connection.Query(
            "UPDATE glass SET ended = @now, ended_by = @why WHERE id = @id AND ended IS NULL RETURNING session, patient, mrn",
            row => (Session: row.GetString(0), Patient: new PatientRef(new PatientId(row.Guid(1)), row.GetString(2))),
            cancel,
            ("@now", Now),
            ("@why", (int)GlassEnd.Time),
            ("@id", id));
        if (rows is not [var (session, patient)])
        {
            change.Keep = false;
            return false;
        }

        await log.Note(SystemActors.Glass, Act("CLOSE_GLASS", id, GlassEnd.Time.ToString()) with { Patients = [patient] }, cancel);
        change.AfterCommit = () => standings.Glass.Drop(session, patient.Id);
        return true;
    }

    /// <summary>No justification came in time: the right is suspended, and everybody who answers for it is told, in one transaction.</summary>
    private async Task<bool> Escalate(SessionChange change, Guid id, CancellationToken cancel)
    {
        var rows = await change.Connection.Query(
            "UPDATE glass SET overdue = @now WHERE id = @id AND justified IS NULL AND overdue IS NULL RETURNING account, patient, mrn",
            row => (Account: row.Guid(0), Patient: new PatientRef(new PatientId(row.Guid(1)), row.GetString(2))),
            cancel,
            ("@now", Now),
            ("@id", id));
        if (rows is not [var (owner, patient)])
        {
            change.Keep = false;
            return false;
        }

        var accounts = await change.Connection.Query($"SELECT {Account.Columns} FROM account WHERE id = @id", Account.Read, cancel, ("@id", owner));
        await change.Connection.Run(
            "INSERT INTO glass_suspension (id, account, glass, since) VALUES (@id, @account, @glass, @now) ON CONFLICT (account) WHERE lifted IS NULL DO NOTHING",
            cancel,
            ("@id", Ids.New()),
            ("@account", owner),
            ("@glass", id),
            ("@now", Now));
        var told = await Tell(change.Connection, id, NoticeKind.Overdue, accounts[0], clock.GetUtcNow(), cancel);
        await log.Note(SystemActors.Glass, Act("GLASS_OVERDUE", id, $"staff:{accounts[0].Staff}, suspended, {told}") with { Patients = [patient] }, cancel);
        return true;
    }

    private async Task<bool> Follow(DbConnection connection, CancellationToken cancel)
    {
        officers = (await connection.Query("SELECT account.number FROM privacy_officer JOIN account ON account.id = privacy_officer.account WHERE account.state = @active", row => (int)row.GetInt64(0), cancel, ("@active", (int)AccountState.Active))).ToHashSet();
        standings.Glass.Use((await Live(connection, "", cancel)).ToDictionary(row => (row.Session, row.Patient), row => row.One));
        var count = (long)(await connection.Scalar("SELECT COUNT(*) FROM glass_notice", cancel))!;
        return Interlocked.Exchange(ref noticed, count) != count;
    }

    private async Task<LiveGlass.One?> Elsewhere(string session, PatientId patient, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return (await Live(connection, "AND glass.session = @session AND glass.patient = @patient", cancel, ("@session", session), ("@patient", patient.Value))).Select(row => row.One).FirstOrDefault();
    }

    /// <summary>Accesses that have not ended, of sessions that are open. A session that was locked has none any more.</summary>
    private static Task<List<(string Session, PatientId Patient, LiveGlass.One One)>> Live(DbConnection connection, string which, CancellationToken cancel, params (string Name, object? Value)[] values) => connection.Query(
        $"SELECT glass.session, glass.patient, glass.id, glass.reason, glass.opened, glass.until FROM glass JOIN session ON session.handle = glass.session WHERE glass.ended IS NULL AND session.revoked IS NULL AND session.locked IS NULL {which}",
        row => (row.GetString(0), new PatientId(row.Guid(1)), new LiveGlass.One(row.Guid(2), (GlassReason)row.GetInt64(3), Wall(row.GetInt64(4)), row.GetInt64(5))),
        cancel,
        values);
}
