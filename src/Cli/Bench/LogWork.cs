using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Cli.Bench;

/// <summary>Writes entries into the log of a hospital of its own, through the door.</summary>
internal static class LogWork
{
    public const int Writers = 64;

    private const string Place = "log";

    public static Task<BenchHospital> Hospital(BenchGround ground) => ground.Empty(Place);

    public static string File(BenchHospital hospital) => Path.Combine(hospital.Folder, "audit.db");

    /// <summary>So many durable entries by 64 writers at once.</summary>
    public static async Task<LoadFigures> Append(BenchHospital bench, int entries, CancellationToken cancel)
    {
        var hospital = await bench.Open(cancel);
        var admin = await bench.Actor(Role.Admin, cancel);
        var request = new Request { Action = "BENCH_ENTRY", Purpose = Purpose.Administration, Resource = "bench" };
        return await Load.Of(Writers, Math.Max(1, entries / Writers), (_, _) => hospital.Vault.Door.Record(admin, Rights.Administration, request, cancel), cancel);
    }

    /// <summary>Brings the log to at least so many entries.</summary>
    public static async Task Fill(BenchHospital bench, int entries, CancellationToken cancel)
    {
        var hospital = await bench.Open(cancel);
        var missing = entries - (int)(hospital.Vault.Review.Newest?.Size ?? 0);
        if (missing > 0)
        {
            await Append(bench, missing + Writers, cancel);
        }
    }
}
