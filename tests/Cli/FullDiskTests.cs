using System.Net;
using Mangrove.Kernel;

namespace Mangrove.Tests.Cli;

/// <summary>
/// The real server on a disk that takes no more: it says so with a code, writes nothing by halves, and starts again with
/// everything that it acknowledged (threats A5, B1). A limit to the size of files stands for the full disk, because no
/// account can be asked to fill one.
/// </summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    // Each test fills a hospital of its own.
    private readonly SampleHospital hospital = new();

    private const int MostTries = 2_000;
    private const long Kibibytes = 600;

    public ValueTask InitializeAsync() => hospital.InitializeAsync();

    public ValueTask DisposeAsync() => hospital.DisposeAsync();

    [Fact]
    public async Task When_the_records_do_not_fit_the_desk_is_told_and_nothing_is_half_written()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Limits to the size of files are the system's of Unix.");
        var registered = new List<string>();
        string refused;
        await using (var server = await Served.Start(Executable.Within(Kibibytes, "serve", "--data", hospital.Data, "--urls", "https://localhost:0")))
        {
            using var desk = await SignIn(server, Role.FrontDesk);
            (refused, var answer) = await Until(async number =>
            {
                var id = Ids.New().ToString("N");
                return (id, await desk.Send("POST", "/desk/register", Person(id, number)));
            }, HttpStatusCode.SeeOther, registered);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
            Assert.Matches("data\\.(full|disk)", answer.Text);
            Assert.DoesNotContain("Family", answer.Text, StringComparison.Ordinal);

            // The process does not fall over its disk.
            Assert.Contains((await desk.Send("GET", "/desk")).Status, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable]);
        }

        await Whole();
        await using var again = await Served.Start(hospital.Data);
        using var desk2 = await SignIn(again, Role.FrontDesk);
        foreach (var id in registered)
        {
            Assert.Equal(HttpStatusCode.OK, (await desk2.Send("GET", $"/patients/{id}")).Status);
        }

        // Registration and visit are one commit: the patient who was refused is not there, and the same form goes on.
        Assert.Equal(HttpStatusCode.NotFound, (await desk2.Send("GET", $"/patients/{refused}")).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await desk2.Send("POST", "/desk/register", Person(refused, MostTries + 1))).Status);
    }

    [Fact]
    public async Task When_the_log_does_not_fit_the_door_stays_shut_and_says_why()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Limits to the size of files are the system's of Unix.");
        await using (var server = await Served.Start(Executable.Within(Kibibytes, "serve", "--data", hospital.Data, "--urls", "https://localhost:0")))
        {
            using var desk = await SignIn(server, Role.FrontDesk);

            // The index may be whole a moment after the server is ready, and until then a search says so.
            var found = await desk.Send("POST", "/find", Search("P-100"));
            for (var tries = 0; tries < 50 && !found.Text.Contains("P-100", StringComparison.Ordinal); tries++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
                found = await desk.Send("POST", "/find", Search("P-100"));
            }

            Assert.Contains("P-100", found.Text, StringComparison.Ordinal);

            // A search writes into the log alone, so the log is what meets the limit.
            var (_, answer) = await Until(async number => ("", await desk.Send("POST", "/find", Search("P-100"))), HttpStatusCode.OK, []);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
            Assert.Matches("audit\\.unavailable|data\\.(full|disk)", answer.Text);
            Assert.DoesNotContain("data-test=\"hit\"", answer.Text, StringComparison.Ordinal);
        }

        await Whole();
        await using var again = await Served.Start(hospital.Data);
        using var desk2 = await SignIn(again, Role.FrontDesk);
        Assert.Equal(HttpStatusCode.OK, (await desk2.Send("POST", "/find", Search("P-100"))).Status);
    }

    private async Task<Browser> SignIn(Served server, Role role)
    {
        var (user, password) = hospital.Login(role);
        return await Browser.SignIn(server.Address, user, password);
    }

    private async Task Whole()
    {
        var log = await Executable.Run("audit", "verify", "--data", hospital.Data, "--json");
        Assert.True(log.Json.GetProperty("ok").GetBoolean(), log.Out);
    }

    /// <summary>Acts until an answer is another one; what was acted on last and that answer.</summary>
    private static async Task<(string Last, Seen Answer)> Until(Func<int, Task<(string Id, Seen Answer)>> act, HttpStatusCode good, List<string> done)
    {
        for (var number = 0; number < MostTries; number++)
        {
            var (id, answer) = await act(number);
            if (answer.Status != good)
            {
                return (id, answer);
            }

            done.Add(id);
        }

        throw new InvalidOperationException("The limit was never met: this proves nothing.");
    }

    private static Dictionary<string, string> Search(string text) => new(StringComparer.Ordinal) { ["q"] = text };

    // The guard against duplicates reads figures as noise, so names differ by letters.
    private static Dictionary<string, string> Person(string id, int number) => new(StringComparer.Ordinal)
    {
        ["id"] = id,
        ["family"] = "Family" + string.Concat(id.Where(char.IsAsciiLetter)),
        ["given"] = "Given " + string.Concat(id.Reverse().Where(char.IsAsciiLetter)),
        ["born"] = FormattableString.Invariant($"{1930 + (number % 80)}-01-01"),
        ["sex"] = "2",
        ["because"] = "documents-differ",

        // So that the records grow faster than the log, and are what meets the limit.
        ["address"] = new string('x', 60_000),
    };
}
