using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Serving;
using Mangrove.Clinic;
using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Downtime;

/// <summary>
/// Serves the newest copy of a hospital that a target gives, and changes over to the next one when there is one. While the target is
/// away, or gives nothing that is proven, it goes on with what it has. It makes no backup, runs no timetable and sends no letter.
/// </summary>
public sealed class DowntimeService : IAsyncDisposable
{
    /// <summary>How often it looks for a newer backup.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(2);

    private readonly DowntimeFolder place;
    private readonly string from;
    private readonly Func<string, RecoverySecret> secretOf;
    private readonly bool anyDevice;
    private readonly TimeProvider clock;
    private readonly Action<string> say;
    private IReadOnlyList<Uri>? urls;
    private RecoverySecret? secret;
    private DowntimeCopy? copy;
    private Server? server;
    private string? told;

    /// <param name="place">Where copies lie; stays the caller's.</param>
    /// <param name="from">A target of backups, or the hospital's folder in it.</param>
    /// <param name="secretOf">Gives what opens backups, by a key bundle; asked once.</param>
    /// <param name="anyDevice">Whether devices that cannot show their registration are let in.</param>
    /// <param name="urls">Where to listen; at the hospital's own address when null.</param>
    /// <param name="clock">The time.</param>
    /// <param name="say">Lines for whoever runs it. They name no patient.</param>
    public DowntimeService(DowntimeFolder place, string from, Func<string, RecoverySecret> secretOf, bool anyDevice, IReadOnlyList<Uri>? urls, TimeProvider clock, Action<string> say)
    {
        this.place = place;
        this.from = from;
        this.secretOf = secretOf;
        this.anyDevice = anyDevice;
        this.urls = urls;
        this.clock = clock;
        this.say = say;
    }

    /// <summary>Where the first page is.</summary>
    public Uri Address => server?.Address ?? throw NotStarted();

    public DowntimeCopy Copy => copy ?? throw NotStarted();

    public Server Server => server ?? throw NotStarted();

    /// <summary>Opens the copy that is there, or makes the first one of the target, and serves it.</summary>
    /// <exception cref="RefusedInput">There is no copy and none can be made; the code says why.</exception>
    public async Task Start(CancellationToken cancel)
    {
        place.Sweep();
        if (place is { Current: { } current, Mark: { } mark } && Directory.Exists(current))
        {
            secret ??= secretOf(DowntimeCopy.BundleIn(current));
            try
            {
                copy = await DowntimeCopy.Open(current, mark, secret, anyDevice, clock, cancel);
            }
            catch (Exception damaged) when (CommandShell.Explain(damaged) is { } reason && !IsNotTheCopy(reason))
            {
                // Its log may hold looks of people; a new copy is made of the target, if that is there.
                say($"the copy in this folder does not open ({reason.Code}); making another one of the target");
                if (File.Exists(Path.Combine(current, "audit.db")))
                {
                    place.KeepLog(current);
                }
            }
        }

        if (copy is null)
        {
            var (folder, _) = BackupFolder.Find(from);
            var stored = folder.Survey(null).Backups is [.., var newest] ? newest : throw new RefusedInput("backup.manifest-bad", "No manifest there can be read. Use another copy of the backups.");
            if (place.Mark is { } known && stored.Manifest.Number < known.Number)
            {
                throw Older();
            }

            secret ??= secretOf(stored.KeysPath);
            say("reading the newest backup and making a copy of it");
            place.Drop();
            copy = await DowntimeCopy.Make(place, folder, stored, secret, anyDevice, clock, cancel);
            place.Use(copy.Folder, copy.Mark);
        }

        await Serve(cancel);
    }

    /// <summary>Looks for a newer backup, and changes over to it.</summary>
    /// <returns>True when it did; false when there is none, or none that is proven.</returns>
    public async Task<bool> Look(CancellationToken cancel)
    {
        DowntimeCopy? next = null;
        try
        {
            if (await Newer(cancel) is not var (folder, stored))
            {
                return false;
            }

            next = await DowntimeCopy.Make(place, folder, stored, secret!, anyDevice, clock, cancel);
            next.Hospital.StartIndexing();
            await next.Hospital.Indexing.WaitAsync(cancel);
        }
        catch (Exception refused) when (refused is not OperationCanceledException && (CommandShell.Explain(refused) is not null || refused is IOException))
        {
            Tell($"no newer copy: {CommandShell.Explain(refused)?.Code ?? "the target cannot be read"}; the copy of {Copy.Mark.Created:yyyy-MM-dd HH:mm} UTC stays");
            if (next is not null)
            {
                await next.DisposeAsync();
            }

            return false;
        }
        catch
        {
            if (next is not null)
            {
                await next.DisposeAsync();
            }

            throw;
        }

        // From here on nothing may be left half: the one in use is closed in order, its log kept, and the next one takes its place.
        var address = Address;
        await Close();
        place.Use(next.Folder, next.Mark);
        copy = next;
        urls = [address, .. (urls ?? []).Skip(1)];
        await Serve(CancellationToken.None);
        place.Sweep();
        told = null;
        say($"changed over to the copy of {next.Mark.Created:yyyy-MM-dd HH:mm} UTC");
        return true;
    }

    /// <summary>Serves until the process is told to stop, looking for newer backups.</summary>
    public async Task Run(CancellationToken cancel)
    {
        while (true)
        {
            var stopped = Server.Stopped(cancel);
            do
            {
                using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                var look = Look(over.Token);
                if (await Task.WhenAny(look, stopped) == stopped)
                {
                    // A changeover that has begun is ended all the same; it stopped the old server itself.
                    await over.CancelAsync();
                }

                try
                {
                    if (await look)
                    {
                        break;
                    }
                }
                catch (OperationCanceledException)
                {
                    return;
                }

                if (await Task.WhenAny(stopped, Task.Delay(LookEvery, clock, over.Token)) == stopped)
                {
                    await over.CancelAsync();
                    return;
                }
            }
            while (true);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Close();
        secret?.Dispose();
    }

    private async Task Serve(CancellationToken cancel)
    {
        var opened = Copy;
        await opened.Hospital.Vault.Backups.OpenedAsCopy(opened.Hospital.Vault.Copy!, cancel);
        if (opened.Hospital.Indexing.IsCompletedSuccessfully && !opened.Hospital.Vault.IndexReady)
        {
            opened.Hospital.StartIndexing();
        }

        urls ??= [ServerAddress.Parse(await House.Read(opened.Hospital.Clinics, Furnishings.AddressSetting, cancel) ?? ServerAddress.Default)];
        server = await Server.Start(opened.Hospital, urls, [], null, cancel);
        if (opened.Hospital.Vault.Identity.Devices.Required)
        {
            say("this hospital lets registered devices in only, and a browser shows that it is one under the hospital's own name only; with --any-device others are let in too");
        }

        say(string.Create(CultureInfo.InvariantCulture, $"read-only copy of backup {opened.Mark.Number} as of {opened.Mark.Created:yyyy-MM-dd HH:mm} UTC"));
    }

    /// <summary>Closes what is served, and keeps its log where people did something.</summary>
    private async Task Close()
    {
        if (server is not null)
        {
            await server.DisposeAsync();
            server = null;
        }

        if (copy is { } closed)
        {
            copy = null;
            await closed.DisposeAsync();
            if (closed.WasUsed())
            {
                place.KeepLog(closed.Folder);
            }
        }
    }

    /// <summary>The newest backup that is signed by this hospital's own key, as the copy in use has it, when it is newer than that copy.</summary>
    private async Task<(BackupFolder Folder, StoredBackup Stored)?> Newer(CancellationToken cancel)
    {
        var (folder, _) = BackupFolder.Find(from);
        using var keys = await Copy.Hospital.Vault.Backups.Keys(cancel);
        var (backups, unreadable) = folder.Survey(keys);
        if (unreadable.Count > 0)
        {
            Tell($"{unreadable.Count} manifests in the target are damaged or not this hospital's; they are left alone");
        }

        return backups is [.., var newest] && newest.Manifest.Number > Copy.Mark.Number
            ? newest.Manifest.Created > Copy.Mark.Created && newest.Manifest.Audit.Size >= Copy.Mark.LogSize ? (folder, newest) : throw Older()
            : null;
    }

    private void Tell(string line)
    {
        if (line != told)
        {
            told = line;
            say(line);
        }
    }

    /// <summary>Whether the secret or the disk is what is wrong, and not the copy: another copy would be no better.</summary>
    private static bool IsNotTheCopy(Error reason) =>
        new[] { "recovery.", "shares.", "data.", "keys.passphrase", "keys.file" }.Any(start => reason.Code.StartsWith(start, StringComparison.Ordinal));

    private static RefusedInput Older() => new("downtime.older", "The target holds an older state of the hospital than the copy in this folder, which stays as it is. When the hospital itself was restored from an older backup, hand in the logs of this folder and begin with an empty one.");

    private static InvalidOperationException NotStarted() => new("Nothing is served yet.");
}
