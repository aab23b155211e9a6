using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Mangrove.Cli;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Keys;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Cli;

/// <summary>
/// The server dies in the middle of its work, as by kill -9 or a power cut, while the front desk writes as fast as it can.
/// As many rounds as fit into the time, with a least and a most; two hundred with MANGROVE_FULL=1.
/// </summary>
public abstract partial class KillTests(SampleHospital hospital)
{
    private const int Writers = 4;

    protected SampleHospital Sample => hospital;

    /// <summary>How many rounds at least and at most, and the time beyond which no further one begins.</summary>
    protected abstract (int Least, int Most, TimeSpan Time) Rounds { get; }

    private static readonly bool Full = string.Equals(Environment.GetEnvironmentVariable("MANGROVE_FULL"), "1", StringComparison.Ordinal);

    // Everything that was ever acknowledged, so that a later kill cannot lose an earlier write unseen.
    private readonly ConcurrentDictionary<Guid, string> registered = new();
    private readonly ConcurrentDictionary<Guid, string> drafted = new();
    private TaskCompletionSource acknowledged = new();

    [Fact]
    public async Task A_killed_server_has_lost_nothing_that_it_acknowledged_and_its_log_is_whole()
    {
        var started = TimeProvider.System.GetTimestamp();
        var round = 0;
        for (; Full ? round < 200 : round < Rounds.Least || (round < Rounds.Most && TimeProvider.System.GetElapsedTime(started) < Rounds.Time); round++)
        {
            await using (var server = await Served.Start(hospital.Data, [.. hospital.StorageArguments]))
            {
                using var client = server.Client();
                var cookies = await SignIn(client);
                using var dead = new CancellationTokenSource();
                acknowledged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var writers = Enumerable.Range(0, Writers).Select(writer => Write(server, client, cookies, round, writer, dead.Token)).ToArray();
                // From the first answer on the server is warm, and the blow falls somewhere in the middle of the work.
                await acknowledged.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
                await Task.Delay(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(1, 900)), TestContext.Current.CancellationToken);
                await Strike(server, round);
                await dead.CancelAsync();
                await Task.WhenAll(writers);
            }

            await Whole(round);
        }

        Assert.True(registered.Count > round, $"Only {registered.Count} patients were registered: this was no load.");
        Assert.NotEmpty(drafted);
        TestContext.Current.SendDiagnosticMessage($"{round} rounds, {registered.Count} registrations and {drafted.Count} drafts acknowledged");
    }

    /// <summary>What dies.</summary>
    protected virtual Task Strike(Served server, int round) => server.Kill();

    /// <summary>Registers people one after the other, as the form does, until the server is gone.</summary>
    private async Task Write(Served server, HttpClient client, (string Cookies, string Token) session, int round, int writer, CancellationToken dead)
    {
        for (var number = 0; !dead.IsCancellationRequested; number++)
        {
            var id = Ids.New();
            var family = $"Kill{Letters(round)}{Letters(writer)}{Letters(number)}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
            var form = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["__RequestVerificationToken"] = session.Token, ["id"] = id.ToString("N"), ["family"] = family, ["given"] = "Round " + Letters(number * 7),
                ["born"] = "1980-01-01", ["sex"] = "2", ["because"] = "documents-differ",
            };
            try
            {
                // Half of the writers begin with a draft, so that the blow falls into both kinds from the first act.
                if ((number + writer) % 2 == 1)
                {
                    var draft = Ids.New();
                    using var kept = await Post(client, session.Cookies, $"/drafts/registration/{draft:N}", form, dead);
                    if (kept.StatusCode == HttpStatusCode.OK)
                    {
                        drafted[draft] = family;
                    }
                }

                using var answer = await Post(client, session.Cookies, "/desk/register", form, dead);
                if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
                {
                    // The database is gone and the server says so: nothing was acknowledged.
                    return;
                }

                Assert.True(answer.StatusCode == HttpStatusCode.SeeOther, $"{answer.StatusCode}: {server.Said}");
                registered[id] = family;
                acknowledged.TrySetResult();
            }
            catch (Exception gone) when (gone is HttpRequestException or OperationCanceledException or IOException)
            {
                return;
            }
        }
    }

    private async Task<(string Cookies, string Token)> SignIn(HttpClient client)
    {
        var (user, password) = hospital.Account("front-desk");
        using var page = await client.GetAsync(new Uri("/sign-in", UriKind.Relative));
        var form = page.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("__Host-mangrove-form=", StringComparison.Ordinal)).Split(';')[0];
        var entering = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["__RequestVerificationToken"] = Token().Match(await page.Content.ReadAsStringAsync()).Groups["token"].Value,
            ["username"] = user,
            ["password"] = (await File.ReadAllTextAsync(password)).Trim(),
        };
        using var entered = await Post(client, form, "/sign-in", entering, default);
        var session = entered.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("__Host-mangrove=", StringComparison.Ordinal)).Split(';')[0];
        var cookies = $"{form}; {session}";
        using var register = new HttpRequestMessage(HttpMethod.Get, "/desk/register") { Headers = { { "Cookie", cookies }, { "Accept", "text/html" } } };
        using var opened = await client.SendAsync(register);
        Assert.Equal(HttpStatusCode.OK, opened.StatusCode);
        return (cookies, Token().Match(await opened.Content.ReadAsStringAsync()).Groups["token"].Value);
    }

    private static async Task<HttpResponseMessage> Post(HttpClient client, string cookies, string address, Dictionary<string, string> form, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new FormUrlEncodedContent(form),
            Headers = { { "Cookie", cookies }, { "Sec-Fetch-Site", "same-origin" } },
        };
        return await client.SendAsync(request, cancel);
    }

    /// <summary>Opens the folder as the dead server left it: every acknowledged write, the whole chain, an entry for every row.</summary>
    private async Task Whole(int round)
    {
        await using var left = await Hospital.Open(hospital.Storage, new RootSecret { KeyFile = Path.Combine(hospital.Data, "demo.key") }, TimeProvider.System, TestContext.Current.CancellationToken);
        var log = await left.Vault.Review.Verify(null, TestContext.Current.CancellationToken);
        Assert.True(log.Ok, $"round {round}: {string.Join(", ", log.Problems.Select(problem => problem.Code))}");

        var (user, password) = hospital.Account("admin");
        var admin = (await left.Vault.Identity.SignIn.CommandLine(user, (await File.ReadAllTextAsync(password)).Trim(), default)).Value;
        await using var clinic = await left.Clinics.CreateDbContextAsync();
        var people = await clinic.Patients.AsNoTracking().ToDictionaryAsync(row => row.Id);
        var drafts = await clinic.Drafts.AsNoTracking().ToDictionaryAsync(row => row.PatientId.Value);
        Assert.DoesNotContain(registered.Keys, id => !people.ContainsKey(id));
        Assert.DoesNotContain(drafted.Keys, id => !drafts.ContainsKey(id));

        var request = new Request
        {
            Action = "KILL_TEST",
            Purpose = Purpose.Portability,
            Everyone = true,
            Reads = [Patient.NameField, Draft.ContentField.As(Category.Name)],
        };
        using (var opening = await left.Vault.Door.Open(admin, request, default))
        {
            await opening.Turn([.. registered.Keys.Concat(drafted.Keys).Select(id => new PatientId(id))], create: false, default);
            Assert.All(registered, one => Assert.Equal(one.Value, opening.Read(people[one.Key], Patient.NameField)?.Family));
            Assert.All(drafted, one => Assert.Contains(one.Value, opening.Read(drafts[one.Key], Draft.ContentField), StringComparison.Ordinal));
        }

        await Entries(left, admin);
        await Decided(left, admin);
    }

    /// <summary>Of each registration and draft that the log announced there is the record, or the entry that says there is none.</summary>
    private static async Task Decided(Hospital left, Vault.Identity.Actor admin)
    {
        await left.Vault.Acts.Settle(new ActMarks(left.Clinics), default);
        var entries = await left.Vault.Review.List(admin, new AuditFilter(), null, default);
        var bare = entries.Where(entry => entry.Action == ActComparison.NothingRecorded).Select(entry => entry.Resource).ToList();
        Assert.Distinct(bare);
        await using var clinic = await left.Clinics.CreateDbContextAsync();
        var recorded = (await clinic.Patients.AsNoTracking().Select(row => row.EntrySeq).ToListAsync())
            .Concat(await clinic.Drafts.AsNoTracking().Select(row => row.EntrySeq).ToListAsync())
            .Select(entry => FormattableString.Invariant($"entry:{entry}"))
            .ToHashSet(StringComparer.Ordinal);
        var announced = entries.Where(entry => entry.Records && entry.Action is "REGISTER_PATIENT" or "SAVE_DRAFT").Select(entry => FormattableString.Invariant($"entry:{entry.Seq}")).ToList();
        Assert.NotEmpty(announced);
        Assert.All(announced, entry => Assert.NotEqual(recorded.Contains(entry), bare.Contains(entry)));
    }

    /// <summary>Every sealed row of the hospital was written by an act that stands in the log, over its patient, naming its fields.</summary>
    internal static async Task Entries(Hospital left, Vault.Identity.Actor admin)
    {
        var entries = (await left.Vault.Review.List(admin, new AuditFilter { NewestFirst = false }, null, default)).ToDictionary(entry => entry.Seq);
        await using var clinic = await left.Clinics.CreateDbContextAsync();
        var rows = 0;
        foreach (var entity in clinic.Model.GetEntityTypes().Where(entity => typeof(SealedRow).IsAssignableFrom(entity.ClrType)))
        {
            var all = (IQueryable<SealedRow>)typeof(DbContext).GetMethod(nameof(DbContext.Set), [])!.MakeGenericMethod(entity.ClrType).Invoke(clinic, null)!;
            foreach (var row in await all.AsNoTracking().ToListAsync())
            {
                if (row.RowVersion == 0)
                {
                    // Nothing was ever sealed in it, such as a visit that has only begun.
                    continue;
                }

                Assert.True(entries.TryGetValue(row.EntrySeq, out var entry), $"{entity.ClrType.Name} {row.Id} names an entry that is not there");
                Assert.True(entry.Resource == Request.EveryoneResource || entry.Patients.Contains(row.PatientId.Value), $"{entity.ClrType.Name} {row.Id}: entry {entry.Seq} is about others");
                Assert.Contains(entry.FieldsAccessed, name => Field.Of(entity.ClrType).Any(field => field.Name == name));
                rows++;
            }
        }

        Assert.True(rows > 20);
    }

    // The guard against duplicates reads figures as noise, so names differ by letters.
    private static string Letters(int number) => new([(char)('a' + (number % 26)), (char)('a' + (number / 26 % 26)), (char)('a' + (number / 676 % 26))]);

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"(?<token>[^\"]+)\"", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Token();
}

/// <summary>The server is killed; its database is files that it alone had open.</summary>
public sealed class KillOnSqliteTests(SampleHospital hospital) : KillTests(hospital), IClassFixture<SampleHospital>
{
    protected override (int Least, int Most, TimeSpan Time) Rounds => (4, 12, TimeSpan.FromSeconds(40));
}

/// <summary>In turns the server is killed while PostgreSQL stands, and every process of PostgreSQL while the server stands.</summary>
public sealed class KillOnPostgresTests(SampleOnPostgres hospital) : KillTests(hospital), IClassFixture<SampleOnPostgres>
{
    protected override (int Least, int Most, TimeSpan Time) Rounds => (2, 6, TimeSpan.FromSeconds(20));

    protected override async Task Strike(Served server, int round)
    {
        if (round % 2 == 0)
        {
            await base.Strike(server, round);
            return;
        }

        await TestPostgres.KillAndRestart(((SampleOnPostgres)Sample).Database.Folder);
        await server.Kill();
    }
}
