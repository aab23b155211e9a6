using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.Backups;
using Mangrove.Cli.CommandLine;
using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Vault.Backups;

namespace Mangrove.Cli.Verbs;

/// <summary>Words that the verbs of backups share.</summary>
internal static class BackupWords
{
    public const string Group = "backup";

    public static string Size(long bytes) => bytes switch
    {
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB"),
        < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.00} GiB"),
    };

    public static string Line(BackupManifest manifest) => string.Create(
        CultureInfo.InvariantCulture,
        $"{manifest.Number,6}  {manifest.Created:yyyy-MM-dd HH:mm} UTC  {(manifest.Complete ? "full       " : "incremental")}  {Size(manifest.Content),10}  {manifest.Audit.Size:#,##0} entries");
}

/// <summary>Makes a backup now.</summary>
internal sealed class BackupCreateVerb : HospitalVerb
{
    private readonly Option<string> target = new("--out") { Description = "A folder outside the data folder: another disk, a mounted share, a removable disk.", HelpName = "DIR", Required = true };
    private readonly Option<bool> complete = new("--full") { Description = "Write everything anew instead of what changed." };

    public BackupCreateVerb()
        : base("create", "Make an encrypted backup now and read it back. Works while the hospital does.", BackupWords.Group, actsAsSomebody: true) =>
        Add(target, complete);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var path = call.Full(arguments.GetValue(target)!);
        var schedule = (await hospital.Vault.Backups.Targets.All(cancel)).FirstOrDefault(one => one.Path == path)?.Schedule;
        var made = await hospital.Backups.Make(actor, path, arguments.GetValue(complete), schedule, call.Say, cancel);
        var manifest = made.Stored.Manifest;
        return Answer.Of(
            new
            {
                path = made.Stored.Path,
                bytes = made.Written,
                auditSize = manifest.Audit.Size,
                auditRoot = manifest.Audit.Root,
                seconds = Math.Round(made.Seconds, 3),
                number = manifest.Number,
                complete = manifest.Complete,
                content = manifest.Content,
                removed = made.Removed,
            },
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                Backup {manifest.Number} ({(manifest.Complete ? "full" : "incremental")}) in {made.Stored.Path}
                {BackupWords.Size(manifest.Content)} of content, {BackupWords.Size(made.Written)} written, read back whole, in {made.Seconds:0.0} s
                The log stands at {manifest.Audit.Size:#,##0} entries, root {manifest.Audit.Root}
                """));
    }
}

/// <summary>Lists the backups of a target, or the runs that the hospital remembers.</summary>
internal sealed class BackupListVerb : HospitalVerb
{
    private readonly Option<string?> target = new("--out") { Description = "List what lies in this target, instead of the runs that the hospital remembers.", HelpName = "DIR" };

    public BackupListVerb()
        : base("list", "List backups: the runs that the hospital remembers, or what lies in a target.", BackupWords.Group) =>
        Add(target);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        if (arguments.GetValue(target) is { } path)
        {
            using var keys = await hospital.Vault.Backups.Keys(cancel);
            var (backups, unreadable) = BackupFolder.In(call.Full(path), hospital.Vault.Facility).Survey(keys);
            return Answer.Of(
                new
                {
                    backups = backups.Select(stored => new { number = stored.Manifest.Number, created = stored.Manifest.Created, complete = stored.Manifest.Complete, content = stored.Manifest.Content, auditSize = stored.Manifest.Audit.Size, auditRoot = stored.Manifest.Audit.Root, path = stored.Path }),
                    unreadable,
                },
                string.Join('\n', backups.Select(stored => BackupWords.Line(stored.Manifest)).Concat(unreadable.Select(file => $"DAMAGED  {file}")).DefaultIfEmpty("No backup of this hospital lies there.")),
                unreadable.Count == 0 ? ExitCode.Success : ExitCode.Wrong);
        }

        var runs = await hospital.Vault.Backups.Runs(1_000, cancel);
        var targets = await hospital.Vault.Backups.Targets.All(cancel);
        return Answer.Of(
            new
            {
                targets = targets.Select(one => new { path = one.Path, everyMinutes = one.Schedule.EveryMinutes, keepCount = one.Schedule.KeepCount, keepDays = one.Schedule.KeepDays, fullDays = one.Schedule.FullDays, due = BackupTimetable.Due(one, runs) }),
                runs = runs.Select(run => new { work = run.Work == BackupWork.Backup ? "backup" : "drill", target = run.Target, started = run.Started, finished = run.Finished, failure = run.Failure, number = run.Number, complete = run.Complete, content = run.Content, bytes = run.Written, auditSize = run.AuditSize }),
            },
            string.Join('\n', targets.Select(one => $"target {one.Path}: {one.Schedule.EveryMinutes} min, due {BackupTimetable.Due(one, runs):yyyy-MM-dd HH:mm} UTC")
                .Concat(runs.Select(run => string.Create(CultureInfo.InvariantCulture, $"{run.Started:yyyy-MM-dd HH:mm} UTC  {(run.Work == BackupWork.Backup ? "backup" : "drill ")}  {(run.Failure ?? $"well, number {run.Number}, {BackupWords.Size(run.Content)}")}  {run.Target}")))
                .DefaultIfEmpty("No target is set and no backup was made yet. Make one with 'mangrove backup create', and set a target with 'mangrove backup target'.")));
    }
}

/// <summary>Reads a backup whole.</summary>
internal sealed class BackupVerifyVerb : HospitalVerb
{
    private readonly Argument<string> path = new("PATH") { Description = "A target, the hospital's folder in it, or a manifest." };

    public BackupVerifyVerb()
        : base("verify", "Read a backup whole: signature, list, every chunk, the key bundle.", BackupWords.Group) =>
        Command.Arguments.Add(path);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var started = hospital.Clock.GetTimestamp();
        var stored = await hospital.Backups.Verify(call.Full(arguments.GetValue(path)!), null, cancel);
        var manifest = stored.Manifest;
        var seconds = hospital.Clock.GetElapsedTime(started).TotalSeconds;
        return Answer.Of(
            new { path = stored.Path, number = manifest.Number, created = manifest.Created, complete = manifest.Complete, content = manifest.Content, auditSize = manifest.Audit.Size, auditRoot = manifest.Audit.Root, seconds = Math.Round(seconds, 3), ok = true },
            string.Create(CultureInfo.InvariantCulture, $"{BackupWords.Line(manifest)}\nEvery byte was read and is as it was written, in {seconds:0.0} s."));
    }
}

/// <summary>Proves that the newest backup of a target can be restored.</summary>
internal sealed class BackupDrillVerb : HospitalVerb
{
    private readonly Option<string> target = new("--out") { Description = "The target whose newest backup is restored beside the hospital and thrown away again.", HelpName = "DIR", Required = true };

    public BackupDrillVerb()
        : base("drill", "Prove that the newest backup can be restored: beside the hospital, opened, compared, and thrown away.", BackupWords.Group, actsAsSomebody: true) =>
        Add(target);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var started = hospital.Clock.GetTimestamp();
        var drill = await hospital.Backups.Drill(actor, call.Full(arguments.GetValue(target)!), call.Say, cancel);
        var seconds = hospital.Clock.GetElapsedTime(started).TotalSeconds;
        return Answer.Of(
            new { ok = true, number = drill.Stored.Manifest.Number, created = drill.Stored.Manifest.Created, entries = drill.Entries, patients = drill.Patients, seconds = Math.Round(seconds, 3) },
            string.Create(CultureInfo.InvariantCulture, $"Backup {drill.Stored.Manifest.Number} was restored, opened and thrown away in {seconds:0.0} s: {drill.Entries:#,##0} entries verified, {drill.Patients:#,##0} patients opened, every table as the manifest says."));
    }
}

/// <summary>Sets where backups go by themselves.</summary>
internal sealed class BackupTargetVerb : HospitalVerb
{
    private readonly Option<string> target = new("--out") { Description = "A folder outside the data folder.", HelpName = "DIR", Required = true };
    private readonly Option<int> every = new("--every") { Description = "Minutes from one backup to the next.", HelpName = "MINUTES", DefaultValueFactory = _ => BackupSchedule.Usual.EveryMinutes };
    private readonly Option<int> count = new("--keep") { Description = "At least this many stay, whatever their age.", HelpName = "N", DefaultValueFactory = _ => BackupSchedule.Usual.KeepCount };
    private readonly Option<int> days = new("--keep-days") { Description = "Younger ones stay, whatever their number.", HelpName = "DAYS", DefaultValueFactory = _ => BackupSchedule.Usual.KeepDays };
    private readonly Option<int> full = new("--full-days") { Description = "One that holds everything itself is made when the last is older.", HelpName = "DAYS", DefaultValueFactory = _ => BackupSchedule.Usual.FullDays };
    private readonly Option<bool> remove = new("--remove") { Description = "Make none there any more. Those that lie there stay." };

    public BackupTargetVerb()
        : base("target", "Set where backups go by themselves, how often, and how long they stay.", BackupWords.Group, actsAsSomebody: true) =>
        Add(target, every, count, days, full, remove);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var path = hospital.Backups.RequireOutside(call.Full(arguments.GetValue(target)!));
        var targets = hospital.Vault.Backups.Targets;
        if (arguments.GetValue(remove))
        {
            var there = (await targets.All(cancel)).FirstOrDefault(one => one.Path == path) ?? throw new RefusedInput("backup.no-target", "There is no such target. 'mangrove backup list' names them.");
            var removed = (await targets.Remove(actor, there.Id, cancel)).Value;
            return Answer.Of(new { path = removed, removed = true }, $"No more backups go to {removed}. Those that lie there stay.");
        }

        HospitalBackups.RequireWritable(path);
        var set = (await targets.Set(actor, path, new BackupSchedule(arguments.GetValue(every), arguments.GetValue(count), arguments.GetValue(days), arguments.GetValue(full)), cancel)).Value;
        return Answer.Of(
            new { path = set.Path, everyMinutes = set.Schedule.EveryMinutes, keepCount = set.Schedule.KeepCount, keepDays = set.Schedule.KeepDays, fullDays = set.Schedule.FullDays },
            $"While the server runs, a backup goes to {set.Path} every {set.Schedule.EveryMinutes} minutes; at least {set.Schedule.KeepCount} stay, and all of the last {set.Schedule.KeepDays} days.");
    }
}
