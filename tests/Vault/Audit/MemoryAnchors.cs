using Mangrove.Vault.Audit;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>Keeps anchors as the clinic's database does: bytes, never back to a smaller size.</summary>
internal sealed class MemoryAnchors : IAnchorSink
{
    private readonly Lock gate = new();
    private byte[]? kept;

    public int Taken { get; private set; }

    public bool Broken { get; set; }

    public Task Anchor(Checkpoint checkpoint, CancellationToken cancellation)
    {
        lock (gate)
        {
            if (Broken)
            {
                throw new IOException("the clinic's database is away");
            }

            Taken++;
            if (kept is null || Parse(kept).Size < checkpoint.Size)
            {
                kept = checkpoint.ToBytes();
            }
        }

        return Task.CompletedTask;
    }

    public Task<Checkpoint?> Newest(CancellationToken cancellation)
    {
        lock (gate)
        {
            return Task.FromResult(kept is null ? null : (Checkpoint?)Parse(kept));
        }
    }

    private static Checkpoint Parse(byte[] bytes) =>
        Checkpoint.TryParse(bytes, out var checkpoint) ? checkpoint : throw new InvalidDataException();
}
