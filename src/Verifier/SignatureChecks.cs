namespace Mangrove.Verifier;

/// <summary>
/// The signatures of checkpoints, checked on other threads while the walk goes on. Each checkpoint carries the hash of all
/// before it with their signatures, so the newest signature vouches for every one; the first ones are checked one by one
/// all the same, up to the number asked for, because one costs as much as a hundred hashes.
/// </summary>
internal sealed class SignatureChecks(NoteKey key, long most, FindingList findings)
{
    private const int Share = 128;
    private const int MostUnderWay = 4;

    private readonly Queue<Task> underWay = new();
    private List<(CheckpointBytes Checkpoint, long Size)> next = [];
    private CheckpointBytes? last;

    public long Checked { get; private set; }

    public void Add(CheckpointBytes checkpoint, long size)
    {
        if (Checked < most)
        {
            Checked++;
            last = checkpoint;
            next.Add((checkpoint, size));
        }
    }

    public void Newest(CheckpointBytes checkpoint)
    {
        if (!ReferenceEquals(checkpoint, last))
        {
            next.Add((checkpoint, checkpoint.Size));
            Checked++;
        }
    }

    /// <summary>Sends what has come together, and waits when too much is under way.</summary>
    public async Task Send(bool all)
    {
        if (next.Count >= Share || (all && next.Count > 0))
        {
            var share = next;
            next = [];
            underWay.Enqueue(Task.Run(() => Check(share)));
        }

        while (underWay.Count > (all ? 0 : MostUnderWay))
        {
            await underWay.Dequeue();
        }
    }

    private void Check(List<(CheckpointBytes Checkpoint, long Size)> share)
    {
        // A key of its own: the platform's is not promised to be safe for several threads.
        using var own = NoteKey.Of(key.Name, key.PublicKey, key.OfWitness);
        foreach (var (checkpoint, size) in share)
        {
            if (!own.VerifyFixed(checkpoint.Signed, checkpoint.Signature))
            {
                findings.Add("audit.checkpoint-signature", size, "the checkpoint is not signed by the log's key");
            }
        }
    }
}
