using System.Diagnostics;

namespace Mangrove.Cli.Bench;

/// <summary>The patient index built at start, against the decryption alone of the fields that it is built from.</summary>
internal sealed class IndexBench : IBench
{
    private const int MostRounds = 2;

    public string Name => "index";

    public string Work => "the patient index is built";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var decrypting = Decrypting(ground);
        var rows = new List<BenchRow>();
        foreach (var size in ground.Sizes.Patients)
        {
            var bench = await ground.Sample(size);
            var best = 0.0;
            for (var round = 0; round < Math.Min(MostRounds, ground.Sizes.Rounds); round++)
            {
                await bench.Close();
                var hospital = await bench.Open(cancel);
                var started = Stopwatch.GetTimestamp();
                await hospital.Indexing.WaitAsync(cancel);
                best = Math.Max(best, hospital.Vault.IndexedPatients / Stopwatch.GetElapsedTime(started).TotalSeconds);
            }

            rows.Add(BenchRow.ByRatio(Name, best, "patients/s", decrypting, 0.7, size, "n patients, from the opened hospital to the whole index; reference: key unwrapped and copies of the same three fields opened, one thread"));
        }

        return rows;
    }

    private static double Decrypting(BenchGround ground)
    {
        using var copies = new SealedCopies();
        var people = ground.People.People(Math.Min(ground.Sizes.Sample, ground.Sizes.Patients[0])).Select(copies.Seal).ToArray();
        var best = 0.0;
        for (var round = 0; round <= ground.Sizes.Rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            foreach (var person in people)
            {
                person.Open(static (_, plain) => GC.KeepAlive(plain));
            }

            best = Math.Max(best, people.Length / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return best;
    }
}
