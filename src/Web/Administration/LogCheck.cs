using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Web.Administration;

/// <summary>What the last whole pass over the audit log found.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Report">What it found; null when it could not be finished.</param>
/// <param name="Failure">Why it could not be finished.</param>
public sealed record LogCheckResult(DateTimeOffset At, VerifyReport? Report, Error? Failure)
{
    public bool Whole => Report is { Ok: true };
}

/// <summary>
/// Verifies the whole audit log, beside the work: once after the start, and whenever an administrator asks. One pass runs
/// at a time, and whoever asks meanwhile waits for the same one. The result stays in memory: after a restart only a new
/// pass proves anything.
/// </summary>
internal sealed partial class LogCheck(AuditReview review, TimeProvider clock, ILogger<LogCheck> logger) : BackgroundService
{
    private readonly Lock gate = new();
    private readonly CancellationTokenSource closing = new();
    private Task<LogCheckResult>? running;
    private long passed;
    private bool disposed;

    /// <summary>The last pass that ended, or null before the first.</summary>
    public LogCheckResult? Last { get; private set; }

    public bool Running
    {
        get
        {
            lock (gate)
            {
                return running is { IsCompleted: false };
            }
        }
    }

    /// <summary>Entries verified so far by the pass that runs.</summary>
    public long Passed => Interlocked.Read(ref passed);

    /// <summary>Starts a pass, or joins the one that runs.</summary>
    public Task<LogCheckResult> Run()
    {
        lock (gate)
        {
            return running is { IsCompleted: false } ? running : running = Task.Run(Pass);
        }
    }

    public override void Dispose()
    {
        // Registered under two names, so the container disposes it twice.
        if (Interlocked.Exchange(ref disposed, true))
        {
            return;
        }

        closing.Cancel();
        closing.Dispose();
        base.Dispose();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await closing.CancelAsync();
        await base.StopAsync(cancellationToken);
        if (running is { } pass)
        {
            // The hospital is sealed after this: the pass must have let go of the log.
            await ((Task)pass).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Run();

    private async Task<LogCheckResult> Pass()
    {
        Interlocked.Exchange(ref passed, 0);
        LogCheckResult result;
        try
        {
            var report = await review.Verify(new Progress(this), closing.Token);
            result = new LogCheckResult(clock.GetLocalNow(), report, null);
            if (!report.Ok)
            {
                Broken(logger, report.Problems[0].Code, report.Problems.Count);
            }
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
            return new LogCheckResult(clock.GetLocalNow(), null, new Error("audit.check-stopped", "The server was stopped before the check ended."));
        }
        catch (Exception exception)
        {
            // Whatever stopped it, the log is not proven: that is said, and the server goes on.
            Unfinished(logger, exception.GetType().FullName);
            result = new LogCheckResult(
                clock.GetLocalNow(),
                null,
                exception is RefusedInput refused ? refused.Error : new Error("audit.check-failed", "The log could not be read to its end. Look at the disk, then verify again."));
        }

        Last = result;
        return result;
    }

    [LoggerMessage(1, LogLevel.Critical, "The audit log is damaged: {Code}, problems {Count}")]
    private static partial void Broken(ILogger logger, string code, int count);

    [LoggerMessage(2, LogLevel.Error, "The check of the audit log did not end: {Type}")]
    private static partial void Unfinished(ILogger logger, string? type);

    private sealed class Progress(LogCheck check) : IProgress<long>
    {
        public void Report(long value) => Interlocked.Exchange(ref check.passed, value);
    }
}
