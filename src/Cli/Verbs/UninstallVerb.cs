using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Installing;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Cli.Verbs;

/// <summary>Takes the program and its service away. The hospital's data stay unless somebody says otherwise twice.</summary>
internal sealed class UninstallVerb : OwnVerb
{
    private readonly Option<bool> removeData = new("--remove-data") { Description = "Remove the hospital too: every record, its keys and its log. There is no way back but a backup." };
    private readonly Option<string?> confirm = new("--confirm") { Description = "With --remove-data: the hospital's name, as it was given at set-up; asked for when left out.", HelpName = "NAME" };
    private readonly Option<bool> plan = new("--plan") { Description = "Say what would be done, and do nothing." };
    private readonly InstallPlaces places = new();

    public UninstallVerb()
        : base("uninstall", "Take the program and its service away. The hospital's data stay. The data folder is /srv/mangrove unless --data says otherwise.")
    {
        Add(removeData, confirm, plan);
        places.AddTo(Command);
    }

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        InstallPlaces.RequireLinux();
        var planned = places.Read(arguments, call).Checked();
        var data = planned.At(planned.Data);
        var remove = arguments.GetValue(removeData);
        string[] steps =
        [
            $"service {planned.At(planned.UnitFile)} stopped and removed",
            $"program in {planned.At(planned.Prefix)} removed",
            remove ? $"DATA in {data} and the passphrase in {planned.At(planned.PassphraseFile)} REMOVED" : $"data in {data} and {planned.At(planned.PassphraseFile)} stay",
            $"account {planned.User} stays: files elsewhere may be its own",
        ];
        if (arguments.GetValue(plan))
        {
            return Answer.Of(new { planned = true, steps }, string.Join('\n', steps));
        }

        InstallPlaces.RequireRights(planned);
        if (remove)
        {
            Confirm(arguments, data);
        }

        if (planned.Here && SystemPrograms.SystemdRuns && File.Exists(planned.UnitFile))
        {
            await SystemPrograms.Run("systemctl", ["disable", "--now", "mangrove.service"], cancel);
        }

        // A server that was started by hand still owns it: nothing is pulled from under it.
        using var taken = Directory.Exists(data) ? FolderLock.Take(data) : null;
        foreach (var file in new[] { planned.At(planned.UnitFile), planned.At(planned.JournalFile) }.Where(File.Exists))
        {
            File.Delete(file);
        }

        if (planned.Here && SystemPrograms.SystemdRuns)
        {
            await SystemPrograms.Run("systemctl", ["daemon-reload"], cancel);
        }

        ProgramFiles.Remove(planned.At(planned.Prefix));
        if (remove)
        {
            Directory.Delete(data, recursive: true);
            if (File.Exists(planned.At(planned.PassphraseFile)))
            {
                File.Delete(planned.At(planned.PassphraseFile));
            }
        }

        return Answer.Of(
            new { program = planned.Prefix, data = planned.Data, dataRemoved = remove },
            remove ? "Mangrove and the hospital's data were removed. Copies in backups are as they were." : $"Mangrove was removed. The hospital's data are in {data} as they were.");
    }

    private void Confirm(ParseResult arguments, string data)
    {
        var name = VaultRoom.FacilityNameIn(data);
        var typed = arguments.GetValue(confirm);
        if (typed is null && Typed.Possible)
        {
            Console.Error.Write($"This removes every record of {name}, its keys and its log. Type the hospital's name to go on: ");
            typed = Console.ReadLine();
        }

        if (typed?.Trim() != name)
        {
            throw new RefusedInput("uninstall.confirm", "Nothing was removed: with --remove-data, type the hospital's name as it was given at set-up, or give it with --confirm.");
        }
    }
}
