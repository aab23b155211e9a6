using Mangrove.Cli;
using Mangrove.Cli.Upgrades;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault;
using Npgsql;

namespace Mangrove.Tests.Cli.Upgrades;

/// <summary>The same on PostgreSQL, where the tables change in transactions and no copy is made (threat B9).</summary>
public sealed class PostgresUpgradeTests(SampleOnPostgres sample) : IClassFixture<SampleOnPostgres>, IDisposable
{
    // What the first schema of the clinic and the vault did not have, taken away again from a hospital of today.
    private const string Age = """
        DROP INDEX clinic."IX_patient_patient_id", clinic."IX_triage_patient_id", clinic."IX_lab_order_visit_id", clinic."IX_lab_order_by_acknowledged_at_status",
            clinic."IX_draft_patient_id_by_kind_visit_id", clinic."IX_draft_patient_id_by_kind";
        CREATE INDEX "IX_draft_patient_id_by_kind" ON clinic.draft (patient_id, "by", kind);
        DELETE FROM clinic.__ef_migrations WHERE "MigrationId" LIKE '%_IndexesOfBefore';
        DROP TABLE vault.backup_run, vault.backup_target, vault.sign_in_trace, vault.passkey, vault.vault_version, vault.client_certificate, vault.certificate_only, vault.department_list;
        ALTER TABLE vault.recovery_code DROP COLUMN pepper;
        ALTER TABLE keys.patient_key DROP COLUMN data_version;
        ALTER TABLE keys.secret DROP COLUMN purpose;
        DROP TABLE keys.key_least, keys.backup_epoch, keys.backup_archive;
        COMMENT ON TABLE clinic.__ef_migrations IS NULL;
        COMMENT ON TABLE vault.account IS NULL;
        COMMENT ON TABLE keys.purpose_key IS NULL;
        """;

    private readonly Folder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task What_fails_before_the_end_is_taken_back_and_what_was_cut_off_in_the_middle_goes_on()
    {
        var old = await Old("one");
        var before = await Picture(old);
        var refused = await Assert.ThrowsAsync<RefusedInput>(() => Hospital.Open(old, Secret(old), TimeProvider.System, default));
        Assert.Equal("upgrade.needed", refused.Code);
        var unsaved = await Assert.ThrowsAsync<HospitalUpgrade.Settled>(() => Upgrade(old, null, elsewhere: false));
        Assert.Equal("upgrade.no-backup", unsaved.Code);
        await using (var other = new NpgsqlConnection(old.ConnectionString("clinic")))
        {
            await other.OpenAsync(TestContext.Current.CancellationToken);
            var crowded = await Assert.ThrowsAsync<HospitalUpgrade.Settled>(() => Upgrade(old, null));
            Assert.Equal("upgrade.others", crowded.Code);
        }

        NpgsqlConnection.ClearAllPools();
        var undone = 0;
        foreach (var point in (string[])["tables of the vault", "tables of the clinic", "stamps", "check of the rows", "check of the tables", "commit"])
        {
            var failed = await Assert.ThrowsAsync<RefusedInput>(() => Upgrade(old, point));
            Assert.Equal("upgrade.undone", failed.Code);
            Assert.Equal(before, await Picture(old));
            undone++;
        }

        foreach (var point in (string[])["after clinic", "after vault"])
        {
            var cut = await Assert.ThrowsAsync<RefusedInput>(() => Upgrade(old, point));
            Assert.Equal("upgrade.unfinished", cut.Code);
            Assert.Equal("upgrade.needed", (await Assert.ThrowsAsync<RefusedInput>(() => Hospital.Open(old, Secret(old), TimeProvider.System, default))).Code);
        }

        var outcome = await Upgrade(old, null);

        Assert.True(outcome.Done);
        Assert.Equal(20, outcome.Patients);
        await using var hospital = await Hospital.Open(old, Secret(old), TimeProvider.System, default);
        Assert.True((await hospital.Vault.Review.Verify(null, default)).Ok);
        Assert.Equal((1L, (long)undone), (await Entries(old, "UPGRADE"), await Entries(old, "UPGRADE_FAILED")));
        Assert.All((await SchemaStamp.Read(old, default)).Values, stamp => Assert.Equal(SchemaStamp.Newest, stamp));
    }

    [Fact]
    public async Task A_trial_is_taken_back_a_server_waits_for_the_command_and_a_newer_database_is_refused()
    {
        var old = await Old("two");
        var before = await Picture(old);
        string[] where = ["--data", old.Folder, "--storage", "postgres", "--connection", folder["two.connections"], "--key-file", Path.Combine(old.Folder, "demo.key"), "--json"];
        var tried = await Executable.Run(["upgrade", "--check", .. where]);
        Assert.True(tried.Exit == 0, tried.Out + tried.Error);
        Assert.Equal(before, await Picture(old));
        var served = await Executable.Run(["serve", "--urls", "https://localhost:0", .. where]);
        Assert.Equal((2, "upgrade.needed"), (served.Exit, served.Code));
        NpgsqlConnection.ClearAllPools();
        var done = await Executable.Run(["upgrade", "--backup-elsewhere", .. where]);
        Assert.True(done.Exit == 0, done.Out + done.Error);
        var log = await Executable.Run(["audit", "verify", .. where]);
        Assert.True(log.Json.GetProperty("ok").GetBoolean(), log.Out);

        await Run(old, "vault", FormattableString.Invariant($"COMMENT ON TABLE vault.account IS 'mangrove schema {SchemaStamp.Newest + 1}'"));
        var newer = await Executable.Run(["upgrade", .. where]);
        Assert.Equal((2, "upgrade.newer-data"), (newer.Exit, newer.Code));
    }

    private static Mangrove.Vault.Keys.RootSecret Secret(StorageOptions old) => OldHospital.SecretOf(old.Folder);

    private static Task<UpgradeOutcome> Upgrade(StorageOptions old, string? point, bool elsewhere = true) =>
        new HospitalUpgrade(old, Secret(old), TimeProvider.System) { Watch = new Trap(point), BackupElsewhere = elsewhere }.Run(static _ => { }, default);

    private async Task<StorageOptions> Old(string name)
    {
        NpgsqlConnection.ClearAllPools();
        var copy = await TestPostgres.Copy(sample.Database);
        await TestPostgres.Sql(copy.Folder, copy.Name, Age);
        OldHospital.Copy(sample.Data, folder[name]);
        return StorageOptions.Postgres(folder[name], folder.Secret(name + ".connections", TestPostgres.Connections(copy))).Value;
    }

    /// <summary>Every column, index and comment of the stores.</summary>
    private static async Task<IReadOnlyList<string>> Picture(StorageOptions storage)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(storage.ConnectionString("vault")) { Pooling = false }.ToString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT n.nspname::text || '.' || c.relname::text || ' ' || c.relkind::text || ' ' || COALESCE(a.attname::text, '') || ' ' || COALESCE(obj_description(c.oid, 'pg_class'), '')
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE n.nspname IN ('clinic', 'vault', 'keys', 'audit') ORDER BY 1
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync())
        {
            lines.Add(reader.GetString(0));
        }

        return lines;
    }

    private static async Task<long> Entries(StorageOptions storage, string action)
    {
        await using var connection = new NpgsqlConnection(storage.ConnectionString("audit"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT COUNT(*) FROM audit.entry WHERE action = $1", connection) { Parameters = { new() { Value = action } } };
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task Run(StorageOptions storage, string store, string sql)
    {
        await using var connection = new NpgsqlConnection(storage.ConnectionString(store));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A disk that fails at one point.</summary>
    private sealed class Trap(string? point) : IUpgradeWatch
    {
        public void Reached(string reached)
        {
            if (reached == point)
            {
                throw new IOException("No space left on device", 28);
            }
        }
    }
}
