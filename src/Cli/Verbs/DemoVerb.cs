using System.CommandLine;
using System.Text.Json;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Demo;
using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Verbs;

/// <summary>Makes a sample hospital. Never for real patients: its key lies beside its data and its passwords in a file.</summary>
internal sealed class DemoVerb : OwnVerb
{
    private const string AccountsFile = "demo-accounts.json";
    private const int MostPatients = 2_000_000;

    // Histories are written for so many; beyond it patients are registered only, which is what tests of size need.
    private const int MostHistories = 5_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly Option<int> patients = new("--patients") { Description = "How many patients to make up.", HelpName = "N", DefaultValueFactory = _ => 250 };
    private readonly Option<long> seed = new("--seed") { Description = "Another seed gives other patients; the same seed the same ones.", HelpName = "S", DefaultValueFactory = _ => 1 };
    private readonly Option<string> facility = new("--facility") { Description = "Name of the sample hospital.", HelpName = "NAME", DefaultValueFactory = _ => "Kivuko Referral Hospital" };
    private readonly Option<string> currency = new("--currency") { Description = "ISO 4217 code of the currency of prices.", HelpName = "CODE", DefaultValueFactory = _ => House.DefaultCurrency };

    public DemoVerb()
        : base("demo", "Make a sample hospital: one account for each role, and made-up patients with histories.") =>
        Add(patients, seed, facility, currency, Common.Storage, Common.Connection);

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var count = arguments.GetValue(patients);
        if (count is < 0 or > MostPatients)
        {
            throw new RefusedInput("demo.patients", "Give a number of patients from 0 to 2000000.");
        }

        var storage = Common.StorageOf(arguments, call);
        var plan = new FoundingPlan
        {
            Storage = storage,
            Secret = new RootSecret { KeyFile = Path.Combine(storage.Folder, "demo.key"), AcceptSameVolume = true },
            FacilityName = arguments.GetValue(facility)!,
            Currency = arguments.GetValue(currency)!,
            Demonstration = true,
        };
        var drawn = arguments.GetValue(seed);
        call.Say("Making a sample hospital. Its key lies beside its data: never put real patients into it.");
        var team = await Founding.Make(plan, (hospital, setUp, token) => Fill(hospital, setUp, count, drawn, call, token), clock, cancel);
        return Answer.Of(
            new { data = storage.Folder, accounts = Path.Combine(storage.Folder, AccountsFile), patients = count },
            $"""
            {plan.FacilityName} is ready in {storage.Folder} with {count} made-up patients.
            Accounts, one for each role: {Path.Combine(storage.Folder, AccountsFile)} ({string.Join(", ", team.Accounts.Select(account => account.User))})
            Start it:   mangrove serve --data {storage.Folder}
            """);
    }

    private static async Task<DemoTeam> Fill(Hospital hospital, FirstSetUp setUp, int count, long seed, Call call, CancellationToken cancel)
    {
        var team = await SampleFiller.Fill(hospital, setUp, new SamplePlan(count, seed, MostHistories), call.Say, null, cancel);
        await Keep(team, Path.Combine(hospital.Storage.Folder, AccountsFile), cancel);
        return team;
    }

    private static async Task Keep(DemoTeam team, string path, CancellationToken cancel)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var file = new FileStream(path, options);
        await JsonSerializer.SerializeAsync(file, team.Accounts, Json, cancel);
    }
}
