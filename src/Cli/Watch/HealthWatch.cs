using System.Threading.Channels;
using Mangrove.Cli.Backups;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Serving;
using Mangrove.Governance.Incidents;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Health;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Cli.Watch;

/// <summary>
/// Measures the server each minute, judges it by the rules, keeps a sample every five minutes, and sends the letters that
/// wait. What fails is tried at the next look.
/// </summary>
internal sealed partial class HealthWatch : BackgroundService, IHealthSource
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan EverySample = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan CertificateSoon = TimeSpan.FromDays(14);
    private static readonly TimeSpan AuthoritySoon = TimeSpan.FromDays(365);

    private readonly Hospital hospital;
    private readonly RequestCounts counts;
    private readonly ILetterCarrier carrier;
    private readonly ILogger<HealthWatch> log;
    private readonly TimeProvider clock;
    private readonly ClockWatch clocks;
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock gate = new();
    private long[] answered;
    private DateTimeOffset? sampled;

    public HealthWatch(Hospital hospital, RequestCounts counts, ILetterCarrier carrier, ILogger<HealthWatch> log)
    {
        this.hospital = hospital;
        this.counts = counts;
        this.carrier = carrier;
        this.log = log;
        clock = hospital.Clock;
        answered = counts.Durations();
        clocks = new ClockWatch(clock);
    }

    public void SendNow() => wake.Writer.TryWrite(true);

    public async Task<HealthFacts> Look(CancellationToken cancel)
    {
        var vault = hospital.Vault;
        var now = clock.GetUtcNow();
        var (free, size) = vault.Space.Volume;
        var runs = await vault.Backups.Runs(1_000, cancel);
        var targets = await vault.Backups.Targets.All(cancel);
        var backup = Last(runs, BackupWork.Backup);
        var drill = Last(runs, BackupWork.Drill);
        var inUse = vault.KeyStates().Where(key => key.InUse).ToList();
        var durations = counts.Durations();
        var (suspended, most) = await vault.Glass.Figures(cancel);
        long[] since;
        lock (gate)
        {
            since = [.. durations.Zip(answered, (later, earlier) => later - earlier)];
        }

        return new HealthFacts
        {
            At = now,
            Free = free,
            Size = size,
            LogEntries = vault.Review.Newest?.Size ?? 0,
            LogFailure = vault.Review.Failure?.Code,
            BackupAge = backup is null ? null : now - backup.Started,
            BackupOverdue = backup is null || targets.Any(target => BackupTimetable.Due(target, runs) + TimeSpan.FromMinutes(target.Schedule.EveryMinutes) < now)
                || (targets.Count == 0 && now - backup.Started > TimeSpan.FromDays(1)),
            DrillAge = drill is null ? null : now - drill.Started,
            OldestKeyDays = inUse.Count == 0 ? 0 : Math.Max(0, (int)(now - inUse.Min(key => key.Created)).TotalDays),
            KeysOverdue = [.. inUse.Where(key => key.Created + TimeSpan.FromDays(vault.Keys.Days.For(key.Purpose) + 1) < now).Select(key => key.Purpose)],
            Certificates = await CertificateDates(cancel),
            ClockOff = ClockOff(now),
            Median = RequestCounts.Within(since, 0.50),
            Slowest = RequestCounts.Within(since, 0.95),
            WrongSignIns = await vault.Health.WrongSignIns(cancel),
            FindingsWaiting = await vault.Watch.Waiting(cancel),
            LettersLate = await vault.Health.Outbox.Late(cancel),
            GlassSuspended = suspended,
            GlassMost = most,
            IncidentsDue = BreachAlarm.Due(await vault.Incidents.Owing(cancel), now, hospital.Clock.LocalTimeZone),
        };
    }

    /// <summary>One look: alarms, a sample where one is due, letters.</summary>
    public async Task Turn(CancellationToken cancel)
    {
        clocks.Look();
        var facts = await Look(cancel);
        await hospital.Vault.Health.Alarms.Judge(facts, cancel);
        if (sampled is not { } last || facts.At - last >= EverySample || facts.At < last)
        {
            await hospital.Vault.Health.Keep(facts, cancel);
            sampled = facts.At;
            lock (gate)
            {
                answered = counts.Durations();
            }
        }

        await hospital.Vault.Health.Outbox.Deliver(carrier, cancel);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // An alarm about the backup must not outlive the backup by a minute, beside a tile that says it was made just now.
        void Ended(object? sender, EventArgs nothing) => SendNow();
        hospital.Backups.Ended += Ended;

        // A letter about an emergency access goes at once.
        hospital.Vault.Glass.Changed += Ended;
        try
        {
            await Watch(stoppingToken);
        }
        finally
        {
            hospital.Backups.Ended -= Ended;
            hospital.Vault.Glass.Changed -= Ended;
        }
    }

    private async Task Watch(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            using (var pause = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken))
            {
                // Whoever asks for it wakes it before its minute is over.
                await Task.WhenAny(Task.Delay(Every, clock, pause.Token), wake.Reader.WaitToReadAsync(pause.Token).AsTask());
                await pause.CancelAsync();
            }

            stoppingToken.ThrowIfCancellationRequested();
            _ = wake.Reader.TryRead(out _);
            try
            {
                await Turn(stoppingToken);
            }
            catch (AuditUnavailable unavailable)
            {
                LogFailure(log, unavailable.Code);
            }
            catch (Exception error) when (error is not OperationCanceledException && CommandShell.Explain(error) is { } reason)
            {
                LogFailure(log, reason.Code);
            }
        }
    }

    private static BackupRun? Last(IReadOnlyList<BackupRun> runs, BackupWork work) => runs.Where(run => run.Work == work && run.Failure is null).MaxBy(run => run.Started);

    private async Task<IReadOnlyList<CertificateDate>> CertificateDates(CancellationToken cancel)
    {
        using var server = await Certificates.Server(hospital.Vault.Secrets, cancel);
        using var authority = await Certificates.Authority(hospital.Vault.Secrets, cancel);
        return
        [
            new CertificateDate("server", new DateTimeOffset(server.NotAfter.ToUniversalTime(), TimeSpan.Zero), CertificateSoon),
            new CertificateDate("authority", new DateTimeOffset(authority.NotAfter.ToUniversalTime(), TimeSpan.Zero), AuthoritySoon),
            .. (await hospital.Vault.Clients.EndingSoon(CertificateSoon, cancel)).Select(one => new CertificateDate(one.Name, one.To, CertificateSoon)),
        ];
    }

    private TimeSpan ClockOff(DateTimeOffset now)
    {
        var behind = hospital.Vault.Review.Newest is { } newest && newest.Time > now ? newest.Time - now : TimeSpan.Zero;
        return clocks.Off > behind ? clocks.Off : behind;
    }

    [LoggerMessage(1, LogLevel.Error, "The server's health could not be watched: {Fault}. The next look is in a minute.")]
    private static partial void LogFailure(ILogger logger, string fault);
}
