using System.Globalization;
using System.Reflection;
using Mangrove.Cli.CommandLine;
using Mangrove.Clinic;
using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Storage.Postgres;
using Mangrove.Storage.Sqlite;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using BackupWork = Mangrove.Vault.Backups.BackupWork;

namespace Mangrove.Cli.Backups;

/// <summary>What a backup came to.</summary>
public sealed record BackupMade(StoredBackup Stored, long Written, int Removed, double Seconds);

/// <summary>
/// Backups of a hospital that is open, whoever asks for them: the schedule, a page or the command line. One at a time; the
/// hospital goes on working. A backup counts once it was read back whole.
/// </summary>
public sealed partial class HospitalBackups(Hospital hospital) : IBackupWork, IAsyncDisposable
{
    /// <summary>How the folders in the data folder are called that are swept at every start.</summary>
    internal const string ScratchPrefix = "scratch-";

    // What the copies may take of the data volume: never the last tenth, which the hospital's own writing needs.
    private const double KeptFree = 0.1;

    private readonly SemaphoreSlim one = new(1);

    // Ends what pages began when the hospital closes.
    private readonly CancellationTokenSource closing = new();

    /// <summary>A backup or a drill came to its end, well or not.</summary>
    public event EventHandler? Ended;

    private volatile BackupProgress? running;
    private Task behind = Task.CompletedTask;

    public bool DrillsHere => hospital.Storage.Kind == StorageKind.Sqlite || DrillGround.IsNamed(hospital.Storage);

    public BackupUnderway? Underway => running?.Now;

    public static string Version { get; } = typeof(HospitalBackups).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static string StorageName(StorageKind kind) => kind == StorageKind.Sqlite ? "sqlite" : "postgres";

    public static string NewestSchema(StorageKind kind) => Schema.Newest(kind == StorageKind.Sqlite ? typeof(SqliteClinics) : typeof(PostgresClinics));

    /// <summary>Removes what an interrupted run left in the data folder. Called while none can run.</summary>
    public static void Sweep(string folder)
    {
        foreach (var left in Directory.EnumerateDirectories(folder, ScratchPrefix + "*"))
        {
            Directory.Delete(left, recursive: true);
        }
    }

    /// <summary>Removes what a killed drill left in the drill's own database; in the data folder <see cref="Sweep"/> does it.</summary>
    /// <returns>Whether there was something.</returns>
    /// <exception cref="RefusedInput"><c>drill.unreachable</c>.</exception>
    public async Task<bool> SweepDrill(CancellationToken cancel) =>
        hospital.Storage.Kind == StorageKind.Postgres && DrillGround.IsNamed(hospital.Storage) && await DrillGround.Sweep(hospital.Storage, cancel);

    /// <summary>What would keep a drill from running here, with what to do about it; null where nothing is known.</summary>
    public async Task<Error?> DrillTrouble(CancellationToken cancel) =>
        hospital.Storage.Kind == StorageKind.Postgres ? await DrillGround.Look(hospital.Storage, cancel) : null;

    /// <summary>Makes a backup, reads it back, and removes those that are due.</summary>
    /// <param name="actor">An administrator, or the system by schedule.</param>
    /// <param name="target">A folder outside the data folder.</param>
    /// <param name="complete">True to write everything anew.</param>
    /// <param name="keep">How many stay; null removes none.</param>
    /// <param name="say">Progress.</param>
    /// <param name="cancel">Gives up and leaves nothing.</param>
    /// <exception cref="RefusedInput">
    /// <c>backup.inside-data</c>, <c>backup.target-unwritable</c>, <c>backup.no-space</c>, <c>backup.busy</c>, or a code of storage.
    /// </exception>
    public async Task<BackupMade> Make(Actor actor, string target, bool complete, BackupSchedule? keep, Action<string> say, CancellationToken cancel)
    {
        target = RequireOutside(target);
        await hospital.Vault.Backups.Begin(actor, BackupWork.Backup, target, cancel);
        return await MakeNow(actor, target, complete, keep, say, cancel);
    }

    private Task<BackupMade> MakeNow(Actor actor, string target, bool complete, BackupSchedule? keep, Action<string> said, CancellationToken cancel) =>
        Run(BackupWork.Backup, actor, target, said, async (started, progress, say) =>
        {
            RequireWritable(target);
            var scratch = NewScratch();
            try
            {
                RequireSpace(target);
                say("copying");
                using var held = hospital.Vault.Backups.HoldKeys();
                var (maker, parts, facts) = await Copy(scratch, cancel);
                StoredBackup stored;
                var folder = BackupFolder.In(target, hospital.Vault.Facility);
                using (maker)
                {
                    say("writing");
                    var after = await LastNumber(target, cancel);
                    stored = await BackupWriter.Write(folder, maker, parts, facts, complete || FullIsDue(folder, maker, keep), after, progress, cancel);
                }

                held.Dispose();
                Directory.Delete(scratch, recursive: true);
                say("reading back");
                await ReadBack(folder, stored, progress, cancel);
                var gone = keep is null ? [] : await Retire(actor, target, folder, keep, cancel);
                var written = stored.Manifest.Length + new FileInfo(stored.KeysPath).Length + new FileInfo(stored.Path).Length;
                var made = new BackupMade(stored, written, gone.Count, (hospital.Clock.GetUtcNow() - started).TotalSeconds);
                return (made, new Outcome(stored.Manifest, written));
            }
            finally
            {
                if (Directory.Exists(scratch))
                {
                    Directory.Delete(scratch, recursive: true);
                }
            }
        }, cancel);

    /// <summary>Reads a backup of this hospital whole: manifest, list, every chunk, the key bundle.</summary>
    /// <exception cref="RefusedInput">A <c>backup.</c> code: what is wrong with it.</exception>
    public async Task<StoredBackup> Verify(string path, IProgress<long>? progress, CancellationToken cancel)
    {
        using var keys = await hospital.Vault.Backups.Keys(cancel);
        var (folder, named) = BackupFolder.Find(path);
        var stored = named is not null ? BackupFolder.Read(named, keys)
            : folder.List(keys) is [.., var newest] ? newest
            : throw new RefusedInput("backup.not-found", "There is no backup there. Name a target, a hospital's folder in it, or a manifest.");
        await ReadBack(folder, stored, progress, cancel);
        return stored;
    }

    /// <summary>
    /// What the newest manifest of each target that can be reached says of the audit log, its signature checked: anchors outside
    /// this machine (threat A1).
    /// </summary>
    public async Task<IReadOnlyList<KeptRoot>> KeptRoots(CancellationToken cancel)
    {
        var roots = new List<KeptRoot>();
        var targets = await hospital.Vault.Backups.Targets.All(cancel);
        if (targets.Count == 0)
        {
            return roots;
        }

        using var keys = await hospital.Vault.Backups.Keys(cancel);
        foreach (var target in targets)
        {
            try
            {
                var (backups, unreadable) = BackupFolder.In(target.Path, hospital.Vault.Facility).Survey(keys);
                var newest = backups is [.., var last] ? last : null;

                // A disk put back may not even know the key that signed since. Older ones may be damaged: the newest speaks for them.
                if (unreadable.Max(StringComparer.Ordinal) is { } strange && (newest is null || string.CompareOrdinal(strange, Path.GetFileName(newest.Path)) > 0))
                {
                    roots.Add(KeptRoot.Unproven($"the newest manifest in {target.Path}"));
                }
                else if (newest is { Manifest: { Audit.Size: > 0 } told })
                {
                    roots.Add(new KeptRoot(told.Audit.Size, told.Audit.Root, string.Create(CultureInfo.InvariantCulture, $"backup {told.Number} in {target.Path}")));
                }
            }
            catch (Exception away) when (away is IOException or UnauthorizedAccessException)
            {
                // Not connected, or nothing there yet: the timetable and the alarms say so, and it vouches for nothing now.
            }
        }

        return roots;
    }

    /// <summary>Restores the newest backup of a target beside the hospital, opens it, compares, and throws it away again.</summary>
    /// <exception cref="RefusedInput">A code: what kept the backup from being restored.</exception>
    public async Task<DrillResult> Drill(Actor actor, string target, Action<string> say, CancellationToken cancel)
    {
        target = Path.GetFullPath(target);
        await hospital.Vault.Backups.Begin(actor, BackupWork.Drill, target, cancel);
        return await DrillNow(actor, target, say, cancel);
    }

    private Task<DrillResult> DrillNow(Actor actor, string target, Action<string> said, CancellationToken cancel) =>
        Run(BackupWork.Drill, actor, target, said, async (_, progress, say) =>
        {
            var (folder, _) = BackupFolder.Find(target);
            using var keys = await hospital.Vault.Backups.Keys(cancel);
            var stored = folder.List(keys) is [.., var newest] ? newest : throw new RefusedInput("backup.not-found", "There is no backup in this target yet. Make one first.");
            var scratch = NewScratch();
            try
            {
                RequireRoom(stored.Manifest.Content);
                var result = await RestoreDrill.Run(hospital, folder, stored, keys, scratch, progress, say, cancel);
                return (result, new Outcome(stored.Manifest, 0));
            }
            finally
            {
                Directory.Delete(scratch, recursive: true);
            }
        }, cancel);

    public Result<string> Check(string path)
    {
        if (path.Length is 0 or > 500 || !Path.IsPathFullyQualified(path) || path.Any(char.IsControl))
        {
            return new Error("backup.path", "Name the full path of a folder, of at most 500 characters.");
        }

        try
        {
            var full = RequireOutside(path);
            RequireWritable(full);
            return full;
        }
        catch (RefusedInput refused)
        {
            return refused.Error;
        }
    }

    public async Task<Result<DateTimeOffset>> Start(Actor admin, BackupWork work, BackupTarget target, CancellationToken cancel)
    {
        await hospital.Vault.Backups.Begin(admin, work, target.Path, cancel);
        if (one.CurrentCount == 0)
        {
            return Busy;
        }

        // A failure is in the log and in the history, where the page shows it.
        var token = closing.Token;
        behind = Task.Run(
            async () =>
            {
                try
                {
                    await (work == BackupWork.Backup
                        ? MakeNow(admin, target.Path, complete: false, target.Schedule, static _ => { }, token)
                        : (Task)DrillNow(admin, target.Path, static _ => { }, token));
                }
                catch (Exception error) when (error is OperationCanceledException || CommandShell.Explain(error) is not null)
                {
                    // Said above.
                }
            },
            CancellationToken.None);
        return hospital.Clock.GetUtcNow();
    }

    public (IReadOnlyDictionary<Guid, DateTimeOffset> Backups, DateTimeOffset? Drill) Due(IReadOnlyList<BackupTarget> targets, IReadOnlyList<BackupRun> runs) =>
        (targets.ToDictionary(target => target.Id, target => BackupTimetable.Due(target, runs)), BackupTimetable.DrillDue(runs));

    /// <summary>Stops what a page began, and waits until it has tidied up.</summary>
    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await behind.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

        // One of the timetable may still be copying; the vault must not be sealed under it.
        await one.WaitAsync(CancellationToken.None);
        one.Dispose();
        closing.Dispose();
    }

    private static Error Busy { get; } = new("backup.busy", "A backup or a drill is running. Try again when it has ended.");

    private async Task<T> Run<T>(BackupWork work, Actor actor, string target, Action<string> said, Func<DateTimeOffset, IProgress<long>, Action<string>, Task<(T, Outcome)>> run, CancellationToken cancel)
    {
        if (!await one.WaitAsync(TimeSpan.Zero, cancel))
        {
            throw new RefusedInput(Busy);
        }

        var started = hospital.Clock.GetUtcNow();
        var progress = new BackupProgress(work, target, started);
        running = progress;
        try
        {
            try
            {
                var (result, outcome) = await run(
                    started,
                    progress,
                    step =>
                    {
                        progress.Begin(step);
                        said(step);
                    });
                await End(null, outcome);
                return result;
            }
            catch (Exception failed)
            {
                await End(failed is OperationCanceledException ? "backup.interrupted" : CommandShell.Explain(failed)?.Code ?? "mangrove.broken", null);
                throw;
            }
        }
        finally
        {
            running = null;
            one.Release();
            Ended?.Invoke(this, EventArgs.Empty);
        }

        // Also when the caller went away: a run that began has its end in the log.
        Task End(string? failure, Outcome? outcome) => hospital.Vault.Backups.End(
            actor,
            new BackupRun(
                Ids.New(), work, target, started, hospital.Clock.GetUtcNow(), failure,
                outcome?.Manifest.Number, outcome?.Manifest.Complete ?? false, outcome?.Manifest.Content ?? 0, outcome?.Written ?? 0, outcome?.Manifest.Audit.Size ?? 0),
            CancellationToken.None);
    }

    private async Task<(IArchiveMaker Maker, IReadOnlyList<BackupSource> Parts, BackupFacts Facts)> Copy(string scratch, CancellationToken cancel)
    {
        // The order keeps every row with its key and every act with its entry (StoreSnapshot).
        var parts = new List<SnapshotPart>();
        parts.AddRange(await StoreSnapshot.Take(hospital.Storage, "clinic", scratch, cancel));
        parts.AddRange(await StoreSnapshot.Take(hospital.Storage, "vault", scratch, cancel));
        var maker = await hospital.Vault.Backups.Seal(scratch, cancel);
        try
        {
            var newest = hospital.Vault.Review.Newest;
            parts.AddRange(await StoreSnapshot.Take(hospital.Storage, "audit", scratch, cancel));
            var rows = parts.SelectMany(part => part.Rows).ToDictionary(count => count.Key, count => count.Value, StringComparer.Ordinal);
            var audit = new ManifestAudit(newest?.Size ?? 0, newest is null ? string.Empty : Convert.ToHexStringLower(newest.Root.Span));
            var facts = new BackupFacts(Version, StorageName(hospital.Storage.Kind), NewestSchema(hospital.Storage.Kind), audit, rows);
            return (maker, [.. parts.Select(part => new BackupSource(part.Name, part.Path)), .. LooseFiles(hospital.Storage.Folder)], facts);
        }
        catch
        {
            maker.Dispose();
            throw;
        }
    }

    /// <summary>Files of the data folder that are no database: the list of diagnoses, attachments.</summary>
    internal static IEnumerable<BackupSource> LooseFiles(string data) =>
        from kind in RestoredFiles.Folders
        let folder = Path.Combine(data, kind)
        where Directory.Exists(folder)
        from file in Directory.EnumerateFiles(folder)
        select new BackupSource($"{kind}/{Path.GetFileName(file)}", file);

    private async Task ReadBack(BackupFolder folder, StoredBackup stored, IProgress<long>? progress, CancellationToken cancel)
    {
        using var keys = await hospital.Vault.Backups.Keys(cancel);
        using var bundle = await hospital.Vault.Backups.OpenBundle(stored.KeysPath, cancel);
        await ReadBack(folder, stored, keys, bundle, progress, cancel);
    }

    /// <summary>Reads a backup whole: every chunk of its archives, and its key bundle.</summary>
    internal static async Task ReadBack(BackupFolder folder, StoredBackup stored, IArchiveKeys keys, OpenedBundle bundle, IProgress<long>? progress, CancellationToken cancel)
    {
        using (var reader = BackupReader.Open(folder, stored, keys))
        {
            await Task.Run(() => reader.Verify(progress, cancel), cancel);
        }

        if (bundle.Backup != stored.Manifest.Backup)
        {
            throw new RefusedInput("backup.damaged", "The key bundle beside this backup belongs to another one. Use another backup.");
        }

        bundle.Check();
    }

    private async Task<IReadOnlyList<Guid>> Retire(Actor actor, string target, BackupFolder folder, BackupSchedule keep, CancellationToken cancel)
    {
        using var keys = await hospital.Vault.Backups.Keys(cancel);
        var gone = BackupRetention.Apply(folder, keys, keep.KeepCount, TimeSpan.FromDays(keep.KeepDays), hospital.Clock.GetUtcNow());
        if (gone.Count > 0)
        {
            await hospital.Vault.Backups.Forget(actor, target, gone, cancel);
        }

        return gone;
    }

    private bool FullIsDue(BackupFolder folder, IArchiveKeys keys, BackupSchedule? schedule) =>
        folder.Survey(keys).Backups.LastOrDefault(stored => stored.Manifest.Complete) is not { } full
        || hospital.Clock.GetUtcNow() - full.Manifest.Created >= TimeSpan.FromDays((schedule ?? BackupSchedule.Usual).FullDays);

    /// <summary>The hospital remembers what a target had: one that was rolled back is not continued under numbers that were used.</summary>
    private async Task<long> LastNumber(string target, CancellationToken cancel) =>
        (await hospital.Vault.Backups.Runs(10_000, cancel)).Where(run => run.Target == target && run.Work == BackupWork.Backup).Max(run => run.Number) ?? 0;

    private string NewScratch() => NewScratch(hospital.Storage.Folder);

    /// <summary>A folder in the data folder for this account alone, which every start sweeps.</summary>
    internal static string NewScratch(string data)
    {
        var scratch = Path.Combine(data, ScratchPrefix + Ids.New().ToString("N"));
        Directory.CreateDirectory(scratch);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(scratch, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return scratch;
    }

    internal string RequireOutside(string target) => RequireOutside(target, hospital.Storage.Folder);

    internal static string RequireOutside(string target, string dataFolder)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        var data = Path.TrimEndingDirectorySeparator(dataFolder);
        return full == data || full.StartsWith(data + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? throw new RefusedInput("backup.inside-data", "A backup inside the data folder is lost with it. Name a folder on another disk, a mounted share or a removable disk.")
            : full;
    }

    internal static void RequireWritable(string target)
    {
        try
        {
            Directory.CreateDirectory(target);
            var probe = Path.Combine(target, $".mangrove-{Ids.New():N}");
            using (new FileStream(probe, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.DeleteOnClose }))
            {
                // That it can be made and removed is the answer.
            }
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or DirectoryNotFoundException || (refused is IOException && StorageFault.Of(refused)?.Code != "data.full"))
        {
            throw new RefusedInput("backup.target-unwritable", "The target cannot be written. Connect the disk or share, and give the service account the right to write there.");
        }
    }

    private void RequireSpace(string target)
    {
        var size = Directory.EnumerateFiles(hospital.Storage.Folder, "*.db*").Sum(file => new FileInfo(file).Length);
        RequireRoom(size);
        if (new DriveInfo(target).AvailableFreeSpace < size / 8)
        {
            throw new RefusedInput("backup.no-space", "The target is nearly full. Free space there, or name another target; the backups of before are as they were.");
        }
    }

    private void RequireRoom(long size)
    {
        var (free, all) = hospital.Vault.Space.Volume;
        if (SpaceWatch.IsScarce(free, all) && free < size * 10)
        {
            throw new RefusedInput("backup.no-room", "Less than a tenth of the disk of the data is free, and a backup or drill needs room for a copy for a moment. Free some space there.");
        }

        if (free - size < all * KeptFree && free < size * 10)
        {
            throw new RefusedInput("backup.no-room", "The disk of the data has no room for the copy that a backup or drill needs for a moment. Free some space there.");
        }
    }

    private sealed record Outcome(BackupManifest Manifest, long Written);
}

/// <summary>How far a run is.</summary>
internal sealed class BackupProgress(BackupWork work, string target, DateTimeOffset started) : IProgress<long>
{
    private volatile BackupUnderway now = new(work, target, started, "beginning", 0);

    public BackupUnderway Now => now;

    public void Begin(string step) => now = now with { Step = step, Done = 0 };

    public void Report(long value) => now = now with { Done = value };
}
