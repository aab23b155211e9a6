using System.Data.Common;
using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>
/// For which roles the devices of a department are (seeds: department-level terminal assignment), and which worklist they
/// open with. A department without a rule is for all, and everybody begins at their own. The policy asks at every act, so a
/// rule holds at once; administrators are let in everywhere.
/// </summary>
public sealed class DepartmentRules
{
    private readonly Store store;
    private readonly Standings standings;
    private readonly AdministratorAct acts;
    private readonly SecondFactor factor;

    internal DepartmentRules(Store store, Standings standings, AdministratorAct acts, SecondFactor factor)
    {
        this.store = store;
        this.standings = standings;
        this.acts = acts;
        this.factor = factor;
    }

    private const int LongestAddress = 64;

    private static Error NoSuchDepartment { get; } = new("department.unknown", "No device is registered for this department. Register one first.");

    private static Error Nobody { get; } = new("department.nobody", "Name at least one role that works there.");

    private static Error NoList { get; } = new("department.list", "Choose a worklist from the list.");

    /// <summary>Departments whose devices are for some roles only.</summary>
    public IReadOnlyDictionary<string, IReadOnlySet<Role>> Current => standings.Departments;

    /// <summary>The page that the devices of a department open with, by department. Who has no such page begins at their own.</summary>
    public IReadOnlyDictionary<string, string> Lists => standings.Lists;

    /// <summary>The page that the device of an actor opens with; null where nobody chose one.</summary>
    public string? ListOf(Actor actor) => standings.Lists.GetValueOrDefault(standings.DepartmentOf(actor.Device));

    /// <summary>Says for which roles the devices of a department are; all seven take the rule away. Letting more in asks for the administrator's second factor.</summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="department">As its devices name it.</param>
    /// <param name="roles">Everybody who works there; administrators need not be named.</param>
    /// <param name="opens">The worklist that its devices open with, as a path of this server; empty for each person's own.</param>
    /// <param name="proof">The administrator's own second factor.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Those who work there from now on, or <c>department.unknown</c>, <c>department.nobody</c>, <c>department.list</c>, <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<IReadOnlySet<Role>>> Change(Actor admin, string department, IReadOnlySet<Role> roles, string opens, FactorProof proof, CancellationToken cancel) => acts.Run<IReadOnlySet<Role>>(
        admin,
        "CHANGE_DEPARTMENT_ROLES",
        "devices",
        async change =>
        {
            var named = await change.Connection.Query("SELECT DISTINCT department FROM device WHERE revoked IS NULL", row => row.GetString(0), cancel);
            if (named.Find(one => one.Equals(department, StringComparison.OrdinalIgnoreCase)) is not { } known)
            {
                return NoSuchDepartment;
            }

            var before = standings.Departments.GetValueOrDefault(known) ?? Everybody;
            var after = new HashSet<Role>(roles) { Role.Admin };
            if (after.Count == 1)
            {
                return Nobody;
            }

            if (opens.Length > 0 && (opens.Length > LongestAddress || opens[0] != '/' || !opens.All(sign => char.IsAsciiLetterLower(sign) || sign is '/' or '-') || opens.Contains("//", StringComparison.Ordinal)))
            {
                return NoList;
            }

            if (!after.IsSubsetOf(before) && await factor.Ask(change, admin, proof, FactorActs.Departments, cancel) is { } refused)
            {
                return refused;
            }

            await change.Connection.Run("DELETE FROM department_role WHERE department = @department", cancel, ("@department", known.ToUpperInvariant()));
            if (after.Count < Everybody.Count)
            {
                foreach (var role in after)
                {
                    await change.Connection.Run("INSERT INTO department_role (department, role) VALUES (@department, @role)", cancel, ("@department", known.ToUpperInvariant()), ("@role", (int)role));
                }
            }

            var began = standings.Lists.GetValueOrDefault(known);
            await change.Connection.Run("DELETE FROM department_list WHERE department = @department", cancel, ("@department", known.ToUpperInvariant()));
            if (opens.Length > 0)
            {
                await change.Connection.Run("INSERT INTO department_list (department, address) VALUES (@department, @address)", cancel, ("@department", known.ToUpperInvariant()), ("@address", opens));
            }

            var rules = await Read(change.Connection, cancel);
            var lists = await ReadLists(change.Connection, cancel);
            change.AfterCommit = () => standings.Use(rules, lists);
            var moved = (began ?? "") == opens ? "" : $", opens {began ?? "own work"} -> {(opens.Length == 0 ? "own work" : opens)}";
            return new Acted<IReadOnlySet<Role>>(after, $"department:{known}", $"{Words(before)} -> {Words(after)}{moved}");
        },
        cancel);

    internal async Task Load(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        await Load(connection, cancel);
    }

    internal async Task Load(DbConnection connection, CancellationToken cancel) =>
        standings.Use(await Read(connection, cancel), await ReadLists(connection, cancel));

    private static HashSet<Role> Everybody { get; } = Enum.GetValues<Role>().ToHashSet();

    private static string Words(IReadOnlySet<Role> roles) => roles.Count == Everybody.Count ? "everybody" : string.Join(", ", roles.Order().Select(role => role.Slug()));

    private static async Task<Dictionary<string, string>> ReadLists(DbConnection connection, CancellationToken cancel) =>
        (await connection.Query("SELECT department, address FROM department_list", row => KeyValuePair.Create(row.GetString(0), row.GetString(1)), cancel)).ToDictionary(StringComparer.OrdinalIgnoreCase);

    private static async Task<Dictionary<string, IReadOnlySet<Role>>> Read(DbConnection connection, CancellationToken cancel)
    {
        var rows = await connection.Query("SELECT department, role FROM department_role", row => (Department: row.GetString(0), Role: (Role)row.GetInt64(1)), cancel);
        return rows.GroupBy(row => row.Department, row => row.Role, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(group => group.Key, IReadOnlySet<Role> (group) => group.ToHashSet(), StringComparer.OrdinalIgnoreCase);
    }
}
