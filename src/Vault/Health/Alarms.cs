using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Health;

/// <summary>An alarm that began.</summary>
/// <param name="Id">Random.</param>
/// <param name="Rule">Of <see cref="AlarmRules"/>, by its id.</param>
/// <param name="Detail">The figure that was wrong when it began.</param>
/// <param name="Began">Since when.</param>
/// <param name="Ended">Until when; null while it goes on.</param>
/// <param name="Seen">When somebody said that they see to it; null before.</param>
/// <param name="SeenBy">Number of that person; null before.</param>
public sealed record Alarm(Guid Id, string Rule, string Detail, DateTimeOffset Began, DateTimeOffset? Ended, DateTimeOffset? Seen, long? SeenBy);

/// <summary>
/// Alarms: they begin and end by the rules, and a person says that they see to one. Beginning and end are entries, and
/// letters in the same transaction.
/// </summary>
public sealed class Alarms
{
    /// <summary>An alarm lasts so long at least: a figure that swings about its limit is one alarm, and one letter.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromMinutes(15);

    private readonly Store store;
    private readonly IdentityDesk identity;
    private readonly Receipt.Log log;
    private readonly TimeProvider clock;

    internal Alarms(Store store, IdentityDesk identity, Receipt.Log log, TimeProvider clock)
    {
        this.store = store;
        this.identity = identity;
        this.log = log;
        this.clock = clock;
    }

    /// <summary>Those that go on, the oldest first.</summary>
    public Task<IReadOnlyList<Alarm>> Open(CancellationToken cancel) => Read("WHERE ended IS NULL ORDER BY began, rule", 100, cancel);

    /// <summary>The newest first, with those that are over.</summary>
    public Task<IReadOnlyList<Alarm>> Newest(int most, CancellationToken cancel) => Read("ORDER BY began DESC, rule", most, cancel);

    /// <summary>Judges what was measured: begins the alarms that are due, ends those that are over.</summary>
    /// <param name="facts">What was measured.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>How many began or ended.</returns>
    public async Task<int> Judge(HealthFacts facts, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var open = await Open(cancel);
        var changed = 0;
        foreach (var rule in AlarmRules.All)
        {
            var wrong = rule.Judge(facts);
            var goes = open.FirstOrDefault(one => one.Rule == rule.Id);
            if (wrong is not null && goes is null)
            {
                changed += await Begin(rule, wrong, facts.LogFailure is null, cancel) ? 1 : 0;
            }
            else if (wrong is null && goes is not null && facts.LogFailure is null && clock.GetUtcNow() - goes.Began >= Least)
            {
                changed += await End(rule, goes, cancel) ? 1 : 0;
            }
        }

        return changed;
    }

    /// <summary>A person says that they see to an alarm.</summary>
    /// <returns>The alarm, or <c>alarm.none</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<Alarm>> See(Actor admin, Guid id, CancellationToken cancel) => identity.Acts.Run<Alarm>(
        admin,
        "SEE_ALARM",
        "alarms",
        async change =>
        {
            var found = await Rows(change.Connection, "WHERE id = @id AND ended IS NULL AND seen IS NULL", 1, id, cancel);
            if (found is not [var alarm])
            {
                return new Error("alarm.none", "That alarm is over, or somebody sees to it already.");
            }

            var now = clock.GetUtcNow();
            await change.Connection.Run("UPDATE alarm SET seen = @now, seen_by = @by WHERE id = @id", cancel, ("@now", now.ToUnixTimeMilliseconds()), ("@by", admin.Staff.Number), ("@id", id));
            return new Acted<Alarm>(alarm with { Seen = now, SeenBy = admin.Staff.Number }, $"alarm:{alarm.Rule}", alarm.Detail);
        },
        cancel);

    private Task<bool> Begin(AlarmRule rule, string detail, bool logWorks, CancellationToken cancel) => identity.Sessions.Change(
        async change =>
        {
            var now = clock.GetUtcNow();
            var made = await change.Connection.Run(
                "INSERT INTO alarm (id, rule, detail, began) VALUES (@id, @rule, @detail, @now) ON CONFLICT (rule) WHERE ended IS NULL DO NOTHING",
                cancel,
                ("@id", Ids.New()),
                ("@rule", rule.Id),
                ("@detail", detail),
                ("@now", now.ToUnixTimeMilliseconds()));
            if (made == 0)
            {
                // Another server of this hospital was quicker.
                return false;
            }

            await Outbox.Put(change.Connection, "alarm", rule.Audience, $"Mangrove alarm: {rule.Id}", Body(rule, $"{rule.Title}: {detail}", now, rule.Advice), now, cancel);

            // What cannot be written into the log must be told all the same.
            if (logWorks)
            {
                await log.Note(SystemActors.Watch, Sessions.Act("ALARM_BEGAN", $"alarm:{rule.Id}", detail), cancel);
            }

            return true;
        },
        cancel);

    private Task<bool> End(AlarmRule rule, Alarm alarm, CancellationToken cancel) => identity.Sessions.Change(
        async change =>
        {
            var now = clock.GetUtcNow();
            if (await change.Connection.Run("UPDATE alarm SET ended = @now WHERE id = @id AND ended IS NULL", cancel, ("@now", now.ToUnixTimeMilliseconds()), ("@id", alarm.Id)) == 0)
            {
                return false;
            }

            await Outbox.Put(change.Connection, "alarm-over", rule.Audience, $"Mangrove: over: {rule.Id}", Body(rule, $"Over: {rule.Title}", now, "Nothing has to be done."), now, cancel);
            await log.Note(SystemActors.Watch, Sessions.Act("ALARM_ENDED", $"alarm:{rule.Id}", $"after {AlarmRules.Age(now - alarm.Began)}"), cancel);
            return true;
        },
        cancel);

    private static string Body(AlarmRule rule, string what, DateTimeOffset now, string advice) => string.Create(
        CultureInfo.InvariantCulture,
        $"{what}.\nTime: {now:yyyy-MM-dd HH:mm} UTC. Limit: {rule.Limit}.\n{advice}\nThe page Health of Mangrove (/admin/health) says more. Answers to this letter are not read.\n");

    private async Task<IReadOnlyList<Alarm>> Read(string which, int most, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await Rows(connection, which, most, Guid.Empty, cancel);
    }

    private static Task<List<Alarm>> Rows(System.Data.Common.DbConnection connection, string which, int most, Guid id, CancellationToken cancel) => connection.Query(
        $"SELECT id, rule, detail, began, ended, seen, seen_by FROM alarm {which} LIMIT @most",
        row => new Alarm(
            row.Guid(0),
            row.GetString(1),
            row.GetString(2),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
            row.LongOrNull(4) is { } ended ? DateTimeOffset.FromUnixTimeMilliseconds(ended) : null,
            row.LongOrNull(5) is { } seen ? DateTimeOffset.FromUnixTimeMilliseconds(seen) : null,
            row.LongOrNull(6)),
        cancel,
        which.Contains("@id", StringComparison.Ordinal) ? [("@most", most), ("@id", id)] : [("@most", most)]);
}
