using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.Backups;
using Mangrove.Cli.CommandLine;
using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Verbs;

/// <summary>
/// Makes a hospital of a backup, on this or another machine. Everything is read and proven before the first byte is
/// written; what fails leaves nothing behind.
/// </summary>
internal sealed class BackupRestoreVerb : OwnVerb
{
    private readonly Argument<string> path = new("PATH") { Description = "A target, the hospital's folder in it, or the manifest of one backup. Without a manifest, the newest." };
    private readonly Option<string[]> shares = new("--share-file") { Description = "A file with the text of one printed sheet; once for each sheet.", HelpName = "FILE" };
    private readonly WantedProtector protector = new("How the root key of the restored hospital is kept. Default: by the passphrase that opened the backup.", required: false, anew: true);
    private readonly Option<bool> older = new("--older") { Description = "Restore a backup that is not the newest. Two administrators have to allow it." };
    private readonly Option<string?> first = new("--as") { Description = "With --older: an administrator who allows it.", HelpName = "USER" };
    private readonly Option<string?> second = new("--second") { Description = "With --older: another administrator who allows it.", HelpName = "USER" };
    private readonly Option<string?> secondPassword = new("--second-password-file") { Description = "A file whose first line is the second administrator's password; asked for when left out.", HelpName = "FILE" };

    public BackupRestoreVerb()
        : base("restore", "Make a hospital of a backup, in a new or empty data folder, with the old passphrase or key file or with printed shares.", BackupWords.Group)
    {
        Command.Arguments.Add(path);
        Add([Common.PassphraseFile, Common.KeyFile, shares, .. protector.Options, Common.Storage, Common.Connection, older, first, Common.PasswordFile, second, secondPassword]);
    }

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        var (folder, named) = BackupFolder.Find(call.Full(arguments.GetValue(path)!));
        var newest = folder.Survey(null).Backups is [.., var last] ? last : throw new RefusedInput("backup.manifest-bad", "No manifest there can be read. Use another copy of the backups.");
        var stored = named is null ? newest : BackupFolder.Read(named, null);
        var storage = Common.StorageOf(arguments, call);
        if (stored.Manifest.Storage != HospitalBackups.StorageName(storage.Kind))
        {
            throw new RefusedInput("restore.other-storage", $"This backup is of a hospital on {stored.Manifest.Storage}. Restore it with --storage {stored.Manifest.Storage}.");
        }

        if (storage.Kind == StorageKind.Postgres && stored.Manifest.Schema != HospitalBackups.NewestSchema(storage.Kind))
        {
            throw new RefusedInput("restore.tables-differ", "This version of Mangrove keeps other tables than the one that made the backup. Restore with that version, then upgrade.");
        }

        var approvers = Approvers(arguments, call, stored, newest);
        var (opening, known) = RecoverySecrets.Of(arguments, call, arguments.GetValue(shares) ?? [], stored.KeysPath);
        using var forgotten = opening;
        var secret = Founding.Named(NewSecret(arguments, call, known));

        // Twice: once to prove all of it, once to write it.
        call.Say("reading everything");
        using (var proof = OpenedBundle.Open(stored.KeysPath, opening))
        {
            stored = BackupFolder.Read(stored.Path, proof);
            if (proof.Backup != stored.Manifest.Backup)
            {
                throw new RefusedInput("backup.damaged", "The key bundle beside this backup belongs to another one. Nothing was restored; use another backup.");
            }

            proof.Check();
            using var whole = BackupReader.Open(folder, stored, proof);
            await Task.Run(() => whole.Verify(new Percent(call, "read", stored.Manifest.Content), cancel), cancel);
        }

        using var bundle = OpenedBundle.Open(stored.KeysPath, opening);
        using var reader = BackupReader.Open(folder, stored, bundle);
        var (entries, patients) = await Founding.Raise(
            storage,
            secret,
            taken => Restore(taken, storage, stored, reader, bundle, secret, approvers, call, clock, cancel),
            cancel);
        var seconds = clock.GetElapsedTime(started).TotalSeconds;
        return Answer.Of(
            new { data = storage.Folder, facility = bundle.FacilityName, facilityId = bundle.Facility, number = stored.Manifest.Number, created = stored.Manifest.Created, entries, patients, seconds = Math.Round(seconds, 3) },
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                {bundle.FacilityName} is restored in {storage.Folder}, as it was at {stored.Manifest.Created:yyyy-MM-dd HH:mm} UTC, in {seconds:0.0} s.
                {entries:#,##0} entries of the log verified, every table as the manifest says. Everybody was signed out.
                What was written after that time is not in it: tell the wards from which time on they have to enter anew.
                Start it:   mangrove serve --data {storage.Folder}
                """));
    }

    private static async Task<(long Entries, long Patients)> Restore(
        FolderLock taken, StorageOptions storage, StoredBackup stored, BackupReader reader, OpenedBundle bundle, RootSecret secret, Approval[] approvers, Call call, TimeProvider clock, CancellationToken cancel)
    {
        Hospital hospital;
        try
        {
            if (storage.Kind == StorageKind.Postgres)
            {
                call.Say("filling PostgreSQL");
            }

            await BackupRestore.Place(storage, reader, bundle, new Percent(call, "written", stored.Manifest.Content), cancel);
            await BackupRestore.Compare(storage, stored.Manifest, cancel);
            await bundle.Protect(storage, secret, cancel);
        }
        catch
        {
            taken.Dispose();
            throw;
        }

        call.Say("opening");
        hospital = await Hospital.Open(taken, storage, secret with { AcceptSameVolume = false }, clock, OlderSchema.Migrate, cancel);
        await using (hospital)
        {
            var report = await BackupRestore.CheckLog(hospital, stored.Manifest, cancel);
            foreach (var approver in approvers)
            {
                var actor = (await hospital.Vault.Identity.SignIn.CommandLine(approver.User, approver.Password, cancel)).Value;
                await hospital.Vault.Backups.AllowOlder(actor, stored.Manifest.Number, cancel);
            }

            await hospital.Vault.Backups.Restored(
                string.Create(CultureInfo.InvariantCulture, $"backup {stored.Manifest.Number} of {stored.Manifest.Created:yyyy-MM-dd HH:mm:ss} UTC{(approvers.Length == 0 ? "" : $", an older one, allowed by {string.Join(" and ", approvers.Select(one => one.User))}")}"),
                cancel);
            return (report.Entries, stored.Manifest.Rows.GetValueOrDefault("clinic.patient"));
        }
    }

    /// <summary>Who allows a backup that is not the newest: nobody is asked for the newest, two different people for another.</summary>
    private Approval[] Approvers(ParseResult arguments, Call call, StoredBackup stored, StoredBackup newest)
    {
        if (stored.Manifest.Number >= newest.Manifest.Number)
        {
            return [];
        }

        if (!arguments.GetValue(older) || arguments.GetValue(first) is not { } one || arguments.GetValue(second) is not { } two || one.Equals(two, StringComparison.OrdinalIgnoreCase))
        {
            throw new RefusedInput(
                "restore.older",
                string.Create(CultureInfo.InvariantCulture, $"This is backup {stored.Manifest.Number} of {stored.Manifest.Created:yyyy-MM-dd HH:mm} UTC; a newer one of {newest.Manifest.Created:yyyy-MM-dd HH:mm} UTC lies beside it. To lose what was written between, two administrators have to allow it: --older --as USER --second USER."));
        }

        return [new Approval(one, Password(arguments.GetValue(Common.PasswordFile), one, call)), new Approval(two, Password(arguments.GetValue(secondPassword), two, call))];
    }

    private static string Password(string? file, string user, Call call) => file is not null
        ? new string(Typed.FirstLine(call.Full(file)))
        : Typed.Possible
            ? new string(Typed.Ask($"Password of {user}: "))
            : throw new RefusedInput("secret.needed", "Give the passwords of both administrators with --password-file and --second-password-file; there is nobody to ask.");

    // With a TPM or token the passphrase that opened this backup goes on opening the next ones, unless another is named.
    private RootSecret NewSecret(ParseResult arguments, Call call, RootSecret? known) =>
        protector.LeavesPassphrase(arguments) && known?.Passphrase is { } same
            ? new RootSecret { Passphrase = [.. same] }
            : protector.Chosen(arguments, call, ask: true, forBackups: known?.Passphrase is { } opened ? [.. opened] : null);

    private sealed record Approval(string User, string Password);

    private sealed class Percent(Call call, string done, long all) : IProgress<long>
    {
        private long said;

        public void Report(long value)
        {
            var percent = all == 0 ? 100 : value * 100 / all;
            if (percent >= said + 10)
            {
                said = percent / 10 * 10;
                call.Say(string.Create(CultureInfo.InvariantCulture, $"{said} % {done}"));
            }
        }
    }
}
