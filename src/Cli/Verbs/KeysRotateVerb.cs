using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Verbs;

/// <summary>Makes the next version of a purpose's key, moves what hangs from the old one while everybody works, and says how far it is.</summary>
internal sealed class KeysRotateVerb : HospitalVerb
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly Argument<string> purpose = new("purpose") { Description = $"Whose key: {string.Join(", ", KeyDesk.Purposes)}; or root, which wraps them all; or patients, everybody's own key, with every record sealed anew." };

    public KeysRotateVerb()
        : base("rotate", "Make the next version of a key and move everything to it while the hospital works. Goes on by itself after an interruption.", "keys", actsAsSomebody: true) =>
        Command.Arguments.Add(purpose);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var keys = hospital.Vault.Keys;
        var name = arguments.GetValue(purpose)!;
        if (name == "root")
        {
            var keysWrapped = (await keys.RotateRoot(actor, RootSecrets.Now(arguments, call), cancel)).Value;
            var all = await keys.Status(cancel);
            return Answer.Of(
                new { purposes = KeyLines.Of(all, hospital.Clock.GetUtcNow()), finished = true, wrapped = keysWrapped },
                string.Create(CultureInfo.InvariantCulture, $"A new root key is in use; {keysWrapped} keys are wrapped by it. Copies of root.json and keys.db from before belong together and open nothing newer: make new ones now."));
        }

        if (name == KeyDesk.PatientsName)
        {
            return await Patients(keys, actor, hospital, call, cancel);
        }

        var version = (await keys.Rotate(actor, name, cancel)).Value;
        call.Say(string.Create(CultureInfo.InvariantCulture, $"{name}: version {version} is in use. Moving what is under older versions."));
        var work = keys.Advance(cancel);
        while (await Task.WhenAny(work, Task.Delay(Look, hospital.Clock, cancel)) != work)
        {
            var on = await One(keys, name, cancel);
            call.Say(string.Create(CultureInfo.InvariantCulture, $"{name}: {on.Ciphertexts - on.UnderOlder:#,##0} of {on.Ciphertexts:#,##0} under version {version}."));
        }

        var finished = await work;
        var state = await One(keys, name, cancel);
        var now = hospital.Clock.GetUtcNow();
        var lines = KeyLines.Text([state], now).ToList();
        if (state.Versions.Count > 1)
        {
            lines.Add(finished
                ? "The old version opens what is left under it and goes by itself when nothing is."
                : "Records that are open keep the old version; it goes when they are closed. A running server sees to it by itself, else the next start.");
        }

        return Answer.Of(new { purposes = KeyLines.Of([state], now), finished = state.Versions.Count == 1 }, string.Join('\n', lines));
    }

    private static async Task<Answer> Patients(KeyDesk keys, Actor actor, Hospital hospital, Call call, CancellationToken cancel)
    {
        var count = (await keys.RotatePatients(actor, cancel)).Value;
        call.Say(string.Create(CultureInfo.InvariantCulture, $"patients: {count:#,##0} get a new key each; every record is sealed anew."));
        var work = keys.Advance(cancel);
        while (await Task.WhenAny(work, Task.Delay(Look, hospital.Clock, cancel)) != work)
        {
            if (await keys.PatientTurn(cancel) is { } on)
            {
                call.Say(string.Create(CultureInfo.InvariantCulture, $"patients: {on.Waiting:#,##0} wait for a key; {on.Looked:#,##0} cells looked at, {on.Renewed:#,##0} sealed anew."));
            }
        }

        await work;
        var left = await keys.PatientTurn(cancel);
        return Answer.Of(
            new { patients = count, finished = left is null, older = left?.Older ?? 0 },
            left is null
                ? string.Create(CultureInfo.InvariantCulture, $"{count:#,##0} patients have a new key; nothing is under the old ones, which are deleted. Backups of before carry the keys of before.")
                : string.Create(CultureInfo.InvariantCulture, $"{left.Older:#,##0} older keys stay: records that are open, or that do not open, are under them. A running server goes on by itself, else the next start."));
    }

    private static async Task<KeyPurposeStatus> One(KeyDesk keys, string name, CancellationToken cancel) => (await keys.Status(cancel)).Single(one => one.Purpose == name);
}
