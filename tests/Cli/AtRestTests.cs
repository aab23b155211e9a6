using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Cli;

/// <summary>
/// What a thief of the files learns without the keys. Two hospitals with the same patients, in which every single value
/// differs, are the same in everything that is not sealed; and what is sealed is never twice the same (threats K8, A9).
/// </summary>
public sealed class AtRestTests(Twins twins) : IClassFixture<Twins>, IAsyncLifetime
{
    private static readonly SemaphoreSlim Once = new(1, 1);

    private static IReadOnlyList<string> Typed { get; } =
        [.. MarkedPatients.Marks.Values.SelectMany(words => words).Where(word => word.Any(char.IsLetter)), "Another ", "0799 111 222", "0799111222", "0788 555 444", "1919-01-01", "2001-07-23"];

    /// <summary>Twice the same patients, so that equal values are there, and one round of work in which their records are opened and searched.</summary>
    public async ValueTask InitializeAsync()
    {
        await Once.WaitAsync();
        try
        {
            if (twins.Planted)
            {
                return;
            }

            var different = await twins.Arrive(_ => true);
            await twins.Arrive(_ => true);
            foreach (var role in (Role[])[Role.Doctor, Role.FrontDesk])
            {
                await twins.SignIn(role);
                await twins.Ask("GET", $"/patients/{different[0].Patient.Values["patient"]}");
                await twins.Ask("POST", "/find", new Dictionary<string, string>(StringComparer.Ordinal) { ["q"] = different[0].Patient.Search });
            }
        }
        finally
        {
            Once.Release();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task No_column_that_is_not_sealed_depends_on_a_sealed_value()
    {
        var (columns, sealedColumns) = await Columns();
        var differing = new List<string>();
        var compared = 0;
        foreach (var (table, column) in columns.Except(sealedColumns))
        {
            var one = Values(twins.Folders[0], table, column);
            var other = Values(twins.Folders[1], table, column);
            compared += one.Count;
            if (!one.SequenceEqual(other, StringComparer.Ordinal))
            {
                differing.Add($"{table}.{column}");
            }
        }

        // The anchors are signatures over the log, which covers the random id of each start.
        Assert.Equal(["log_anchor.checkpoint"], differing.Except(["log_anchor.size", "log_anchor.at"]));
        Assert.True(compared > 1_000);
    }

    [Fact]
    public async Task The_same_value_sealed_again_is_never_the_same_bytes()
    {
        var (_, sealedColumns) = await Columns();
        Assert.True(sealedColumns.Count > 20);

        // What was there before is the sample's, and the same bytes in both copies.
        var planted = (await twins.Logs())[0].First(entry => entry.Action == "PLANT_MARKS").Seq;
        foreach (var (table, column) in sealedColumns)
        {
            var all = twins.Folders.SelectMany(folder => Values(folder, table, column, planted)).Where(value => value.Length > 0).ToList();
            Assert.Equal(all.Count, all.Distinct(StringComparer.Ordinal).Count());
        }
    }

    [Fact]
    public async Task The_log_names_fields_ids_and_counts_and_holds_no_value()
    {
        var logs = await twins.Logs();
        Assert.True(logs[0].Count > 20);
        Assert.Contains(logs[0], entry => entry.Action.StartsWith("VIEW", StringComparison.Ordinal) && entry.FieldsAccessed.Contains("diagnosis") && entry.Patients.Count == 1);
        Assert.Equal(logs[0].Select(Said), logs[1].Select(Said));
        foreach (var folder in twins.Folders)
        {
            var files = Directory.GetFiles(folder, "audit.db*").Where(file => !file.EndsWith("-shm", StringComparison.Ordinal)).ToList();
            Assert.Contains(files, file => file.EndsWith("-wal", StringComparison.Ordinal));
            var bytes = string.Concat(await Task.WhenAll(files.Select(Latin)));
            Assert.DoesNotContain(Typed, word => bytes.Contains(word, StringComparison.OrdinalIgnoreCase) || bytes.Contains(Wide(word), StringComparison.OrdinalIgnoreCase));

            // What the log does hold is found in the same bytes.
            Assert.Contains("PLANT_MARKS", bytes, StringComparison.Ordinal);
            Assert.Contains("birth_and_sex", bytes, StringComparison.Ordinal);
        }
    }

    // A session's handle is drawn at random for each sign-in.
    private static string Said(AuditEntry entry) => string.Join(
        '|',
        [entry.Seq, entry.Actor, entry.Action, entry.Resource.StartsWith("sess_", StringComparison.Ordinal) ? "sess_" : entry.Resource, .. entry.FieldsAccessed, entry.Device, entry.Purpose, entry.Reason, entry.Outcome, entry.Kind, entry.Count, .. entry.Patients.Cast<object>()]);

    private static string Wide(string word) => Encoding.Latin1.GetString(Encoding.Unicode.GetBytes(word));

    private static async Task<string> Latin(string path)
    {
        // SQLite's locks are the process's: a plain read of an open database is allowed, but closing it would drop them.
        using var cat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("cat", [path]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        using var copy = new MemoryStream();
        await cat.StandardOutput.BaseStream.CopyToAsync(copy);
        await cat.WaitForExitAsync();
        return Encoding.Latin1.GetString(copy.ToArray());
    }

    /// <summary>Every column of the database as it stands, and those that hold a sealed field by the model. A column beyond the model fails.</summary>
    private async Task<(List<(string Table, string Column)> All, List<(string Table, string Column)> Sealed)> Columns()
    {
        await using var clinic = await twins.Clinics[0].CreateDbContextAsync();
        var model = clinic.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties()).ToDictionary(property => (property.DeclaringType.GetTableName()!, property.GetColumnName()));
        var columns = Query(twins.Folders[0], "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE '\\_\\_EF%' ESCAPE '\\'")
            .Select(row => (Table: row[0], Column: row[1])).ToList();
        Assert.DoesNotContain(columns, column => !model.ContainsKey(column));
        return (columns, [.. columns.Where(column => model[column].ClrType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Sealed<>))]);
    }

    private static List<string> Values(string folder, string table, string column, long from = 0) =>
        [.. Query(folder, $"SELECT hex(\"{column}\") FROM \"{table}\"" + (from > 0 ? FormattableString.Invariant($" WHERE entry_seq >= {from}") : "") + " ORDER BY 1").Select(row => row[0])];

#pragma warning disable CA2100 // The names come from the schema.
    private static List<string[]> Query(string folder, string sql)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(folder, "clinic.db"), Mode = SqliteOpenMode.ReadOnly }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<string[]>();
        while (reader.Read())
        {
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(at => reader.GetValue(at).ToString() ?? "")]);
        }

        return rows;
    }
#pragma warning restore CA2100
}
