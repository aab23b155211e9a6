using System.Security.Cryptography;
using System.Text;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Installing;

/// <summary>
/// Puts the program, its service and its first hospital onto a system. It can be run again: what is there stays or is replaced
/// by what belongs there, and a hospital is made only where there is none.
/// </summary>
internal sealed class Installation(InstallPlan plan, TimeProvider clock, Action<string> say)
{
    private const int Groups = 6;
    private const int LettersOfGroup = 5;

    // No letters that look alike: people copy it by hand.
    private const string Letters = "abcdefghjkmnpqrstuvwxyz23456789";

    /// <summary>Where the program's files are now.</summary>
    public required string Unpacked { get; init; }

    /// <summary>What will be done, for people.</summary>
    public IReadOnlyList<string> Steps(bool start) =>
    [
        plan.Here ? $"account {plan.User}, made if it is missing, without a shell" : $"no account: {plan.Root} is no running system",
        Path.TrimEndingDirectorySeparator(Unpacked) == plan.At(plan.Prefix) ? $"program in {plan.At(plan.Prefix)}, where it lies" : $"program in {plan.At(plan.Prefix)}",
        plan.KeyFile is { } key ? $"key file {key}, made if there is no hospital yet" : $"passphrase in {plan.At(plan.PassphraseFile)}, for root alone",
        $"data in {plan.At(plan.Data)}, for {(plan.Here ? plan.User : "this account")} alone; a hospital and its certificate authority if there is none",
        $"service in {plan.At(plan.UnitFile)}, its journal kept for a year by {plan.At(plan.JournalFile)}",
        Starts(start) ? "service started, and with every start of the system" : "service not started",
    ];

    /// <summary>Whether the service is started at the end.</summary>
    public bool Starts(bool asked) => asked && plan.Here && SystemPrograms.SystemdRuns;

    /// <summary>Does it.</summary>
    /// <param name="founding">What the hospital is to be; null where one must be there already.</param>
    /// <param name="passphraseFile">Whose first line becomes the passphrase; null to keep the one that is there, or draw one.</param>
    /// <param name="start">Whether the service is started, where systemd runs.</param>
    /// <param name="cancel">Gives up; what was done stays, and the next run goes on.</param>
    /// <returns>The hospital, where it was made now.</returns>
    public async Task<NewHospital?> Run(Founding? founding, string? passphraseFile, bool start, CancellationToken cancel)
    {
        var data = plan.At(plan.Data);
        var there = File.Exists(Path.Combine(data, "root.json"));
        if (!there && founding is null)
        {
            throw new RefusedInput("install.facility", "There is no hospital in the data folder yet. Name it with --facility.");
        }

        // Refused before anything is made.
        var given = plan.KeyFile is null && passphraseFile is not null ? Typed.FirstLine(passphraseFile) : null;
        var account = plan.Here ? await Account(cancel) : null;
        if (Path.TrimEndingDirectorySeparator(Unpacked) != plan.At(plan.Prefix))
        {
            say("program");
            ProgramFiles.Copy(Unpacked, plan.At(plan.Prefix));
        }

        if (plan.KeyFile is null)
        {
            Keep(given, there);
        }

        NewHospital? made = null;
        if (!there)
        {
            say("hospital");
            made = await Found(founding!, data, cancel);
        }

        if (account is { } owner)
        {
            Accounts.Give(data, owner);
            if (made is not null && plan.KeyFile is { } key)
            {
                Accounts.GiveFile(plan.At(key), owner);
            }
        }

        say("service");
        Unit();
        if (Starts(start))
        {
            await SystemPrograms.Run("systemctl", ["daemon-reload"], cancel);
            await SystemPrograms.Run("systemctl", ["enable", "mangrove.service"], cancel);
            await SystemPrograms.Run("systemctl", ["restart", "mangrove.service"], cancel);
        }

        return made;
    }

    /// <summary>What the hospital is to be.</summary>
    internal sealed record Founding(string Facility, string Currency, string User, Uri Link, bool AcceptSameVolume);

    private async Task<(uint User, uint Group)?> Account(CancellationToken cancel)
    {
        if (Accounts.Find(plan.User) is { } known)
        {
            return known;
        }

        say("account");
        await SystemPrograms.Run("useradd", ["--system", "--user-group", "--home-dir", plan.Data, "--no-create-home", "--shell", "/usr/sbin/nologin", plan.User], cancel);
        return Accounts.Find(plan.User) ?? throw new RefusedInput("install.account", "The account of the service was made and is not found. Name one with --user that stands in /etc/passwd.");
    }

    /// <summary>The passphrase for the service, which root alone may read: as given, as it is, or drawn.</summary>
    private void Keep(char[]? given, bool hospitalIsThere)
    {
        var file = plan.At(plan.PassphraseFile);
        if (given is null && File.Exists(file))
        {
            return;
        }

        if (given is null && hospitalIsThere)
        {
            throw new RefusedInput("install.passphrase", "The hospital is there and its passphrase is not. Give it with --passphrase-file, or the key file with --protector.");
        }

        var folder = Path.GetDirectoryName(file)!;
        ProgramFiles.MakeOpen(Path.GetDirectoryName(folder)!);
        Directory.CreateDirectory(folder);
        Upgrades.UpgradeSwap.Close(folder);
        var text = given ?? Draw();
        var bytes = Encoding.UTF8.GetBytes([.. text, '\n']);
        Upgrades.UpgradeSwap.Put(file, bytes);
        CryptographicOperations.ZeroMemory(bytes);
        Array.Clear(text);
        if (given is null)
        {
            say($"A passphrase was drawn and lies in {file}. Copy it by hand to a safe place away from this machine: without it nobody can open the hospital or its backups, and nobody can reset it.");
        }
    }

    private async Task<NewHospital> Found(Founding founding, string data, CancellationToken cancel)
    {
        ProgramFiles.MakeOpen(Path.GetDirectoryName(data)!);
        var secret = plan.KeyFile is { } key
            ? new RootSecret { KeyFile = plan.At(key), AcceptSameVolume = founding.AcceptSameVolume }
            : new RootSecret { Passphrase = Typed.FirstLine(plan.At(plan.PassphraseFile)) };
        return await NewHospital.Make(
            new FoundingPlan { Storage = StorageOptions.Sqlite(data), Secret = secret, FacilityName = founding.Facility, Currency = founding.Currency, Address = founding.Link },
            founding.User,
            clock,
            cancel);
    }

    /// <summary>Writes the unit and the rules of its journal. What somebody changed is kept beside it.</summary>
    private void Unit()
    {
        Define(plan.At(plan.UnitFile), ServiceUnit.Of(plan));
        Define(plan.At(plan.JournalFile), ServiceUnit.Journal());
    }

    private void Define(string file, string text)
    {
        ProgramFiles.MakeOpen(Path.GetDirectoryName(file)!);
        if (File.Exists(file) && File.ReadAllText(file) != text)
        {
            File.Move(file, file + ".before", overwrite: true);
            say($"What was there is kept as {file}.before.");
        }

        Upgrades.UpgradeSwap.Put(file, Encoding.UTF8.GetBytes(text));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }
    }

    private static char[] Draw()
    {
        var text = new char[(Groups * (LettersOfGroup + 1)) - 1];
        for (var at = 0; at < text.Length; at++)
        {
            text[at] = at % (LettersOfGroup + 1) == LettersOfGroup ? '-' : Letters[RandomNumberGenerator.GetInt32(Letters.Length)];
        }

        return text;
    }
}
