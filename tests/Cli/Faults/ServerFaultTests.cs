using System.Net;
using System.Text.RegularExpressions;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Tests.Cli.Faults;

/// <summary>
/// The real server, whose disk fails one call of an act after the other, once or from there on, with an input/output error or
/// no space: nothing acknowledged is lost, nobody's data are shown without an entry, the log stays whole (threats A5, A6, B1).
/// About thirty points; six hundred with MANGROVE_FULL=1.
/// </summary>
public sealed partial class ServerFaultTests(SampleHospital hospital) : IClassFixture<SampleHospital>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // With so many points behind it the server is stopped as by a power cut, and everything is looked at.
    private const int LookEvery = 100;

    private readonly Folder folder = new();
    private readonly Tally tally = new();
    private readonly Dictionary<Guid, string> registered = [];
    private readonly Dictionary<Guid, string> refused = [];
    private readonly Dictionary<Guid, int> shown = [];
    private readonly Dictionary<string, int> signedIn = new(StringComparer.Ordinal);
    private readonly Queue<Role> signers = new([Role.Cashier, Role.Nurse, Role.Doctor, Role.Pharmacist, Role.LabTech]);
    private Served server = null!;
    private Browser desk = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), Strace.OnlyOnLinux);
        Assert.SkipUnless(Strace.MayAttach, "This account may not trace a running server (kernel.yama.ptrace_scope): run the tests as root.");
        await Begin();
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            desk.Dispose();
            await server.DisposeAsync();
        }

        folder.Dispose();
    }

    private static int Floor => Tally.Full ? 600 : 15;

    [Fact]
    public async Task Whatever_call_of_a_save_a_look_or_a_sign_in_fails_nothing_acknowledged_is_lost_and_nothing_is_shown_without_an_entry()
    {
        // Warm, so that the listed calls are those of the act alone.
        await Save();
        await Look();
        await SignIn();
        do
        {
            // In full every call of the acts fails in turn; the databases have grown by the next round, and other pages are written.
            await Work("save", Save, Tally.Full ? 360 : 14);
            await Work("look", Look, Tally.Full ? 60 : 6);
            await Work("sign-in", SignIn, Tally.Full ? 240 : 10);
        }
        while (Tally.Full && tally.Points < Floor);

        await Whole("at the end");
        TestContext.Current.SendDiagnosticMessage($"server: {tally}; {registered.Count} registrations, {shown.Values.Sum()} looks and {signedIn.Values.Sum()} sign-ins acknowledged");
        Assert.True(tally.Points >= Floor, $"Too few faults: {tally}");
        Assert.True(tally.Refused >= tally.Points / 3, $"The faults hit nothing: {tally}");
        Assert.True(registered.Count > 10 && shown.Values.Sum() > 4 && signedIn.Values.Sum() > 6, $"Too little was acknowledged: {tally}");
    }

    private async Task Work(string name, Func<Task<string>> act, int most)
    {
        IReadOnlyList<Traced> calls;
        await using (var looking = await Strace.Attach(server.Id, null, folder, hospital.Data))
        {
            Assert.Equal("acknowledged", await act());
            calls = await looking.Detach();
        }

        foreach (var fault in Fault.Spread(Fault.Of(calls), most))
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            string answer;
            try
            {
                await using var failing = await Strace.Attach(server.Id, fault, folder, hospital.Data);
                answer = await act();
                if (tally.Count(await failing.Detach()))
                {
                    tally.Answer(answer);
                }
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                throw new InvalidOperationException($"{name}, {fault}: {failed.Message}\n{server.Said}", failed);
            }

            await Settle($"{name}, {fault}: {answer}");

            // What goes well now is what a later fault might lose.
            Assert.Equal("acknowledged", await act());
            if (tally.Points % LookEvery == LookEvery - 1)
            {
                await Whole($"{name}, {fault}");
            }
        }
    }

    /// <summary>Registers somebody as the form does.</summary>
    private async Task<string> Save()
    {
        var id = Ids.New();
        var family = "Fault" + string.Concat(id.ToString("N").Where(char.IsAsciiLetter));
        var answer = await desk.Send("POST", "/desk/register", new(StringComparer.Ordinal)
        {
            ["id"] = id.ToString("N"), ["family"] = family, ["given"] = "Given " + string.Concat(id.ToString("N").Reverse().Where(char.IsAsciiLetter)),
            ["born"] = "1980-01-01", ["sex"] = "2", ["because"] = "documents-differ",
        });
        if (answer.Status == HttpStatusCode.SeeOther)
        {
            Assert.Contains($"/patients/{id:N}", answer.Headers, StringComparison.Ordinal);
            registered[id] = family;
            return "acknowledged";
        }

        refused[id] = family;
        Assert.DoesNotContain(family, answer.Text, StringComparison.Ordinal);
        return Refusal(answer);
    }

    /// <summary>Opens the page of somebody who is registered.</summary>
    private async Task<string> Look()
    {
        var (id, family) = registered.First();
        var answer = await desk.Send("GET", $"/patients/{id:N}/details");
        if (answer.Text.Contains(family, StringComparison.Ordinal))
        {
            // Whatever the status says: this was shown, and needs its entry.
            shown[id] = shown.GetValueOrDefault(id) + 1;
        }

        if (answer.Status == HttpStatusCode.OK)
        {
            Assert.Contains(family, answer.Text, StringComparison.Ordinal);
            return "acknowledged";
        }

        Assert.DoesNotContain(family, answer.Text, StringComparison.Ordinal);
        return Refusal(answer);
    }

    /// <summary>Signs somebody in whose last try did not fail just now, which would have to wait; one who waits is asked again after the others.</summary>
    private async Task<string> SignIn()
    {
        while (true)
        {
            var role = signers.Dequeue();
            signers.Enqueue(role);
            var (user, password) = hospital.Login(role);
            using var browser = await Browser.AtTheDoor(server.Address);
            var answer = await browser.Send("POST", "/sign-in", new(StringComparer.Ordinal) { ["username"] = user, ["password"] = password });
            if (browser.Enter(answer))
            {
                Assert.Equal(HttpStatusCode.SeeOther, answer.Status);
                signedIn[user] = signedIn.GetValueOrDefault(user) + 1;
                return "acknowledged";
            }

            if (answer.Status != HttpStatusCode.UnprocessableEntity || !answer.Text.Contains("Too many failed attempts here. Wait", StringComparison.Ordinal))
            {
                return Refusal(answer);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The stable code of an answer that is no acknowledgement; anything else is a fault of the server.</summary>
    private static string Refusal(Seen answer)
    {
        var code = Code().Match(answer.Text);
        Assert.True(answer.Status == HttpStatusCode.ServiceUnavailable && code.Success, $"{answer.Status} {answer.Headers}\n{answer.Text}");
        return code.Value;
    }

    /// <summary>With the disk in order again the server answers by itself; one that does not is started anew, and counted.</summary>
    private async Task Settle(string when)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(begun) < Patience)
        {
            var home = await desk.Send("GET", "/desk");
            if (home.Status == HttpStatusCode.OK)
            {
                return;
            }

            Assert.True(home.Status == HttpStatusCode.ServiceUnavailable, $"{when}: the desk's session answers {home.Status}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
        }

        TestContext.Current.SendDiagnosticMessage($"{when}: started anew");
        tally.Restarts++;
        await End();
        await Begin();
    }

    private async Task Begin()
    {
        server = await Served.Start(hospital.Data);
        var (user, password) = hospital.Login(Role.FrontDesk);
        desk = await Browser.SignIn(server.Address, user, password);
    }

    private async Task End()
    {
        desk.Dispose();
        await server.Kill();
        await server.DisposeAsync();
    }

    /// <summary>After a power cut everything acknowledged is there and has its entry.</summary>
    private async Task Whole(string when)
    {
        TestContext.Current.SendDiagnosticMessage($"{when}: {tally}");
        await End();
        var log = await Aftermath.Whole(hospital, when, registered, refused);
        var done = log.Where(entry => entry.Outcome == AuditOutcome.Allowed).ToLookup(entry => entry.Action, StringComparer.Ordinal);
        Assert.DoesNotContain(registered.Keys, id => !done["REGISTER_PATIENT"].Any(entry => entry.Patients.Contains(id)));
        Assert.All(shown, one => Assert.InRange(done["VIEW_DEMOGRAPHICS"].Count(entry => entry.Patients.Contains(one.Key)), one.Value, int.MaxValue));
        Assert.All(signedIn, one => Assert.InRange(done["SIGN_IN"].Count(entry => entry.Actor == one.Key), one.Value, int.MaxValue));
        await Begin();
    }

    [GeneratedRegex("\\b(audit|data|storage|keys)\\.[a-z][a-z-]+\\b", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Code();
}
