using System.Globalization;
using System.Threading.Channels;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Audit;

/// <summary>
/// The append-only, hash-chained, signed log of one node. One writer takes whatever entries wait, writes them with one
/// signed checkpoint in one transaction and then answers their callers: concurrent callers share an fsync, a lone caller
/// waits for nobody. Nobody is answered before the disk has it. Safe for concurrent use.
/// </summary>
internal sealed partial class AuditLog : IAsyncDisposable
{
    private readonly AuditStore store;
    private readonly LogIdentity identity;
    private readonly CheckpointSigner signer;
    private readonly CheckpointVerifier verifier;
    private readonly IAnchorSink anchors;
    private readonly TimeProvider clock;
    private readonly Guid boot;
    private readonly AuditOptions options;
    private readonly Channel<Waiting> queue;
    private readonly Channel<bool> toAnchor = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly CancellationTokenSource closing = new();
    private readonly List<Waiting> batch = [];
    private Task writing = Task.CompletedTask;
    private Task anchoring = Task.CompletedTask;

    // The writer's own: the state after the last commit. Invariant: frontier.Size == newest?.Size, or 0.
    private MerkleFrontier frontier;

    private volatile Checkpoint? newest;
    private volatile Checkpoint? anchored;
    private volatile Error? failure;
    private volatile Error? anchorFailure;
    private volatile bool closed;
    private long probedAt;

    private AuditLog(
        AuditStore store,
        LogIdentity identity,
        CheckpointSigner signer,
        CheckpointVerifier verifier,
        IAnchorSink anchors,
        TimeProvider clock,
        Guid boot,
        AuditOptions options,
        Checkpoint? newest,
        MerkleFrontier? frontier)
    {
        this.store = store;
        this.identity = identity;
        this.signer = signer;
        this.verifier = verifier;
        this.anchors = anchors;
        this.clock = clock;
        this.boot = boot;
        this.options = options;
        this.newest = newest;
        this.frontier = frontier ?? new MerkleFrontier();
        queue = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(options.MostWaiting) { SingleReader = true });
    }

    /// <summary>Whose log it is.</summary>
    public LogIdentity Identity => identity;

    /// <summary>The newest durable checkpoint; null while the log is empty. Costs nothing to ask.</summary>
    public Checkpoint? Newest => newest;

    /// <summary>The newest checkpoint that the anchor sink has taken in this run.</summary>
    public Checkpoint? Anchored => anchored;

    /// <summary>Why the log cannot be written now; null when it can.</summary>
    public Error? Failure => failure;

    /// <summary>Why the last anchor was not taken; null when it was. The log goes on: the next anchor covers more.</summary>
    public Error? AnchorFailure => anchorFailure;

    /// <summary>
    /// Opens the log, or makes it when there is none and no anchor says that there was, and checks it from the newest
    /// anchor on.
    /// </summary>
    /// <param name="store">Where it lives. The log owns it from here on.</param>
    /// <param name="facility">The hospital.</param>
    /// <param name="signer">The log's key. The caller keeps it alive and disposes of it.</param>
    /// <param name="anchors">Where checkpoints are kept outside the log.</param>
    /// <param name="clock">The clock of the entries.</param>
    /// <param name="boot">This run of the server; never used before.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="RefusedInput">
    /// <c>audit.rolled-back</c>: the log is older than its anchor or grew differently. <c>audit.identity</c>: it belongs to
    /// another hospital. Another <c>audit.</c> code of docs/formats/audit-log.md: it was changed.
    /// <c>audit.unavailable</c>: the store does not open.
    /// </exception>
    public static async Task<AuditLog> Open(
        AuditStore store,
        Guid facility,
        CheckpointSigner signer,
        IAnchorSink anchors,
        TimeProvider clock,
        Guid boot,
        AuditOptions? options = null,
        CancellationToken cancellation = default)
    {
        options ??= new AuditOptions();
        var key = CheckpointVerifier.From(signer.ExportPublicKey());
        try
        {
            var anchor = await anchors.Newest(cancellation);
            var (found, tail) = await OpenAndCheck(store, facility, key, anchor, clock, options.Sampling, cancellation);
            var log = new AuditLog(
                store, found, signer, key, anchors, clock, boot, options, tail.Newest, tail.Frontier);
            log.writing = Task.Run(log.Write, CancellationToken.None);
            log.anchoring = Task.Run(log.AnchorNowAndThen, CancellationToken.None);
            return log;
        }
        catch
        {
            key.Dispose();
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Records the act. Completes only when the entry is on the disk.</summary>
    /// <param name="draft">The act.</param>
    /// <param name="cancellation">Stops waiting; the entry may be recorded all the same.</param>
    /// <exception cref="AuditUnavailable">The entry was not made durable: the act MUST NOT happen.</exception>
    /// <exception cref="ArgumentException">The draft breaks a rule that code, not people, must keep.</exception>
    public async ValueTask<Appended> Append(AuditDraft draft, CancellationToken cancellation = default)
    {
        if (closed)
        {
            throw Closed();
        }

        if (failure is { } reason)
        {
            ProbeIfDue();
            throw new AuditUnavailable(reason.Message);
        }

        var waiting = new Waiting(EntryEncoder.Encode(draft));
        if (!queue.Writer.TryWrite(waiting))
        {
            try
            {
                await queue.Writer.WriteAsync(waiting, cancellation);
            }
            catch (ChannelClosedException)
            {
                throw Closed();
            }
        }

        return cancellation.CanBeCanceled ? await waiting.Task.WaitAsync(cancellation) : await waiting.Task;
    }

    /// <summary>Tries to reopen a log that failed.</summary>
    /// <returns>True when it can be written again, or always could.</returns>
    public async Task<bool> Recover(CancellationToken cancellation = default)
    {
        if (failure is null)
        {
            return !closed;
        }

        var probe = Waiting.Probe();
        try
        {
            await queue.Writer.WriteAsync(probe, cancellation);
        }
        catch (ChannelClosedException)
        {
            return false;
        }

        await probe.Task.WaitAsync(cancellation);
        return failure is null;
    }

    /// <summary>Checks the whole log from its first entry, beside the running writer.</summary>
    public Task<VerifyReport> Verify(IProgress<long>? progress = null, CancellationToken cancellation = default) => Verify(progress, [], cancellation);

    /// <summary>As the other, and that it contains what others kept of it.</summary>
    public async Task<VerifyReport> Verify(IProgress<long>? progress, IReadOnlyList<KeptRoot> roots, CancellationToken cancellation)
    {
        // Asked before the look at the log, which then is at least as new.
        var known = newest;
        var kept = await anchors.Newest(cancellation);
        return await Task.Run(
            async () =>
            {
                using var source = store.Read();
                List<Checkpoint> compared = [.. new[] { kept, known }.OfType<Checkpoint>()];
                return await new AuditVerifier(identity, verifier, clock).Full(source, compared, roots, progress, cancellation);
            },
            cancellation);
    }

    /// <summary>Writes what waits, anchors the newest checkpoint and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        if (closed)
        {
            return;
        }

        closed = true;
        queue.Writer.TryComplete();
        await writing;
        await closing.CancelAsync();
        await anchoring;
        if (newest is { } last && last != anchored)
        {
            await AnchorNow(last, CancellationToken.None);
        }

        await store.DisposeAsync();
        verifier.Dispose();
        closing.Dispose();
    }

    private static async Task<(LogIdentity Identity, AuditVerifier.Tail Tail)> OpenAndCheck(
        AuditStore store,
        Guid facility,
        CheckpointVerifier key,
        Checkpoint? anchor,
        TimeProvider clock,
        TimeSpan sampling,
        CancellationToken cancellation)
    {
        LogIdentity found;
        AuditVerifier.Tail tail;
        try
        {
            found = await store.Open(facility, mayCreate: anchor is null, cancellation) ?? throw new RefusedInput(
                "audit.rolled-back",
                "The audit log is missing, but it was there before. Restore it from the newest backup; do not start without it.");
            if (found.Facility != facility)
            {
                throw new RefusedInput("audit.identity", "This audit log belongs to another hospital. Restore this hospital's own log.");
            }

            tail = await Task.Run(
                async () =>
                {
                    using var source = store.Read();
                    return await new AuditVerifier(found, key, clock).Recent(source, anchor, sampling, cancellation);
                },
                cancellation);
        }
        catch (Exception fault) when (fault is not (RefusedInput or OperationCanceledException or OutOfMemoryException))
        {
            throw new AuditUnavailable(store.Advice(fault));
        }

        if (tail.Problems.Count > 0)
        {
            var first = tail.Problems[0];
            throw new RefusedInput(first.Code, string.Create(
                CultureInfo.InvariantCulture,
                $"The audit log was changed or went back (entry {first.Seq}: {first.Message}). Keep this copy as evidence, restore the log from the newest backup and tell the privacy officer."));
        }

        return (found, tail);
    }

    private static AuditEntry Parse(byte[] body) => EntryParser.TryParse(body, out var entry)
        ? entry.ToEntry()
        : throw new RefusedInput("audit.body", "An entry of the audit log is damaged. Run 'mangrove audit verify' to see which.");

    private static AuditUnavailable Closed() => new("The audit log is closed because the server is stopping. Try again when it has started.");

    private async Task Write()
    {
        while (await queue.Reader.WaitToReadAsync())
        {
            batch.Clear();
            Waiting? probe = null;
            while (batch.Count < options.MostInBatch && queue.Reader.TryRead(out var waiting))
            {
                if (waiting.IsProbe)
                {
                    probe = waiting;
                    break;
                }

                batch.Add(waiting);
            }

            if (batch.Count > 0)
            {
                await WriteBatch();
            }

            if (probe is not null)
            {
                await Reopen();
                probe.TrySetResult(default);
            }
        }
    }

    private async Task WriteBatch()
    {
        if (failure is { } known)
        {
            RefuseBatch(known);
            return;
        }

        try
        {
            var tree = frontier.Clone();
            var rows = new AuditBatch.Row[batch.Count];
            var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            ReadOnlyMemory<byte> head = newest?.Head ?? new byte[EntryEncoder.HashSize];
            for (var index = 0; index < rows.Length; index++)
            {
                var draft = batch[index].Draft;
                EntryEncoder.Complete(draft.Body, identity, boot, tree.Size + 1, now, head.Span);
                var hash = MerkleTree.LeafHash(draft.Body);
                tree.Append(hash);
                rows[index] = new AuditBatch.Row(tree.Size, now, hash, draft);
                head = hash;
            }

            var checkpoint = Checkpoint.Sign(
                signer, identity, tree.Size, head.Span, tree.Root(), now, boot, newest?.Link() ?? new byte[EntryEncoder.HashSize]);
            await store.Commit(new AuditBatch(rows, checkpoint, tree.ToBytes()));
            frontier = tree;
            newest = checkpoint;
            toAnchor.Writer.TryWrite(true);
            for (var index = 0; index < rows.Length; index++)
            {
                batch[index].TrySetResult(new Appended(rows[index].Seq, rows[index].Hash));
            }
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // Whatever it was, nobody gets a receipt, and nothing is written before the log has been verified again.
            await Fail(fault);
            RefuseBatch(failure!);
        }
    }

    private void RefuseBatch(Error reason)
    {
        foreach (var waiting in batch)
        {
            waiting.TrySetException(new AuditUnavailable(reason.Message));
        }
    }

    private async Task Fail(Exception fault)
    {
        Interlocked.Exchange(ref probedAt, clock.GetTimestamp());
        failure = new Error(AuditUnavailable.StableCode, store.Advice(fault) + " Nothing is opened until the audit log can be written again.");
        await store.Close();
    }

    private void ProbeIfDue()
    {
        var last = Interlocked.Read(ref probedAt);
        if (clock.GetElapsedTime(last) >= options.ProbeEvery
            && Interlocked.CompareExchange(ref probedAt, clock.GetTimestamp(), last) == last)
        {
            queue.Writer.TryWrite(Waiting.Probe());
        }
    }

    private async Task Reopen()
    {
        if (failure is null)
        {
            return;
        }

        try
        {
            // Anything the log acknowledged is in this checkpoint; what a failed commit left behind is checked like a tail.
            var known = newest;
            var (found, tail) = await OpenAndCheck(
                store, identity.Facility, verifier, known ?? await anchors.Newest(CancellationToken.None), clock, TimeSpan.Zero, CancellationToken.None);
            if (found != identity)
            {
                throw new RefusedInput("audit.identity", "Another audit log stands in this log's place: put the right one back.");
            }

            frontier = tail.Frontier ?? new MerkleFrontier();
            newest = tail.Newest;
            failure = null;
        }
        catch (RefusedInput refused)
        {
            failure = refused.Error;
            await store.Close();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            await Fail(fault);
        }
    }

    private async Task AnchorNowAndThen()
    {
        try
        {
            while (await toAnchor.Reader.WaitToReadAsync(closing.Token))
            {
                toAnchor.Reader.TryRead(out _);
                if (newest is { } checkpoint)
                {
                    try
                    {
                        await AnchorNow(checkpoint, closing.Token);
                        anchorFailure = null;
                    }
                    catch (Exception fault) when (fault is not (OperationCanceledException or OutOfMemoryException))
                    {
                        // The log itself is whole. The health page shows this, and the next round tries again.
                        anchorFailure = new Error("audit.anchor-failed", "The newest checkpoint of the audit log could not be kept outside it: check the clinic's database.");
                        toAnchor.Writer.TryWrite(true);
                    }
                }

                await Task.Delay(options.AnchorEvery, clock, closing.Token);
            }
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
            // Closing anchors the last checkpoint itself.
        }
    }

    private async Task AnchorNow(Checkpoint checkpoint, CancellationToken cancellation)
    {
        await anchors.Anchor(checkpoint, cancellation);
        anchored = checkpoint;
    }

    private sealed class Waiting(EncodedDraft draft, bool probe = false)
        : TaskCompletionSource<Appended>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public EncodedDraft Draft => draft;

        public bool IsProbe => probe;

        public static Waiting Probe() => new(default, probe: true);
    }
}
