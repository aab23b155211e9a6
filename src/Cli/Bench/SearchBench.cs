using System.Diagnostics;
using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;

namespace Mangrove.Cli.Bench;

/// <summary>
/// Searches through the door as the front desk makes them. The door looks into the index and hands the entry to the log
/// before it gives its task back, and the task ends when the entry is durable: the time to the first is the search in the
/// process, the time to the second is what a person waits for.
/// </summary>
internal sealed class SearchBench : IBench
{
    private const double TargetMilliseconds = 0.25;

    // A bench whose queries meet nobody would measure nothing.
    private const double LeastFound = 0.5;

    private static readonly (string Written, string Heard)[] Sounds = [("ph", "f"), ("ch", "sh"), ("ee", "i"), ("oo", "u"), ("th", "t"), ("ck", "k"), ("c", "k"), ("j", "g"), ("y", "i"), ("w", "v"), ("z", "s"), ("e", "i"), ("o", "u")];

    public string Name => "search";

    public string Work => "two-word, fuzzy and phonetic search";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var rows = new List<BenchRow>();
        foreach (var size in ground.Sizes.Patients)
        {
            var bench = await ground.Sample(size);
            var hospital = await bench.OpenWhole(cancel);
            var desk = await bench.Actor(Role.FrontDesk, cancel);
            rows.Add(await Kind("search.prefix", "beginnings of given and family name", Beginnings, ground, hospital, desk, size, cancel));
            rows.Add(await Kind("search.fuzzy", "whole name with two letters swapped", Swapped, ground, hospital, desk, size, cancel));
            rows.Add(await Kind("search.phonetic", "whole name as it sounds", Heard, ground, hospital, desk, size, cancel));
            if (size != ground.Sizes.Largest)
            {
                await bench.Close();
            }
        }

        return rows;
    }

    private static async Task<BenchRow> Kind(string name, string what, Func<string, string, string> write, BenchGround ground, Hospital hospital, Actor desk, int size, CancellationToken cancel)
    {
        // One person in a stride of the whole hospital, those with two names in letters of one alphabet.
        var queries = new List<string>();
        for (var at = 0L; queries.Count < ground.Sizes.Searches; at++)
        {
            var person = ground.People.At(at * 7919 % size);
            if (person.Name is { Family: { Length: > 4 } family, Given: [{ Length: > 2 } given, ..] })
            {
                queries.Add(write(given, family));
            }
        }

        Spread? search = null;
        Spread? waited = null;
        var found = 0;
        for (var round = 0; round <= ground.Sizes.Rounds; round++)
        {
            var inProcess = new List<TimeSpan>();
            var whole = new List<TimeSpan>();
            found = 0;
            foreach (var query in queries)
            {
                var asked = new PatientQuery(query);
                var started = Stopwatch.GetTimestamp();
                var pending = hospital.Vault.Door.Find(desk, asked, cancel);
                inProcess.Add(Stopwatch.GetElapsedTime(started));
                found += (await pending).Count > 0 ? 1 : 0;
                whole.Add(Stopwatch.GetElapsedTime(started));
            }

            var spread = Spread.Of(inProcess);
            if (round > 0 && (search is null || spread.P99 < search.P99))
            {
                search = spread;
                waited = Spread.Of(whole);
            }
        }

        if (found < queries.Count * LeastFound)
        {
            throw new RefusedInput("bench.search", $"Only {found} of {queries.Count} searches of {name} found anybody; the figure would say nothing.");
        }

        return BenchRow.AtMost(
            name,
            search!.P99,
            "ms",
            TargetMilliseconds,
            size,
            string.Create(CultureInfo.InvariantCulture, $"n patients, {what}; p99 in the process; with the durable entry of the search p50 {waited!.P50:0.00} ms, p99 {waited.P99:0.00} ms; {found} of {queries.Count} found somebody"),
            spread: search);
    }

    private static string Beginnings(string given, string family) => $"{given[..3]} {family[..4]}";

    private static string Swapped(string given, string family) => $"{given} {family[..2]}{family[3]}{family[2]}{family[4..]}";

    private static string Heard(string given, string family)
    {
        var lower = family.ToLowerInvariant();
        foreach (var (written, heard) in Sounds)
        {
            // The first letter stays: nobody mishears it as often.
            var at = lower.IndexOf(written, 1, StringComparison.Ordinal);
            if (at > 0)
            {
                return $"{given} {lower[..at]}{heard}{lower[(at + written.Length)..]}";
            }
        }

        return $"{given} {lower}{lower[^1]}";
    }
}
