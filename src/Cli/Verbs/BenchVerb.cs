using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.Bench;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;

namespace Mangrove.Cli.Verbs;

/// <summary>Measures this machine, on made-up hospitals in a temporary folder. Touches no hospital.</summary>
internal sealed class BenchVerb : OwnVerb
{
    private const int LeastPatients = 200;
    private const int MostPatients = 2_000_000;

    private static readonly IBench[] Benches =
    [
        new OpenBench(), new AppendBench(), new VerifyBench(), new SearchBench(), new IndexBench(), new ImportBench(), new BulkBench(), new ExportBench(), new BackupBench(), new BackupLoadBench(), new RenewBench(), new HttpBench(), new StartBench(), new MemoryBench(),
    ];

    private readonly Option<string?> only = new("--only") { Description = $"Only these, with commas: {string.Join(", ", Benches.Select(bench => bench.Name))}.", HelpName = "NAMES" };
    private readonly Option<int?> patients = new("--patients") { Description = "Patients of the sample hospital. 100000 when left out.", HelpName = "N" };
    private readonly Option<bool> quick = new("--quick") { Description = "Small numbers, to see that every bench runs. The figures say little." };
    private readonly Option<bool> full = new("--full") { Description = "Also a million patients and a million entries; takes about half an hour." };
    private readonly Option<string?> synthea = new("--synthea") { Description = "The FHIR set to import: a file, folder or archive. When left out, the one under MANGROVE_SHARED, or an export of made-up patients.", HelpName = "PATH" };
    private readonly Option<string?> jsonOut = new("--json-out") { Description = "Write the rows as JSON into this file too.", HelpName = "FILE" };
    private readonly Option<string?> work = new("--work") { Description = "Where the temporary folder is made; its disk is what is measured. The system's own place for such files when left out.", HelpName = "DIR" };

    public BenchVerb()
        : base("bench", "Measure this machine: each figure with its reference of the same run and its target.")
    {
        // It works on hospitals of its own making, never on one that is there.
        Command.Options.Remove(Common.Data);
        Add(only, patients, quick, full, synthea, jsonOut, work);
    }

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var chosen = Chosen(arguments.GetValue(only));
        var sizes = Sizes(arguments);
        var set = arguments.GetValue(synthea) is { } path ? call.Full(path) : null;
        if (set is not null && !File.Exists(set) && !Directory.Exists(set))
        {
            throw new RefusedInput("bench.synthea", "The FHIR set named with --synthea does not exist. Name a file, folder or archive.");
        }

        var folder = Folder(arguments.GetValue(work) is { } place ? call.Full(place) : Path.GetTempPath());
        var others = Machine.Load();
        var rows = new List<BenchRow>();
        string machine;
        await using (var ground = new BenchGround(folder, sizes, set, clock, call.Say))
        {
            machine = Machine.Describe(folder, others);
            foreach (var bench in chosen)
            {
                cancel.ThrowIfCancellationRequested();
                call.Say($"{bench.Name}: {bench.Work}");
                var started = clock.GetTimestamp();
                var found = await bench.Run(ground, cancel);
                rows.AddRange(found);
                foreach (var row in found)
                {
                    call.Say($"  {BenchTable.Line(row)}");
                }

                call.Say(string.Create(CultureInfo.InvariantCulture, $"  {clock.GetElapsedTime(started).TotalSeconds:0.0} s"));
            }
        }

        var json = BenchTable.Json(rows, machine);
        if (arguments.GetValue(jsonOut) is { } file)
        {
            await File.WriteAllBytesAsync(call.Full(file), BenchTable.File(json), cancel);
        }

        return new Answer(json, BenchTable.Text(rows, machine));
    }

    private static IBench[] Chosen(string? names)
    {
        if (names is null)
        {
            return Benches;
        }

        var wanted = names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var unknown = wanted.Where(name => Benches.All(bench => bench.Name != name)).ToArray();
        return wanted.Length > 0 && unknown.Length == 0
            ? [.. Benches.Where(bench => wanted.Contains(bench.Name, StringComparer.Ordinal))]
            : throw new RefusedInput("bench.unknown", $"No bench is called {string.Join(", ", unknown)}. Name some of: {string.Join(", ", Benches.Select(bench => bench.Name))}.");
    }

    private BenchSizes Sizes(ParseResult arguments)
    {
        if (arguments.GetValue(quick) && arguments.GetValue(full))
        {
            throw new RefusedInput("bench.sizes", "Choose one of --quick and --full.");
        }

        var sizes = arguments.GetValue(quick) ? BenchSizes.Quick : arguments.GetValue(full) ? BenchSizes.Full : BenchSizes.Usual;
        return arguments.GetValue(patients) switch
        {
            null => sizes,
            >= LeastPatients and <= MostPatients and var count => sizes with { Patients = [count] },
            _ => throw new RefusedInput("bench.patients", $"Give a number of patients from {LeastPatients} to {MostPatients}."),
        };
    }

    private static string Folder(string under)
    {
        try
        {
            Directory.CreateDirectory(under);
            var folder = Path.Combine(under, $"mangrove-bench-{Ids.New():N}");
            Directory.CreateDirectory(folder);
            return folder;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RefusedInput("bench.work", "The temporary folder cannot be made. Name another place with --work.");
        }
    }
}
