using System.Data.Common;
using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;

namespace Mangrove.Vault.Holds;

/// <summary>
/// The rules of retention that the hospital adopted, what time it is for them, and the system's own look at dates of birth that
/// the counting needs. A rule is only ever made longer: records were kept under that promise. What a rule means for a record is
/// counted in the room Governance.
/// </summary>
public sealed class RetentionDesk
{
    /// <summary>As the log names the counting; its entries are the first witness of time.</summary>
    public const string CountAction = "COUNT_RETENTION";

    private const int LeastMajority = 15;
    private const int MostMajority = 25;
    private const string OwnSource = "the hospital's own rule";

    private readonly Store store;
    private readonly AuditLog log;
    private readonly IdentityDesk identity;
    private readonly BackupDesk backups;
    private readonly Door door;
    private readonly TimeProvider clock;

    internal RetentionDesk(Store store, AuditLog log, IdentityDesk identity, BackupDesk backups, Door door, TimeProvider clock)
    {
        this.store = store;
        this.log = log;
        this.identity = identity;
        this.backups = backups;
        this.door = door;
        this.clock = clock;
    }

    /// <summary>The policy in force, for whoever counts by it. No entry: it says nothing of a patient.</summary>
    public async Task<RetentionPolicy> Policy(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await Load(connection, cancel);
    }

    /// <summary>The policy in force, for an administrator. Looking is an entry.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<RetentionPolicy> Read(Actor admin, CancellationToken cancel)
    {
        await door.Record(admin, Rights.Administration, Sessions.Act("VIEW_RETENTION", "retention", null), cancel);
        return await Policy(cancel);
    }

    /// <summary>Says in the log that an administrator looked at the records that are due, and at which.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task LookAtDue(Actor admin, IReadOnlyList<PatientRef> shown, CancellationToken cancel) =>
        door.Record(admin, Rights.Administration, Sessions.Act("VIEW_DUE", "retention", null) with { Patients = shown }, cancel);

    /// <summary>Says in the log that an administrator has the counting done now; the counting itself is the system's.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task AskToCount(Actor admin, CancellationToken cancel) =>
        door.Record(admin, Rights.Administration, Sessions.Act("ASK_RETENTION_COUNT", "retention", null), cancel);

    /// <summary>
    /// Adopts the rules of a country, as they are in this version of the program; a later version changes nothing by itself. Where
    /// the rule in force is longer it stays, and so does a higher age of majority.
    /// </summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="template">The rules.</param>
    /// <param name="proof">The administrator's own second factor.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The policy afterwards, or <c>retention.value</c>, <c>downtime.read-only</c>, <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<RetentionPolicy>> Adopt(Actor admin, RetentionTemplate template, FactorProof proof, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(template);
        return Change(admin, proof, async (connection, before) =>
        {
            if (template.Country.Length is < 2 or > 3 || template.MajorityAge is < LeastMajority or > MostMajority || template.Rules.Any(rule => !Enum.IsDefined(rule.Kind) || IsOutside(rule.Years)))
            {
                return Value;
            }

            foreach (var rule in template.Rules.Where(rule => !(before.Of(rule.Kind) >= rule.Years)))
            {
                await Put(connection, rule, admin, cancel);
            }

            await connection.Run(
                """
                INSERT INTO retention_country (id, country, majority, changed_by, changed) VALUES (1, @country, @majority, @by, @now)
                ON CONFLICT (id) DO UPDATE SET country = excluded.country, majority = excluded.majority, changed_by = excluded.changed_by, changed = excluded.changed
                """,
                cancel,
                ("@country", template.Country),
                ("@majority", Math.Max(template.MajorityAge, before.Country is null ? 0 : before.MajorityAge)),
                ("@by", admin.Staff.Number),
                ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()));
            return null;
        }, cancel);
    }

    /// <summary>Makes one rule longer, or adds one of the hospital's own.</summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="kind">Which.</param>
    /// <param name="years">0 to 100, and not less than now.</param>
    /// <param name="proof">The administrator's own second factor.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The policy afterwards, or <c>retention.value</c>, <c>retention.shorter</c>, <c>retention.no-policy</c>, and those of <see cref="Adopt"/> about the copy and the factor.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<RetentionPolicy>> Lengthen(Actor admin, RecordKind kind, int years, FactorProof proof, CancellationToken cancel) => Change(admin, proof, async (connection, before) =>
    {
        if (!Enum.IsDefined(kind) || IsOutside(years))
        {
            return Value;
        }

        if (before.Country is null)
        {
            return new Error("retention.no-policy", "Adopt the rules of a country first, or choose that the hospital writes its own.");
        }

        if (before.Of(kind) is { } now && years < now)
        {
            return new Error("retention.shorter", string.Create(CultureInfo.InvariantCulture, $"The rule is {now} years and can only be made longer: records were kept under that promise."));
        }

        await Put(connection, new RetentionRule(kind, years, OwnSource), admin, cancel);
        return null;
    }, cancel);

    /// <summary>What time it is by the clock, the log and the backups.</summary>
    public async Task<WitnessedTime> Time(CancellationToken cancel)
    {
        var counted = new List<DateTimeOffset>();
        await foreach (var entry in log.List(new AuditFilter { Action = CountAction, Actor = SystemActors.Retention.User, Outcome = AuditOutcome.Allowed, NewestFirst = false }, cancel))
        {
            counted.Add(entry.Timestamp);
        }

        var saved = (await backups.Runs(int.MaxValue, cancel)).Where(run => run is { Work: BackupWork.Backup, Failure: null }).Select(run => run.Started).Order();
        return new WitnessedTime(clock.GetUtcNow(), WitnessedTime.Of(counted, WitnessedTime.LongestInLog), WitnessedTime.Of(saved, WitnessedTime.LongestBetweenBackups));
    }

    /// <summary>
    /// Lets the counting over every patient read the dates that it needs: one entry for the whole act, which is a mark of time too.
    /// The caller turns the opening from some patients to the next.
    /// </summary>
    /// <param name="fields">The fields; the matrix allows birth, sex and death and nothing else.</param>
    /// <param name="count">Reads the rows; shows nothing of them to anybody.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="AuditUnavailable">The log cannot be written: nothing is read.</exception>
    public async Task Count(IReadOnlyList<FieldUse> fields, Func<Opening, CancellationToken, Task> count, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(count);
        using var opening = await door.Open(SystemActors.Retention, new Request { Action = CountAction, Purpose = Purpose.System, Reads = fields, Everyone = true }, cancel);
        await count(opening, cancel);
    }

    /// <summary>As <see cref="Count"/>, for some patients whose records somebody wants to destroy.</summary>
    public async Task Check(IReadOnlyList<PatientRef> patients, IReadOnlyList<FieldUse> fields, Action<Opening> check, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(check);
        using var opening = await door.Open(SystemActors.Retention, new Request { Action = "CHECK_RETENTION", Purpose = Purpose.System, Reads = fields, Patients = patients }, cancel);
        check(opening);
    }

    private static Error Value { get; } = new("retention.value", string.Create(CultureInfo.InvariantCulture, $"Choose one of the rules, and give whole years, 0 to {PolicySettings.MostYears}."));

    private static bool IsOutside(int years) => years is < 0 or > PolicySettings.MostYears;

    private Task<Result<RetentionPolicy>> Change(Actor admin, FactorProof proof, Func<DbConnection, RetentionPolicy, Task<Error?>> change, CancellationToken cancel) => identity.Acts.Run<RetentionPolicy>(
        admin,
        "CHANGE_RETENTION",
        "retention",
        async open =>
        {
            var before = await Load(open.Connection, cancel);
            if (await change(open.Connection, before) is { } unwilling)
            {
                return unwilling;
            }

            if (await identity.SecondFactor.Ask(open, admin, proof, FactorActs.Retention, cancel) is { } unproven)
            {
                return unproven;
            }

            var after = await Load(open.Connection, cancel);
            return new Acted<RetentionPolicy>(after, "retention", $"{Summary(before)} -> {Summary(after)}");
        },
        cancel);

    private static string Summary(RetentionPolicy policy) => policy.Country is null
        ? "none"
        : string.Create(CultureInfo.InvariantCulture, $"{policy.Country}, of age at {policy.MajorityAge}{string.Concat(policy.Rules.Select(rule => string.Create(CultureInfo.InvariantCulture, $", {rule.Kind.ToString().ToLowerInvariant()} {rule.Years}")))}");

    private Task<int> Put(DbConnection connection, RetentionRule rule, Actor admin, CancellationToken cancel) => connection.Run(
        """
        INSERT INTO retention_rule (kind, years, source, changed_by, changed) VALUES (@kind, @years, @source, @by, @now)
        ON CONFLICT (kind) DO UPDATE SET years = excluded.years, source = excluded.source, changed_by = excluded.changed_by, changed = excluded.changed
        """,
        cancel,
        ("@kind", (int)rule.Kind),
        ("@years", rule.Years),
        ("@source", rule.Source),
        ("@by", admin.Staff.Number),
        ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()));

    private static async Task<RetentionPolicy> Load(DbConnection connection, CancellationToken cancel)
    {
        var floor = (await PolicySettings.Load(connection, cancel)).DataRetentionYears;
        var rules = await connection.Query("SELECT kind, years, source FROM retention_rule ORDER BY kind", row => new RetentionRule((RecordKind)row.GetInt64(0), (int)row.GetInt64(1), row.GetString(2)), cancel);
        var adopted = await connection.Query("SELECT country, majority FROM retention_country WHERE id = 1", row => (Country: row.GetString(0), Majority: (int)row.GetInt64(1)), cancel);
        return adopted is [var (country, majority)] ? new RetentionPolicy(country, majority, rules, floor) : new RetentionPolicy(null, MostMajority, rules, floor);
    }
}
