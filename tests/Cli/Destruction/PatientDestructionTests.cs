using System.IO.Compression;
using Mangrove.Cli;
using Mangrove.Cli.Destruction;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Destruction;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Cli.Destruction;

/// <summary>
/// The destruction of a whole record in a whole hospital with backups: proposed, approved, carried out and certified; an old backup
/// brings everybody back but the patient (threats D1, D4).
/// </summary>
public abstract class PatientDestructionTests(SampleHospital sample) : IDisposable
{
    private readonly Folder folder = new();
    private byte[] phone = [];
    private List<string> recovery = [];

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_record_is_gone_everywhere_in_a_minute_and_an_old_backup_brings_back_everybody_else()
    {
        var storage = await sample.CopyTo(folder["data"]);
        PatientRef gone;
        IReadOnlyList<PatientRef> others;
        await using (var hospital = await Open(storage))
        {
            var (one, two) = await Administrators(hospital);
            await hospital.Backups.Make(SystemActors.Backup, folder["target"], complete: false, null, static _ => { }, default);
            await hospital.Backups.Make(SystemActors.Backup, folder["target"], complete: false, null, static _ => { }, default);
            CopyAll(folder["target"], folder["kept"]);
            (gone, others) = await Choose(hospital);
            hospital.Vault.Destruction.Ask(new Nothing());
            var order = await Approved(hospital, one, two, gone);
            var before = await hospital.Vault.Destruction.Open(one, order, default);
            Assert.Equal(gone.Mrn, before.Value.Order.Patients[0].Mrn);

            var began = TimeProvider.System.GetTimestamp();
            var done = (await hospital.Destruction.Run(one, order, new RootSecret { KeyFile = Path.Combine(storage.Folder, "demo.key") }, static _ => { }, default)).Value;
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(60));
            Assert.Equal(DestructionState.Done, done.State);
            var stored = (await hospital.Vault.Destruction.Certificate(one, order, default)).Value;
            var certificate = DestructionCertificate.Parse(stored);
            Assert.True(certificate.Facts.RootRotated);
            Assert.Equal(2, certificate.Facts.Bundles.Count);
            Assert.All(certificate.Facts.Bundles, bundle => Assert.Equal(1, bundle.Removed));
            Assert.True(certificate.Facts.Rows["clinic.patient"] == 1 && certificate.Facts.Rows.Count > 3, string.Join(' ', certificate.Facts.Rows.Keys));
            Assert.All(certificate.Facts.Looked.Values, count => Assert.Equal(0, count));
            Assert.Equal(hospital.Vault.Review.PublicKey, await KeyOf(hospital, stored));
            await CheckedElsewhere(stored, hospital.Vault.Review.PublicKey, gone.Mrn, others[0].Mrn);

            // Here: no row, no hit, and the record of nobody else is touched.
            Assert.False((await hospital.Destruction.Find(gone.Mrn, default)).Ok);
            Assert.Equal(others.Select(patient => patient.Id).Order(Comparer<PatientId>.Create((a, b) => a.Value.CompareTo(b.Value))), (await Everybody(hospital)).Select(patient => patient.Id).Order(Comparer<PatientId>.Create((a, b) => a.Value.CompareTo(b.Value))));
            Assert.Null((await hospital.Vault.Destruction.Open(one, order, default)).Value.Words);
            Assert.Null((await hospital.Vault.Destruction.Open(one, order, default)).Value.Order.Patients[0].Mrn);

            // Bundles of before, kept by somebody, open with nothing that the server has.
            foreach (var kept in Directory.EnumerateFiles(folder["kept"], "*.keys", SearchOption.AllDirectories))
            {
                Assert.Equal("backup.epoch-destroyed", (await Assert.ThrowsAsync<RefusedInput>(() => hospital.Vault.Backups.OpenBundle(kept, default))).Code);
            }

            // Every rewritten one is a whole backup still, and a drill proves it.
            foreach (var manifest in Directory.EnumerateFiles(folder["target"], "*.manifest", SearchOption.AllDirectories))
            {
                await hospital.Backups.Verify(manifest, null, default);
            }

            var drill = await hospital.Backups.Drill(SystemActors.Backup, folder["target"], static _ => { }, default);
            Assert.Equal(others.Count, drill.Patients);
        }

        await using (var again = await Open(storage))
        {
            Assert.Equal(others.Count, again.Vault.IndexedPatients);
        }

        await Restored(gone, others.Count);
    }

    [Fact]
    public async Task A_stop_after_any_step_goes_on_at_the_next_start()
    {
        var storage = await sample.CopyTo(folder["data"]);
        Guid order;
        PatientRef gone;
        await using (var hospital = await Open(storage))
        {
            var (one, two) = await Administrators(hospital);
            await hospital.Backups.Make(SystemActors.Backup, folder["target"], complete: false, null, static _ => { }, default);
            (gone, _) = await Choose(hospital);
            hospital.Vault.Destruction.Ask(new Nothing());
            order = await Approved(hospital, one, two, gone);
            using var work = new DestructionWork(hospital) { Between = step => Stop(step, DestructionStep.KeysGone) };
            await Assert.ThrowsAsync<OperationCanceledException>(() => work.Run(one, order, null, static _ => { }, default));
        }

        foreach (var at in new[] { DestructionStep.RowsGone, DestructionStep.KeysRotated, DestructionStep.BundlesRewritten, DestructionStep.RootSettled, DestructionStep.Purged, DestructionStep.Verified })
        {
            await using var hospital = await Open(storage);
            using var work = new DestructionWork(hospital) { Between = step => Stop(step, at) };
            await Assert.ThrowsAsync<OperationCanceledException>(() => work.GoOn(default));
        }

        await using var last = await Open(storage);
        await last.Destruction.GoOn(default);
        Assert.Empty(await last.Vault.Destruction.Unfinished(default));
        var (user, password) = sample.Login(Role.Admin);
        var admin = (await last.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
        Assert.Equal(DestructionState.Done, (await last.Vault.Destruction.Open(admin, order, default)).Value.Order.State);
        Assert.False((await last.Destruction.Find(gone.Mrn, default)).Ok);

        static void Stop(DestructionStep step, DestructionStep at)
        {
            if (step == at)
            {
                throw new OperationCanceledException($"{at}");
            }
        }
    }

    [Fact]
    public async Task A_removable_target_is_rewritten_when_it_is_connected_again_or_waited_for_no_more()
    {
        var storage = await sample.CopyTo(folder["data"]);
        await using var hospital = await Open(storage);
        var (one, two) = await Administrators(hospital);
        _ = (await hospital.Vault.Backups.Targets.Set(one, folder["disk"], Mangrove.Vault.Backups.BackupSchedule.Usual, default)).Value;
        await hospital.Backups.Make(SystemActors.Backup, folder["disk"], complete: false, null, static _ => { }, default);
        Directory.Move(folder["disk"], folder["away"]);
        var (gone, _) = await Choose(hospital);
        hospital.Vault.Destruction.Ask(new Nothing());
        var order = await Approved(hospital, one, two, gone);
        var done = (await hospital.Destruction.Run(one, order, null, static _ => { }, default)).Value;
        Assert.Equal((DestructionState.Outstanding, folder["disk"]), (done.State, Assert.Single(done.Facts.Outstanding)));
        await hospital.Destruction.GoOn(default);
        Assert.Single(await hospital.Vault.Destruction.Unfinished(default));
        Directory.Move(folder["away"], folder["disk"]);
        await hospital.Destruction.GoOn(default);
        Assert.Empty(await hospital.Vault.Destruction.Unfinished(default));
        var certificate = DestructionCertificate.Parse((await hospital.Vault.Destruction.Certificate(one, order, default)).Value);
        Assert.True(certificate.Complete);
        Assert.Equal(1, Assert.Single(certificate.Facts.Bundles).Removed);
    }

    [Fact]
    public async Task On_the_command_line_one_act_is_named_and_an_unknown_order_or_patient_is_refused()
    {
        var (user, password) = sample.Login(Role.Admin);
        string[] who = ["--data", sample.Data, "--as", user, "--password-file", folder.Secret("admin", password), "--json", .. sample.StorageArguments];
        var none = await Executable.Run(["patient", "destroy", .. who]);
        Assert.Equal((2, "destruction.one-act"), (none.Exit, none.Code));
        var unknown = await Executable.Run(["patient", "destroy", "--run", "D-0099", .. who]);
        Assert.Equal((2, "destruction.no-order"), (unknown.Exit, unknown.Code));
        var wrong = await Executable.Run(["patient", "destroy", "P-1000001", "--propose", "--reason", "asked", "--words-file", folder.Secret("words", "She asked for it in writing."), "--code-file", folder.Secret("code", "000000"), .. who]);
        Assert.Equal((2, "patient.number"), (wrong.Exit, wrong.Code));
    }

    // Where there is neither the hospital nor its log: whoever got the file and the key checks it.
    private async Task CheckedElsewhere(byte[] stored, string key, string mrn, string another)
    {
        await File.WriteAllBytesAsync(folder["D-0001.certificate"], stored);
        await File.WriteAllTextAsync(folder["log.key"], key);
        var holds = await Check("D-0001.certificate", "--mrn", mrn);
        Assert.True(holds.Exit == 0, holds.Out + holds.Error);
        Assert.True(holds.Json.GetProperty("ok").GetBoolean() && holds.Json.GetProperty("complete").GetBoolean() && holds.Json.GetProperty("about").GetBoolean());
        Assert.Equal((1, "destruction.certificate-other"), Problem(await Check("D-0001.certificate", "--mrn", another)));

        var changed = stored.ToArray();
        changed[stored.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(folder["changed.certificate"], changed);
        Assert.Equal((1, "destruction.certificate-bad"), Problem(await Check("changed.certificate")));
        await File.WriteAllTextAsync(folder["empty.certificate"], "");
        Assert.Equal((1, "destruction.certificate-bad"), Problem(await Check("empty.certificate")));
        var none = await Check("none.certificate");
        Assert.Equal((2, "audit.file-unreadable"), (none.Exit, none.Code));
    }

    private static (int, string?) Problem(Ran ran) => (ran.Exit, ran.Json.GetProperty("problems")[0].GetProperty("code").GetString());

    private Task<Ran> Check(string name, params string[] more) => Executable.Run(["patient", "check-certificate", folder[name], "--key", folder["log.key"], "--json", .. more]);

    /// <summary>Restores the first of the kept data with the rewritten key bundle, as on another machine.</summary>
    private protected abstract Task Restored(PatientRef gone, int others);

    private protected Folder Place => folder;

    private protected SampleHospital Sample => sample;

    private protected static Task<Hospital> Open(StorageOptions storage) => Settled(Hospital.Open(storage, new RootSecret { KeyFile = Path.Combine(storage.Folder, "demo.key") }, TimeProvider.System, default));

    private static async Task<Hospital> Settled(Task<Hospital> opening)
    {
        var hospital = await opening;
        await hospital.Indexing;
        return hospital;
    }

    private async Task<(Actor One, Actor Two)> Administrators(Hospital hospital)
    {
        var identity = hospital.Vault.Identity;
        var (user, password) = sample.Login(Role.Admin);
        var one = (await identity.SignIn.CommandLine(user, password, default)).Value;
        var link = (await identity.Staff.Create(one, new NewStaff("second.admin", "Second Admin", Role.Admin.Slug(), "Administration"), default)).Value;
        const string words = "velvet tractor mumbles quietly";
        _ = (await identity.Staff.SetPassword(link.Token, words, default)).Value;
        var step = (await identity.SignIn.Password(link.User, words, "address:10.0.0.8", default)).Value;
        Assert.True(Base32.TryDecode(identity.SignIn.Enrol(step.Ticket, "address:10.0.0.8").Value.Secret, out phone));
        var session = (await identity.SignIn.FirstCode(step.Ticket, Code(), "address:10.0.0.8", default)).Value;
        recovery = [.. identity.SecondFactor.TakeCodes(session.Actor)!];
        await identity.Sessions.End(session.Token, default);
        return (one, (await identity.SignIn.CommandLine(link.User, words, default)).Value);
    }

    private string Code() => Totp.Code(phone, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds);

    private async Task<Guid> Approved(Hospital hospital, Actor one, Actor two, PatientRef patient)
    {
        var desk = hospital.Vault.Destruction;
        var found = (await hospital.Destruction.Find(patient.Mrn, default)).Value;
        Assert.Equal([patient], found);
        var order = (await desk.Propose(one, found, DestructionReason.RetentionOver, "Kept for eleven years, last contact long ago.", new FactorProof(sample.Code(Role.Admin)), default)).Value;
        _ = (await desk.Approve(two, order.Id, new FactorProof(recovery[0]), default)).Value;
        return order.Id;
    }

    private static async Task<(PatientRef Gone, IReadOnlyList<PatientRef> Others)> Choose(Hospital hospital)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync();
        var busy = await clinic.Charges.AsNoTracking().GroupBy(row => row.PatientId).OrderByDescending(group => group.Count()).Select(group => group.Key).FirstAsync();
        var all = await Everybody(hospital);
        return (all.Single(patient => patient.Id == busy), [.. all.Where(patient => patient.Id != busy)]);
    }

    private static async Task<List<PatientRef>> Everybody(Hospital hospital)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync();
        return [.. (await clinic.Patients.AsNoTracking().ToListAsync()).Select(row => row.Ref)];
    }

    // The key of the log in the note format ends in the Base64 of a byte and the key.
    private static Task<string> KeyOf(Hospital hospital, byte[] stored)
    {
        var line = hospital.Vault.Review.PublicKey;
        var key = Convert.FromBase64String(line.Split('+', 3)[2].Trim());
        _ = DestructionCertificate.Check(stored, key.AsSpan(1));
        return Task.FromResult(line);
    }

    private static void CopyAll(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private sealed class Nothing : IDestructionObjection
    {
        public Task<IReadOnlyList<DestructionObstacle>> Against(IReadOnlyList<PatientRef> patients, CancellationToken cancel) => Task.FromResult<IReadOnlyList<DestructionObstacle>>([]);
    }
}

public sealed class PatientDestructionOnSqliteTests(SampleHospital sample) : PatientDestructionTests(sample), IClassFixture<SampleHospital>
{
    private protected override async Task Restored(PatientRef gone, int others)
    {
        var key = Path.Combine(Place["data"], "demo.key");
        var restored = await Executable.Run("backup", "restore", Place["target"], "--data", Place["new"], "--json", "--key-file", key, "--protector", "keyfile:" + Place["new.key"], "--accept-same-volume");
        Assert.True(restored.Exit == 0, restored.Out + restored.Error);
        await using var hospital = await Hospital.Open(StorageOptions.Sqlite(Place["new"]), new RootSecret { KeyFile = Place["new.key"] }, TimeProvider.System, default);
        await hospital.Indexing;
        Assert.Equal(others, hospital.Vault.IndexedPatients);
        Assert.False((await hospital.Destruction.Find(gone.Mrn, default)).Ok);
        var (user, password) = Sample.Login(Role.Admin);
        var admin = (await hospital.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
        var entry = Assert.Single(await hospital.Vault.Review.List(admin, new AuditFilter { Action = "APPLY_TOMBSTONES" }, null, default));
        Assert.Contains(gone.Id.Value, entry.Patients);

        // The auditor's archive has the certificate.
        var evidence = await Executable.Run(["evidence", "--out", Place["evidence.zip"], "--data", Place["data"], "--as", user, "--password-file", Place.Secret("password", password), "--json"]);
        Assert.True(evidence.Exit == 0, evidence.Out + evidence.Error);
        await using var zip = await ZipFile.OpenReadAsync(Place["evidence.zip"]);
        await using var certificate = await zip.GetEntry("destruction-D-0001.certificate")!.OpenAsync();
        using var bytes = new MemoryStream();
        await certificate.CopyToAsync(bytes);
        Assert.Equal(await File.ReadAllBytesAsync(Place["D-0001.certificate"]), bytes.ToArray());
    }
}

public sealed class PatientDestructionOnPostgresTests(SampleOnPostgres sample) : PatientDestructionTests(sample), IClassFixture<SampleOnPostgres>
{
    // The drill of the same test restored an old backup into another database, and counted everybody but the patient.
    private protected override Task Restored(PatientRef gone, int others) => Task.CompletedTask;
}
