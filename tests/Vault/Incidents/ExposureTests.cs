using System.Diagnostics;
using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Tests.Vault.Audit;
using Mangrove.Vault.Audit;

namespace Mangrove.Tests.Vault.Incidents;

/// <summary>Whose records were opened: the answer of the log against an oracle that reads every entry, one after the other.</summary>
public sealed class ExposureTests
{
    private static readonly string[] Devices = ["ER-Tablet-03", "Ward-3-Tablet-07", "address:10.0.0.7", "Front-Desk-01", "er-tablet-033"];
    private static readonly string[] Fields = ["name", "born", "phone", "diagnosis", "medications", "allergies", "notes"];

    [Fact]
    public async Task On_SQLite_the_answer_is_that_of_an_oracle_over_every_entry()
    {
        await using var home = new SqliteHome();
        await Compare(home, 20_000);
    }

    [Fact]
    public async Task On_PostgreSQL_the_answer_is_that_of_an_oracle_over_every_entry()
    {
        await using var home = await PostgresHome.Create();
        await Compare(home, 5_000);
    }

    [Fact]
    public async Task An_answer_that_is_too_long_is_refused_and_says_what_to_do()
    {
        await using var home = new SqliteHome();
        await using var log = await home.Open();
        await Fill(log, 400, new Draws(5));
        var all = new ExposureQuestion { Actor = "staff1", Since = DateTimeOffset.UnixEpoch, Until = DateTimeOffset.MaxValue };
        var refused = await Assert.ThrowsAsync<RefusedInput>(() => log.Expose(all, 3, default));
        Assert.Equal("incident.too-much", refused.Code);
        Assert.Contains("shorter time", refused.Message, StringComparison.Ordinal);
        Assert.Empty((await log.Expose(all with { Since = DateTimeOffset.MaxValue.AddDays(-1) }, 3, default)).Patients);
    }

    [Fact]
    public async Task Ten_million_entries_answer_within_ten_seconds()
    {
        // The whole measure takes minutes to prepare; every run of the suite asks a fortieth of it, in half of the time.
        var full = SharedData.Full;
        var entries = full ? 10_000_000 : 250_000;
        await using var home = new SqliteHome();
        var (first, last) = await Generated(home, entries);
        await using var log = await home.Open(new AuditOptions());
        foreach (var question in (ExposureQuestion[])[new() { Actor = "staff3", Since = first, Until = last }, new() { Device = "Ward-3-Tablet-07", Since = first, Until = last }])
        {
            var started = Stopwatch.GetTimestamp();
            var answer = await log.Expose(question, ExposureQuestion.MostRows, default);
            var took = Stopwatch.GetElapsedTime(started);
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{entries:#,##0} entries, {question.InWords}: {answer.Count} patients, {answer.Acts} acts in {took.TotalSeconds:0.00} s"));
            Assert.True(answer.Acts > entries / 100);
            Assert.True(took < TimeSpan.FromSeconds(full ? 10 : 5), string.Create(CultureInfo.InvariantCulture, $"{took.TotalSeconds:0.0} s"));
            Assert.Equal(await Oracle(log, question), Lines(answer));
        }
    }

    private static async Task Compare(AuditHome home, int entries)
    {
        await using var log = await home.Open();
        var patients = await Fill(log, entries, new Draws(17));
        List<DateTimeOffset> times = [];
        await foreach (var entry in log.List(new AuditFilter { NewestFirst = false }))
        {
            times.Add(entry.Timestamp);
        }

        var (first, middle, last) = (times[0], times[times.Count / 2], times[^1].AddMilliseconds(1));
        ExposureQuestion[] questions =
        [
            new() { Actor = "staff1", Since = first, Until = last },
            new() { Actor = "staff1", Since = middle, Until = last },
            new() { Actor = "service:lab-bridge", Since = first, Until = last },
            new() { Device = "ER-Tablet-03", Since = first, Until = last },
            new() { Device = "10.0.0.7", Since = first, Until = middle },
            new() { Patient = patients[3], Since = first, Until = last },
            new() { Patient = patients[3], Actor = "staff2", Device = "front-desk-01", Since = first, Until = last },
            new() { Actor = "nobody", Since = first, Until = last },
        ];
        foreach (var question in questions)
        {
            var answer = await log.Expose(question, ExposureQuestion.MostRows, default);
            var oracle = await Oracle(log, question);
            Assert.Equal(oracle, Lines(answer));
            Assert.Equal(question.Actor == "nobody", oracle.Count == 0);
        }
    }

    private static async Task<List<Guid>> Fill(AuditLog log, int entries, Draws draws)
    {
        var patients = Enumerable.Range(0, 60).Select(_ => Ids.New()).ToList();
        var some = new List<Task>();
        for (var entry = 0; entry < entries; entry++)
        {
            some.Add(log.Append(Draft(draws, patients)).AsTask());
            if (some.Count == 500)
            {
                await Task.WhenAll(some);
                some.Clear();
            }
        }

        await Task.WhenAll(some);
        return patients;
    }

    private static AuditDraft Draft(Draws draws, List<Guid> patients)
    {
        var kind = draws.Next(20);
        return new AuditDraft
        {
            Actor = draws.Next(20) == 0 ? "service:lab-bridge" : FormattableString.Invariant($"staff{draws.Next(5)}"),
            StaffId = "S-0042",
            Action = kind == 1 ? "EXPORT_FHIR" : draws.Next(3) == 0 ? "EDIT_TRIAGE" : "VIEW_CHART",
            Resource = kind == 1 ? "patients:all" : "worklist:triage",
            Patients = kind < 4 ? [] : [.. Enumerable.Range(0, draws.Next(1, 5)).Select(_ => patients[draws.Next(patients.Count)])],
            FieldsAccessed = [.. Fields.Where(_ => draws.Next(3) == 0)],
            Device = Devices[draws.Next(Devices.Length)],
            SessionId = "sess_abc123",
            Purpose = "treatment",
            Outcome = draws.Next(10) switch { 0 => AuditOutcome.Refused, 1 => AuditOutcome.BreakGlass, _ => AuditOutcome.Allowed },
        };
    }

    // Nothing of the scan: the entries as the audit page lists them, one by one.
    private static async Task<List<string>> Oracle(AuditLog log, ExposureQuestion question)
    {
        var rows = new SortedDictionary<(Guid Patient, string Actor, string Device), (int Acts, DateTimeOffset First, DateTimeOffset Last, SortedSet<string> Actions, SortedSet<string> Fields)>(
            Comparer<(Guid Patient, string Actor, string Device)>.Create((one, other) => one.Patient != other.Patient ? one.Patient.CompareTo(other.Patient) : string.CompareOrdinal(one.Actor, other.Actor) is var by and not 0 ? by : string.CompareOrdinal(one.Device, other.Device)));
        var everybody = new List<string>();
        await foreach (var entry in log.List(new AuditFilter { NewestFirst = false }))
        {
            var here = question.Device is null || string.Equals(entry.Device, question.Device, StringComparison.OrdinalIgnoreCase) || entry.Device.EndsWith(":" + question.Device, StringComparison.OrdinalIgnoreCase);
            if (entry.Outcome == AuditOutcome.Refused || entry.Timestamp < question.Since || entry.Timestamp >= question.Until || !here || (question.Actor is not null && entry.Actor != question.Actor))
            {
                continue;
            }

            if (entry.Patients.Count == 0 && entry.Resource == "patients:all")
            {
                everybody.Add(FormattableString.Invariant($"{entry.Seq} {entry.Actor} {entry.Device} {entry.Action}"));
            }

            foreach (var patient in entry.Patients.Where(one => question.Patient is null || one == question.Patient))
            {
                var key = (patient, entry.Actor, entry.Device);
                (int Acts, DateTimeOffset First, DateTimeOffset Last, SortedSet<string> Actions, SortedSet<string> Fields) row = rows.TryGetValue(key, out var known) ? known : (0, entry.Timestamp, entry.Timestamp, new SortedSet<string>(StringComparer.Ordinal), new SortedSet<string>(StringComparer.Ordinal));
                row.Acts++;
                row.First = entry.Timestamp < row.First ? entry.Timestamp : row.First;
                row.Last = entry.Timestamp > row.Last ? entry.Timestamp : row.Last;
                row.Actions.Add(entry.Action);
                row.Fields.UnionWith(entry.FieldsAccessed);
                rows[key] = row;
            }
        }

        return [.. everybody, .. rows.Select(row => Line(row.Key.Patient, row.Key.Actor, row.Key.Device, row.Value.Acts, row.Value.First, row.Value.Last, row.Value.Actions, row.Value.Fields))];
    }

    private static List<string> Lines(Exposure answer) =>
    [
        .. answer.Everybody.Select(one => FormattableString.Invariant($"{one.Seq} {one.Actor} {one.Device} {one.Action}")),
        .. answer.Patients.Select(one => Line(one.Patient, one.Actor, one.Device, one.Acts, one.First, one.Last, one.Actions, one.Fields)),
    ];

    private static string Line(Guid patient, string actor, string device, int acts, DateTimeOffset first, DateTimeOffset last, IEnumerable<string> actions, IEnumerable<string> fields) =>
        FormattableString.Invariant($"{patient:N} {actor} {device} {acts} {first:O} {last:O} {string.Join(',', actions)} {string.Join(',', fields)}");

    /// <summary>A log of the wanted length through the log's own writer, without waiting for each entry.</summary>
    private static async Task<(DateTimeOffset First, DateTimeOffset Last)> Generated(SqliteHome home, int entries)
    {
        var draws = new Draws(29);
        var patients = Enumerable.Range(0, 20_000).Select(_ => Ids.New()).ToList();
        await using var log = await home.Open();
        var some = new List<Task>();
        for (var entry = 0; entry < entries; entry++)
        {
            some.Add(log.Append(Draft(draws, patients)).AsTask());
            if (some.Count == 2_000)
            {
                await Task.WhenAll(some);
                some.Clear();
            }
        }

        await Task.WhenAll(some);
        return (DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(300));
    }

    /// <summary>The same draws at every run (SplitMix64).</summary>
    private sealed class Draws(ulong seed)
    {
        private ulong state = seed;

        public int Next(int most) => Next(0, most);

        public int Next(int least, int most)
        {
            unchecked
            {
                state += 0x9E3779B97F4A7C15;
                var mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
                mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
                return least + (int)((mixed ^ (mixed >> 31)) % (ulong)(most - least));
            }
        }
    }
}
