namespace Mangrove.Cli.Bench;

/// <summary>How much each bench works on.</summary>
internal sealed record BenchSizes
{
    /// <summary>Patients of the hospitals that search and index are measured on; the last is the largest.</summary>
    public required IReadOnlyList<int> Patients { get; init; }

    /// <summary>Patients with a past, whose records are opened, exported and shown.</summary>
    public required int Histories { get; init; }

    /// <summary>Entries of the log that append writes and verify reads.</summary>
    public required int Entries { get; init; }

    /// <summary>Most cells or rows of a reference; enough for a steady figure.</summary>
    public required int Sample { get; init; }

    /// <summary>Short rounds of which the best counts: others use the machine too.</summary>
    public required int Rounds { get; init; }

    /// <summary>Rounds at most that bring a page's code to speed; they end when two in a row are no faster.</summary>
    public required int MostWarmRounds { get; init; }

    /// <summary>Length of a round that is measured by time.</summary>
    public required TimeSpan Round { get; init; }

    /// <summary>Searches of each kind in a round.</summary>
    public required int Searches { get; init; }

    /// <summary>Patients of the hospital that is exported to be imported, where there is no other set.</summary>
    public required int Imported { get; init; }

    /// <summary>Connections that read at once.</summary>
    public required int Clients { get; init; }

    public int Largest => Patients[^1];

    public static BenchSizes Quick { get; } = new()
    {
        Patients = [600],
        Histories = 100,
        Entries = 3_000,
        Sample = 2_000,
        Rounds = 1,
        MostWarmRounds = 1,
        Round = TimeSpan.FromMilliseconds(250),
        Searches = 60,
        Imported = 10,
        Clients = 8,
    };

    public static BenchSizes Usual { get; } = new()
    {
        Patients = [100_000],
        Histories = 500,
        Entries = 500_000,
        Sample = 50_000,
        Rounds = 3,
        MostWarmRounds = 12,
        Round = TimeSpan.FromSeconds(2.5),
        Searches = 1_000,
        Imported = 300,
        Clients = 64,
    };

    public static BenchSizes Full { get; } = Usual with { Patients = [100_000, 1_000_000], Entries = 1_000_000 };
}
