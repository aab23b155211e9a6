using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Mangrove.Cli.Serving;

/// <summary>
/// The memory that requests and answers pass through on the connection. The server's own pool hands a block on as it was
/// left; what a form said would stand there until another request wrote over it (threat S8), so these are wiped when they
/// come back.
/// </summary>
internal sealed class WipedMemory : MemoryPool<byte>
{
    /// <summary>What a page of the processor holds; the pipes of the server ask for no more at a time.</summary>
    private const int BlockSize = 4096;

    // As many as some hundred connections use at once: 16 MiB. Further ones are left to the collector, wiped.
    private const int MostKept = 4096;

    private readonly ConcurrentQueue<byte[]> free = new();
    private int kept;
    private volatile bool disposed;

    public override int MaxBufferSize => BlockSize;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        ObjectDisposedException.ThrowIf(disposed, this);
        if (free.TryDequeue(out var block))
        {
            Interlocked.Decrement(ref kept);
        }
        else
        {
            // Pinned, as the system reads and writes it.
            block = GC.AllocateArray<byte>(BlockSize, pinned: true);
        }

        return new Block(this, block);
    }

    protected override void Dispose(bool disposing)
    {
        disposed = true;
        free.Clear();
    }

    private void Return(byte[] block)
    {
        block.AsSpan().Clear();
        if (!disposed && Interlocked.Increment(ref kept) <= MostKept)
        {
            free.Enqueue(block);
        }
        else
        {
            Interlocked.Decrement(ref kept);
        }
    }

    /// <summary>Lent once: what was given back cannot be reached by whoever had it.</summary>
    private sealed class Block(WipedMemory pool, byte[] bytes) : IMemoryOwner<byte>
    {
        private byte[]? lent = bytes;

        public Memory<byte> Memory => lent ?? throw new ObjectDisposedException(nameof(WipedMemory));

        public void Dispose()
        {
            if (Interlocked.Exchange(ref lent, null) is { } block)
            {
                pool.Return(block);
            }
        }
    }

    /// <summary>Gives the server one pool for each that it asks for.</summary>
    internal sealed class Factory : IMemoryPoolFactory<byte>
    {
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new WipedMemory();
    }
}
