using System.Globalization;
using Mangrove.Cli.Demo;
using Mangrove.Vault;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Bench;

/// <summary>
/// Where the benches stand: a temporary folder with sample hospitals, made when first asked for by the code that makes
/// the demonstration. Everything in them is made up. The folder is removed at the end, whatever happened.
/// </summary>
internal sealed class BenchGround(string folder, BenchSizes sizes, string? given, TimeProvider clock, Action<string> say) : IAsyncDisposable
{
    private const long Seed = 20_260_101;

    private readonly Dictionary<string, BenchHospital> hospitals = new(StringComparer.Ordinal);

    public BenchSizes Sizes => sizes;

    /// <summary>A FHIR set named by the caller, or null.</summary>
    public string? Synthea => given;

    public TimeProvider Clock => clock;

    public PatientGenerator People { get; } = new(Seed, DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime));

    public void Say(string line) => say(line);

    /// <summary>A path for a file or folder of a bench.</summary>
    public string Place(string name) => Path.Combine(folder, name);

    /// <summary>A hospital with so many patients, all of whom a bench may use.</summary>
    public Task<BenchHospital> Sample(int patients, int histories) =>
        Hospital(string.Create(CultureInfo.InvariantCulture, $"patients-{patients}"), patients, histories);

    /// <summary>The hospital of so many patients on which most benches work.</summary>
    public Task<BenchHospital> Sample(int patients) => Sample(patients, sizes.Histories);

    /// <summary>A hospital without patients, of its own for each name.</summary>
    public Task<BenchHospital> Empty(string name) => Hospital(name, 0, 0);

    public async ValueTask DisposeAsync()
    {
        foreach (var hospital in hospitals.Values)
        {
            await hospital.Close();
        }

        Connections.Close();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<BenchHospital> Hospital(string name, int patients, int histories)
    {
        if (hospitals.TryGetValue(name, out var made))
        {
            return made;
        }

        var storage = StorageOptions.Sqlite(Place(name));
        var plan = new FoundingPlan
        {
            Storage = storage,
            Secret = new RootSecret { KeyFile = Path.Combine(storage.Folder, "demo.key"), AcceptSameVolume = true },
            FacilityName = "Bench hospital",
            Demonstration = true,
        };
        say(string.Create(CultureInfo.InvariantCulture, $"  making a hospital of {patients:#,##0} patients"));
        var slices = new List<(int Patients, TimeSpan Took)>();
        var sample = new SamplePlan(patients, Seed, histories, Math.Max(1, patients / 4));
        var team = await Founding.Make(
            plan,
            (hospital, setUp, token) => SampleFiller.Fill(hospital, setUp, sample, static _ => { }, (count, took) => slices.Add((count, took)), token),
            clock,
            CancellationToken.None);
        return hospitals[name] = new BenchHospital(storage, team, slices, patients, clock);
    }
}
