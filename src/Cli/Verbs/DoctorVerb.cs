using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Cli.Backups;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Serving;
using Mangrove.Cli.Upgrades;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Keys;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Cli.Verbs;

/// <summary>Looks the installation over and says what an administrator should put right. Reads no patient data.</summary>
internal sealed class DoctorVerb() : HospitalVerb("doctor", "Check the installation and say what should be put right.")
{

    private static readonly TimeSpan ClockSlack = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan CertificateSoon = TimeSpan.FromDays(30);
    private static readonly TimeSpan ClientSoon = TimeSpan.FromDays(14);
    private static readonly TimeSpan DrillEvery = TimeSpan.FromDays(182);
    private static readonly TimeSpan AuthoritySoon = TimeSpan.FromDays(365);

    /// <param name="Status">ok, warn (put it right soon), fail (put it right now) or unknown (this machine does not tell).</param>
    /// <param name="Advice">What was found, and what to do.</param>
    private sealed record Check(string Name, string Status, string Advice);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        using var server = await Certificates.Server(hospital.Vault.Secrets, cancel);
        using var authority = await Certificates.Authority(hospital.Vault.Secrets, cancel);
        Check[] checks =
        [
            RootKey(hospital),
            await Recovery(hospital, cancel),
            DiskEncryption(hospital.Storage.Folder),
            FolderRights(hospital.Storage.Folder),
            ClockAgainstLog(hospital),
            Space(hospital.Vault.Space),
            Log(hospital),
            Index(hospital),
            Dates("certificate", server, CertificateSoon, hospital.Clock, "Restart the server: it makes itself a new one."),
            Dates("certificate-authority", authority, AuthoritySoon, hospital.Clock, "Plan a new authority, and that every browser learns it."),
            await Clients(hospital, cancel),
            await Migrations(hospital, cancel),
            Upgrade(hospital),
            .. await Backups(hospital, cancel),
        ];
        var ok = checks.All(check => check.Status != "fail");
        return Answer.Of(
            new { ok, checks = checks.Select(check => new { name = check.Name, status = check.Status, advice = check.Advice }) },
            string.Join('\n', checks.Select(check => $"{check.Status,-8}{check.Name,-23}{check.Advice}")),
            ok ? ExitCode.Success : ExitCode.Wrong);
    }

    private static Check RootKey(Hospital hospital)
    {
        var guard = hospital.Vault.RootGuard;
        return guard.BesideData
            ? new Check("root-key", "warn", $"{guard.StolenDisk} Move the key file to another volume and name it with --key-file.")
            : new Check("root-key", "ok", $"The root key is protected by {guard.Words}. {guard.StolenDisk}");
    }

    /// <summary>What is left when the server and its protector are lost.</summary>
    private static async Task<Check> Recovery(Hospital hospital, CancellationToken cancel)
    {
        const string Topic = "recovery";
        var state = await hospital.Vault.Recovery.State(cancel);
        var alone = $"the {(state.Protector is { } kind ? RootGuard.NameOf(kind) : "")}";
        return state switch
        {
            { Protector: null, InForce: null } => new Check(Topic, "fail", "Nothing opens a backup. Make recovery sheets, or choose a passphrase for the backups with 'mangrove keys protector --new-passphrase-file'."),
            { Protector: null, InForce: { Verified: { } tried } set } => new Check(Topic, "ok", string.Create(CultureInfo.InvariantCulture, $"A backup opens with any {set.Threshold} of {set.Count} sheets of set {set.Name}, last tried {tried:yyyy-MM-dd}.")),
            { InForce: { Verified: { } tried } set } => string.Create(CultureInfo.InvariantCulture, $"A backup opens with {alone}, or with any {set.Threshold} of {set.Count} sheets of set {set.Name}, last tried {tried:yyyy-MM-dd}.") switch
            {
                var text when hospital.Clock.GetUtcNow() - tried > DrillEvery => new Check(Topic, "warn", $"{text} That is long ago: have the holders try them, 'mangrove keys shares verify'."),
                var text => new Check(Topic, "ok", text),
            },
            { Begun: not null } => new Check(Topic, "warn", $"A set of recovery sheets was begun and does not count yet: only {alone} opens a backup. Read it back and try it on the page Recovery sheets."),
            _ => new Check(Topic, "warn", $"Only {alone} opens a backup: once it is lost, none can be restored. Make recovery sheets, on the page Recovery sheets or with 'mangrove keys shares create'."),
        };
    }

    private static async Task<IReadOnlyList<Check>> Backups(Hospital hospital, CancellationToken cancel)
    {
        var now = hospital.Clock.GetUtcNow();
        var runs = await hospital.Vault.Backups.Runs(1_000, cancel);
        var targets = await hospital.Vault.Backups.Targets.All(cancel);
        var made = runs.Where(run => run is { Work: BackupWork.Backup, Failure: null }).MaxBy(run => run.Started);
        var late = targets.Where(target => BackupTimetable.Due(target, runs) + TimeSpan.FromMinutes(target.Schedule.EveryMinutes) < now).ToList();
        var backup = made is null ? new Check("backup", "fail", "There is no backup. Set a target with 'mangrove backup target', on another disk.")
            : late.Count > 0 ? new Check("backup", "fail", $"Overdue: {string.Join(", ", late.Select(target => target.Path))}. 'mangrove backup list' says why.")
            : targets.Count == 0 ? new Check("backup", "warn", string.Create(CultureInfo.InvariantCulture, $"The last one is of {made.Started:yyyy-MM-dd HH:mm} UTC, and none is made by itself. Set a target with 'mangrove backup target'."))
            : new Check("backup", "ok", string.Create(CultureInfo.InvariantCulture, $"The last one is of {made.Started:yyyy-MM-dd HH:mm} UTC, number {made.Number} in {made.Target}."));
        var proven = runs.Where(run => run is { Work: BackupWork.Drill, Failure: null }).MaxBy(run => run.Started);
        var drill = await hospital.Backups.DrillTrouble(cancel) is { } trouble ? new Check("restore", "warn", $"No restore can be proven beside this hospital ({trouble.Code}): {trouble.Message}")
            : proven is null ? new Check("restore", "warn", "No restore was proven yet. Run 'mangrove backup drill', or restore a backup on another machine.")
            : now - proven.Started > Mangrove.Web.Administration.BackupState.DrillLimit ? new Check("restore", "warn", string.Create(CultureInfo.InvariantCulture, $"The last restore was proven on {proven.Started:yyyy-MM-dd}. Run 'mangrove backup drill'."))
            : new Check("restore", "ok", string.Create(CultureInfo.InvariantCulture, $"A restore was proven on {proven.Started:yyyy-MM-dd}."));
        return [backup, drill];
    }

    /// <summary>On Linux the kernel tells whether a volume is a mapping of dm-crypt; elsewhere nobody asks it.</summary>
    private static Check DiskEncryption(string folder)
    {
        const string Topic = "disk-encryption";
        if (!OperatingSystem.IsLinux() || Volume.DeviceOf(folder) is not { } device)
        {
            return new Check(Topic, "unknown", "Check that the disk with the data folder is encrypted.");
        }

        var uuid = $"/sys/dev/block/{device}/dm/uuid";
        return File.Exists(uuid) && File.ReadAllText(uuid).StartsWith("CRYPT-", StringComparison.Ordinal)
            ? new Check(Topic, "ok", "The volume of the data folder is encrypted.")
            : new Check(Topic, "warn", "The volume of the data folder does not look encrypted by this system. Encrypt it, or be sure that the layer below does.");
    }

    private static Check FolderRights(string folder)
    {
        const string Topic = "folder-rights";
        if (OperatingSystem.IsWindows())
        {
            return new Check(Topic, "unknown", "Check that only the account of the service may read the data folder.");
        }

        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        return (File.GetUnixFileMode(folder) & Others) == UnixFileMode.None
            ? new Check(Topic, "ok", "Only the account of the service may read the data folder.")
            : new Check(Topic, "warn", "Other accounts may look into the data folder. Run: chmod 700 on it.");
    }

    private static Check ClockAgainstLog(Hospital hospital) => hospital.Vault.Review.Newest is { } newest && newest.Time > hospital.Clock.GetUtcNow() + ClockSlack
        ? new Check("clock", "fail", "The clock is behind the newest entry of the log: it was set back. Set it right before anybody signs in.")
        : new Check("clock", "ok", "The clock is not behind the log.");

    private static Check Space(SpaceWatch space)
    {
        const string Topic = "space";
        var (free, size) = space.Volume;
        var text = string.Create(CultureInfo.InvariantCulture, $"{free / (double)Math.Max(1, size):P0} of the volume is free.");
        return space.Level switch
        {
            SpaceLevel.ClinicalOnly => new Check(Topic, "fail", $"{text} Only work on patients is stored until there is more: free some now."),
            SpaceLevel.Low => new Check(Topic, "warn", $"{text} Free some soon."),
            _ => new Check(Topic, "ok", text),
        };
    }

    private static Check Log(Hospital hospital) => hospital.Vault.Review.Failure is { } failure
        ? new Check("audit-log", "fail", failure.Message)
        : new Check("audit-log", "ok", "Entries can be made. Verify the whole log with 'mangrove audit verify'.");

    private static Check Index(Hospital hospital) => hospital switch
    {
        { Indexing.IsFaulted: true } => new Check("patient-index", "fail", "The patient index could not be built, so a search is not complete. Verify the log, then restart the server."),
        { Vault.IndexReady: true } => new Check("patient-index", "ok", string.Create(CultureInfo.InvariantCulture, $"{hospital.Vault.IndexedPatients:#,##0} patients can be found.")),
        _ => new Check("patient-index", "ok", "The patient index is being built."),
    };

    private static Check Dates(string name, X509Certificate2 certificate, TimeSpan soon, TimeProvider clock, string advice)
    {
        var end = new DateTimeOffset(certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero);
        var left = end - clock.GetUtcNow();
        var text = string.Create(CultureInfo.InvariantCulture, $"Good until {end:yyyy-MM-dd}.");
        return left < TimeSpan.Zero ? new Check(name, "fail", $"{text} {advice}")
            : left < soon ? new Check(name, "warn", $"{text} {advice}")
            : new Check(name, "ok", text);
    }

    private static async Task<Check> Clients(Hospital hospital, CancellationToken cancel)
    {
        var ending = await hospital.Vault.Clients.EndingSoon(ClientSoon, cancel);
        return ending.Count == 0
            ? new Check("client-certificates", "ok", "No program or desktop loses its certificate within two weeks.")
            : new Check("client-certificates", "warn", string.Join(", ", ending.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Name} until {one.To:yyyy-MM-dd}"))) + ": sign the next certificate, or it is shut out.");
    }

    private static async Task<Check> Migrations(Hospital hospital, CancellationToken cancel)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        var pending = (await clinic.Database.GetPendingMigrationsAsync(cancel)).Count();
        return pending == 0
            ? new Check("schema", "ok", string.Create(CultureInfo.InvariantCulture, $"The databases have this version's schema ({SchemaStamp.Newest})."))
            : new Check("schema", "fail", string.Create(CultureInfo.InvariantCulture, $"{pending} changes of the schema are missing. Restart the server: it makes them."));
    }

    /// <summary>What an upgrade left, which holds the keys of before.</summary>
    private static Check Upgrade(Hospital hospital) => UpgradeSwap.Kept(hospital.Storage.Folder) switch
    {
        [] => new Check("upgrade", "ok", "Nothing of before an upgrade is kept."),
        var kept => new Check("upgrade", "ok", string.Join(' ', kept.Select(one => string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(one.Path)} is kept until {one.Since + UpgradeSwap.KeptFor:yyyy-MM-dd}; remove it sooner if a key was rotated because of a suspicion.")))),
    };

    private static class Volume
    {
        /// <summary>Device number of the volume that holds a path, from the mounts that this process sees.</summary>
        public static string? DeviceOf(string path)
        {
            string? device = null;
            var longest = -1;
            foreach (var line in File.ReadLines("/proc/self/mountinfo"))
            {
                // Third field is the device, fifth the mount point.
                var parts = line.Split(' ');
                var mount = parts[4].Replace("\\040", " ", StringComparison.Ordinal);
                if ((mount == "/" || path == mount || path.StartsWith(mount + "/", StringComparison.Ordinal)) && mount.Length >= longest)
                {
                    longest = mount.Length;
                    device = parts[2];
                }
            }

            return device;
        }
    }
}
