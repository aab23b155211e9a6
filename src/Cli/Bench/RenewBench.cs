using System.Diagnostics;
using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Cli.Bench;

/// <summary>
/// Every patient gets a new key and every sealed field is sealed anew and stored, while a doctor reads charts. The reference
/// opens and seals envelopes of the same lengths on every processor, with keys that are at hand and without a database.
/// </summary>
internal sealed class RenewBench : IBench
{
    public string Name => "renew";

    public string Work => "every patient's key is changed and every field sealed anew";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var sample = await ground.Sample(ground.Sizes.Patients[0]);
        var hospital = await sample.OpenWhole(cancel);
        var admin = await sample.Actor(Role.Admin, cancel);
        var lengths = await Lengths(hospital, cancel);

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var doctor = await sample.Actor(Role.Doctor, cancel);
        var patients = await OpenBench.InCare(hospital, cancel);
        var reading = Read((n, token) => OpenBench.ThroughTheDoor(hospital, doctor, patients[n % patients.Count], token), over.Token);
        var keys = hospital.Vault.Keys;
        var started = Stopwatch.GetTimestamp();
        _ = (await keys.RotatePatients(admin, cancel)).Value;
        var work = keys.Advance(cancel);
        var sealedAnew = TimeSpan.Zero;
        while (await Task.WhenAny(work, Task.Delay(20, cancel)) != work)
        {
            // What follows is the wait for acts of before and the second look through everything.
            if (sealedAnew == TimeSpan.Zero && await keys.PatientTurn(cancel) is { } turn && turn.Renewed >= lengths.Count)
            {
                sealedAnew = Stopwatch.GetElapsedTime(started);
            }
        }

        await work;
        var whole = Stopwatch.GetElapsedTime(started);
        await over.CancelAsync();
        var waits = await reading;
        waits.Sort();
        var seconds = (sealedAnew == TimeSpan.Zero ? whole : sealedAnew).TotalSeconds;
        var note = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"n fields, new keys included; with the wait for acts of before and the second look {whole.TotalSeconds:0.0} s; {waits.Count} times a doctor read 12 fields through the door meanwhile, half within {waits[waits.Count / 2]:0.0} ms, the longest {waits[^1]:0.0} ms; reference: envelopes of the same lengths opened and sealed without a database");
        return [BenchRow.ByRatio(Name, lengths.Count / seconds, "fields/s", Reference(lengths), 0.5, lengths.Count, note)];
    }

    private static async Task<List<int>> Lengths(Hospital hospital, CancellationToken cancel)
    {
        var tables = new SealedTables(hospital.Clinics);
        var lengths = new List<int>();
        foreach (var row in tables.Rows)
        {
            await foreach (var piece in tables.Read(row, 5_000, cancel))
            {
                lengths.AddRange(piece.SelectMany(one => one.Envelopes).OfType<byte[]>().Where(one => one.Length > 0).Select(one => one.Length));
            }
        }

        return lengths;
    }

    /// <summary>Milliseconds that each of one reader's acts took.</summary>
    private static Task<List<double>> Read(Func<int, CancellationToken, Task> act, CancellationToken over) => Task.Run(
        async () =>
        {
            var waits = new List<double>();
            while (!over.IsCancellationRequested)
            {
                var started = Stopwatch.GetTimestamp();
                await act(waits.Count, CancellationToken.None);
                waits.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            return waits;
        },
        CancellationToken.None);

    private static double Reference(List<int> lengths)
    {
        using var key = KeyMaterial.Generate();
        var (id, address) = (Ids.New(), new CellAddress(Ids.New(), "observation", "value", Ids.New(), Ids.New(), 1));
        var some = lengths.Take(100_000).Select(length => Envelope.Seal(new byte[Envelope.LongestContent(length)], key, id, 1, address, Padding.Padme)).ToList();
        var started = Stopwatch.GetTimestamp();
        Parallel.ForEach(System.Collections.Concurrent.Partitioner.Create(0, some.Count), range =>
        {
            for (var at = range.Item1; at < range.Item2; at++)
            {
                GC.KeepAlive(Envelope.Seal(Envelope.Open(some[at], key, address), key, id, 2, address, Padding.Padme));
            }
        });
        return some.Count / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
