using System.Globalization;
using System.Text.Json;
using Mangrove.Clinic.Records;
using Mangrove.Cli.Serving;
using Mangrove.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Cli.Bench;

/// <summary>
/// The real server over TLS 1.3 with many signed-in connections, every answer decided, recorded and opened, against the bare
/// web server. Both run in this process, beside their callers, so that both lose the same to them.
/// </summary>
internal sealed class HttpBench : IBench
{
    private const int Success = 200;
    private const double PageMilliseconds = 50;
    private const string Fhir = "application/fhir+json";
    private const string Html = "text/html";

    public string Name => "http";

    public string Work => "signed-in clients read over TLS 1.3";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var bench = await ground.Sample(ground.Sizes.Patients[0]);
        var hospital = await bench.OpenWhole(cancel);
        var patients = await InHouse(hospital, cancel);
        await using var server = await Server.Start(hospital, new Uri("https://localhost:0"), cancel);
        var cookie = $"{Web.Session.StaffSession.CookieName}={await bench.Session(Role.Doctor, cancel)}";
        byte[][] Requests(string accept, Func<Guid, string> path) => [.. patients.Select(patient => LeanConnection.Request(server.Address, path(patient), accept, cookie))];

        var reads = Requests(Fhir, patient => $"/fhir/R4/Patient/{patient}");
        await using var bare = await BareServer.Start(await Answer(server.Address, reads[0], cancel), ground.Clock, cancel);
        byte[][] nothing = [LeanConnection.Request(bare.Address, "/", Fhir, null)];
        var fhir = new List<LoadFigures>();
        var reference = new List<LoadFigures>();
        await Warm(() => Drive(server.Address, reads, ground.Sizes, cancel), ground.Sizes.MostWarmRounds);
        await Warm(() => Drive(bare.Address, nothing, ground.Sizes, cancel), ground.Sizes.MostWarmRounds);
        for (var round = 0; round < ground.Sizes.Rounds; round++)
        {
            fhir.Add(await Drive(server.Address, reads, ground.Sizes, cancel));
            reference.Add(await Drive(bare.Address, nothing, ground.Sizes, cancel));
        }

        var best = Load.Best(fhir);
        var chart = await Page(server.Address, Requests(Html, patient => $"/patients/{patient}"), ground, cancel);
        var queue = await Page(server.Address, Requests(Html, _ => "/consultation"), ground, cancel);
        return
        [
            BenchRow.ByRatio("http.fhir-read", best.Rate, "answers/s", Load.Best(reference).Rate, 0.25, patients.Count, string.Create(CultureInfo.InvariantCulture, $"n patients read in turn by {ground.Sizes.Clients} clients in the same process, {best.Processor:0.00} ms of processor time an answer; reference: Kestrel alone over TLS 1.3 writing the same JSON from memory, {Load.Best(reference).Processor:0.00} ms"), best.Spread),
            Row("http.chart", chart, patients.Count, ground.Sizes.Clients, "a whole chart as a page"),
            Row("http.queue", queue, patients.Count, ground.Sizes.Clients, "the doctor's queue as a page"),
        ];
    }

    private static BenchRow Row(string name, LoadFigures figures, int patients, int clients, string what) =>
        BenchRow.AtMost(name, figures.Spread.P95, "ms", PageMilliseconds, patients, string.Create(CultureInfo.InvariantCulture, $"{what}, p95 at {clients} clients in the same process, {figures.Rate:#,##0} pages/s, {figures.Processor:0.0} ms of processor time a page; n patients in the house"), spread: figures.Spread);

    private static async Task<LoadFigures> Page(Uri address, byte[][] requests, BenchGround ground, CancellationToken cancel)
    {
        var rounds = new List<LoadFigures>();
        await Warm(() => Drive(address, requests, ground.Sizes, cancel), ground.Sizes.MostWarmRounds);
        for (var round = 0; round < ground.Sizes.Rounds; round++)
        {
            rounds.Add(await Drive(address, requests, ground.Sizes, cancel));
        }

        return Load.Best(rounds);
    }

    /// <summary>
    /// Rounds that bring the code to speed: the runtime compiles what is called often anew, beside the callers, and a page
    /// is called a hundred times less often than a search. A server that has run for some minutes is past that.
    /// </summary>
    internal static async Task Warm(Func<Task<LoadFigures>> drive, int mostRounds)
    {
        var best = 0.0;
        for (var (round, still) = (0, 0); round < mostRounds && still < 2; round++)
        {
            var rate = (await drive()).Rate;
            still = rate > best * 1.03 ? 0 : still + 1;
            best = Math.Max(best, rate);
        }
    }

    /// <summary>Patients with an open visit: a doctor may read them.</summary>
    internal static async Task<IReadOnlyList<Guid>> InHouse(Hospital hospital, CancellationToken cancel)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        var here = await clinic.Visits.Where(visit => visit.Status != VisitStatus.Closed).Select(visit => visit.PatientId).Distinct().ToListAsync(cancel);
        return here.Count > 0 ? [.. here.Select(patient => patient.Value)] : throw new RefusedInput("bench.patients", "No made-up patient is in the house. Give more with --patients.");
    }

    private static async Task<JsonElement> Answer(Uri address, byte[] request, CancellationToken cancel)
    {
        await using var connection = await LeanConnection.Open(address, cancel);
        Expect(await connection.Send(request, cancel));
        var body = connection.Body;

        // An answer in chunks has its object between the sizes.
        var (first, last) = (body.Span.IndexOf((byte)'{'), body.Span.LastIndexOf((byte)'}'));
        return JsonElement.Parse(body.Span[first..(last + 1)]);
    }

    private static Task<LoadFigures> Drive(Uri address, byte[][] requests, BenchSizes sizes, CancellationToken cancel) =>
        Drive(address, requests, sizes.Clients, sizes.Round, TimeSpan.Zero, cancel);

    /// <summary>So many clients ask in turn, each pausing after an answer.</summary>
    internal static async Task<LoadFigures> Drive(Uri address, byte[][] requests, int clients, TimeSpan length, TimeSpan pause, CancellationToken cancel)
    {
        var connections = new List<LeanConnection>();
        try
        {
            for (var client = 0; client < clients; client++)
            {
                connections.Add(await LeanConnection.Open(address, cancel));
            }

            return await Load.For(clients, length, pause, async (client, done) => Expect(await connections[client].Send(requests[((done * clients) + client) % requests.Length], cancel)), cancel);
        }
        finally
        {
            foreach (var connection in connections)
            {
                await connection.DisposeAsync();
            }
        }
    }

    private static void Expect(int status)
    {
        if (status != Success)
        {
            throw new RefusedInput("bench.http", $"The server answered {status} where it should have answered 200.");
        }
    }
}
