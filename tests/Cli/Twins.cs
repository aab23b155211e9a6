using System.Text.RegularExpressions;
using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Cli;

/// <summary>
/// Two servers over two copies of one hospital, with one clock that stands still between requests and the same ids for
/// what is planted: whatever differs between their answers comes from a difference that a test made.
/// </summary>
public partial class Twins : IAsyncLifetime
{
    private readonly SampleHospital sample;
    private readonly Folder folder = new();
    private readonly FakeClock clock = new();
    private readonly List<HostedHospital> two = [];
    private readonly List<Browser> browsers = [];

    public Twins()
        : this(new SampleHospital())
    {
    }

    private protected Twins(SampleHospital sample) => this.sample = sample;

    internal IReadOnlyList<Address> Addresses { get; private set; } = [];

    /// <summary>Whether anybody was planted yet.</summary>
    public bool Planted { get; private set; }

    public IReadOnlyList<string> Folders => [folder["one"], folder["other"]];

    public IReadOnlyList<IDbContextFactory<ClinicContext>> Clinics => [.. two.Select(hospital => hospital.Hospital.Clinics)];

    /// <summary>Both logs from the copy on, oldest entry first.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<AuditEntry>>> Logs() => await Task.WhenAll(two.Select(hospital => hospital.Log()));

    public async ValueTask InitializeAsync()
    {
        await sample.InitializeAsync();

        // The sample was made by the system's clock, and a clock behind it would end every session.
        clock.SetWall(TimeProvider.System.GetUtcNow().AddMinutes(1) - clock.GetUtcNow());
        foreach (var name in (string[])["one", "other"])
        {
            var number = 0;
            two.Add(await HostedHospital.Open(sample, await sample.CopyTo(folder[name]), clock, () => Id(++number)));
        }

        Addresses = Address.All(two[0].Endpoints);
    }

    /// <summary>Plants the same patients in both; in the other one, these categories hold another value.</summary>
    public async Task<IReadOnlyList<(Marked Patient, bool InCare)>> Arrive(Func<Category, bool> different)
    {
        Planted = true;
        var arriving = two[1].Patients.Arrive(different);
        var here = await two[0].Patients.Arrive();
        var there = await arriving;
        Assert.Equal(here.Select(one => one.Patient.Values), there.Select(one => one.Patient.Values));
        Assert.Equal(here.Select(one => one.Patient.Search), there.Select(one => one.Patient.Search));
        return here;
    }

    /// <summary>Takes planted patients out of both again, so that the next round begins with two equal hospitals.</summary>
    public Task Forget(IEnumerable<Marked> patients) => Task.WhenAll(two.Select(hospital => hospital.Patients.Forget(patients)));

    /// <summary>A person of the role sits down in both; whoever sat there before gets up.</summary>
    public async Task SignIn(Role role)
    {
        browsers.ForEach(browser => browser.Dispose());
        browsers.Clear();
        browsers.AddRange(await Task.WhenAll(two.Select(hospital => hospital.SignIn(role))));
    }

    /// <summary>Has the person in the other hospital alone do something.</summary>
    internal Task<Seen> AskOther(string method, string path, Dictionary<string, string>? form = null) => browsers[1].Send(method, path, form);

    /// <summary>Asks both the same; what each answered, without what is drawn anew for every answer.</summary>
    internal async Task<(Seen One, Seen Other)> Ask(string method, string path, Dictionary<string, string>? form = null, bool stream = false)
    {
        // The watch over the log judges what came before in both, and has nothing left to do by itself when the time goes on.
        await Task.WhenAll(two.Select(Watched));

        // What two requests write has its order by time, also where the ids are random.
        clock.Pass(TimeSpan.FromMilliseconds(50));
        var answers = await Task.WhenAll(browsers.Select(browser => stream ? browser.Begin(path) : browser.Send(method, path, form)));
        Assert.All(answers, answer => Assert.True((int)answer.Status < 500, $"{method} {path}: {(int)answer.Status}"));
        HashSet<string> shared = [.. Drawn().Matches(answers[0].Text).Select(match => match.Value).Intersect(Drawn().Matches(answers[1].Text).Select(match => match.Value), StringComparer.Ordinal)];
        return (Settled(answers[0], two[0].Address, shared), Settled(answers[1], two[1].Address, shared));
    }

    public async ValueTask DisposeAsync()
    {
        browsers.ForEach(browser => browser.Dispose());
        foreach (var hospital in two)
        {
            await hospital.DisposeAsync();
        }

        folder.Dispose();
        await sample.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private static async Task Watched(HostedHospital hospital)
    {
        while (await hospital.Hospital.Vault.Watch.Look(default) is null)
        {
            // The patient index is not whole yet.
            await Task.Delay(20);
        }
    }

    private static Guid Id(int number) => new(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(number))[..16]);

    /// <summary>
    /// Seven things differ between two answers of the very same hospital: the port; the token of the forms; what the machine measures of its disk and of
    /// the time of its answers; the hashes of the
    /// log, which cover the random id of each start and session; how far the log is anchored, which the machine does once a
    /// second by itself; and the random ids of a new form or entry, of which no two
    /// draws are alike. An id of both answers names the same row and stays; of the others their number and places stay.
    /// </summary>
    private static Seen Settled(Seen answer, Uri address, HashSet<string> shared)
    {
        string Settle(string text) => Drawn().Replace(
            Root().Replace(Measured().Replace(Free().Replace(Anchored().Replace(ShortHash().Replace(FormToken().Replace(text.Replace(address.Authority, "hospital", StringComparison.Ordinal), "form token"), "hash"), "anchored"), "measured"), "measured"), "root"),
            match => shared.Contains(match.Value) ? match.Value : "drawn");
        return answer with { Headers = Settle(answer.Headers), Body = System.Text.Encoding.UTF8.GetBytes(Settle(answer.Text)) };
    }

    [GeneratedRegex(@"(?<![0-9A-Za-z])(?:[0-9a-f]{12,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9A-Za-z])", RegexOptions.None, 5_000)]
    private static partial Regex Drawn();

    /// <summary>As the pages of the log shorten it: its first and last figures.</summary>
    [GeneratedRegex("(?<![0-9A-Za-z])[0-9a-f]{4,8}(?:&#x2026;|…)[0-9a-f]{4,8}(?![0-9A-Za-z])", RegexOptions.None, 5_000)]
    private static partial Regex ShortHash();

    [GeneratedRegex("(?<=<dt>Anchored</dt><dd><bdi>)#[0-9,]+|<b>#[0-9,]+ anchored</b>|(?<=among the clinic&#x27;s records &#xB7; )(?:nothing|1 entry|[0-9,]+ entries) since", RegexOptions.None, 5_000)]
    private static partial Regex Anchored();

    /// <summary>
    /// The cards of the page of health that hold nothing but times of answers, free space and the size of the log, and the lines of the others: each
    /// point is taken when a minute begins, between the same acts of both servers or not.
    /// </summary>
    [GeneratedRegex("<section class=\"card\" data-test=\"q-(?:space|latency|log)\">.*?</section>|(?<=<section class=\"card\" data-test=\"q-[a-z-]+\">(?:(?!</section>).)*)<svg class=\"plot\".*?</svg>", RegexOptions.Singleline, 5_000)]
    private static partial Regex Measured();

    /// <summary>The free space of the machine, on the page of trust.</summary>
    [GeneratedRegex("<dt>Disk free</dt><dd class=\"num\">[^<]*", RegexOptions.None, 5_000)]
    private static partial Regex Free();

    /// <summary>The signed root of the log on paper, as text and square: it covers the random ids of each start and session.</summary>
    [GeneratedRegex("<div class=\"root-note\">.*?</div>", RegexOptions.Singleline, 5_000)]
    private static partial Regex Root();

    [GeneratedRegex(@"CfDJ8[0-9A-Za-z_\-]{40,}", RegexOptions.None, 5_000)]
    private static partial Regex FormToken();
}

/// <summary>The same in PostgreSQL.</summary>
public sealed class TwinsOnPostgres() : Twins(new SampleOnPostgres());
