using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Upgrades;
using Mangrove.Vault;

namespace Mangrove.Cli.Verbs;

/// <summary>Brings a hospital of an earlier version to this one, whole or not at all.</summary>
internal sealed class UpgradeVerb : OwnVerb
{
    private readonly Option<bool> check = new("--check") { Description = "Try everything on a copy (on PostgreSQL in a transaction) and keep nothing of it." };
    private readonly Option<bool> elsewhere = new("--backup-elsewhere") { Description = "For postgres: make no backup first, because you have one of your own. It stands in the log." };
    private readonly Option<string?> to = new("--backup-to") { Description = "For postgres: where the backup goes that is made first. Default: the hospital's first target.", HelpName = "DIR" };

    public UpgradeVerb()
        : base("upgrade", "Bring a hospital that an earlier version wrote to this version. What fails leaves everything as it was.")
    {
        Common.AddUnsealing(Command);
        Add(check, elsewhere, to);
    }

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        var storage = Common.StorageOf(arguments, call);
        Founding.RequireFounded(storage.Folder);
        using var taken = FolderLock.Take(storage.Folder);
        UpgradeOutcome outcome;
        if (await HospitalUpgrade.Needed(storage, cancel))
        {
            outcome = await new HospitalUpgrade(storage, Common.SecretOf(arguments, call), clock)
            {
                TryOnly = arguments.GetValue(check),
                BackupElsewhere = arguments.GetValue(elsewhere),
                BackupTo = arguments.GetValue(to) is { } folder ? call.Full(folder) : null,
            }.Run(call.Say, cancel);
        }
        else
        {
            outcome = new UpgradeOutcome(SchemaStamp.Newest, SchemaStamp.Newest, Done: false, null, 0, 0);
        }

        var seconds = clock.GetElapsedTime(started).TotalSeconds;
        return Answer.Of(
            new { data = storage.Folder, from = outcome.From, to = outcome.To, upgraded = outcome.Done, kept = outcome.Kept, entries = outcome.Entries, patients = outcome.Patients, seconds = Math.Round(seconds, 3) },
            outcome switch
            {
                { Done: true, Kept: { } kept } when storage.Kind == StorageKind.Postgres => string.Create(CultureInfo.InvariantCulture, $"Upgraded from schema {outcome.From} to {outcome.To} in {seconds:0.0} s: {outcome.Entries:#,##0} entries of the log verified, {outcome.Patients:#,##0} patients opened.\nA backup of what was before is in {kept}; the version of before restores it."),
                { Done: true, Kept: { } kept } => string.Create(CultureInfo.InvariantCulture, $"Upgraded from schema {outcome.From} to {outcome.To} in {seconds:0.0} s: {outcome.Entries:#,##0} entries of the log verified, {outcome.Patients:#,##0} patients opened.\nWhat was before is kept for {UpgradeSwap.KeptFor.Days} days in {kept}."),
                { Done: true } => string.Create(CultureInfo.InvariantCulture, $"Upgraded from schema {outcome.From} to {outcome.To} in {seconds:0.0} s: {outcome.Entries:#,##0} entries of the log verified, {outcome.Patients:#,##0} patients opened."),
                _ when outcome.From == outcome.To => string.Create(CultureInfo.InvariantCulture, $"Nothing to do: the hospital has this version's schema ({outcome.To})."),
                _ => string.Create(CultureInfo.InvariantCulture, $"It can be upgraded from schema {outcome.From} to {outcome.To}. Nothing was changed."),
            });
    }
}
