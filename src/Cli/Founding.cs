using System.Security.Cryptography;
using System.Text.Json;
using Mangrove.Cli.Downtime;
using Mangrove.Cli.Serving;
using Mangrove.Cli.Upgrades;
using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli;

/// <summary>What a new hospital is to be.</summary>
public sealed record FoundingPlan
{
    public required StorageOptions Storage { get; init; }

    public required RootSecret Secret { get; init; }

    public required string FacilityName { get; init; }

    /// <summary>ISO 4217 code of the currency of prices.</summary>
    public string Currency { get; init; } = House.DefaultCurrency;

    /// <summary>Where the pages will be found; host and port of the set-up link and of the certificate.</summary>
    public Uri Address { get; init; } = new(ServerAddress.Default);

    /// <summary>Whether sample patients may be written while it is made.</summary>
    public bool Demonstration { get; init; }
}

/// <summary>
/// Makes a hospital: keys, databases, certificates, price list, first administrator. It is made whole or not at all: a
/// mark in the folder says that it is being made, whatever fails is removed again, and what a killed process left behind
/// under the mark is removed by the next attempt.
/// </summary>
public static class Founding
{
    private const string MarkName = "founding.json";
    private const int LongestName = 120;
    private const int TokenIdSize = 16;

    /// <summary>Makes the hospital, lets <paramref name="furnish"/> add to it, and closes it.</summary>
    /// <returns>What the founder wants to know of it.</returns>
    /// <exception cref="RefusedInput"><c>init.already</c>, <c>init.not-empty</c>, <c>init.facility</c>, <c>init.currency</c>, <c>data.in-use</c>, <c>data.unwritable</c> or a <c>keys.</c> code. Nothing is left behind.</exception>
    public static async Task<T> Make<T>(FoundingPlan plan, Func<Hospital, FirstSetUp, CancellationToken, Task<T>> furnish, TimeProvider clock, CancellationToken cancel)
    {
        if (string.IsNullOrWhiteSpace(plan.FacilityName) || plan.FacilityName.Length > LongestName || plan.FacilityName.Any(char.IsControl))
        {
            throw new RefusedInput("init.facility", "Give the hospital a name of 1 to 120 characters with --facility.");
        }

        if (plan.Currency is not { Length: 3 } || !plan.Currency.All(char.IsAsciiLetterUpper))
        {
            throw new RefusedInput("init.currency", "Give the currency as three capital letters of ISO 4217, such as USD or KES.");
        }

        plan = plan with { Secret = Named(plan.Secret) };
        return await Raise(plan.Storage, plan.Secret, taken => Build(plan, taken, furnish, clock, cancel), cancel);
    }

    /// <summary>A secret whose key in a token, if it is to have one, has a name from here on: the mark carries it, so that no key is left that nobody knows.</summary>
    internal static RootSecret Named(RootSecret secret) => secret.Token is { KeyId: null } token ? secret with { Token = token with { KeyId = RandomNumberGenerator.GetBytes(TokenIdSize) } } : secret;

    /// <summary>Makes a hospital's folder whole or not at all, by whatever <paramref name="build"/> puts there.</summary>
    /// <param name="storage">Where it is to lie: an empty or new folder.</param>
    /// <param name="secret">The protector of its root key; a key file or a key in a token (<see cref="Named"/>) made for it goes when the rest goes.</param>
    /// <param name="build">Builds it. It owns the lock of the folder, and gives it back also when it fails.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput"><c>init.already</c>, <c>init.not-empty</c>, <c>data.in-use</c>, <c>data.unwritable</c>. Nothing is left behind.</exception>
    internal static async Task<T> Raise<T>(StorageOptions storage, RootSecret secret, Func<FolderLock, Task<T>> build, CancellationToken cancel)
    {
        var folder = storage.Folder;
        DowntimeFolder.Refuse(folder);
        var made = !Directory.Exists(folder);
        try
        {
            Directory.CreateDirectory(folder);
            if (made && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new RefusedInput("data.unwritable", "The data folder cannot be made or written by this account. Name another one with --data, or give the account the right to write it.");
        }

        var taken = FolderLock.Take(folder);
        try
        {
            if (File.Exists(MarkIn(folder)))
            {
                await Undo(storage, ReadMark(folder), secret, cutOff: true);
            }

            if (File.Exists(Path.Combine(folder, "root.json")) || UpgradeSwap.Pending(folder))
            {
                throw new RefusedInput("init.already", "This folder holds a hospital already. Name an empty folder with --data.");
            }

            if (Directory.EnumerateFiles(folder, "*.db").Any())
            {
                throw new RefusedInput("init.not-empty", "This folder holds databases without root.json. Restore root.json from the copy made at set-up, or name an empty folder with --data.");
            }
        }
        catch
        {
            taken.Dispose();
            throw;
        }

        // A key file that was there before is refused by the vault and is not ours to remove.
        var mark = new Mark(secret.KeyFile is { } file && !File.Exists(file) ? Path.GetFullPath(file) : null, storage.Kind == StorageKind.Postgres ? Ids.New() : null, secret.Token is { KeyId: not null } token ? token : null);
        try
        {
            WriteMark(folder, mark);
            if (mark.Ground is { } ground)
            {
                await PostgresGround.Claim(storage, ground, cancel);
            }

            var result = await build(taken);
            // From here on the hospital is whole, in one step: without its mark nothing of it is ever removed.
            File.Delete(MarkIn(folder));
            return result;
        }
        catch (Exception failed)
        {
            // The hospital has given the lock back by now; nobody else can have begun, because the mark is still there
            // and only this process removes what is under it.
            taken.Dispose();
            try
            {
                await Undo(storage, mark, secret, cutOff: false);
            }
            catch (Exception undone)
            {
                // The mark stays, and the next attempt clears what is under it; both failures are told.
                throw new AggregateException("The hospital was not made, and what had been made of it could not be removed. Run 'mangrove init' again with the same --data.", failed, undone);
            }

            if (made)
            {
                Directory.Delete(folder, recursive: true);
            }

            throw;
        }
    }

    /// <summary>Refuses a folder without a whole hospital in it, before anything is written there; an upgrade that was being put in place is put there first.</summary>
    internal static void RequireFounded(string folder)
    {
        DowntimeFolder.Refuse(folder);
        if (File.Exists(MarkIn(folder)))
        {
            throw new RefusedInput("data.half-made", "The making of this hospital was interrupted. Run 'mangrove init' again with the same --data; it removes what was left and begins anew.");
        }

        if (UpgradeSwap.Pending(folder))
        {
            using var taken = FolderLock.Take(folder);
            UpgradeSwap.Finish(folder);
        }

        if (!File.Exists(Path.Combine(folder, "root.json")))
        {
            throw new RefusedInput("data.not-initialised", "This folder holds no hospital. Run 'mangrove init' first, or name the right folder with --data.");
        }
    }

    private static async Task<T> Build<T>(FoundingPlan plan, FolderLock taken, Func<Hospital, FirstSetUp, CancellationToken, Task<T>> furnish, TimeProvider clock, CancellationToken cancel)
    {
        await VaultRoom.Create(plan.Storage, plan.Secret, plan.FacilityName, clock, cancel);
        await using var hospital = await Hospital.Open(taken, plan.Storage, plan.Secret with { AcceptSameVolume = false }, clock, OlderSchema.Migrate, cancel);
        hospital.StartIndexing();
        using var setUp = (await hospital.Vault.Identity.BeginSetUp(plan.Demonstration, cancel)).Value;
        await Furnishings.Place(hospital, setUp, plan, cancel);
        await Certificates.Issue(hospital.Vault.Secrets, plan.FacilityName, [plan.Address.Host], clock, cancel);
        return await furnish(hospital, setUp, cancel);
    }

    private static string MarkIn(string folder) => Path.Combine(folder, MarkName);

    private static void WriteMark(string folder, Mark mark)
    {
        using var stream = new FileStream(MarkIn(folder), FileMode.CreateNew, FileAccess.Write);
        JsonSerializer.Serialize(stream, mark);
        stream.Flush(flushToDisk: true);
    }

    private static Mark ReadMark(string folder) => JsonSerializer.Deserialize<Mark>(File.ReadAllBytes(MarkIn(folder))) ?? new Mark(null, null, null);

    private static async Task Undo(StorageOptions storage, Mark mark, RootSecret secret, bool cutOff)
    {
        var folder = storage.Folder;
        Connections.Close();
        if (mark.Ground is { } ground)
        {
            if (storage.Kind != StorageKind.Postgres)
            {
                throw new RefusedInput("init.half-made-elsewhere", "A hospital on PostgreSQL was being made with this folder and is half there. Run 'mangrove init' again with the same --storage and --connection; it removes what was left.");
            }

            // Nobody may give up half-way: what was made goes as a whole.
            await PostgresGround.Clear(storage, ground, CancellationToken.None);
        }

        // What failed before there was a root.json has taken its key back itself; and a wrong PIN is not tried a second time.
        if (mark.Token is { } left && (cutOff || File.Exists(Path.Combine(folder, "root.json"))))
        {
            if (secret.Token is not { } token || token.Label != left.Label || secret.Pin is null)
            {
                throw new RefusedInput("init.token-left", $"The making of a hospital with this folder was interrupted, and the token {left.Label} may hold a key of it that is of no use (mangrove-{Convert.ToHexStringLower(left.KeyId.AsSpan(0, 4))}). Run 'mangrove init' again with --protector pkcs11:{left.Label} and its PIN: it removes what was left. If that token is gone for good, name another empty folder with --data.");
            }

            await VaultRoom.RemoveFromToken(left with { Module = token.Module }, secret.Pin, CancellationToken.None);
        }

        if (mark.KeyFile is { } key)
        {
            File.Delete(key);
        }

        foreach (var file in Directory.EnumerateFiles(folder))
        {
            if (Path.GetFileName(file) is "root.json" or "ca.crt" or "demo-accounts.json" || file.Contains(".db", StringComparison.Ordinal))
            {
                File.Delete(file);
            }
        }

        // Of a restore that came to nothing: what it had put in place beside the databases.
        foreach (var name in Backups.RestoredFiles.Folders.Append("copies").Select(name => Path.Combine(folder, name)).Where(Directory.Exists))
        {
            Directory.Delete(name, recursive: true);
        }

        File.Delete(MarkIn(folder));
    }

    /// <param name="KeyFile">A key file that this attempt makes.</param>
    /// <param name="Ground">The attempt's mark in PostgreSQL.</param>
    /// <param name="Token">A key that this attempt makes in a token. No secret.</param>
    private sealed record Mark(string? KeyFile, Guid? Ground, TokenWanted? Token);
}
