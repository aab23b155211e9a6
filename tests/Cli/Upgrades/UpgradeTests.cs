using System.Security.Cryptography;
using Mangrove.Cli.Upgrades;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.Data.Sqlite;

namespace Mangrove.Tests.Cli.Upgrades;

/// <summary>
/// A hospital of every schema that ever landed comes to the newest one whole, and whatever goes wrong on the way leaves it as it
/// was (threat B9).
/// </summary>
public sealed class UpgradeTests
{
    public static TheoryData<string> Fixtures => [.. OldHospital.All];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public async Task A_hospital_of_every_schema_that_ever_landed_is_upgraded_and_its_people_sign_in(string fixture)
    {
        using var old = new OldHospital(fixture);
        var refused = await old.Run("doctor");
        if (fixture.StartsWith("schema-", StringComparison.Ordinal) && await SchemaStamp.Oldest(old.Storage, default) == SchemaStamp.Newest)
        {
            // The newest one's fixture waits for the schema after it.
            Assert.Null(refused.Code);
            var nothing = await old.Run("upgrade");
            Assert.Equal((0, false), (nothing.Exit, nothing.Json.GetProperty("upgraded").GetBoolean()));
            return;
        }

        Assert.Equal((2, "upgrade.needed"), (refused.Exit, refused.Code));
        old.IsAsBefore(old.Data);

        var done = await old.Run("upgrade");

        Assert.True(done.Exit == 0, done.Out + done.Error);
        Assert.True(done.Json.GetProperty("upgraded").GetBoolean());
        Assert.Equal(3, done.Json.GetProperty("patients").GetInt32());
        await OldHospital.IsUpgraded(old.Data);
        old.IsAsBefore(done.Json.GetProperty("kept").GetString()!);
        var (user, password) = old.Administrator();
        var log = await old.Run("audit", "list", "--action", "UPGRADE", "--as", user, "--password-file", password);
        Assert.True(log.Exit == 0, log.Out + log.Error);
        Assert.Equal("system:upgrade", log.Json.EnumerateArray().Single().GetProperty("actor").GetString());
    }

    [Fact]
    public void Every_schema_has_a_fixture()
    {
        // README.md beside the fixtures says how one is made.
        Assert.All(Enumerable.Range(1, SchemaStamp.Newest), schema => Assert.Contains(FormattableString.Invariant($"schema-{schema}"), OldHospital.All));
        Assert.Equal(13, OldHospital.All.Count(name => name.StartsWith("unstamped-", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_tables_are_those_of_the_schema_that_the_stamp_names()
    {
        using var folder = new Folder();
        var lines = await SchemaPicture.OfThisVersion(folder.Data, default);
        SqliteConnection.ClearAllPools();
        var path = Path.Combine(AppContext.BaseDirectory, "Upgrades", FormattableString.Invariant($"schema-{SchemaStamp.Newest}.txt"));
        var differences = SchemaPicture.Differences(new SortedSet<string>(await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken), StringComparer.Ordinal), lines);
        Assert.True(differences.Count == 0, $"The tables changed: raise SchemaStamp.Newest as tests/Cli/Upgrades/README.md says.\n{string.Join('\n', differences)}\n\nThe lines now:\n{string.Join('\n', lines)}");
    }

    [Fact]
    public async Task What_fails_at_any_point_leaves_the_hospital_as_it_was_or_goes_on_to_the_end()
    {
        var points = await PointsOf("unstamped-01-054637d");
        Assert.InRange(points.Count, 25, 60);
        var mark = points.IndexOf("mark");
        for (var at = 0; at < points.Count; at++)
        {
            using var old = new OldHospital("unstamped-01-054637d");
            var refused = await Assert.ThrowsAsync<RefusedInput>(() => new HospitalUpgrade(old.Storage, old.Secret, TimeProvider.System) { Watch = new Trap(at) }.Run(static _ => { }, default));
            if (at <= mark)
            {
                Assert.Equal("upgrade.undone", refused.Code);
                old.IsAsBefore(old.Data);
                Assert.Empty(Directory.EnumerateDirectories(old.Data));
            }
            else
            {
                // Behind the mark it is the new one, which whoever comes next puts in place.
                Assert.Equal("upgrade.unfinished", refused.Code);
            }

            await new HospitalUpgrade(old.Storage, old.Secret, TimeProvider.System).Run(static _ => { }, default);
            await OldHospital.IsUpgraded(old.Data, undone: at <= mark ? 1 : 0);
        }
    }

    [Fact]
    public async Task What_a_power_cut_leaves_at_any_point_is_the_old_hospital_or_the_new_one()
    {
        using var old = new OldHospital("unstamped-05-dc0867c");
        var camera = new Camera(old.Data, old["cuts"]);
        await new HospitalUpgrade(old.Storage, old.Secret, TimeProvider.System) { Watch = camera }.Run(static _ => { }, default);
        await OldHospital.IsUpgraded(old.Data);
        var mark = camera.Points.IndexOf("mark");
        for (var at = 0; at < camera.Points.Count; at++)
        {
            var left = camera.Of(at);
            if (at <= mark)
            {
                old.IsAsBefore(left);
            }
            else
            {
                // Any command first puts the new one in place, here one that reads only.
                var doctor = await Executable.Run("keys", "status", "--data", left, "--key-file", Path.Combine(left, "demo.key"), "--json");
                Assert.True(doctor.Exit == 0, $"{camera.Points[at]}: {doctor.Out}{doctor.Error}");
                Assert.False(File.Exists(Path.Combine(left, "upgrade.json")));
                await OldHospital.IsUpgraded(left);
                old.IsAsBefore(Directory.EnumerateDirectories(left, "before-upgrade-*").Single());
            }
        }
    }

    [Fact]
    public async Task Between_the_two_no_earlier_version_finds_a_hospital_and_none_is_founded_there()
    {
        using var old = new OldHospital("unstamped-09-4b7e78b");
        var camera = new Camera(old.Data, old["cuts"]);
        await new HospitalUpgrade(old.Storage, old.Secret, TimeProvider.System) { Watch = camera }.Run(static _ => { }, default);
        for (var at = camera.Points.IndexOf("mark") + 2; at <= camera.Points.IndexOf("put root.json in place"); at++)
        {
            // root.json is what every version looks for first.
            Assert.False(File.Exists(Path.Combine(camera.Of(at), "root.json")), camera.Points[at]);
        }

        var middle = camera.Of(camera.Points.IndexOf("put keys.db aside"));
        var init = await Executable.Run("init", "--facility", "Another", "--data", middle, "--protector", "keyfile:" + old["another.key"], "--accept-same-volume", "--json");
        Assert.Equal((2, "init.already"), (init.Exit, init.Code));
    }

    [Fact]
    public async Task A_killed_upgrade_is_taken_up_by_the_next_one()
    {
        using var old = new OldHospital("unstamped-11-7404977");
        var killed = 0;
        for (var round = 0; round < 5; round++)
        {
            var process = Executable.Start("upgrade", "--data", old.Data, "--key-file", old.Key);

            // From the moment when it has begun; how far it is by then is left to chance.
            Assert.NotNull(await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken));
            await Task.Delay(TimeSpan.FromMilliseconds(round * RandomNumberGenerator.GetInt32(0, 400)), TestContext.Current.CancellationToken);
            killed += process.HasExited ? 0 : 1;
            process.Kill();
            await Executable.Ended(process);
            if (File.Exists(Path.Combine(old.Data, "root.json")) && await SchemaStamp.Oldest(old.Storage, default) == 0)
            {
                old.IsAsBefore(old.Data);
            }
        }

        Assert.NotEqual(0, killed);
        var last = await old.Run("upgrade");
        Assert.True(last.Exit == 0, last.Out + last.Error);
        await OldHospital.IsUpgraded(old.Data);
    }

    [Fact]
    public async Task A_full_disk_undoes_it()
    {
        using var old = new OldHospital("unstamped-13-8427ebd");
        var full = await Executable.Ended(System.Diagnostics.Process.Start(Executable.Within(300, "upgrade", "--data", old.Data, "--key-file", old.Key, "--json"))!);
        Assert.Equal((2, "upgrade.undone"), (full.Exit, full.Code));
        old.IsAsBefore(old.Data);
        Assert.Equal(0, (await old.Run("upgrade")).Exit);
        await OldHospital.IsUpgraded(old.Data, undone: 1);
    }

    [Fact]
    public async Task A_trial_changes_nothing_and_a_wrong_key_begins_nothing()
    {
        using var old = new OldHospital("unstamped-07-172fe75");
        var tried = await old.Run("upgrade", "--check");
        Assert.True(tried.Exit == 0, tried.Out + tried.Error);
        Assert.Equal((0, SchemaStamp.Newest, false), (tried.Json.GetProperty("from").GetInt32(), tried.Json.GetProperty("to").GetInt32(), tried.Json.GetProperty("upgraded").GetBoolean()));
        old.IsAsBefore(old.Data);
        var other = await Executable.Run("upgrade", "--data", old.Data, "--key-file", Wrong(old["wrong.key"]), "--json");
        Assert.Equal((2, "keys.file-foreign"), (other.Exit, other.Code));
        old.IsAsBefore(old.Data);
        Assert.Empty(Directory.EnumerateDirectories(old.Data));
        Assert.False(File.Exists(Path.Combine(old.Data, "upgrade-notes.json")));
    }

    [Fact]
    public async Task Damage_is_found_before_anything_takes_the_place_of_anything()
    {
        using var old = new OldHospital("unstamped-03-c30b88c");
        using (var clinic = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(old.Data, "clinic.db"), Pooling = false }.ToString()))
        {
            clinic.Open();
            using var harm = clinic.CreateCommand();
            harm.CommandText = "UPDATE patient SET name = zeroblob(length(name)) WHERE mrn = (SELECT MIN(mrn) FROM patient)";
            Assert.Equal(1, harm.ExecuteNonQuery());
        }

        var refused = await old.Run("upgrade");

        Assert.NotEqual(0, refused.Exit);
        Assert.Equal(0, await SchemaStamp.Oldest(old.Storage, default));
        Assert.Empty(Directory.EnumerateDirectories(old.Data));
    }

    [Fact]
    public async Task A_server_of_a_newer_version_upgrades_and_serves()
    {
        using var old = new OldHospital("unstamped-02-bf0b020");
        await using var server = await Served.Start(old.Data, "--key-file", old.Key);
        using var client = server.Client();
        using var page = await client.GetAsync(new Uri("/sign-in", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.OK, page.StatusCode);
        var meanwhile = await old.Run("upgrade");
        Assert.Equal((2, "data.in-use"), (meanwhile.Exit, meanwhile.Code));
        Assert.Equal(0, await server.Stop());
        await OldHospital.IsUpgraded(old.Data);
    }

    [Theory]
    [InlineData("clinic")]
    [InlineData("vault")]
    [InlineData("keys")]
    [InlineData("audit")]
    public async Task Databases_of_a_newer_version_are_refused_before_anything_is_written(string store)
    {
        using var old = new OldHospital("schema-1");
        using (var newer = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(old.Data, store + ".db"), Pooling = false }.ToString()))
        {
            newer.Open();
            using var stamp = newer.CreateCommand();
            stamp.CommandText = FormattableString.Invariant($"PRAGMA user_version={SchemaStamp.Newest + 1}");
            stamp.ExecuteNonQuery();
        }

        var files = Directory.EnumerateFiles(old.Data).ToDictionary(file => file, File.ReadAllBytes, StringComparer.Ordinal);
        foreach (var verb in (string[][])[["doctor"], ["serve", "--urls", "https://localhost:0"], ["upgrade"], ["keys", "status"]])
        {
            var refused = await old.Run(verb);
            Assert.Equal((2, "upgrade.newer-data"), (refused.Exit, refused.Code));
        }

        Assert.Equal(files.Keys.Order(StringComparer.Ordinal), Directory.EnumerateFiles(old.Data).Where(file => Path.GetFileName(file) != "lock").Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.True(file.Value.AsSpan().SequenceEqual(File.ReadAllBytes(file.Key)), file.Key));
    }

    [Fact]
    public async Task What_was_before_goes_when_it_was_kept_long_enough()
    {
        using var old = new OldHospital("unstamped-06-f36a7b1");
        var kept = (await new HospitalUpgrade(old.Storage, old.Secret, TimeProvider.System).Run(static _ => { }, default)).Kept!;
        await OldHospital.IsUpgraded(old.Data);
        Assert.True(Directory.Exists(kept));
        Directory.SetLastWriteTimeUtc(kept, TimeProvider.System.GetUtcNow().UtcDateTime - TimeSpan.FromDays(15));
        Assert.Equal(0, (await old.Run("keys", "status")).Exit);
        Assert.False(Directory.Exists(kept));
    }

    private static string Wrong(string path)
    {
        File.WriteAllText(path, new string('0', 64));
        return path;
    }

    private static async Task<List<string>> PointsOf(string fixture)
    {
        using var old = new OldHospital(fixture);
        var list = new Trap(int.MaxValue);
        await new HospitalUpgrade(old.Storage, old.Secret, TimeProvider.System) { Watch = list }.Run(static _ => { }, default);
        return list.Points;
    }

    /// <summary>A disk that fails at one point.</summary>
    private sealed class Trap(int at) : IUpgradeWatch
    {
        public List<string> Points { get; } = [];

        public void Reached(string point)
        {
            Points.Add(point);
            if (Points.Count - 1 == at)
            {
                throw new IOException("No space left on device", 28);
            }
        }
    }

    /// <summary>Copies the folder at every point.</summary>
    private sealed class Camera(string data, string cuts) : IUpgradeWatch
    {
        public List<string> Points { get; } = [];

        public string Of(int at) => Path.Combine(cuts, FormattableString.Invariant($"{at}"));

        public void Reached(string point)
        {
            OldHospital.Copy(data, Of(Points.Count));
            Points.Add(point);
        }
    }
}
