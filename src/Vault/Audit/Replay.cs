using System.Globalization;
using Mangrove.Sealing;

namespace Mangrove.Vault.Audit;

/// <summary>
/// Walks entries and checkpoints in order and recomputes everything: the verifier's heart, for a full pass from nothing
/// and for a tail from a checkpoint. After a finding it goes on from what the rows say, so that one change is one
/// finding and not one for every later row.
/// </summary>
internal sealed class Replay
{
    private readonly LogIdentity log;
    private readonly CheckpointVerifier key;
    private readonly Problems problems;
    private readonly MerkleFrontier tree;
    private readonly HashSet<Guid> boots = [];
    private readonly byte[] head = new byte[32];
    private readonly byte[] link = new byte[32];
    private Guid boot;
    private bool rootsAgree = true;
    private bool linkKnown = true;

    /// <summary>From nothing.</summary>
    public Replay(LogIdentity log, CheckpointVerifier key, Problems problems)
    {
        this.log = log;
        this.key = key;
        this.problems = problems;
        tree = new MerkleFrontier();
    }

    /// <summary>From a checkpoint that has been verified, with the frontier whose root it signed.</summary>
    public Replay(LogIdentity log, CheckpointVerifier key, Problems problems, Checkpoint from, MerkleFrontier frontier)
        : this(log, key, problems)
    {
        tree = frontier;
        Sequence = from.Size;
        Covered = from.Size;
        Newest = from;
        from.Head.CopyTo(head);
        from.Link().CopyTo(link.AsSpan());
    }

    /// <summary>Sequence number of the last entry walked.</summary>
    public long Sequence { get; private set; }

    /// <summary>Size of the last checkpoint walked.</summary>
    public long Covered { get; private set; }

    public long Entries { get; private set; }

    public long Checkpoints { get; private set; }

    /// <summary>The last checkpoint that could be read. Its signature is checked by <see cref="Finish"/>.</summary>
    public Checkpoint? Newest { get; private set; }

    public ReadOnlySpan<byte> Head => head;

    /// <summary>Called for each patient that an entry names.</summary>
    public AuditSource.PatientRow? OnPatient { get; init; }

    /// <summary>
    /// How many signatures to check one by one. Every checkpoint carries the running hash of all before it, so the last
    /// signature vouches for the others; checking each as well costs a hundred hashes apiece.
    /// </summary>
    public int SignaturesToCheck { get; init; } = 256;

    public byte[] Root() => tree.Root();

    /// <summary>Walks a chunk whose rows have been hashed.</summary>
    public void Walk(EntryChunk chunk)
    {
        var checkpoint = 0;
        for (var index = 0; index < chunk.Count; index++)
        {
            // A checkpoint of a size that no entry has stands before the next larger entry.
            ref readonly var row = ref chunk[index];
            while (checkpoint < chunk.Checkpoints.Count && chunk.Checkpoints[checkpoint].Size < row.Seq)
            {
                Check(chunk.Checkpoints[checkpoint++]);
            }

            Check(chunk, in row, chunk.Leaf(index));
        }

        while (checkpoint < chunk.Checkpoints.Count)
        {
            Check(chunk.Checkpoints[checkpoint++]);
        }
    }

    /// <summary>Checks what can be said only at the end: the newest signature, and that it covers every entry.</summary>
    public void Finish()
    {
        if (Newest is not null && !key.Verify(Newest.Body, Newest.Signature.Span))
        {
            problems.Add("audit.checkpoint-signature", Newest.Size, "the newest checkpoint is not signed by this hospital's log key");
        }

        if (Covered != Sequence)
        {
            problems.Add("audit.uncovered", Sequence, string.Create(
                CultureInfo.InvariantCulture, $"the last checkpoint covers {Covered} entries, the log has entries up to {Sequence}"));
        }
    }

    private void Check(EntryChunk chunk, in EntryChunk.Row row, ReadOnlySpan<byte> computed)
    {
        Entries++;
        if (row.Seq != Sequence + 1)
        {
            problems.Add("audit.sequence", row.Seq, string.Create(
                CultureInfo.InvariantCulture, $"entry {row.Seq} stands where {Sequence + 1} belongs"));
        }

        Sequence = row.Seq;
        var body = chunk.Bytes(row.Body);
        if (!chunk.Bytes(row.Hash).SequenceEqual(computed))
        {
            problems.Add("audit.hash", row.Seq, "the entry's bytes do not have the hash that stands beside them");
        }

        if (!EntryParser.TryParse(body, out var entry))
        {
            problems.Add("audit.body", row.Seq, "the entry's bytes are not an entry");
        }
        else
        {
            Check(chunk, in row, in entry);
        }

        computed.CopyTo(head);
        tree.Append(computed);
    }

    private void Check(EntryChunk chunk, in EntryChunk.Row row, in EntryParser entry)
    {
        if (entry.Facility != log.Facility || entry.Log != log.Log)
        {
            problems.Add("audit.foreign", row.Seq, "the entry belongs to another hospital or another log");
        }

        if (!entry.Previous.SequenceEqual(head))
        {
            problems.Add("audit.chain", row.Seq, "the entry does not follow the one before it");
        }

        if (entry.Sequence != row.Seq || entry.UnixMilliseconds != row.At || entry.Outcome != row.Outcome
            || !entry.Actor.SequenceEqual(chunk.Bytes(row.Actor)) || !entry.Action.SequenceEqual(chunk.Bytes(row.Action)))
        {
            problems.Add("audit.column", row.Seq, "a column beside the entry says something else than the entry");
        }

        if (entry.Boot != boot)
        {
            boot = entry.Boot;
            if (!boots.Add(boot))
            {
                problems.Add("audit.boot", row.Seq, "a run of the server that had ended appears again");
            }
        }

        for (var at = 0; at < entry.Patients.Length; at += 16)
        {
            OnPatient?.Invoke(entry.Patients.Slice(at, 16), row.Seq);
        }
    }

    private void Check(CheckpointRow row)
    {
        Checkpoints++;
        if (!Checkpoint.TryParse(row.Signed, out var checkpoint))
        {
            // The running hash cannot be followed through it; the next checkpoint is taken at its word.
            problems.Add("audit.checkpoint", row.Size, "the checkpoint's bytes are not a checkpoint");
            linkKnown = false;
            return;
        }

        if (checkpoint.Facility != log.Facility || checkpoint.LogId != log.Log)
        {
            problems.Add("audit.checkpoint-foreign", row.Size, "the checkpoint belongs to another hospital or another log");
        }

        if (linkKnown && !checkpoint.Previous.Span.SequenceEqual(link))
        {
            problems.Add("audit.checkpoint-chain", row.Size, "the checkpoint does not follow the one before it");
        }

        if (Checkpoints <= SignaturesToCheck && !key.Verify(checkpoint.Body, checkpoint.Signature.Span))
        {
            problems.Add("audit.checkpoint-signature", row.Size, "the checkpoint is not signed by this hospital's log key");
        }

        checkpoint.Link().CopyTo(link.AsSpan());
        linkKnown = true;
        Newest = checkpoint;
        Covered = row.Size;
        if (checkpoint.Size != row.Size || row.Size != Sequence)
        {
            problems.Add("audit.checkpoint-size", row.Size, "the checkpoint does not stand at the size that it signs");
            return;
        }

        if (!checkpoint.Head.Span.SequenceEqual(head))
        {
            problems.Add("audit.checkpoint-head", row.Size, "the last entry is not the one that was signed");
        }

        // Once the tree differs it differs for good: the first place says where to look.
        if (rootsAgree && !checkpoint.Root.Span.SequenceEqual(tree.Root()))
        {
            rootsAgree = false;
            problems.Add("audit.root", row.Size, "the entries up to here are not the ones that were signed");
        }

        if (rootsAgree && !row.Frontier.AsSpan().SequenceEqual(tree.ToBytes()))
        {
            problems.Add("audit.frontier", row.Size, "the stored edge of the tree is not the tree's");
        }
    }
}

/// <summary>Collects findings up to a limit.</summary>
internal sealed class Problems
{
    private readonly List<VerifyProblem> found = [];

    public IReadOnlyList<VerifyProblem> Found => found;

    public void Add(string code, long? seq, string message)
    {
        if (found.Count < VerifyReport.MostProblems)
        {
            found.Add(new VerifyProblem(code, seq, message));
        }
    }
}
