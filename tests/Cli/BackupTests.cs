using System.Text.Json;
using Mangrove.Cli;
using Mangrove.Cli.Backups;
using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mangrove.Tests.Cli;

/// <summary>
/// Backups as an administrator makes and uses them, on a whole hospital: made while it works, read back, proven by a drill,
/// restored on "another machine" by passphrase, key file or sheets, and of no use to a thief (threats B3, B6, B7, K11).
/// </summary>
public abstract class BackupTests(SampleHospital sample) : IDisposable
{
    private readonly Folder folder = new();

    private protected Folder Place => folder;

    private protected SampleHospital Sample => sample;

    private string Key => Path.Combine(sample.Data, "demo.key");

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_backup_is_made_listed_read_back_and_restored_elsewhere_whole()
    {
        var made = await Do("backup", "create", "--out", folder["target"]);
        Assert.True(made.Exit == 0, made.Out + made.Error);
        Assert.True(made.Json.GetProperty("complete").GetBoolean());
        Assert.True(made.Json.GetProperty("auditSize").GetInt64() > 0);
        Assert.Equal(64, made.Json.GetProperty("auditRoot").GetString()!.Length);
        var next = await Do("backup", "create", "--out", folder["target"]);
        Assert.False(next.Json.GetProperty("complete").GetBoolean());
        Assert.True(next.Json.GetProperty("bytes").GetInt64() < made.Json.GetProperty("bytes").GetInt64());

        var listed = await Read("backup", "list", "--out", folder["target"]);
        Assert.Equal([1, 2], listed.Json.GetProperty("backups").EnumerateArray().Select(one => one.GetProperty("number").GetInt32()));
        var verified = await Read("backup", "verify", folder["target"]);
        Assert.True(verified.Json.GetProperty("ok").GetBoolean(), verified.Error);
        Assert.Equal(2, verified.Json.GetProperty("number").GetInt32());

        var restored = await Restore(next, "--key-file", Key, "--protector", "keyfile:" + folder["new.key"], "--accept-same-volume");
        Assert.True(restored.Exit == 0, restored.Out + restored.Error);
        Assert.Equal(20, restored.Json.GetProperty("patients").GetInt32());

        // The log goes on where the backup left it, says what happened, and is whole.
        var log = await Executable.Run(["audit", "verify", "--data", folder["new"], "--json", .. RestoredArguments]);
        Assert.True(log.Json.GetProperty("ok").GetBoolean(), log.Out);
        Assert.True(log.Json.GetProperty("entries").GetInt64() > next.Json.GetProperty("auditSize").GetInt64());
        var (user, password) = sample.Login(Role.Admin);
        var entries = await Executable.Run(["audit", "list", "--data", folder["new"], "--action", "RESTORE_BACKUP", "--as", user, "--password-file", folder.Secret("pw", password), "--json", .. RestoredArguments]);
        Assert.StartsWith("backup 2 of", Assert.Single(entries.Json.EnumerateArray()).GetProperty("reason").GetString(), StringComparison.Ordinal);

        // Every field of every patient opens in the restored hospital as in the first.
        var first = await Export(sample.Data, "one", sample.StorageArguments);
        var second = await Export(folder["new"], "two", RestoredArguments);
        Assert.Equal(first, second);
    }

    [Fact]
    public async Task Only_an_administrator_makes_backups_and_never_into_the_data_folder()
    {
        var (user, password) = sample.Login(Role.Nurse);
        var nurse = await Executable.Run(["backup", "create", "--out", folder["target"], "--data", sample.Data, "--as", user, "--password-file", folder.Secret("nurse", password), "--json", .. sample.StorageArguments]);
        Assert.Equal((2, "access.role"), (nurse.Exit, nurse.Code));
        var inside = await Do("backup", "create", "--out", Path.Combine(sample.Data, "backups"));
        Assert.Equal((2, "backup.inside-data"), (inside.Exit, inside.Code));
        await File.WriteAllTextAsync(folder["file"], "no folder");
        var unwritable = await Do("backup", "create", "--out", folder["file"]);
        Assert.Equal((2, "backup.target-unwritable"), (unwritable.Exit, unwritable.Code));
        Assert.False(Directory.Exists(folder["target"]));
        Assert.DoesNotContain(Directory.EnumerateDirectories(sample.Data), path => path.Contains("scratch-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_damaged_backup_restores_nothing_and_leaves_nothing_behind()
    {
        var made = await Do("backup", "create", "--out", folder["target"]);
        var manifest = made.Json.GetProperty("path").GetString()!;
        foreach (var ending in new[] { ".data", ".keys", ".manifest" })
        {
            var path = Path.ChangeExtension(manifest, ending);
            var good = await File.ReadAllBytesAsync(path);
            foreach (var at in new[] { 9, good.Length / 2, good.Length - 5 })
            {
                var bad = (byte[])good.Clone();
                bad[at] ^= 0x10;
                await File.WriteAllBytesAsync(path, bad);
                var refused = await Restore(made, "--key-file", Key, "--protector", "keyfile:" + folder["new.key"], "--accept-same-volume");
                Assert.Equal(2, refused.Exit);
                Assert.Matches("^(backup|recovery|restore)\\.", refused.Code);
                Assert.False(Directory.Exists(folder["new"]), $"{ending} at {at} left a folder");
                Assert.False(File.Exists(folder["new.key"]));
                var verified = await Read("backup", "verify", manifest);
                Assert.NotEqual(0, verified.Exit);
            }

            await File.WriteAllBytesAsync(path, good);
        }
    }

    [Fact]
    public async Task An_older_backup_needs_two_administrators()
    {
        var old = await Do("backup", "create", "--out", folder["target"]);
        await Do("backup", "create", "--out", folder["target"]);
        string[] ways = ["--key-file", Key, "--protector", "keyfile:" + folder["new.key"], "--accept-same-volume"];
        var refused = await Restore(old, ways);
        Assert.Equal((2, "restore.older"), (refused.Exit, refused.Code));
        var (user, password) = sample.Login(Role.Admin);
        var alone = await Restore(old, [.. ways, "--older", "--as", user, "--password-file", folder.Secret("pw", password), "--second", user, "--second-password-file", folder["pw"]]);
        Assert.Equal((2, "restore.older"), (alone.Exit, alone.Code));
        var (nurse, other) = sample.Login(Role.Nurse);
        var wrong = await Restore(old, [.. ways, "--older", "--as", user, "--password-file", folder["pw"], "--second", nurse, "--second-password-file", folder.Secret("nurse", other)]);
        Assert.Equal((2, "access.role"), (wrong.Exit, wrong.Code));
        Assert.False(Directory.Exists(folder["new"]));
    }

    [Fact]
    public async Task A_thief_with_every_backup_and_no_secret_opens_nothing()
    {
        var made = await Do("backup", "create", "--out", folder["target"]);
        var nothing = await Restore(made, "--protector", "keyfile:" + folder["new.key"], "--accept-same-volume");
        Assert.Equal((2, "recovery.secret-needed"), (nothing.Exit, nothing.Code));
        var foreign = await Restore(made, "--key-file", folder.Secret("foreign.key", new string('a', 64)), "--protector", "keyfile:" + folder["new.key"], "--accept-same-volume");
        Assert.Equal((2, "keys.file-foreign"), (foreign.Exit, foreign.Code));
        var guess = await Restore(made, "--passphrase-file", folder.Secret("guess", "seven brown herons wade slowly"));
        Assert.Equal((2, "recovery.no-slot"), (guess.Exit, guess.Code));
        Assert.False(Directory.Exists(folder["new"]));

        // What lies in the target names nobody.
        var names = (await Export(sample.Data, "named", sample.StorageArguments)).Where(line => line.Contains("\"Patient\"", StringComparison.Ordinal))
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("name")[0].GetProperty("family").GetString()!).Distinct(StringComparer.Ordinal).ToList();
        Assert.True(names.Count > 5);
        foreach (var file in Directory.EnumerateFiles(folder["target"], "*", SearchOption.AllDirectories))
        {
            var bytes = await File.ReadAllBytesAsync(file);
            Assert.DoesNotContain(names, name => bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(name)) >= 0 && name.Length > 4);
        }
    }

    [Fact]
    public async Task Targets_are_set_shown_and_removed()
    {
        var wrong = await Do("backup", "target", "--out", folder["target"], "--every", "5");
        Assert.Equal((2, "backup.every"), (wrong.Exit, wrong.Code));
        var set = await Do("backup", "target", "--out", folder["target"], "--every", "60", "--keep", "5", "--keep-days", "3");
        Assert.True(set.Exit == 0, set.Out + set.Error);
        var listed = await Read("backup", "list");
        var target = listed.Json.GetProperty("targets").EnumerateArray().Single(one => one.GetProperty("path").GetString() == folder["target"]);
        Assert.Equal((60, 5, 3, 7), (target.GetProperty("everyMinutes").GetInt32(), target.GetProperty("keepCount").GetInt32(), target.GetProperty("keepDays").GetInt32(), target.GetProperty("fullDays").GetInt32()));
        Assert.Equal(0, (await Do("backup", "target", "--out", folder["target"], "--remove")).Exit);
        Assert.Equal("backup.no-target", (await Do("backup", "target", "--out", folder["target"], "--remove")).Code);
    }

    [Fact]
    public async Task A_drill_restores_opens_compares_and_leaves_nothing()
    {
        var none = await Do("backup", "drill", "--out", folder["target"]);
        Assert.Equal((2, "backup.not-found"), (none.Exit, none.Code));
        var made = await Do("backup", "create", "--out", folder["target"]);
        var drill = await Do("backup", "drill", "--out", folder["target"]);
        Assert.True(drill.Exit == 0, drill.Out + drill.Error);
        Assert.Equal(20, drill.Json.GetProperty("patients").GetInt32());
        Assert.True(drill.Json.GetProperty("entries").GetInt64() > 0);
        await NothingLeft();

        // What cannot be restored is no proof, and is said.
        var archive = Path.ChangeExtension(made.Json.GetProperty("path").GetString()!, ".data");
        var bytes = await File.ReadAllBytesAsync(archive);
        bytes[bytes.Length / 2] ^= 0x10;
        await File.WriteAllBytesAsync(archive, bytes);
        var broken = await Do("backup", "drill", "--out", folder["target"]);
        Assert.Equal((2, "backup.damaged"), (broken.Exit, broken.Code));
        await NothingLeft();
        var runs = await Read("backup", "list");
        Assert.Equal(["backup.damaged", null], runs.Json.GetProperty("runs").EnumerateArray().Where(run => run.GetProperty("work").GetString() == "drill" && run.GetProperty("target").GetString() == folder["target"]).Take(2).Select(run => run.GetProperty("failure").GetString()));
    }

    /// <summary>Nothing of a drill is where the hospital lies.</summary>
    private protected virtual Task NothingLeft()
    {
        Assert.DoesNotContain(Directory.EnumerateDirectories(sample.Data), path => path.Contains("scratch-", StringComparison.Ordinal));
        return Task.CompletedTask;
    }

    /// <summary>Where a restored hospital lies, for the command line.</summary>
    private protected IReadOnlyList<string> RestoredArguments { get; set; } = [];

    /// <summary>Makes the empty place that a hospital is restored into.</summary>
    private protected virtual Task Prepare() => Task.CompletedTask;

    private protected Task<Ran> Do(params string[] words)
    {
        var (user, password) = sample.Login(Role.Admin);
        return Executable.Run([.. words, "--data", sample.Data, "--as", user, "--password-file", folder.Secret("admin", password), "--json", .. sample.StorageArguments]);
    }

    private protected Task<Ran> Read(params string[] words) => Executable.Run([.. words, "--data", sample.Data, "--json", .. sample.StorageArguments]);

    private async Task<Ran> Restore(Ran made, params string[] ways)
    {
        await Prepare();
        return await Executable.Run(["backup", "restore", made.Json.GetProperty("path").GetString()!, "--data", folder["new"], "--json", .. RestoredArguments, .. ways]);
    }

    /// <summary>Everything that the hospital holds of its patients, a line a resource.</summary>
    private async Task<IReadOnlyList<string>> Export(string data, string name, IReadOnlyList<string> storage)
    {
        var (user, password) = sample.Login(Role.Admin);
        var exported = await Executable.Run(["export", "fhir", "--out", folder[name], "--data", data, "--as", user, "--password-file", folder.Secret("pw", password), "--json", .. storage]);
        Assert.True(exported.Exit == 0, exported.Out + exported.Error);
        var lines = new List<string>();
        foreach (var file in Directory.EnumerateFiles(folder[name], "*.ndjson").Order(StringComparer.Ordinal))
        {
            lines.AddRange(await File.ReadAllLinesAsync(file));
        }

        Assert.NotEmpty(lines);
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }
}

public sealed class BackupOnSqliteTests(SampleHospital sample) : BackupTests(sample), IClassFixture<SampleHospital>
{
    /// <summary>Log, records and anchors all go back together, so that nothing on the machine contradicts them (threat A1).</summary>
    [Fact]
    public async Task A_whole_disk_that_went_back_is_found_out_by_the_manifest_of_a_backup()
    {
        Assert.Equal(0, (await Do("backup", "target", "--out", Place["witness"])).Exit);
        var old = Directory.CreateDirectory(Place["old"]).FullName;
        foreach (var file in Directory.EnumerateFiles(Sample.Data).Where(file => Path.GetFileName(file) != "lock"))
        {
            File.Copy(file, Path.Combine(old, Path.GetFileName(file)));
        }

        var before = await Executable.Run("audit", "verify", "--data", old, "--json");
        Assert.True(before.Exit == 0, before.Out + before.Error);
        var made = await Do("backup", "create", "--out", Place["witness"]);
        Assert.True(made.Exit == 0, made.Out + made.Error);

        var after = await Executable.Run("audit", "verify", "--data", old, "--json");
        Assert.NotEqual(0, after.Exit);
        var problem = Assert.Single(after.Json.GetProperty("problems").EnumerateArray());
        Assert.Equal("audit.rolled-back", problem.GetProperty("code").GetString());
        Assert.Contains("backup 1 in", problem.GetProperty("message").GetString(), StringComparison.Ordinal);
        var here = await Executable.Run("audit", "verify", "--data", Sample.Data, "--json");
        Assert.True(here.Exit == 0, here.Out);

        // A thief who cannot sign can only spoil the witness, and that is found out too.
        var manifest = made.Json.GetProperty("path").GetString()!;
        var signed = await File.ReadAllBytesAsync(manifest);
        await File.WriteAllTextAsync(manifest, File.ReadAllText(manifest).Replace("\"size\":", "\"size\": ", StringComparison.Ordinal));
        Assert.NotEqual(signed, await File.ReadAllBytesAsync(manifest));
        var spoiled = await Executable.Run("audit", "verify", "--data", old, "--json");
        Assert.Equal(1, spoiled.Exit);
        Assert.Equal("audit.witness-unproven", Assert.Single(spoiled.Json.GetProperty("problems").EnumerateArray()).GetProperty("code").GetString());
        await File.WriteAllBytesAsync(manifest, signed);
        Assert.Equal(before.Json.GetProperty("anchors").GetInt32() + 1, here.Json.GetProperty("anchors").GetInt32());
        Assert.Equal(0, (await Do("backup", "target", "--out", Place["witness"], "--remove")).Exit);
    }

    [Fact]
    public async Task With_the_machine_and_its_key_gone_two_of_three_sheets_and_the_backups_bring_the_hospital_back()
    {
        var copy = await Sample.CopyTo(Place["lost"]);
        IReadOnlyList<string> sheets;
        await using (var hospital = await Hospital.Open(copy, new RootSecret { KeyFile = Path.Combine(copy.Folder, "demo.key") }, TimeProvider.System, default))
        {
            var (user, password) = Sample.Login(Role.Admin);
            var admin = (await hospital.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
            var made = (await hospital.Vault.Recovery.BeginShares(admin, 2, 3, new FactorProof(Sample.Code(Role.Admin)), default)).Value;
            sheets = [.. made.Sheets.Select(sheet => string.Join('\n', sheet.Lines))];

            // Sheets that nobody has tried yet open nothing that is made meanwhile.
            await hospital.Backups.Make(SystemActors.Backup, Place["before"], complete: false, null, static _ => { }, default);
            Assert.True((await hospital.Vault.Recovery.VerifyShares(admin, sheets, default)).Value.InForce);
            await hospital.Backups.Make(SystemActors.Backup, Place["target"], complete: false, null, static _ => { }, default);
        }

        Directory.Delete(Place["lost"], recursive: true);
        string[] files = [.. sheets.Select((sheet, at) => Place.Secret($"sheet-{at}", sheet))];
        string[] protector = ["--new-passphrase-file", Place.Secret("new-pass", "seven grey pelicans dive at dawn"), "--json"];
        var early = await Executable.Run(["backup", "restore", Place["before"], "--data", Place["new"], "--share-file", files[0], "--share-file", files[2], .. protector]);
        Assert.Equal((2, "recovery.no-slot"), (early.Exit, early.Code));
        var few = await Executable.Run(["backup", "restore", Place["target"], "--data", Place["new"], "--share-file", files[1], .. protector]);
        Assert.Equal((2, "shares.too-few"), (few.Exit, few.Code));
        Assert.False(Directory.Exists(Place["new"]));

        var restored = await Executable.Run(["backup", "restore", Place["target"], "--data", Place["new"], "--share-file", files[0], "--share-file", files[2], .. protector]);
        Assert.True(restored.Exit == 0, restored.Out + restored.Error);
        Assert.Equal(20, restored.Json.GetProperty("patients").GetInt32());
        var log = await Executable.Run("audit", "verify", "--data", Place["new"], "--passphrase-file", Place["new-pass"], "--json");
        Assert.True(log.Json.GetProperty("ok").GetBoolean(), log.Out);
    }

    [Fact]
    public async Task A_hospital_of_a_passphrase_is_restored_by_it_and_by_no_other()
    {
        const string Passphrase = "seven brown herons wade slowly";
        var made = await Executable.Run("init", "--data", Place.Data, "--facility", "Kivuko Hospital", "--passphrase-file", Place.Secret("pass", Passphrase), "--json");
        Assert.True(made.Exit == 0, made.Error);
        await using (var hospital = await Hospital.Open(StorageOptions.Sqlite(Place.Data), new RootSecret { Passphrase = Passphrase.ToCharArray() }, TimeProvider.System, default))
        {
            await hospital.Backups.Make(SystemActors.Backup, Place["target"], complete: false, null, static _ => { }, default);
        }

        var wrong = await Executable.Run("backup", "restore", Place["target"], "--data", Place["new"], "--passphrase-file", Place.Secret("wrong", "seven brown herons wade quickly"), "--json");
        Assert.Equal((2, "keys.passphrase-wrong"), (wrong.Exit, wrong.Code));
        var restored = await Executable.Run("backup", "restore", Place["target"], "--data", Place["new"], "--passphrase-file", Place["pass"], "--json");
        Assert.True(restored.Exit == 0, restored.Out + restored.Error);
        var log = await Executable.Run("audit", "verify", "--data", Place["new"], "--passphrase-file", Place["pass"], "--json");
        Assert.True(log.Json.GetProperty("ok").GetBoolean(), log.Out);
        var again = await Executable.Run("backup", "restore", Place["target"], "--data", Place["new"], "--passphrase-file", Place["pass"], "--json");
        Assert.Equal((2, "init.already"), (again.Exit, again.Code));

        // Another passphrase from now on: the backup of before opens by the old one, the hospital by the new one.
        var changed = await Executable.Run("backup", "restore", Place["target"], "--data", Place["third"], "--passphrase-file", Place["pass"], "--new-passphrase-file", Place["wrong"], "--json");
        Assert.True(changed.Exit == 0, changed.Out + changed.Error);
        Assert.Equal("keys.passphrase-wrong", (await Executable.Run("audit", "verify", "--data", Place["third"], "--passphrase-file", Place["pass"], "--json")).Code);
        Assert.Equal(0, (await Executable.Run("audit", "verify", "--data", Place["third"], "--passphrase-file", Place["wrong"], "--json")).Exit);
    }
}

/// <summary>Backups that nobody asks for, in a hospital that has none yet.</summary>
public abstract class BackupTimetableTests(SampleHospital sample) : IDisposable
{
    private readonly Folder folder = new();

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task The_timetable_makes_what_is_due_tries_again_after_a_failure_and_proves_a_restore_once_a_week()
    {
        var clock = new FakeClock();
        clock.Pass(TimeProvider.System.GetUtcNow() - clock.GetUtcNow());
        var copy = await sample.CopyTo(folder["copy"]);
        await using var hospital = await Hospital.Open(copy, new RootSecret { KeyFile = Path.Combine(copy.Folder, "demo.key") }, clock, default);
        await hospital.Indexing;
        var (user, password) = sample.Login(Role.Admin);
        var admin = (await hospital.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
        var timetable = new BackupTimetable(hospital, hospital.Backups, NullLogger<BackupTimetable>.Instance);
        await timetable.Turn(default);
        Assert.Empty(await hospital.Vault.Backups.Runs(10, default));

        Assert.Null((await hospital.Vault.Backups.Targets.Set(admin, folder["target"], new BackupSchedule(60, 3, 1, 7), default)).Error);
        await timetable.Turn(default);
        Assert.Equal(["Drill ", "Backup "], await Runs());
        clock.Pass(TimeSpan.FromMinutes(59));
        await timetable.Turn(default);
        Assert.Equal(2, (await Runs()).Count);
        clock.Pass(TimeSpan.FromMinutes(1));
        await timetable.Turn(default);
        Assert.Equal(["Backup ", "Drill ", "Backup "], await Runs());

        // The disk is gone: it says so, and tries again after a quarter of an hour, not every minute.
        Directory.Move(folder["target"], folder["gone"]);
        await File.WriteAllTextAsync(folder["target"], "no folder");
        clock.Pass(TimeSpan.FromHours(1));
        await timetable.Turn(default);
        await timetable.Turn(default);
        Assert.Equal("Backup backup.target-unwritable", (await Runs())[0]);
        Assert.Equal(4, (await Runs()).Count);
        File.Delete(folder["target"]);
        Directory.Move(folder["gone"], folder["target"]);
        clock.Pass(TimeSpan.FromMinutes(15));
        await timetable.Turn(default);
        Assert.Equal("Backup ", (await Runs())[0]);

        clock.Pass(TimeSpan.FromDays(7));
        await timetable.Turn(default);
        Assert.Equal(["Drill ", "Backup "], (await Runs()).Take(2));

        // Three stay, and all of the last day; each end of a run is an entry.
        using var keys = await hospital.Vault.Backups.Keys(default);
        Assert.Equal(3, BackupFolder.In(folder["target"], hospital.Vault.Facility).List(keys).Count);
        var actions = (await hospital.Vault.Review.List(admin, new AuditFilter { NewestFirst = false }, null, default)).Select(entry => entry.Action).ToList();
        Assert.Equal((5, 4, 1, 2), (actions.Count(action => action == "CREATE_BACKUP"), actions.Count(action => action == "BACKUP_CREATED"), actions.Count(action => action == "BACKUP_FAILED"), actions.Count(action => action == "RESTORE_PROVEN")));

        async Task<List<string>> Runs() => [.. (await hospital.Vault.Backups.Runs(20, default)).Select(run => $"{run.Work} {run.Failure}")];
    }
}

public sealed class BackupTimetableOnSqliteTests(SampleHospital sample) : BackupTimetableTests(sample), IClassFixture<SampleHospital>;

public sealed class BackupTimetableOnPostgresTests(SampleOnPostgres sample) : BackupTimetableTests(sample), IClassFixture<SampleOnPostgres>;
