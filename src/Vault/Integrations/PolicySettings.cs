using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Integrations;

/// <summary>The hospital's policy as the seeds' table names it, with what is required.</summary>
/// <param name="DataRetentionYears"><c>DATA_RETENTION_YEARS</c>: how long records are kept. 6 to 100, default 7; it may be made longer, never shorter.</param>
/// <param name="AuditRetentionYears"><c>AUDIT_RETENTION_YEARS</c>: how long the log is kept. Likewise.</param>
public sealed record HospitalPolicy(int DataRetentionYears, int AuditRetentionYears)
{
    /// <summary>
    /// <c>ACCESS_APPROVAL</c>: whether a program's access to protected information is approved by hand. The seeds require it
    /// for production, and a hospital has nothing else: it is no switch.
    /// </summary>
    public bool AccessApproval { get; } = true;
}

/// <summary>Reads and changes the policy. Nothing may be set below the law, and a period once promised is not taken back.</summary>
public sealed class PolicySettings
{
    public const string DataRetention = "DATA_RETENTION_YEARS";
    public const string AuditRetention = "AUDIT_RETENTION_YEARS";
    public const string AccessApproval = "ACCESS_APPROVAL";

    /// <summary>Years required by the seeds' table.</summary>
    public const int RequiredYears = 7;

    /// <summary>Six years: 45 CFR 164.316(b)(2)(i), and the whitepaper (4.3).</summary>
    public const int LeastYears = 6;

    /// <summary>More is a slip of the hand that nobody could take back.</summary>
    public const int MostYears = 100;

    private readonly Store store;
    private readonly AdministratorAct acts;
    private readonly Door door;
    private readonly TimeProvider clock;

    internal PolicySettings(Store store, AdministratorAct acts, Door door, TimeProvider clock)
    {
        this.store = store;
        this.acts = acts;
        this.door = door;
        this.clock = clock;
    }

    /// <summary>The policy in force. Looking is an entry.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<HospitalPolicy> Read(Actor admin, CancellationToken cancel)
    {
        await door.Record(admin, Rights.Administration, Sessions.Act("VIEW_POLICY", "policy", null), cancel);
        await using var connection = await store.Open(cancel);
        return await Load(connection, cancel);
    }

    /// <summary>Changes one setting, named as in the seeds.</summary>
    /// <returns>
    /// The policy afterwards, or <c>policy.unknown</c>, <c>policy.value</c>, <c>policy.below-law</c>, <c>policy.shorter</c>,
    /// <c>policy.access-approval</c>.
    /// </returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<HospitalPolicy>> Change(Actor admin, string name, string? value, CancellationToken cancel) => acts.Run<HospitalPolicy>(
        admin,
        "CHANGE_POLICY",
        "policy",
        async change =>
        {
            if (name == AccessApproval)
            {
                return new Error("policy.access-approval", "Programs are approved by two administrators in every hospital. This cannot be switched off.");
            }

            if (name is not (DataRetention or AuditRetention))
            {
                return new Error("policy.unknown", $"The settings are {AccessApproval}, {DataRetention} and {AuditRetention}.");
            }

            if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var years) || years > MostYears)
            {
                return new Error("policy.value", $"Give whole years, {LeastYears} to {MostYears}.");
            }

            if (years < LeastYears)
            {
                return new Error("policy.below-law", $"The law asks for {LeastYears} years at least.");
            }

            var before = Of(await Load(change.Connection, cancel), name);
            if (years < before)
            {
                return new Error("policy.shorter", $"The period is {before} years and can only be made longer: records were kept under that promise.");
            }

            await IdentityStore.PutSetting(change.Connection, name, years, admin, clock.GetUtcNow().ToUnixTimeMilliseconds(), cancel);
            return new Acted<HospitalPolicy>(await Load(change.Connection, cancel), $"policy:{name}", $"{before} -> {years} years");
        },
        cancel);

    private static int Of(HospitalPolicy policy, string name) => name == DataRetention ? policy.DataRetentionYears : policy.AuditRetentionYears;

    internal static async Task<HospitalPolicy> Load(System.Data.Common.DbConnection connection, CancellationToken cancel)
    {
        var rows = await connection.Query("SELECT name, value FROM policy_setting", row => (Name: row.GetString(0), Value: (int)row.GetInt64(1)), cancel);
        return new HospitalPolicy(Years(DataRetention), Years(AuditRetention));

        // A value below the law that somebody wrote into the table is not in force.
        int Years(string name) => Math.Max(LeastYears, rows.Where(row => row.Name == name).Select(row => row.Value).DefaultIfEmpty(RequiredYears).First());
    }
}
