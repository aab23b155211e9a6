using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Web.Parts;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>Backups: what was made and proven, where they go, and both acts by hand.</summary>
internal static class BackupPages
{
    private const string Backups = "/admin/backups";
    private const int Shown = 40;
    private const int Known = 1_000;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Backups, async (HttpContext http, string? done, BackupDesk desk, IBackupWork work, VaultRoom vault, TimeProvider clock, CancellationToken cancel) =>
        {
            await desk.Look(http.Actor(), cancel);
            return await Show(desk, work, vault, clock, done, null, null, cancel);
        });
        app.MapGet(Backups + "/runs", Runs);
        app.MapPost(Backups + "/targets", Set);
        app.MapPost(Backups + "/start", Start);
        app.MapPost(Backups + "/remove", Remove);
    }

    private static async Task<IResult> Runs(HttpContext http, BackupDesk desk, IBackupWork work, VaultRoom vault, TimeProvider clock, CancellationToken cancel)
    {
        // The list asks for itself while something runs: the look at the page is recorded, not each of these.
        if (!http.Actor().May(Mangrove.Vault.Access.Rights.Administration))
        {
            await desk.Look(http.Actor(), cancel);
        }

        return Page.Show<BackupRuns>(new { State = await Read(desk, work, vault, clock, cancel) });
    }

    private static async Task<IResult> Set(HttpContext http, BackupDesk desk, IBackupWork work, VaultRoom vault, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var schedule = new BackupSchedule(Number(form["hours"], 60), Number(form["count"]), Number(form["days"]), Number(form["full"]));

        // Who may not is told so before the folder is touched; the act itself asks again.
        await desk.Look(http.Actor(), cancel);
        var path = work.Check(form["path"].ToString().Trim());
        var set = path.Error is { } bad ? bad : (await desk.Targets.Set(http.Actor(), path.Value, schedule, cancel)).Error;
        return set is { } error ? await Show(desk, work, vault, clock, null, error, form, cancel) : Page.GoTo(http, Backups + "?done=set");
    }

    private static async Task<IResult> Start(HttpContext http, BackupDesk desk, IBackupWork work, VaultRoom vault, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var target = (await desk.Targets.All(cancel)).FirstOrDefault(one => one.Id.ToString("N") == form["target"]);
        if (target is null)
        {
            return await Show(desk, work, vault, clock, null, new Error("backup.no-target", "There is no such target. It may have been removed meanwhile."), null, cancel);
        }

        var started = await work.Start(http.Actor(), form["work"] == "drill" ? BackupWork.Drill : BackupWork.Backup, target, cancel);
        return started.Error is { } error ? await Show(desk, work, vault, clock, null, error, null, cancel) : Page.GoTo(http, Backups + "?done=started");
    }

    private static async Task<IResult> Remove(HttpContext http, BackupDesk desk, IBackupWork work, VaultRoom vault, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var removed = await desk.Targets.Remove(http.Actor(), Guid.TryParseExact(form["target"], "N", out var id) ? id : Guid.Empty, cancel);
        return removed.Error is { } error ? await Show(desk, work, vault, clock, null, error, null, cancel) : Page.GoTo(http, Backups + "?done=removed");
    }

    private static async Task<IResult> Show(BackupDesk desk, IBackupWork work, VaultRoom vault, TimeProvider clock, string? done, Error? error, IFormCollection? typed, CancellationToken cancel) => Page.Show<BackupsPage>(
        new
        {
            State = await Read(desk, work, vault, clock, cancel),
            Done = done is "set" or "started" or "removed" ? done : null,
            Error = error,
            Typed = new TargetTyped(
                typed?["path"].ToString() ?? string.Empty,
                typed?["hours"].ToString() ?? Hours(BackupSchedule.Usual.EveryMinutes),
                typed?["count"].ToString() ?? Text(BackupSchedule.Usual.KeepCount),
                typed?["days"].ToString() ?? Text(BackupSchedule.Usual.KeepDays),
                typed?["full"].ToString() ?? Text(BackupSchedule.Usual.FullDays)),
        },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    internal static async Task<BackupState> Read(BackupDesk desk, IBackupWork work, VaultRoom vault, TimeProvider clock, CancellationToken cancel)
    {
        var targets = await desk.Targets.All(cancel);
        var runs = await desk.Runs(Known, cancel);
        var (due, drill) = work.Due(targets, runs);
        return new BackupState(targets, [.. runs.Take(Shown)], Last(runs, BackupWork.Backup), Last(runs, BackupWork.Drill), due, drill, work.Underway, work.DrillsHere, await vault.Recovery.State(cancel), clock.GetLocalNow());
    }

    private static BackupRun? Last(IReadOnlyList<BackupRun> runs, BackupWork work) => runs.Where(run => run.Work == work && run.Failure is null).MaxBy(run => run.Started);

    private static string Hours(int minutes) => (minutes / 60.0).ToString("0.##", CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    // No number is out of every range.
    private static int Number(string? text, int times = 1) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 100_000 ? (int)Math.Round(number * times) : -1;
}

/// <summary>What was typed into the form of targets.</summary>
public sealed record TargetTyped(string Path, string Hours, string Count, string Days, string Full);

/// <summary>What the page of backups shows.</summary>
public sealed record BackupState(
    IReadOnlyList<BackupTarget> Targets,
    IReadOnlyList<BackupRun> Runs,
    BackupRun? LastBackup,
    BackupRun? LastDrill,
    IReadOnlyDictionary<Guid, DateTimeOffset> Due,
    DateTimeOffset? DrillDue,
    BackupUnderway? Underway,
    bool DrillsHere,
    Mangrove.Vault.Keys.RecoveryState Recovery,
    DateTimeOffset Now)
{
    /// <summary>A proof of a restore that is older than this is stale (threats B7).</summary>
    public static TimeSpan DrillLimit => Mangrove.Vault.Health.AlarmRules.DrillLimit;

    public IReadOnlyList<Proof> Proofs() => [BackupProof(), DrillProof(), WayBackProof()];

    public string Verdict => (LastBackup, LastDrill) switch
    {
        (null, _) => "There is no backup yet.",
        _ when BackupProof().Stale => "The last backup is overdue.",
        (_, null) => "Backups are made. No restore was proven yet.",
        _ when DrillProof().Stale => "Backups are made. Recovery needs a fresh proof.",
        _ => "The hospital can be brought back.",
    };

    public Proof BackupProof() => LastBackup is { } last
        ? new Proof(
            "database",
            "Last backup",
            When(last.Started),
            $"{BackupState.Size(last.Content)}, encrypted, read back",
            Targets.Count == 0 ? "by hand: no target is set" : Due.Count > 0 ? $"next {Moment(Due.Values.Min())}" : "",
            Overdue)
        : new Proof("database", "Last backup", "None yet", "One lost disk would lose everything", Targets.Count == 0 ? "set a target" : "the first comes within a minute", Stale: true, "Set a target", "/admin/backups");

    public Proof DrillProof() => LastDrill is { } last
        ? new Proof("history", "Last proven restore", When(last.Started), $"{ActWords.Count(last.AuditSize)} entries verified in {(last.Finished - last.Started).TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s", DrillsHere ? $"once a week · next {(DrillDue is { } due ? Moment(due) : "after a backup")}" : "none comes by itself: it needs a database of its own", Now - last.Started > DrillLimit)
        : new Proof("history", "Last proven restore", "None yet", "A backup counts when it was restored", DrillsHere ? "comes by itself after the first backup" : "on PostgreSQL it needs a database of its own", Stale: true);

    private Proof WayBackProof() => new(
        "key",
        "Way back",
        (Recovery.Protector, Recovery.InForce) switch
        {
            (_, { } set) => $"{set.Threshold} of {set.Count} sheets",
            (Mangrove.Vault.Keys.ProtectorKind.Passphrase, _) => "Passphrase alone",
            (Mangrove.Vault.Keys.ProtectorKind.KeyFile, _) => "Key file alone",
            _ => "None",
        },
        Recovery.InForce is { } named ? $"set {named.Name}" : "printed sheets would do when it is lost",
        Recovery.InForce?.Verified is { } verified ? $"sheets tried {ClinicalTime.Day(verified.ToLocalTime())}" : "no sheets were printed",
        Recovery.InForce is null,
        Recovery.InForce is null ? "Print sheets" : null,
        "/admin/keys/shares");

    // Twice the time between two backups: one may fail and be tried again.
    private bool Overdue => Targets.Count == 0
        ? LastBackup is null || Now - LastBackup.Started > TimeSpan.FromDays(1)
        : Targets.Any(target => Due[target.Id] + TimeSpan.FromMinutes(target.Schedule.EveryMinutes) < Now);

    public string When(DateTimeOffset at) => at.ToLocalTime().Date == Now.Date ? $"{ClinicalTime.Minute(at.ToLocalTime())} today, {Ago(Now - at)}" : $"{ClinicalTime.Day(at.ToLocalTime())}, {Ago(Now - at)}";

    public static string Moment(DateTimeOffset at) => $"{ClinicalTime.Day(at.ToLocalTime())} {ClinicalTime.Minute(at.ToLocalTime())}";

    public static string Ago(TimeSpan age) => age switch
    {
        { TotalMinutes: < 1 } => "just now",
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalMinutes} min ago"),
        { TotalDays: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalHours} h ago"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays} days ago"),
    };

    public static string Size(long bytes) => bytes switch
    {
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
    };

    public static string Every(int minutes) => minutes % 60 != 0 ? $"{minutes} min" : minutes == 60 ? "hour" : $"{minutes / 60} hours";
}
