using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Threading.Channels;
using Mangrove.Sealing;

namespace Mangrove.Vault.Audit;

/// <summary>
/// Judges a log. It shares no code with the writer except the hashes and signatures of Sealing, and needs no secret:
/// whoever has the public key and an anchor can run it elsewhere.
/// </summary>
/// <param name="log">Whose log it should be.</param>
/// <param name="key">The log's public key.</param>
/// <param name="clock">For the report's duration.</param>
internal sealed class AuditVerifier(LogIdentity log, CheckpointVerifier key, TimeProvider clock)
{
    // Chunks in flight between the reading and the checking thread.
    private const int Ahead = 8;

    /// <summary>Everything, from the first entry.</summary>
    /// <param name="source">The log.</param>
    /// <param name="anchors">Checkpoints kept outside the log.</param>
    /// <param name="roots">What others kept of it, whose signatures the caller has checked.</param>
    /// <param name="progress">Told the number of entries walked, now and then.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<VerifyReport> Full(
        AuditSource source, IReadOnlyList<Checkpoint> anchors, IReadOnlyList<KeptRoot> roots, IProgress<long>? progress, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        var problems = new Problems();
        foreach (var difference in source.SchemaDifferences())
        {
            problems.Add("audit.schema", null, difference);
        }

        if (source.Identity() != log)
        {
            problems.Add("audit.identity", null, "the log does not say that it is this hospital's log");
        }

        var named = new PairSum();
        var replay = new Replay(log, key, problems) { OnPatient = named.Add };
        source.Start(long.MinValue, long.MaxValue);
        await Walk(source, replay, progress, cancellation);
        replay.Finish();

        var listed = new PairSum(named);
        source.Patients(listed.Add);
        if (!listed.Agrees(named))
        {
            ComparePatients(source, problems, cancellation);
        }

        foreach (var anchor in anchors)
        {
            CheckAnchor(source, anchor, replay.Sequence, problems);
        }

        foreach (var root in roots)
        {
            CheckRoot(source, root, replay.Sequence, problems);
        }

        return new VerifyReport(
            replay.Entries,
            Convert.ToHexStringLower(replay.Head),
            replay.Covered,
            Convert.ToHexStringLower(replay.Root()),
            replay.Checkpoints,
            anchors.Count + roots.Count,
            clock.GetElapsedTime(started).TotalSeconds,
            problems.Found);
    }

    /// <summary>
    /// What a start checks: that the log still contains the anchor, that everything since is whole and signed, and some
    /// stretches of older entries drawn at random. Costs as much as there is since the anchor.
    /// </summary>
    /// <param name="source">The log.</param>
    /// <param name="anchor">The newest checkpoint known outside the log, or null.</param>
    /// <param name="sampling">How long to go on drawing older stretches.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<Tail> Recent(AuditSource source, Checkpoint? anchor, TimeSpan sampling, CancellationToken cancellation)
    {
        var problems = new Problems();
        var last = source.LastSequence();
        if (anchor is not null && !CheckAnchor(source, anchor, last, problems))
        {
            return new Tail(problems.Found, null, null);
        }

        // Without an anchor nothing vouches for the past; the last stretch is checked for what it can say.
        var from = anchor is not null ? source.CheckpointAt(anchor.Size) : source.CheckpointBelow(last - UnanchoredTail);
        if (StartAt(from, problems) is not { } replay)
        {
            return new Tail(problems.Found, null, null);
        }

        source.Start(replay.Sequence, long.MaxValue);
        await Walk(source, replay, null, cancellation);
        replay.Finish();
        if (problems.Found.Count == 0)
        {
            await Sample(source, from?.Size ?? 0, sampling, problems, cancellation);
        }

        return new Tail(problems.Found, replay.Newest, replay.Newest is null ? null : MerkleFrontier.From(source.CheckpointAt(replay.Newest.Size)!.Frontier));
    }

    /// <summary>How far back a start looks in a log that has no anchor, in entries.</summary>
    private const long UnanchoredTail = 50_000;

    private async Task Sample(
        AuditSource source, long below, TimeSpan sampling, Problems problems, CancellationToken cancellation)
    {
        // One in a hundred, in stretches from a signed checkpoint on, as long as the time allows.
        var started = clock.GetTimestamp();
        long wanted = below / 100, seen = 0;
        while (seen < wanted && clock.GetElapsedTime(started) < sampling && problems.Found.Count == 0)
        {
            var place = RandomBelow(below);
            var from = source.CheckpointBelow(place);
            if (StartAt(from, problems) is not { } replay)
            {
                return;
            }

            source.Start(replay.Sequence, Math.Min(below, replay.Sequence + EntryChunk.Capacity));
            await Walk(source, replay, null, cancellation);
            seen += Math.Max(replay.Entries, 1);
        }
    }

    private static long RandomBelow(long limit)
    {
        Span<byte> random = stackalloc byte[8];
        RandomNumberGenerator.Fill(random);
        return (long)(BinaryPrimitives.ReadUInt64LittleEndian(random) % (ulong)limit);
    }

    private Replay? StartAt(CheckpointRow? row, Problems problems)
    {
        if (row is null)
        {
            return new Replay(log, key, problems);
        }

        try
        {
            var frontier = MerkleFrontier.From(row.Frontier);
            if (Checkpoint.TryParse(row.Signed, out var checkpoint) && checkpoint.Size == row.Size && frontier.Size == row.Size
                && checkpoint.Facility == log.Facility && checkpoint.LogId == log.Log
                && key.Verify(checkpoint.Body, checkpoint.Signature.Span)
                && checkpoint.Root.Span.SequenceEqual(frontier.Root()))
            {
                return new Replay(log, key, problems, checkpoint, frontier);
            }
        }
        catch (SealBroken)
        {
            // Reported below: the frontier is not one.
        }

        problems.Add("audit.checkpoint", row.Size, "a checkpoint to start from is damaged or not signed by this hospital's log key");
        return null;
    }

    private bool CheckAnchor(AuditSource source, Checkpoint anchor, long last, Problems problems)
    {
        if (anchor.Facility != log.Facility || anchor.LogId != log.Log || !key.Verify(anchor.Body, anchor.Signature.Span))
        {
            problems.Add("audit.anchor", anchor.Size, "the anchor is not a checkpoint of this log signed by this hospital's log key");
            return false;
        }

        if (last < anchor.Size)
        {
            problems.Add("audit.rolled-back", anchor.Size, string.Create(
                CultureInfo.InvariantCulture, $"the log had {anchor.Size} entries when it was anchored and now ends at {last}"));
            return false;
        }

        if (source.CheckpointAt(anchor.Size) is not { } row || !Checkpoint.TryParse(row.Signed, out var stored)
            || !stored.Body.SequenceEqual(anchor.Body))
        {
            problems.Add("audit.rolled-back", anchor.Size, "the log does not contain the checkpoint that was anchored: it went back and grew differently");
            return false;
        }

        return true;
    }

    private static void CheckRoot(AuditSource source, KeptRoot kept, long last, Problems problems)
    {
        if (!kept.Proven)
        {
            problems.Add("audit.witness-unproven", null, $"{kept.Where} is not signed by the backup key of this hospital: it was changed or damaged, or the keys here are older than it");
        }
        else if (last < kept.Size)
        {
            problems.Add("audit.rolled-back", kept.Size, string.Create(CultureInfo.InvariantCulture, $"the log had {kept.Size} entries by {kept.Where} and now ends at {last}"));
        }
        else if (source.CheckpointAt(kept.Size) is not { } row || !Checkpoint.TryParse(row.Signed, out var stored)
            || !Convert.ToHexStringLower(stored.Root.Span).Equals(kept.Root, StringComparison.Ordinal))
        {
            problems.Add("audit.rolled-back", kept.Size, $"the log does not have the root that {kept.Where} says it had: it went back and grew differently");
        }
    }

    private static async Task Walk(AuditSource source, Replay replay, IProgress<long>? progress, CancellationToken cancellation)
    {
        var chunk = new EntryChunk();
        if (!source.Fill(chunk))
        {
            return;
        }

        if (!chunk.IsFull)
        {
            // The whole log fits: a second thread would only cost.
            do
            {
                chunk.Hash();
                replay.Walk(chunk);
            }
            while (source.Fill(chunk));
            return;
        }

        var full = Channel.CreateBounded<EntryChunk>(Ahead);
        var empty = Channel.CreateUnbounded<EntryChunk>();
        for (var spare = 0; spare < Ahead; spare++)
        {
            empty.Writer.TryWrite(new EntryChunk());
        }

        var checking = Task.Run(
            async () =>
            {
                try
                {
                    await foreach (var next in full.Reader.ReadAllAsync(cancellation))
                    {
                        replay.Walk(next);
                        progress?.Report(replay.Entries);
                        empty.Writer.TryWrite(next);
                    }
                }
                finally
                {
                    // Wakes the reading thread if this one gives up.
                    full.Writer.TryComplete();
                    empty.Writer.TryComplete();
                }
            },
            cancellation);
        try
        {
            do
            {
                chunk.Hash();
                await full.Writer.WriteAsync(chunk, cancellation);
                chunk = await empty.Reader.ReadAsync(cancellation);
            }
            while (source.Fill(chunk));
        }
        catch (ChannelClosedException)
        {
            // The checking thread says why, below.
        }
        finally
        {
            full.Writer.TryComplete();
            await checking;
        }
    }

    // Only when the sums differ: holds every pair in memory to say which ones are wrong.
    private static void ComparePatients(AuditSource source, Problems problems, CancellationToken cancellation)
    {
        var named = new HashSet<(UInt128, long)>();
        var chunk = new EntryChunk();
        source.Start(long.MinValue, long.MaxValue);
        while (source.Fill(chunk))
        {
            cancellation.ThrowIfCancellationRequested();
            for (var index = 0; index < chunk.Count; index++)
            {
                ref readonly var row = ref chunk[index];
                if (EntryParser.TryParse(chunk.Bytes(row.Body), out var entry))
                {
                    for (var at = 0; at < entry.Patients.Length; at += 16)
                    {
                        named.Add((BinaryPrimitives.ReadUInt128BigEndian(entry.Patients[at..]), row.Seq));
                    }
                }
            }
        }

        source.Patients((patient, seq) =>
        {
            if (patient.Length != 16 || !named.Remove((BinaryPrimitives.ReadUInt128BigEndian(patient), seq)))
            {
                problems.Add("audit.patient-extra", seq, "the lookup by patient lists an entry that does not name the patient");
            }
        });
        foreach (var (_, seq) in named)
        {
            problems.Add("audit.patient-missing", seq, "the lookup by patient lacks an entry that names the patient");
        }
    }

    /// <summary>What a start found, and where the log stands.</summary>
    public sealed record Tail(IReadOnlyList<VerifyProblem> Problems, Checkpoint? Newest, MerkleFrontier? Frontier);

    /// <summary>
    /// A sum over pairs of patient and sequence number that does not depend on their order: both sides are equal exactly
    /// when their sums are, but for one chance in 2^64, since the key of the hash is drawn anew for each pass and nobody
    /// can prepare a table for it.
    /// </summary>
    private sealed class PairSum
    {
        private readonly ulong key0;
        private readonly ulong key1;
        private ulong sum;
        private long count;

        public PairSum()
        {
            Span<byte> key = stackalloc byte[16];
            RandomNumberGenerator.Fill(key);
            key0 = BinaryPrimitives.ReadUInt64LittleEndian(key);
            key1 = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]);
        }

        public PairSum(PairSum sameKey) => (key0, key1) = (sameKey.key0, sameKey.key1);

        public void Add(ReadOnlySpan<byte> patient, long seq)
        {
            count++;
            unchecked
            {
                sum += patient.Length == 16
                    ? SipHash(BinaryPrimitives.ReadUInt64LittleEndian(patient), BinaryPrimitives.ReadUInt64LittleEndian(patient[8..]), (ulong)seq)
                    : 1;
            }
        }

        public bool Agrees(PairSum other) => sum == other.sum && count == other.count;

        // SipHash-2-4 (Aumasson, Bernstein 2012) of exactly 24 bytes.
        private ulong SipHash(ulong first, ulong second, ulong third)
        {
            unchecked
            {
                ulong v0 = key0 ^ 0x736f6d6570736575, v1 = key1 ^ 0x646f72616e646f6d;
                ulong v2 = key0 ^ 0x6c7967656e657261, v3 = key1 ^ 0x7465646279746573;
                foreach (var word in (ReadOnlySpan<ulong>)[first, second, third, 24UL << 56])
                {
                    v3 ^= word;
                    Round(ref v0, ref v1, ref v2, ref v3);
                    Round(ref v0, ref v1, ref v2, ref v3);
                    v0 ^= word;
                }

                v2 ^= 0xff;
                for (var round = 0; round < 4; round++)
                {
                    Round(ref v0, ref v1, ref v2, ref v3);
                }

                return v0 ^ v1 ^ v2 ^ v3;
            }
        }

        private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
        {
            unchecked
            {
                v0 += v1;
                v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
                v0 = BitOperations.RotateLeft(v0, 32);
                v2 += v3;
                v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
                v0 += v3;
                v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
                v2 += v1;
                v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
                v2 = BitOperations.RotateLeft(v2, 32);
            }
        }
    }
}
