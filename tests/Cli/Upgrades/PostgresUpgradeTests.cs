using Mangrove.Cli;
using Mangrove.Cli.Backups;
using Mangrove.Cli.Upgrades;
using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Npgsql;

namespace Mangrove.Tests.Cli.Upgrades;

/// <summary>The same on PostgreSQL, where a backup is made first and the tables change in transactions (threat B9).</summary>
public sealed class PostgresUpgradeTests(SampleOnPostgres sample) : IClassFixture<SampleOnPostgres>, IDisposable
{
    // What the first schema of the clinic and the vault did not have, taken away again from a hospital of today.
    private const string Unstamped = """
        DROP INDEX clinic."IX_patient_patient_id", clinic."IX_triage_patient_id", clinic."IX_lab_order_visit_id", clinic."IX_lab_order_by_acknowledged_at_status",
            clinic."IX_draft_patient_id_by_kind_visit_id", clinic."IX_draft_patient_id_by_kind";
        CREATE INDEX "IX_draft_patient_id_by_kind" ON clinic.draft (patient_id, "by", kind);
        DELETE FROM clinic.__ef_migrations WHERE "MigrationId" LIKE '%_IndexesOfBefore' OR "MigrationId" LIKE '%_ActMarks' OR "MigrationId" LIKE '%_IndexVersions';
        ALTER TABLE clinic.fhir_record DROP COLUMN index_version;
        DROP TABLE vault.incident_action, vault.incident_sent, vault.incident_waiver, vault.incident_impact, vault.incident_key, vault.incident_target, vault.incident_notice, vault.incident_words, vault.incident;
        DROP TABLE vault.watch_finding, vault.watch_position, vault.watch_flag, clinic.act_mark, clinic.act_settlement, vault.downtime_entry;
        DROP TABLE vault.glass_suspension, vault.glass_notice, vault.glass_words, vault.glass, vault.privacy_officer, vault.effective_clock;
        DROP TABLE vault.hold_words, vault.legal_hold, vault.retention_rule, vault.retention_country;
        DROP TABLE vault.destruction_patient, vault.destruction_order, keys.patient_tombstone;
        COMMENT ON TABLE clinic.__ef_migrations IS NULL;
        COMMENT ON TABLE vault.account IS NULL;
        COMMENT ON TABLE keys.purpose_key IS NULL;

        """;

    private const string Age = Unstamped + """
        DROP TABLE vault.health_sample, vault.alarm, vault.mail_server, vault.mail_recipient, vault.letter;
        DROP TABLE vault.backup_run, vault.backup_target, vault.sign_in_trace, vault.passkey, vault.vault_version, vault.client_certificate, vault.certificate_only, vault.department_list;
        ALTER TABLE vault.recovery_code DROP COLUMN pepper;
        ALTER TABLE keys.patient_key DROP COLUMN data_version;
        ALTER TABLE keys.secret DROP COLUMN purpose;
        DROP TABLE keys.key_least, keys.backup_epoch, keys.backup_archive;
        """;

    // The same for one that knew of backups already.
    private const string AgeWithBackups = Unstamped + """
        DROP TABLE vault.passkey;
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
    public async Task A_backup_of_what_is_there_is_made_and_read_back_before_anything_is_changed()
    {
        var old = await Old("three", AgeWithBackups);
        var before = await Picture(old);

        // Nowhere to put it, where it would be lost with the data, and a disk that fails while it is read back.
        foreach (var (to, point, code) in ((string?, string?, string)[])[(null, null, "backup.no-target"), (old.Folder, null, "backup.inside-data"), (folder["bad"], "reading the backup back", "data.full")])
        {
            var refused = await Assert.ThrowsAsync<HospitalUpgrade.Settled>(() => Upgrade(old, point, elsewhere: false, to));
            Assert.Equal("upgrade.no-backup", refused.Code);
            Assert.Contains(code, refused.Message, StringComparison.Ordinal);
            Assert.Equal(before, await Picture(old));
        }

        // A trial needs none, and one that fails later keeps its own.
        Assert.False((await new HospitalUpgrade(old, Secret(old), TimeProvider.System) { TryOnly = true }.Run(static _ => { }, default)).Done);
        Assert.Equal("upgrade.undone", (await Assert.ThrowsAsync<RefusedInput>(() => Upgrade(old, "stamps", elsewhere: false, folder["target"]))).Code);
        Assert.Equal(before, await Picture(old));
        Assert.DoesNotContain(Directory.EnumerateDirectories(old.Folder), path => path.Contains("scratch-", StringComparison.Ordinal));
        await Run(old, "vault", $"INSERT INTO backup_target (id, path, every_minutes, keep_count, keep_days, full_days, added_by, added) VALUES ('\\x00112233445566778899aabbccddeeff', '{folder["target"]}', 60, 3, 1, 7, 1, 1)");
        var outcome = await Upgrade(old, null, elsewhere: false);
        Assert.Equal((true, folder["target"]), (outcome.Done, outcome.Kept));

        await using var hospital = await Hospital.Open(old, Secret(old), TimeProvider.System, default);
        var run = Assert.Single(await hospital.Vault.Backups.Runs(10, default));
        Assert.Equal((folder["target"], 2L, true, null), (run.Target, run.Number, run.Complete, run.Failure));
        Assert.Equal((1L, 1L, 1L), (await Entries(old, "UPGRADE"), await Entries(old, "UPGRADE_FAILED"), await Entries(old, "BACKUP_CREATED")));
        var (user, password) = sample.Login(Role.Admin);
        var admin = (await hospital.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
        var reasons = (await hospital.Vault.Review.List(admin, new AuditFilter { NewestFirst = false }, null, default)).Where(entry => entry.Action.StartsWith("UPGRADE", StringComparison.Ordinal)).Select(entry => entry.Reason!).ToList();
        Assert.EndsWith($"; backup 1 of before in {folder["target"]}", reasons[0], StringComparison.Ordinal);
        Assert.EndsWith($"; backup 2 of before in {folder["target"]}", reasons[1], StringComparison.Ordinal);

        // It is of the tables of before: the version of before would take it, and its rows go into such tables and into no others.
        var stored = await hospital.Backups.Verify(folder["target"], null, default);
        Assert.NotEqual(HospitalBackups.NewestSchema(StorageKind.Postgres), stored.Manifest.Schema);
        Assert.DoesNotContain("vault.passkey", stored.Manifest.Rows.Keys);
        Assert.Equal(20, stored.Manifest.Rows["clinic.patient"]);
        Assert.True(stored.Manifest.Audit.Size > 0);
        var refusedDrill = await Assert.ThrowsAsync<RefusedInput>(() => hospital.Backups.Drill(SystemActors.Backup, folder["target"], static _ => { }, default));
        Assert.Equal("restore.tables-differ", refusedDrill.Code);
        var empty = await Old("four", AgeWithBackups);
        await Fill(hospital, stored, empty);
        foreach (var store in (string[])["clinic", "vault", "audit"])
        {
            Assert.All(await StoreSnapshot.Rows(empty, store, default), row => Assert.Equal(stored.Manifest.Rows[row.Key], row.Value));
        }
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
        var unsaved = await Executable.Run(["upgrade", .. where]);
        Assert.Equal((2, "upgrade.no-backup"), (unsaved.Exit, unsaved.Code));
        var done = await Executable.Run(["upgrade", "--backup-elsewhere", .. where]);
        Assert.True(done.Exit == 0, done.Out + done.Error);
        var (user, password) = sample.Account("admin");
        var told = await Executable.Run(["audit", "list", "--action", "UPGRADE", "--as", user, "--password-file", password, .. where]);
        Assert.EndsWith("; no backup made: the administrator says that there is one elsewhere", Assert.Single(told.Json.EnumerateArray()).GetProperty("reason").GetString(), StringComparison.Ordinal);
        var log = await Executable.Run(["audit", "verify", .. where]);
        Assert.True(log.Json.GetProperty("ok").GetBoolean(), log.Out);

        await Run(old, "vault", FormattableString.Invariant($"COMMENT ON TABLE vault.account IS 'mangrove schema {SchemaStamp.Newest + 1}'"));
        var newer = await Executable.Run(["upgrade", .. where]);
        Assert.Equal((2, "upgrade.newer-data"), (newer.Exit, newer.Code));
    }

    private static Mangrove.Vault.Keys.RootSecret Secret(StorageOptions old) => OldHospital.SecretOf(old.Folder);

    private static Task<UpgradeOutcome> Upgrade(StorageOptions old, string? point, bool elsewhere = true, string? to = null) =>
        new HospitalUpgrade(old, Secret(old), TimeProvider.System) { Watch = new Trap(point), BackupElsewhere = elsewhere, BackupTo = to }.Run(static _ => { }, default);

    /// <summary>What a restore of that version does: the copies of every store into its tables.</summary>
    private async Task Fill(Hospital hospital, StoredBackup stored, StorageOptions storage)
    {
        var copies = Directory.CreateDirectory(folder["copies"]).FullName;
        using var keys = await hospital.Vault.Backups.Keys(default);
        using var bundle = await hospital.Vault.Backups.OpenBundle(stored.KeysPath, default);
        using var reader = BackupReader.Open(BackupFolder.Find(stored.Path).Folder, stored, keys);
        var placed = new Dictionary<string, string>(StringComparer.Ordinal);
        await reader.Extract(name => placed[name] = Path.Combine(copies, PartName.FileOf(name)), null, default);
        foreach (var part in bundle.Extract(copies))
        {
            placed[part.Name] = part.Path;
        }

        foreach (var store in StoreSnapshot.Stores)
        {
            await StoreSnapshot.Fill(
                storage,
                store,
                [.. placed.Where(part => part.Key.StartsWith(store + "/", StringComparison.Ordinal)).Select(part => new SnapshotPart(part.Key, part.Value, 0, new Dictionary<string, long>(StringComparer.Ordinal)))],
                default);
        }
    }

    private async Task<StorageOptions> Old(string name, string age = Age)
    {
        NpgsqlConnection.ClearAllPools();
        var copy = await TestPostgres.Copy(sample.Database);
        await TestPostgres.Sql(copy.Folder, copy.Name, age);
        OldHospital.Copy(sample.Data, folder[name]);
        return StorageOptions.Postgres(folder[name], folder.Secret(name + ".connections", $"{TestPostgres.Connections(copy)}\n{sample.DrillLine}")).Value;
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
