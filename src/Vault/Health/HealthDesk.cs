using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Health;

/// <summary>One measured value.</summary>
/// <param name="At">When.</param>
/// <param name="Value">In the unit of its series.</param>
public sealed record HealthSample(DateTimeOffset At, long Value);

/// <summary>
/// The hospital's health: what was measured over time, alarms, and letters about them. Samples are a small ring: every one
/// of the last two days, then one an hour for sixty days, then none.
/// </summary>
public sealed class HealthDesk
{
    /// <summary>Series of samples: thousandths of the volume that are free.</summary>
    public const string Space = "space";

    /// <summary>Microseconds within which half of the answers came.</summary>
    public const string Median = "latency-p50";

    /// <summary>Microseconds within which 95 of 100 came.</summary>
    public const string Slowest = "latency-p95";

    /// <summary>Entries of the log.</summary>
    public const string LogEntries = "log";

    /// <summary>Minutes since the last backup began.</summary>
    public const string Backup = "backup";

    /// <summary>Hours since a restore was last proven.</summary>
    public const string Drill = "drill";

    /// <summary>Days since the oldest key was made.</summary>
    public const string Key = "key";

    /// <summary>Days until the first certificate ends.</summary>
    public const string Certificate = "certificate";

    private static readonly TimeSpan EverySample = TimeSpan.FromDays(2);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(60);

    private readonly Store store;
    private readonly Door door;
    private readonly TimeProvider clock;

    internal HealthDesk(Store store, IdentityDesk identity, Door door, Receipt.Log log, SystemSecrets secrets, TimeProvider clock)
    {
        this.store = store;
        this.door = door;
        this.clock = clock;
        Mail = new MailDesk(store, identity, secrets, clock);
        Outbox = new Outbox(store, Mail, clock);
        Alarms = new Alarms(store, identity, log, clock);
    }

    public Alarms Alarms { get; }

    /// <summary>Letters that wait, and those that went.</summary>
    public Outbox Outbox { get; }

    /// <summary>Where letters go and from where.</summary>
    public MailDesk Mail { get; }

    /// <summary>Says in the log that an administrator looked.</summary>
    /// <param name="admin">Who looks.</param>
    /// <param name="mail">At the settings of mail, or at the health.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="Mangrove.Vault.Refused">Not an administrator; the refusal is an entry too.</exception>
    public Task Look(Actor admin, bool mail, CancellationToken cancel) => door.Record(admin, Rights.Administration, Sessions.Act(mail ? "VIEW_MAIL" : "VIEW_HEALTH", mail ? "mail" : "health", null), cancel);

    /// <summary>Keeps what was measured, and lets go of what is old.</summary>
    public async Task Keep(HealthFacts facts, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(facts);
        await using var connection = await store.Open(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var now = facts.At.ToUnixTimeMilliseconds();
        (string, long?)[] values =
        [
            (Space, facts.Size > 0 ? (long)(facts.FreePart * 1000) : null),
            (Median, facts.Median),
            (Slowest, facts.Slowest),
            (LogEntries, facts.LogEntries),
            (Backup, (long?)facts.BackupAge?.TotalMinutes),
            (Drill, (long?)facts.DrillAge?.TotalHours),
            (Key, facts.OldestKeyDays),
            (Certificate, facts.Certificates.Count > 0 ? (long)(facts.Certificates.Min(one => one.Ends) - facts.At).TotalDays : null),
        ];
        foreach (var (series, value) in values)
        {
            if (value is { } measured)
            {
                await connection.Run(
                    "INSERT INTO health_sample (series, at, value) VALUES (@series, @at, @value) ON CONFLICT (series, at) DO NOTHING",
                    cancel,
                    ("@series", series),
                    ("@at", now),
                    ("@value", measured));
            }
        }

        // Of each hour the first stays.
        await connection.Run(
            """
            DELETE FROM health_sample WHERE at < @gone OR (at < @old AND EXISTS (
                SELECT 1 FROM health_sample AS other
                WHERE other.series = health_sample.series AND other.at < health_sample.at AND other.at >= health_sample.at - 3600000 AND other.at / 3600000 = health_sample.at / 3600000))
            """,
            cancel,
            ("@gone", (facts.At - Longest).ToUnixTimeMilliseconds()),
            ("@old", (facts.At - EverySample).ToUnixTimeMilliseconds()));
        await transaction.CommitAsync(cancel);
    }

    /// <summary>The samples of every series since a time, the oldest first.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<HealthSample>>> Since(DateTimeOffset from, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var rows = await connection.Query(
            "SELECT series, at, value FROM health_sample WHERE at >= @from ORDER BY series, at",
            row => (Series: row.GetString(0), Sample: new HealthSample(DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)), row.GetInt64(2))),
            cancel,
            ("@from", from.ToUnixTimeMilliseconds()));
        return rows.GroupBy(row => row.Series, StringComparer.Ordinal).ToDictionary(group => group.Key, group => (IReadOnlyList<HealthSample>)[.. group.Select(row => row.Sample)], StringComparer.Ordinal);
    }

    /// <summary>Wrong sign-ins of those who tried within the last hour, counted by name and device.</summary>
    public async Task<long> WrongSignIns(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return Convert.ToInt64(
            await connection.Scalar("SELECT COALESCE(SUM(failures), 0) FROM throttle WHERE last > @hour", cancel, ("@hour", (clock.GetUtcNow() - TimeSpan.FromHours(1)).ToUnixTimeMilliseconds())),
            System.Globalization.CultureInfo.InvariantCulture);
    }
}
