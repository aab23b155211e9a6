using System.Diagnostics;
using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Verifier;

namespace Mangrove.Cli.Bench;

/// <summary>The whole log verified from its first entry, against the hashing alone of the same bytes.</summary>
internal sealed class VerifyBench : IBench
{
    // The verifier reads on one thread and checks on another; where the machine has both it is held to the higher ratio.
    private const double OneThread = 0.6;
    private const double TwoThreads = 1.0;

    // Issue 5: a million entries in under 5 s.
    private const double OutsideSeconds = 5.0;

    public string Name => "verify";

    public string Work => "the whole audit log is verified";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var bench = await LogWork.Hospital(ground);
        await LogWork.Fill(bench, ground.Sizes.Entries, cancel);
        var hospital = await bench.Open(cancel);
        var entries = RawSqlite.Entries(LogWork.File(bench), ground.Sizes.Entries).ConvertAll(row => row[^1]);
        var rate = 0.0;
        var hashing = 0.0;
        var outside = 0.0;
        var keys = NoteKey.ReadAll(hospital.Vault.Review.PublicKey);
        var n = 0L;
        for (var round = 0; round <= ground.Sizes.Rounds; round++)
        {
            var report = await hospital.Vault.Review.Verify(null, cancel);
            if (!report.Ok)
            {
                throw new RefusedInput("bench.verify", $"The log that the bench wrote did not verify: {report.Problems[0].Code}.");
            }

            rate = Math.Max(rate, report.Entries / report.Seconds);
            n = report.Entries;
            var anchors = Anchor.ReadAll(System.Text.Encoding.UTF8.GetBytes(hospital.Vault.Review.Note().Note));
            var verdict = await LogVerification.Run(LogWork.File(bench), keys, anchors, [], LogVerification.SignaturesByDefault, TimeProvider.System, null, cancel);
            if (!verdict.Whole)
            {
                throw new RefusedInput("bench.verify", $"The log that the bench wrote did not verify elsewhere: {verdict.Findings[0].Code}.");
            }

            outside = Math.Max(outside, verdict.Entries / verdict.Seconds);
            hashing = Math.Max(hashing, Hash(entries));
        }

        return
        [
            BenchRow.ByRatio(Name, rate, "entries/s", hashing, Environment.ProcessorCount > 1 ? TwoThreads : OneThread, n, "n entries: chain, tree, signatures and patient index; reference: SHA-256 of each entry's bytes in memory, one thread"),
            BenchRow.AtMost(Name + ".offline", 1_000_000 / outside, "s a million", OutsideSeconds, n, "n entries: the same log, copied with its write-ahead log and judged by the stand-alone verifier, limits and characters of every text too; signatures one by one up to 2,048", hashing > 0 ? 1_000_000 / hashing : null),
        ];
    }

    private static double Hash(List<byte[]> entries)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var started = Stopwatch.GetTimestamp();
        foreach (var entry in entries)
        {
            SHA256.HashData(entry, hash);
        }

        return entries.Count / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
