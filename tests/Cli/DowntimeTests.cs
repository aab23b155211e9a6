using System.Net;
using Mangrove.Cli;
using Mangrove.Cli.Downtime;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Cli;

/// <summary>
/// A downtime as it goes: a read-only copy follows the hospital's backups on another machine, people look and cannot change
/// anything, and what they looked at is handed in afterwards.
/// </summary>
public sealed class DowntimeTests(SampleHospital sample) : IClassFixture<SampleHospital>, IDisposable
{
    private readonly Folder folder = new();

    private string Copies => folder["copies"];

    private string Target => folder["target"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task People_look_at_the_copy_and_every_change_is_refused_with_what_to_do_instead()
    {
        await using var hospital = await Hosted();
        await Backup(hospital);
        await using var copy = await Serve(hospital);
        using var doctor = await SignIn(copy, Role.Doctor);

        var queue = await doctor.Send("GET", "/consultation");
        Assert.Equal(HttpStatusCode.OK, queue.Status);
        Assert.Contains("Read-only copy, not live.", queue.Text, StringComparison.Ordinal);
        Assert.Contains("less than a minute ago", queue.Text, StringComparison.Ordinal);

        // A sheet for writing leads to the chart, which opens and is an entry of the copy's own log.
        var patient = await InCare(copy);
        var sheet = await doctor.Send("GET", $"/patients/{patient:N}/consultation/{Ids.New():N}");
        Assert.Equal(HttpStatusCode.Redirect, sheet.Status);
        Assert.Contains($"Location: /patients/{patient:N}", sheet.Headers, StringComparison.Ordinal);
        var chart = await doctor.Send("GET", $"/patients/{patient:N}");
        Assert.Equal(HttpStatusCode.OK, chart.Status);
        Assert.Contains("data-test=\"copy\"", chart.Text, StringComparison.Ordinal);

        var paper = await doctor.Send("GET", "/downtime/all");
        Assert.Contains("from the read-only copy", paper.Text, StringComparison.Ordinal);
        Assert.Contains("data-test=\"census\"", paper.Text, StringComparison.Ordinal);

        foreach (var address in new[] { $"/patients/{patient:N}/consultation/{patient:N}/problems", $"/patients/{patient:N}/consultation/{patient:N}/sign", "/me/password", "/me/pin" })
        {
            var refused = await doctor.Send("POST", address);
            Assert.Equal(HttpStatusCode.Conflict, refused.Status);
            Assert.Contains("downtime.read-only", refused.Text, StringComparison.Ordinal);
            Assert.Contains("Write it on the paper form", refused.Text, StringComparison.Ordinal);
        }

        var log = await Log(copy.Hospital);
        Assert.Contains(log, entry => entry is { Action: "VIEW_CHART", Outcome: AuditOutcome.Allowed } && entry.Patients.Contains(patient));
        Assert.Equal(4, log.Count(entry => entry is { Action: "CHANGE_IN_COPY", Outcome: AuditOutcome.Refused, Reason: CopyMark.RefusalCode }));

        // Somebody outside stays outside, with the same banner before them.
        using var outside = await Browser.AtTheDoor(copy.Address);
        var door = await outside.Send("GET", "/sign-in");
        Assert.Contains("Read-only copy, not live.", door.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await outside.Send("POST", "/patients/rows", new(StringComparer.Ordinal) { ["q"] = "a" })).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await doctor.Send("GET", "/fhir/R4/metadata")).Status);
    }

    [Fact]
    public async Task Behind_the_pages_the_vault_refuses_what_would_be_written()
    {
        await using var hospital = await Hosted();
        await Backup(hospital);
        await using var copy = await Serve(hospital);
        var admin = await Administrator(copy.Hospital);
        var suspended = await copy.Hospital.Vault.Identity.Staff.Suspend(admin, new StaffId(1), default);
        Assert.Equal(CopyMark.RefusalCode, suspended.Error?.Code);
        await using var clinic = await copy.Hospital.Clinics.CreateDbContextAsync(default);
        clinic.Settings.Add(new Clinic.Records.Setting { Name = "of-a-copy", Value = "x" });
        Assert.Equal(CopyMark.RefusalCode, (await Assert.ThrowsAsync<RefusedInput>(() => clinic.SaveChangesAsync())).Code);
        var visit = await Assert.ThrowsAsync<Refused>(() => copy.Hospital.Vault.Door.Open(
            admin,
            new Request { Action = "IMPORT_FHIR", Purpose = Vault.Access.Purpose.Portability, Everyone = true, Writes = [Clinic.Records.Patient.NameField] },
            default));
        Assert.Equal(CopyMark.RefusalCode, visit.Code);
    }

    [Fact]
    public async Task A_newer_backup_takes_its_place_by_itself_and_an_older_forged_or_damaged_one_never()
    {
        await using var hospital = await Hosted();
        var first = await Backup(hospital);
        await using var copy = await Serve(hospital);
        var address = copy.Address;
        Assert.False(await copy.Service.Look(default));
        Assert.Equal(1, copy.Service.Copy.Mark.Number);
        using (var nurse = await SignIn(copy, Role.Nurse))
        {
            Assert.Equal(HttpStatusCode.OK, (await nurse.Send("GET", "/triage")).Status);
        }

        // Damaged at the end, in the middle, and with a manifest that another hand wrote.
        var second = await Backup(hospital);
        foreach (var ending in new[] { ".data", ".keys", ".manifest" })
        {
            var path = Path.ChangeExtension(second.Path, ending);
            var good = await File.ReadAllBytesAsync(path);
            await File.WriteAllBytesAsync(path, good[..^7]);
            Assert.False(await copy.Service.Look(default));
            var bad = (byte[])good.Clone();
            bad[bad.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(path, bad);
            Assert.False(await copy.Service.Look(default));
            await File.WriteAllBytesAsync(path, good);
        }

        Assert.Equal(1, copy.Service.Copy.Mark.Number);
        Assert.Equal(first.Manifest.Backup, copy.Service.Copy.Mark.Backup);

        // While the target is away it goes on with what it has.
        Directory.Move(Target, Target + ".away");
        Assert.False(await copy.Service.Look(default));
        Assert.True(copy.Said.Exists(line => line.Contains("backup.not-found", StringComparison.Ordinal)));
        Directory.Move(Target + ".away", Target);

        Assert.True(await copy.Service.Look(default));
        Assert.Equal((2, address), (copy.Service.Copy.Mark.Number, copy.Address));
        Assert.Single(Directory.EnumerateDirectories(Copies, "copy-*"));
        Assert.EndsWith(".audit.db", Assert.Single(Directory.EnumerateFiles(Path.Combine(Copies, "logs"))), StringComparison.Ordinal);
        using var again = await SignIn(copy, Role.Doctor);
        Assert.Equal(HttpStatusCode.OK, (await again.Send("GET", "/consultation")).Status);

        // The first one put back alone is older than what is in use.
        File.Delete(second.Path);
        Assert.False(await copy.Service.Look(default));
        Assert.Equal(2, copy.Service.Copy.Mark.Number);
    }

    [Fact]
    public async Task A_copy_opens_again_without_its_target_and_is_never_taken_for_a_hospital()
    {
        await using var hospital = await Hosted();
        await Backup(hospital);
        string current;
        await using (var copy = await Serve(hospital))
        {
            current = copy.Service.Copy.Folder;
            using var nurse = await SignIn(copy, Role.Nurse);
        }

        Directory.Move(Target, Target + ".away");
        await using (var copy = await Serve(hospital))
        {
            Assert.Equal(current, copy.Service.Copy.Folder);
            using var nurse = await SignIn(copy, Role.Nurse);
            Assert.Equal(HttpStatusCode.OK, (await nurse.Send("GET", "/triage")).Status);
        }

        foreach (var place in new[] { Copies, current })
        {
            string[] key = ["--key-file", Key, "--data", place, "--json"];
            Assert.Equal((2, "downtime.copy"), Of(await Executable.Run(["serve", .. key])));
            Assert.Equal((2, "downtime.copy"), Of(await Executable.Run(["audit", "verify", .. key])));
            Assert.Equal((2, "downtime.copy"), Of(await Executable.Run(["upgrade", .. key])));
            Assert.Equal((2, "downtime.copy"), Of(await Executable.Run(["init", "--facility", "X", "--protector", "keyfile:" + folder["x.key"], "--accept-same-volume", "--data", place, "--json"])));
            Assert.Equal((2, "downtime.copy"), Of(await Executable.Run(["backup", "restore", Target + ".away", "--protector", "keyfile:" + folder["y.key"], "--accept-same-volume", .. key])));
        }

        // Without its mark nobody has the key either: it was drawn for one run and is gone.
        File.Delete(Path.Combine(current, DowntimeFolder.MarkName));
        var stripped = await Executable.Run("serve", "--data", current, "--passphrase-file", folder.Secret("guess", "seven brown herons wade slowly"), "--json");
        Assert.Equal((2, "keys.passphrase-wrong"), (stripped.Exit, stripped.Code));

        // A hospital's own folder is no place for copies, and a wrong secret opens none.
        var real = await Executable.Run("serve", "--read-only", "--from", Target + ".away", "--key-file", Key, "--data", sample.Data, "--json");
        Assert.Equal((2, "downtime.not-empty"), Of(real));
        var thief = await Executable.Run("serve", "--read-only", "--from", Target + ".away", "--key-file", folder.Secret("foreign.key", new string('a', 64)), "--data", Copies, "--json");
        Assert.Equal((2, "keys.file-foreign"), Of(thief));
    }

    [Fact]
    public async Task What_people_looked_at_is_handed_in_once_and_only_by_an_administrator_of_this_hospital()
    {
        await using var hospital = await Hosted();
        await Backup(hospital);
        Guid patient;
        await using (var copy = await Serve(hospital))
        {
            using var doctor = await SignIn(copy, Role.Doctor);
            patient = await InCare(copy);
            Assert.Equal(HttpStatusCode.OK, (await doctor.Send("GET", $"/patients/{patient:N}")).Status);
            await Backup(hospital);
            Assert.True(await copy.Service.Look(default));
            using var nurse = await SignIn(copy, Role.Nurse);
            Assert.Equal(HttpStatusCode.OK, (await nurse.Send("GET", "/triage")).Status);
        }

        var logs = DowntimeFolder.LogsIn(Copies);
        Assert.Equal(2, logs.Count);
        var nobody = (await hospital.Vault.Identity.SignIn.CommandLine(sample.Login(Role.Nurse).User, sample.Login(Role.Nurse).Password, default)).Value;
        await Assert.ThrowsAsync<Refused>(() => hospital.Vault.Copies.HandIn(nobody, logs[0], default));

        // The hospital went on meanwhile: the two logs differ from the backup on.
        var admin = await Administrator(hospital);
        var done = (await hospital.Vault.Copies.HandIn(admin, logs[0], default)).Value;
        Assert.True(done is { Taken: > 1, Known: 0 });
        var entry = (await Log(hospital)).Single(one => one.Action == "COPY_VIEW_CHART");
        Assert.Equal((sample.Login(Role.Doctor).User, AuditOutcome.Allowed), (entry.Actor, entry.Outcome));
        Assert.Equal([patient], entry.Patients);
        Assert.Contains("note", entry.FieldsAccessed);
        Assert.StartsWith("at the read-only copy, 20", entry.Reason, StringComparison.Ordinal);

        var again = (await hospital.Vault.Copies.HandIn(admin, logs[0], default)).Value;
        Assert.Equal((0, done.Taken), (again.Taken, again.Known));
        Assert.True((await hospital.Vault.Copies.HandIn(admin, logs[1], default)).Value.Taken > 1);
        Assert.True((await hospital.Vault.Review.Verify(null, default)).Ok);

        // A log in which something was changed.
        var changed = folder["changed.db"];
        var bytes = await File.ReadAllBytesAsync(logs[1]);
        for (var at = bytes.AsSpan().IndexOf("SIGN_IN"u8); at >= 0; at = bytes.AsSpan().IndexOf("SIGN_IN"u8))
        {
            bytes[at] = (byte)'X';
        }

        await File.WriteAllBytesAsync(changed, bytes);
        Assert.Equal("downtime.log-broken", (await hospital.Vault.Copies.HandIn(admin, changed, default)).Error?.Code);

        // One that goes on from the same beginning and says nowhere that it is a copy's.
        var twin = await sample.CopyTo(folder["twin"]);
        await using (var other = await Hospital.Open(twin, new RootSecret { KeyFile = Key }, TimeProvider.System, default))
        {
            await Administrator(other);
        }

        Assert.Equal("downtime.log-no-copy", (await hospital.Vault.Copies.HandIn(admin, Path.Combine(twin.Folder, "audit.db"), default)).Error?.Code);
    }

    private string Key => Path.Combine(sample.Data, "demo.key");

    private static (int Exit, string? Code) Of(Ran ran) => (ran.Exit, ran.Code);

    private async Task<Hospital> Hosted()
    {
        var storage = await sample.CopyTo(folder["live"]);
        return await Hospital.Open(storage, new RootSecret { KeyFile = Key }, TimeProvider.System, default);
    }

    private async Task<Continuity.StoredBackup> Backup(Hospital hospital) =>
        (await hospital.Backups.Make(SystemActors.Backup, Target, complete: false, null, static _ => { }, default)).Stored;

    private Task<ServedCopy> Serve(Hospital hospital) => ServedCopy.Start(Copies, Target, Key, hospital.Clock);

    private Task<Browser> SignIn(ServedCopy copy, Role role) => Browser.SignIn(copy.Address, sample.Login(role).User, sample.Login(role).Password, () => sample.Code(role));

    private async Task<Actor> Administrator(Hospital hospital) =>
        (await hospital.Vault.Identity.SignIn.CommandLine(sample.Login(Role.Admin).User, sample.Login(Role.Admin).Password, default)).Value;

    private async Task<IReadOnlyList<AuditEntry>> Log(Hospital hospital) => await hospital.Vault.Review.List(await Administrator(hospital), new AuditFilter { NewestFirst = false }, null, default);

    private static async Task<Guid> InCare(ServedCopy copy)
    {
        await using var clinic = await copy.Hospital.Clinics.CreateDbContextAsync(default);
        return clinic.Visits.Where(visit => visit.Kind != Clinic.Records.VisitKind.Imported && visit.Status != Clinic.Records.VisitStatus.Closed).AsEnumerable().First().PatientId.Value;
    }

    /// <summary>A copy that is served in this process, so that a test can make it look.</summary>
    private sealed class ServedCopy : IAsyncDisposable
    {
        private readonly DowntimeFolder place;

        private ServedCopy(DowntimeFolder place, DowntimeService service, List<string> said)
        {
            this.place = place;
            Service = service;
            Said = said;
        }

        public DowntimeService Service { get; }

        public List<string> Said { get; }

        public Hospital Hospital => Service.Copy.Hospital;

        public Uri Address => Service.Address;

        public static async Task<ServedCopy> Start(string copies, string from, string key, TimeProvider clock)
        {
            var said = new List<string>();
            var held = DowntimeFolder.Take(copies);
            var service = new DowntimeService(held, from, _ => RecoverySecret.Of(new RootSecret { KeyFile = key }), anyDevice: false, [new Uri("https://localhost:0")], clock, said.Add);
            try
            {
                await service.Start(default);
                return new ServedCopy(held, service, said);
            }
            catch
            {
                await service.DisposeAsync();
                held.Dispose();
                throw;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Service.DisposeAsync();
            place.Dispose();
        }
    }
}
