using Mangrove.Cli;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
using Npgsql;

namespace Mangrove.Tests.Cli;

/// <summary>The same on PostgreSQL, where a drill has a database of its own.</summary>
public sealed class BackupOnPostgresTests(SampleOnPostgres sample) : BackupTests(sample), IClassFixture<SampleOnPostgres>
{
    [Fact]
    public async Task A_restore_that_fails_at_the_end_leaves_the_database_empty_for_the_next_one()
    {
        var made = await Do("backup", "create", "--out", Place["target"]);
        await Prepare();
        string[] words = ["backup", "restore", made.Json.GetProperty("path").GetString()!, "--data", Place["new"], "--json", .. RestoredArguments, "--key-file", Path.Combine(Sample.Data, "demo.key"), "--accept-same-volume"];
        var refused = await Executable.Run([.. words, "--protector", "keyfile:" + Place.Secret("there.key", "another hospital's")]);
        Assert.Equal((2, "keys.file-exists"), (refused.Exit, refused.Code));
        var restored = await Executable.Run([.. words, "--protector", "keyfile:" + Place["new.key"]]);
        Assert.True(restored.Exit == 0, restored.Out + restored.Error);
    }

    [Fact]
    public async Task What_a_killed_drill_left_is_swept_and_the_next_drill_runs()
    {
        await Do("backup", "create", "--out", Place["target"]);
        var (user, password) = Sample.Login(Role.Admin);
        string[] drill = ["backup", "drill", "--out", Place["target"], "--data", Sample.Data, "--as", user, "--password-file", Place.Secret("admin", password), "--json", .. Sample.StorageArguments];
        foreach (var swept in new[] { true, false })
        {
            using (var process = Executable.Start(drill))
            {
                process.StandardInput.Close();
                while (!process.HasExited && await Count("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'vault'") == 0)
                {
                    await Task.Delay(10);
                }

                process.Kill();
                await process.WaitForExitAsync();
            }

            Assert.NotEqual(0, await Count(Schemas));
            if (swept)
            {
                // As the server does when it starts; PostgreSQL takes a moment to see that the process is gone.
                await using var hospital = await Hospital.Open(Sample.Storage, new RootSecret { KeyFile = Path.Combine(Sample.Data, "demo.key") }, TimeProvider.System, default);
                while (!await hospital.Backups.SweepDrill(default))
                {
                    await Task.Delay(50);
                }

                Assert.Equal(0, await Count(Schemas));
                Assert.False(await hospital.Backups.SweepDrill(default));
            }
            else
            {
                var again = await Executable.Run(drill);
                for (var tries = 0; again.Code == "drill.busy" && tries < 20; tries++)
                {
                    again = await Executable.Run(drill);
                }

                Assert.True(again.Exit == 0, again.Out + again.Error);
            }

            await NothingLeft();
        }
    }

    [Fact]
    public async Task A_drill_that_runs_is_let_alone_by_another_and_by_the_sweep()
    {
        await using var hospital = await Hospital.Open(Sample.Storage, new RootSecret { KeyFile = Path.Combine(Sample.Data, "demo.key") }, TimeProvider.System, default);
        await hospital.Backups.Make(SystemActors.Backup, Place["target"], complete: false, null, static _ => { }, default);
        await using (await DrillGround.Take(Sample.Storage, Place["elsewhere"], default))
        {
            var busy = await Assert.ThrowsAsync<RefusedInput>(() => hospital.Backups.Drill(SystemActors.Backup, Place["target"], static _ => { }, default));
            Assert.Equal("drill.busy", busy.Code);
            Assert.False(await hospital.Backups.SweepDrill(default));
            Assert.Equal(4, await Count(Schemas));
            Assert.Null(await hospital.Backups.DrillTrouble(default));
        }

        await NothingLeft();
        Assert.Equal(20, (await hospital.Backups.Drill(SystemActors.Backup, Place["target"], static _ => { }, default)).Patients);
        await NothingLeft();
    }

    [Fact]
    public async Task Without_a_database_of_its_own_a_drill_is_refused_and_the_doctor_says_what_to_do()
    {
        await Do("backup", "create", "--out", Place["target"]);
        var mine = TestPostgres.Connections(OnPostgres.Database);
        await Says("none", mine, "drill.postgres");
        await Says("away", mine + "\ndrill=Host=/nowhere/at/all;Username=nobody;Database=none", "drill.unreachable", doctor: false);
        var before = await Tables();
        await Says("own", $"{mine}\ndrill={OnPostgres.Database.Owner}", "drill.not-empty", doctor: false);
        await Says("keys", $"{mine}\ndrill={OnPostgres.Database.Keys}", "drill.not-empty", doctor: false);
        Assert.Equal(before, await Tables());
        var empty = (await TestPostgres.ForDrills(OnPostgres.Database)).Split("Database=")[1];
        await Says("weak", $"{mine}\ndrill=Host={OnPostgres.Database.Folder};Username={OnPostgres.Database.Roles}_clinic;Database={empty}", "drill.rights");
        await Says("strong", $"{mine}\ndrill=Host={OnPostgres.Database.Folder};Username=postgres;Database={empty}", "drill.rights", doctor: false);
        Assert.Equal(2, (await Says("postgres-itself", $"{mine}\ndrill=Host=elsewhere.example;Username=a;Database=b", "storage.connection-open", doctor: false)).Exit);
    }

    [Fact]
    public async Task The_page_offers_a_drill_where_there_is_a_database_for_it_and_says_what_is_missing_where_there_is_none()
    {
        var (user, password) = Sample.Login(Role.Admin);
        var alone = StorageOptions.Postgres(Sample.Data, Place.Secret("alone", TestPostgres.Connections(OnPostgres.Database))).Value;
        foreach (var (storage, there) in ((StorageOptions, bool)[])[(alone, false), (Sample.Storage, true)])
        {
            await using var hosted = await HostedHospital.Open(Sample, storage, TimeProvider.System, Ids.New);
            var admin = (await hosted.Hospital.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
            Assert.Null((await hosted.Hospital.Vault.Backups.Targets.Set(admin, Place["target"], BackupSchedule.Usual, default)).Error);
            using var browser = await hosted.SignIn(Role.Admin);
            var page = (await browser.Send("GET", "/admin/backups")).Text;
            Assert.Equal(!there, page.Contains("data-test=\"no-drill\"", StringComparison.Ordinal));
            Assert.Equal(there, page.Contains("data-test=\"start-drill\"", StringComparison.Ordinal));
        }
    }

    private SampleOnPostgres OnPostgres => (SampleOnPostgres)Sample;

    private const string Schemas = "SELECT COUNT(*) FROM pg_namespace WHERE nspname IN ('clinic', 'vault', 'keys', 'audit')";

    private protected override async Task Prepare()
    {
        var database = await TestPostgres.Create();
        RestoredArguments = ["--storage", "postgres", "--connection", Place.Secret("new-connections", await TestPostgres.ForProduct(database))];
    }

    private protected override async Task NothingLeft()
    {
        await base.NothingLeft();

        // A connection that was closed is gone for PostgreSQL a moment later: every look goes through one, or each would see the one before it.
        const string Connected = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        await using var connection = await Connect();
        Assert.Equal(0, await Count(connection, Schemas));
        for (var look = 0; look < 100 && await Count(connection, Connected) > 0; look++)
        {
            await Task.Delay(50);
        }

        Assert.Equal(0, await Count(connection, Connected));
    }

    private async Task<Ran> Says(string name, string connections, string code, bool doctor = true)
    {
        var (user, password) = Sample.Login(Role.Admin);
        string[] storage = ["--data", Sample.Data, "--storage", "postgres", "--connection", Place.Secret(name, connections), "--json"];
        var refused = await Executable.Run(["backup", "drill", "--out", Place["target"], "--as", user, "--password-file", Place.Secret("admin", password), .. storage]);
        Assert.Equal((2, code), (refused.Exit, refused.Code));
        if (doctor)
        {
            var checks = (await Executable.Run(["doctor", .. storage])).Json.GetProperty("checks").EnumerateArray();
            var restore = checks.Single(check => check.GetProperty("name").GetString() == "restore");
            Assert.Equal("warn", restore.GetProperty("status").GetString());
            Assert.Contains(code, restore.GetProperty("advice").GetString(), StringComparison.Ordinal);
        }

        return refused;
    }

    private async Task<long> Count(string sql)
    {
        await using var connection = await Connect();
        return await Count(connection, sql);
    }

    private static async Task<long> Count(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task<NpgsqlConnection> Connect()
    {
        var connection = new NpgsqlConnection(OnPostgres.DrillLine["drill=".Length..] + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Every table of the hospital, and how many patients and keys of patients it holds: what a refused drill may write is its entry.</summary>
    private async Task<IReadOnlyList<string>> Tables()
    {
        var tables = new List<string>();
        foreach (var store in StoreSnapshot.Stores)
        {
            tables.AddRange((await StoreSnapshot.Rows(Sample.Storage, store, default)).Select(row => row.Key is "clinic.patient" or "keys.patient_key" ? $"{row.Key} {row.Value}" : row.Key));
        }

        return tables;
    }
}
