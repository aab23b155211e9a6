using System.Globalization;

namespace Mangrove.Verifier;

/// <summary>
/// Goes through entries and checkpoints in their order and computes everything anew. After a finding it goes on from what
/// the row says, so that one change is one finding and not one for each later row.
/// </summary>
internal sealed class LogWalk
{
    private readonly byte[] facility;
    private readonly byte[] log;
    private readonly FindingList findings;
    private readonly SignatureChecks signatures;
    private readonly HashTree tree = new();
    private readonly HashSet<UInt128> endedBoots = [];
    private readonly Dictionary<long, (byte[] Root, long? Time)> marks;
    private readonly List<(UInt128 Patient, long Seq)> named = [];
    private readonly byte[] head = new byte[32];
    private readonly byte[] link = new byte[32];
    private UInt128? boot;
    private bool linkKnown = true;
    private bool rootsAgree = true;
    private CheckpointBytes? newest;

    /// <param name="facility">The hospital that the key's name says.</param>
    /// <param name="log">The log that the key's name says.</param>
    /// <param name="marks">Sizes at which root and time are asked for; filled on the way.</param>
    public LogWalk(byte[] facility, byte[] log, IEnumerable<long> marks, FindingList findings, SignatureChecks signatures)
    {
        this.facility = facility;
        this.log = log;
        this.findings = findings;
        this.signatures = signatures;
        this.marks = marks.Distinct().ToDictionary(size => size, _ => (Array.Empty<byte>(), (long?)null));
    }

    public long Entries { get; private set; }

    public long Checkpoints { get; private set; }

    /// <summary>Number of the last entry walked.</summary>
    public long Last { get; private set; }

    /// <summary>Size of the last checkpoint.</summary>
    public long Covered { get; private set; }

    public ReadOnlySpan<byte> Head => head;

    /// <summary>Patient and number of every entry that names one, in the order of the entries.</summary>
    public List<(UInt128 Patient, long Seq)> Named => named;

    public byte[] Root() => tree.Root();

    /// <summary>Root of the first entries as computed here, and time of the checkpoint of that size; null where no checkpoint stands.</summary>
    public (byte[] Root, long Time)? Mark(long size) => marks.TryGetValue(size, out var mark) && mark.Time is { } time ? (mark.Root, time) : null;

    public void Take(RowChunk chunk)
    {
        var next = 0;
        for (var index = 0; index < chunk.Count; index++)
        {
            while (next < chunk.Checkpoints.Count && chunk.Checkpoints[next].Size < chunk[index].Seq)
            {
                Take(chunk.Checkpoints[next++]);
            }

            Take(chunk, index);
        }

        while (next < chunk.Checkpoints.Count)
        {
            Take(chunk.Checkpoints[next++]);
        }
    }

    /// <summary>What can be said only at the end.</summary>
    public void End()
    {
        if (newest is not null)
        {
            signatures.Newest(newest);
        }

        if (Covered != Last)
        {
            findings.Add("audit.uncovered", Last, string.Create(CultureInfo.InvariantCulture, $"the last checkpoint covers {Covered} entries, the log has entries up to {Last}"));
        }
    }

    private void Take(RowChunk chunk, int index)
    {
        ref readonly var row = ref chunk[index];
        Entries++;
        if (row.Seq != Last + 1)
        {
            findings.Add("audit.sequence", row.Seq, string.Create(CultureInfo.InvariantCulture, $"entry {row.Seq} stands where {Last + 1} belongs"));
        }

        Last = row.Seq;
        var leaf = chunk.Leaf(index);
        if (!chunk.Bytes(row.Hash).SequenceEqual(leaf))
        {
            findings.Add("audit.hash", row.Seq, "the entry's bytes do not have the hash that stands beside them");
        }

        if (EntryBytes.TryRead(chunk.Bytes(row.Body), out var entry))
        {
            Compare(chunk, in row, in entry);
        }
        else
        {
            findings.Add("audit.body", row.Seq, "the entry's bytes are not an entry");
        }

        leaf.CopyTo(head);
        tree.Append(leaf);
    }

    private void Compare(RowChunk chunk, in RowChunk.Row row, in EntryBytes entry)
    {
        if (!entry.Facility.SequenceEqual(facility) || !entry.Log.SequenceEqual(log))
        {
            findings.Add("audit.foreign", row.Seq, "the entry belongs to another hospital or another log");
        }

        if (!entry.Previous.SequenceEqual(head))
        {
            findings.Add("audit.chain", row.Seq, "the entry does not follow the one before it");
        }

        if (!row.Typed || entry.Sequence != row.Seq || entry.Time != row.At || entry.Outcome != row.Outcome
            || !entry.Actor.SequenceEqual(chunk.Bytes(row.Actor)) || !entry.Action.SequenceEqual(chunk.Bytes(row.Action)))
        {
            findings.Add("audit.column", row.Seq, "a column beside the entry says something else than the entry");
        }

        if (entry.Boot != boot)
        {
            if (boot is { } ended)
            {
                endedBoots.Add(ended);
            }

            boot = entry.Boot;
            if (endedBoots.Contains(entry.Boot))
            {
                findings.Add("audit.boot", row.Seq, "a run of the server that had ended appears again");
            }
        }

        for (var patients = entry.Patients; !patients.IsEmpty; patients = patients[16..])
        {
            named.Add((System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(patients), row.Seq));
        }
    }

    private void Take((long Size, byte[] Signed, byte[] Frontier) row)
    {
        Checkpoints++;
        if (CheckpointBytes.Read(row.Signed) is not { } checkpoint)
        {
            // Nothing can be followed through it; the next one is taken at its word for what came before.
            findings.Add("audit.checkpoint", row.Size, "the checkpoint's bytes are not a checkpoint");
            linkKnown = false;
            return;
        }

        if (!checkpoint.Facility.SequenceEqual(facility) || !checkpoint.Log.SequenceEqual(log))
        {
            findings.Add("audit.checkpoint-foreign", row.Size, "the checkpoint belongs to another hospital or another log");
        }

        if (linkKnown && !checkpoint.Before.SequenceEqual(link))
        {
            findings.Add("audit.checkpoint-chain", row.Size, "the checkpoint does not follow the one before it");
        }

        signatures.Add(checkpoint, row.Size);
        checkpoint.Link(link);
        linkKnown = true;
        newest = checkpoint;
        Covered = row.Size;
        if (checkpoint.Size != row.Size || row.Size != Last)
        {
            findings.Add("audit.checkpoint-size", row.Size, "the checkpoint does not stand at the size that it signs");
            return;
        }

        if (!checkpoint.Head.SequenceEqual(head))
        {
            findings.Add("audit.checkpoint-head", row.Size, "the last entry is not the one that was signed");
        }

        var root = tree.Root();
        if (marks.ContainsKey(row.Size))
        {
            marks[row.Size] = (root, checkpoint.Time);
        }

        // Once the tree differs it differs for good: the first place says where to look.
        if (!rootsAgree)
        {
            return;
        }

        if (!checkpoint.Root.SequenceEqual(root))
        {
            rootsAgree = false;
            findings.Add("audit.root", row.Size, "the entries up to here are not the ones that were signed");
        }
        else if (!tree.Matches(row.Frontier))
        {
            findings.Add("audit.frontier", row.Size, "the stored edge of the tree is not the tree's");
        }
    }
}
