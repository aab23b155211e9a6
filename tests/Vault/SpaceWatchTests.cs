using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.Data.Sqlite;

namespace Mangrove.Tests.Vault;

/// <summary>A disk that fills up (threat A5): told at a fifth, only the wards at a tenth, and ballast for the last stretch.</summary>
public sealed class SpaceWatchTests : IDisposable
{
    private const long Gibibyte = 1024L * 1024 * 1024;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("mangrove-space-");
    private readonly FakeClock clock = new();
    private long free = 90 * Gibibyte;

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData(100, 90, SpaceLevel.Plenty)]
    [InlineData(100, 20, SpaceLevel.Plenty)]
    [InlineData(100, 19, SpaceLevel.Low)]
    [InlineData(100, 10, SpaceLevel.Low)]
    [InlineData(100, 9, SpaceLevel.ClinicalOnly)]
    [InlineData(4000, 399, SpaceLevel.Low)]
    [InlineData(4000, 19, SpaceLevel.ClinicalOnly)]
    [InlineData(0, 0, SpaceLevel.Plenty)]
    public void The_level_follows_what_is_free(long size, long left, SpaceLevel level) =>
        Assert.Equal(level, new SpaceWatch(folder.FullName, clock, () => (left * Gibibyte, size * Gibibyte)).Level);

    [Fact]
    public void Ballast_is_laid_in_while_there_is_room_given_up_at_the_end_and_laid_in_again()
    {
        // What the ballast takes is not free, as on a real disk.
        var path = Path.Combine(folder.FullName, SpaceWatch.BallastName);
        var space = new SpaceWatch(folder.FullName, clock, () => (free - (File.Exists(path) ? new FileInfo(path).Length : 0), 2 * Gibibyte));
        free = 2 * Gibibyte;
        Assert.False(space.Look());
        var laid = space.Ballast;
        Assert.Equal(16 * 1024 * 1024, laid);
        Assert.Contains(File.ReadAllBytes(path).Chunk(4096), block => block.Any(one => one != 0));

        Set(space, Gibibyte / 10);
        Assert.False(space.Look());
        Assert.Equal(laid, space.Ballast);

        Set(space, laid + (laid / 2));
        Assert.True(space.Look());
        Assert.Equal(0, space.Ballast);
        Assert.Equal(laid + (laid / 2), space.Volume.Free);

        // Not while it would make the room scarce.
        Set(space, 2 * Gibibyte / 5);
        Assert.False(space.Look());
        Assert.Equal(0, space.Ballast);
        Set(space, Gibibyte);
        Assert.False(space.Look());
        Assert.Equal(laid, space.Ballast);
    }

    [Fact]
    public async Task With_a_tenth_left_an_import_is_refused_and_the_wards_go_on()
    {
        free = 5 * Gibibyte;
        var space = new SpaceWatch(folder.FullName, clock, () => (free, 100 * Gibibyte));
        var policy = new Grant.Policy(new Everybody(), new Standings(), clock, null, space);
        var field = Mangrove.Tests.Vault.Integrations.SealedRow.Name;
        var import = new Request { Action = "IMPORT", Purpose = Purpose.Portability, Everyone = true, Writes = [field] };
        var sample = Actor.Maker.System(SystemWork.Sample);
        Assert.Equal("space.clinical-only", (await policy.Judge(sample, import, default)).Refusal?.Code);
        Assert.Equal("space.clinical-only", (await policy.Judge(sample, import with { Everyone = false }, default)).Refusal?.Code);
        Assert.Equal("space.clinical-only", (await policy.Judge(SystemActors.Renewal, import with { Purpose = Purpose.System }, default)).Refusal?.Code);

        // Charges of the wards, the index at a start, and reading go on.
        var index = new Request { Action = "BUILD_INDEX", Purpose = Purpose.System, Everyone = true, Reads = [field] };
        Assert.NotNull((await policy.Judge(SystemActors.Index, index, default)).Grant);

        free = 50 * Gibibyte;
        clock.Pass(TimeSpan.FromSeconds(5));
        Assert.NotNull((await policy.Judge(sample, import, default)).Grant);
    }

    [Fact]
    public void A_database_that_is_damaged_is_said_to_be_and_what_to_do()
    {
        var path = Path.Combine(folder.FullName, "clinic.db");
        File.WriteAllBytes(path, [.. "this is no database, and long enough to be looked at"u8, .. new byte[4096]]);
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        using var command = new SqliteCommand("SELECT COUNT(*) FROM sqlite_schema", connection);
        var error = StorageFault.Of(Record.Exception(() => command.ExecuteScalar())!);
        Assert.Equal("data.damaged", error?.Code);
        Assert.Contains("restore the newest backup", error?.Message, StringComparison.Ordinal);
    }

    private void Set(SpaceWatch space, long left)
    {
        free = left;
        clock.Pass(TimeSpan.FromSeconds(5));
        Assert.True(space.Volume.Free <= left);
    }

    private sealed class Everybody : ICareRelationships
    {
        public Task<IReadOnlySet<PatientId>> InCare(IReadOnlyCollection<PatientId> patients, TimeSpan window, DateTimeOffset now, CancellationToken cancel) =>
            Task.FromResult<IReadOnlySet<PatientId>>(patients.ToHashSet());
    }
}
