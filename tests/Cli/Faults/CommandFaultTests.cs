using System.Text.Json;

namespace Mangrove.Tests.Cli.Faults;

/// <summary>Commands whose disk fails one call after the other, from their first to their last.</summary>
public abstract class CommandFaultTests(SampleHospital hospital) : IDisposable
{
    private static readonly Dictionary<Guid, string> Nobody = [];

    private const int LookEvery = 50;

    private readonly Folder folder = new();

    private protected SampleHospital Sample => hospital;

    private protected Folder Place => folder;

    private protected Tally Tally { get; } = new();

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Lists the calls of a command, then fails as many of them as there is time for; what is acknowledged goes to the caller.</summary>
    private protected async Task Campaign(int most, Action<JsonElement> acknowledged, params string[] words)
    {
        var (clean, calls) = await Run(null, words);
        Assert.True(clean.Exit == 0, clean.Out + clean.Error);
        acknowledged(clean.Json);
        foreach (var fault in Fault.Spread(Fault.Of(calls), most))
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            var (ran, seen) = await Run(fault, words);
            var when = $"{string.Join(' ', words)}, {fault}: {ran.Exit} {ran.Code}";

            // A crash or a fault of the program (3) is neither an acknowledgement nor a refusal.
            Assert.True(ran.Exit == 0 || (ran.Exit == 2 && ran.Code is { Length: > 0 }), $"{when}\n{ran.Out}\n{ran.Error}");
            if (ran.Exit == 0)
            {
                acknowledged(ran.Json);
            }

            if (Tally.Count(seen))
            {
                Tally.Answer(ran.Code ?? "acknowledged");
            }

            if (Tally.Points % LookEvery == LookEvery - 1)
            {
                TestContext.Current.SendDiagnosticMessage($"{when}: {Tally}");
                await Aftermath.Whole(hospital, when, Nobody, Nobody);
            }
        }

        await Aftermath.Whole(hospital, string.Join(' ', words), Nobody, Nobody);
    }

    private protected string[] Arguments(params string[] words)
    {
        var (user, password) = hospital.Account("admin");
        return [.. words, "--data", hospital.Data, "--as", user, "--password-file", password, "--json"];
    }

    private async Task<(Ran Ran, IReadOnlyList<Traced> Calls)> Run(Fault? fault, string[] words)
    {
        while (true)
        {
            var (ran, calls) = await Strace.Run(fault, folder, [hospital.Data, folder["target"]], Arguments(words));

            // A command that failed while it compared a password has left a wrong try behind, after which the next waits a second.
            if (ran.Code != "signin.wait" || calls.Any(call => call.Injected))
            {
                return (ran, calls);
            }

            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        }
    }
}

/// <summary>A backup whose disk fails: one that was acknowledged is there and reads back, what was not leaves nothing that looks like one (threats A5, B1).</summary>
public sealed class BackupFaultTests(SampleHospital hospital) : CommandFaultTests(hospital), IClassFixture<SampleHospital>
{
    [Fact]
    public async Task Whatever_call_of_a_backup_fails_an_acknowledged_one_reads_back_and_the_hospital_is_whole()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), Strace.OnlyOnLinux);
        var made = new SortedDictionary<int, string>();
        void Acknowledged(JsonElement backup) => made.Add(backup.GetProperty("number").GetInt32(), backup.GetProperty("path").GetString()!);

        await Campaign(Tally.Full ? 240 : 10, Acknowledged, "backup", "create", "--out", Place["target"]);

        // The disk in order again: the next one is made, and clears away what the others left.
        var next = await Executable.Run(Arguments("backup", "create", "--out", Place["target"]));
        Assert.True(next.Exit == 0, next.Out + next.Error);
        Acknowledged(next.Json);
        Assert.DoesNotContain(Directory.EnumerateDirectories(Sample.Data), path => path.Contains("scratch-", StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFiles(Place["target"], "*.part", SearchOption.AllDirectories));

        // Every acknowledged one is listed, and of these a share and the last read back.
        var listed = (await Executable.Run("backup", "list", "--out", Place["target"], "--data", Sample.Data, "--json")).Json.GetProperty("backups").EnumerateArray().Select(one => one.GetProperty("number").GetInt32()).ToList();
        Assert.Empty(made.Keys.Except(listed));
        var step = Math.Max(1, made.Count / (Tally.Full ? 30 : 4));
        foreach (var (_, path) in made.Where((_, at) => at % step == 0 || at == made.Count - 1))
        {
            var read = await Executable.Run("backup", "verify", path, "--data", Sample.Data, "--json");
            Assert.True(read.Exit == 0 && read.Json.GetProperty("ok").GetBoolean(), read.Out + read.Error);
        }

        TestContext.Current.SendDiagnosticMessage($"backup: {Tally}; {made.Count} backups acknowledged, {listed.Count} listed");
        Assert.True(Tally.Points >= (Tally.Full ? 200 : 5), $"Too few faults: {Tally}");
        Assert.True(Tally.Refused > 0, $"The faults hit nothing: {Tally}");
    }
}

/// <summary>Keys that are rotated while the disk fails: every patient opens, under the old keys or the new ones, and the next server ends what was begun (threats A5, B1).</summary>
public sealed class RotationFaultTests(SampleHospital hospital) : CommandFaultTests(hospital), IClassFixture<SampleHospital>
{
    [Fact]
    public async Task Whatever_call_of_a_rotation_fails_every_patient_opens_and_the_next_server_ends_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), Strace.OnlyOnLinux);
        await Campaign(Tally.Full ? 180 : 9, Ended, "keys", "rotate", "data");
        await Campaign(Tally.Full ? 60 : 4, static _ => { }, "keys", "rotate", "root");
        if (Tally.Full)
        {
            // A walk of the patients' own keys takes ten seconds and more.
            await Campaign(24, Ended, "keys", "rotate", "patients");
        }

        await using (var server = await Served.Start(Sample.Data))
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (await Older() > 0)
            {
                await Task.Delay(100, patience.Token);
            }

            Assert.Equal(0, await server.Stop());
        }

        await Aftermath.Whole(Sample, "at the end", new Dictionary<Guid, string>(), new Dictionary<Guid, string>());
        TestContext.Current.SendDiagnosticMessage($"rotation: {Tally}");
        Assert.True(Tally.Points >= (Tally.Full ? 200 : 6), $"Too few faults: {Tally}");
        Assert.True(Tally.Refused > 0, $"The faults hit nothing: {Tally}");
    }

    private static void Ended(JsonElement rotation) => Assert.True(rotation.GetProperty("finished").GetBoolean());

    private async Task<int> Older() => (await Executable.Run("keys", "status", "--data", Sample.Data, "--json")).Json.GetProperty("purposes").EnumerateArray().Count(one => one.GetProperty("state").GetString() == "opens-older");
}
