using Mangrove.Kernel;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Destruction;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Vault.Destruction;

/// <summary>Orders of two people, and that nothing anybody kept opens what was destroyed (threats D1, D2, D5).</summary>
public abstract class DestructionTests
{
    protected abstract Task<StorageOptions> NewStorage();

    [Fact]
    public async Task With_everything_kept_and_the_whole_server_of_afterwards_no_key_of_the_patient_is_reached_and_everybody_elses_is()
    {
        await using var here = await DestructionHouse.Build(await NewStorage());
        await here.Backup();
        await here.Backup();
        await here.House.Keys.Advance(default);
        await here.Photograph();
        await here.Backup();
        var id = await here.Approved();

        // Before: the same attacker reaches everybody, so that what he misses afterwards is missed for a reason.
        Assert.Equal(here.Patients.Count, (await Attack(here, withBundles: true)).Count);
        _ = (await here.Desk.Begin(here.Two, id, rotateRoot: false, default)).Value;
        var order = (await here.Carry(id, _ => here.Photograph())).Value;
        Assert.Equal(DestructionState.Done, order.State);
        await here.Backup();
        var reached = await Attack(here, withBundles: true);
        Assert.DoesNotContain(here.Gone.Id.Value, reached);
        Assert.Equal(here.Patients.Where(patient => patient != here.Gone).Select(patient => patient.Id.Value).Order(), reached.Order());

        // With the root key of before he opens his copies of keys.db: the certificate says so, until the root is changed.
        Assert.Contains(here.Gone.Id.Value, await Attack(here, withBundles: true, withRoot: true));
        _ = (await here.House.Keys.RotateRoot(here.One, here.House.Protection, default)).Value;
        reached = await Attack(here, withBundles: true, withRoot: true);
        Assert.Equal(here.Patients.Where(patient => patient != here.Gone).Select(patient => patient.Id.Value).Order(), reached.Order());

        var stored = (await here.Desk.Certificate(here.One, id, default)).Value;
        var certificate = DestructionCertificate.Check(stored, here.PublicKey);
        Assert.True(certificate.Complete);
        Assert.Equal(3, certificate.Facts.Bundles.Count);
        Assert.All(certificate.Facts.Bundles, bundle => Assert.Equal(1, bundle.Removed));
        var patient = Assert.Single(certificate.Patients);
        Assert.Equal(patient.MrnSha256, Convert.ToHexStringLower(DestructionPatient.HashOf(Convert.FromHexString(patient.Salt), here.Gone.Mrn)));
        Assert.DoesNotContain(here.Gone.Mrn, System.Text.Encoding.UTF8.GetString(stored).Split("\"proof\"")[0], StringComparison.Ordinal);
        stored[40] ^= 1;
        Assert.Equal("destruction.certificate-bad", Assert.Throws<RefusedInput>(() => DestructionCertificate.Check(stored, here.PublicKey)).Code);

        // The id never gets a key again.
        await here.House.Ring.CreateFor([here.Gone.Id], default);
        Assert.Empty(await here.House.Ring.Load([here.Gone.Id], remember: false, default));
    }

    [Fact]
    public async Task A_bundle_that_only_lost_the_row_would_open_an_old_copy_of_the_keys()
    {
        // The negative control of the test above: keys deleted, bundles left as they are, nothing rotated.
        await using var here = await DestructionHouse.Build(await NewStorage());
        await here.Backup();
        await here.House.Ring.DestroyPatients(Ids.New(), [here.Gone.Id], _ => [1], default);
        Assert.Contains(here.Gone.Id.Value, await Attack(here, withBundles: true));
        Assert.Contains(here.Gone.Id.Value, await Attack(here, withBundles: false));
    }

    [Fact]
    public async Task A_kill_between_any_two_steps_goes_on_where_it_was()
    {
        await using var here = await DestructionHouse.Build(await NewStorage());
        await here.Backup();
        await here.Backup();
        var id = await here.Approved();
        _ = (await here.Desk.Begin(here.One, id, rotateRoot: false, default)).Value;
        string[] steps = ["keys", "rows", "bundles", "epochs", "rotated", "purged", "verified"];
        foreach (var step in steps)
        {
            await Assert.ThrowsAsync<OperationCanceledException>(() => here.Carry(id, at => at == step ? throw new OperationCanceledException(step) : Task.CompletedTask));
            await here.House.Restart();
            here.Open();
            Assert.Equal(DestructionState.Running, Assert.Single(await here.Desk.Unfinished(default)).State);
        }

        Assert.Equal(DestructionState.Done, (await here.Carry(id)).Value.State);
        Assert.DoesNotContain(here.Gone.Id.Value, await Attack(here, withBundles: true));
        Assert.Single(await here.House.Entries("CERTIFY_DESTRUCTION"));
        Assert.Equal(2, (await here.Desk.List((await here.House.Enter("one")).Actor, default))[0].Facts.Bundles.Count);
    }

    [Fact]
    public async Task A_target_that_is_away_is_outstanding_and_the_order_ends_when_it_was_seen()
    {
        await using var here = await DestructionHouse.Build(await NewStorage());
        await here.Backup();
        var id = await here.Approved();
        _ = (await here.Desk.Begin(here.One, id, rotateRoot: false, default)).Value;
        var order = (await here.Carry(id, null, "/media/away")).Value;
        Assert.Equal((DestructionState.Outstanding, true), (order.State, order.Certified));
        var first = DestructionCertificate.Check((await here.Desk.Certificate(here.One, id, default)).Value, here.PublicKey);
        Assert.False(first.Complete);
        Assert.Equal(["/media/away"], first.Facts.Outstanding);

        // What it says is true: with that bundle and this server the key is reached.
        Assert.Contains(here.Gone.Id.Value, await Attack(here, withBundles: true));
        await here.Photograph();
        await here.Backup();
        order = (await here.Carry(id)).Value;
        Assert.Equal(DestructionState.Done, order.State);
        Assert.True(DestructionCertificate.Check((await here.Desk.Certificate(here.One, id, default)).Value, here.PublicKey).Complete);
        Assert.DoesNotContain(here.Gone.Id.Value, await Attack(here, withBundles: true));
    }

    [Fact]
    public async Task An_objection_stops_it_when_it_is_proposed_approved_begun_and_right_before_the_keys_go()
    {
        await using var here = await DestructionHouse.Build(await NewStorage());
        here.Objection.Code = "hold.in-force";
        Assert.Equal("hold.in-force", (await here.Propose()).Error?.Code);
        here.Objection.Code = null;
        var order = (await here.Propose()).Value;
        here.Objection.Code = "hold.in-force";
        Assert.Equal("hold.in-force", (await here.Desk.Approve(here.Two, order.Id, here.Proof("two"), default)).Error?.Code);
        here.Objection.Code = null;
        _ = (await here.Desk.Approve(here.Two, order.Id, here.Proof("two"), default)).Value;
        here.Objection.Code = "hold.in-force";
        Assert.Equal("hold.in-force", (await here.Desk.Begin(here.One, order.Id, false, default)).Error?.Code);
        here.Objection.Code = null;
        _ = (await here.Desk.Begin(here.One, order.Id, false, default)).Value;
        here.Objection.Code = "hold.in-force";
        Assert.Equal("hold.in-force", (await here.Carry(order.Id)).Error?.Code);
        Assert.Equal((DestructionState.Stopped, "hold.in-force"), (await State(here, order.Id), (await here.Desk.Open(here.One, order.Id, default)).Value.Order.Failure));
        Assert.NotEmpty(await here.House.Ring.Load([here.Gone.Id], remember: false, default));
        Assert.Empty(await here.House.Ring.Tombstones(default));
    }

    [Fact]
    public async Task With_nobody_to_ask_nothing_can_be_destroyed()
    {
        await using var here = await DestructionHouse.Build(await NewStorage(), objection: false);
        Assert.Equal("destruction.unchecked", (await here.Propose()).Error?.Code);
        Assert.Equal("destruction.unchecked", (await here.House.Entries("PROPOSE_DESTRUCTION"))[^1].Reason);
    }

    [Fact]
    public async Task Two_different_administrators_each_with_a_second_factor_and_thirty_days()
    {
        await using var here = await DestructionHouse.Build(await NewStorage());
        Assert.Equal("factor.code", (await here.Desk.Propose(here.One, [here.Gone], DestructionReason.Asked, "She asked for it in writing.", default, default)).Error?.Code);
        Assert.Equal("destruction.words", (await here.Desk.Propose(here.One, [here.Gone], DestructionReason.Asked, "short", here.Proof("one"), default)).Error?.Code);
        Assert.Equal("destruction.reason", (await here.Desk.Propose(here.One, [here.Gone], (DestructionReason)99, "She asked for it in writing.", here.Proof("one"), default)).Error?.Code);
        Assert.Equal("destruction.patients", (await here.Desk.Propose(here.One, [], DestructionReason.Asked, "She asked for it in writing.", here.Proof("one"), default)).Error?.Code);
        var order = (await here.Propose()).Value;
        Assert.Equal("destruction.proposed", (await here.Propose()).Error?.Code);
        Assert.Equal("destruction.same-person", (await here.Desk.Approve(here.One, order.Id, here.Proof("one"), default)).Error?.Code);
        Assert.Equal("destruction.same-person", (await here.Desk.Refuse(here.One, order.Id, default)).Error?.Code);
        Assert.Equal("factor.code", (await here.Desk.Approve(here.Two, order.Id, default, default)).Error?.Code);
        Assert.Equal("destruction.state", (await here.Desk.Begin(here.Two, order.Id, false, default)).Error?.Code);
        Assert.Equal("Kept for eleven years, last contact long ago.", (await here.Desk.Open(here.Two, order.Id, default)).Value.Words);
        _ = (await here.Desk.Refuse(here.Two, order.Id, default)).Value;
        Assert.Equal((DestructionState.Refused, null), (await State(here, order.Id), (await here.Desk.Open(here.Two, order.Id, default)).Value.Words));
        Assert.Equal(0, await here.House.Count("SELECT COUNT(*) FROM destruction_order WHERE words IS NOT NULL"));

        var next = await here.Approved();
        here.House.Clock.Pass(DestructionDesk.Lifetime);
        var again = (await here.House.Enter("one")).Actor;
        Assert.Equal("destruction.state", (await here.Desk.Begin(again, next, false, default)).Error?.Code);
        Assert.Equal(1, await here.Desk.Lapse(default));
        Assert.Equal(0, await here.Desk.Lapse(default));
        Assert.Single(await here.House.Entries("LAPSE_DESTRUCTION"));
        var entry = (await here.House.Entries("PROPOSE_DESTRUCTION")).First(one => one.Reason.StartsWith("none ->", StringComparison.Ordinal));
        Assert.Contains(here.Gone.Id.Value, entry.Patients);

        await here.House.Member("nurse");
        var nurse = (await here.House.Enter("nurse", "Ward-5-Tablet")).Actor;
        await Assert.ThrowsAsync<Refused>(() => here.Desk.Propose(nurse, [here.Gone], DestructionReason.Asked, "She asked for it in writing.", default, default));
    }

    [Fact]
    public async Task A_key_that_is_put_back_goes_again_by_its_tombstone_and_a_forged_tombstone_deletes_nothing()
    {
        await using var here = await DestructionHouse.Build(await NewStorage());
        var id = await here.Approved();
        _ = (await here.Desk.Begin(here.One, id, false, default)).Value;
        _ = (await here.Carry(id)).Value;
        Assert.Empty(await here.Desk.CameBack((_, _) => Task.FromResult(0L), default));
        await using (var connection = await here.House.KeyStore.Open(default))
        {
            await connection.Run("INSERT INTO patient_key (patient, id, version, wrapped, created, data_version) SELECT @gone, id, version, wrapped, created, data_version FROM patient_key WHERE patient = @other", default, ("@gone", here.Gone.Id.Value), ("@other", here.Patients[0].Id.Value));
            await connection.Run("INSERT INTO patient_tombstone (patient, destruction, at, key_ids, digest, signature) SELECT @other, destruction, at, key_ids, digest, signature FROM patient_tombstone", default, ("@other", here.Patients[0].Id.Value));
        }

        Assert.Equal([here.Gone.Id], await here.Desk.CameBack((_, _) => Task.FromResult(0L), default));
        Assert.Equal(0, await here.House.Ring.KeysOf([here.Gone.Id], default));
        Assert.Equal(1, await here.House.Ring.KeysOf([here.Patients[0].Id], default));
        Assert.Single(await here.House.Entries("APPLY_TOMBSTONES"), entry => entry.Reason == "destruction.tombstone-bad");

        // The ids of the keys are what a search looks for: who changes them would hide a key.
        await using (var connection = await here.House.KeyStore.Open(default))
        {
            await connection.Run("DELETE FROM patient_tombstone WHERE patient = @other", default, ("@other", here.Patients[0].Id.Value));
            await connection.Run("UPDATE patient_tombstone SET key_ids = @none", default, ("@none", new byte[16]));
        }

        Assert.Empty(await here.Desk.CameBack((_, _) => Task.FromResult(1L), default));
        Assert.Equal(2, (await here.House.Entries("APPLY_TOMBSTONES")).Count(entry => entry.Reason == "destruction.tombstone-bad"));
    }

    private static async Task<DestructionState> State(DestructionHouse here, Guid id) => (await here.Desk.Open(here.Two, id, default)).Value.Order.State;

    /// <summary>What somebody reaches who kept everything and has the server of now, with the root key of now or without.</summary>
    private static async Task<HashSet<Guid>> Attack(DestructionHouse here, bool withBundles, bool withRoot = false)
    {
        using var attacker = new Attacker();
        attacker.TakesMemory(here.House.Ring);
        attacker.Takes(await KeyPicture.Of(here.House.KeyStore));
        here.Pictures.ForEach(attacker.Takes);
        foreach (var bundle in withBundles ? here.Bundles.Concat(here.KeptBundles) : [])
        {
            attacker.TakesBundle(bundle);
        }

        if (withRoot)
        {
            using var root = await RootProtector.Read(here.House.Roots).Open(here.House.Protection, default);
            attacker.TakesRoot(root);
        }

        await attacker.Try();
        return attacker.Patients;
    }
}

public sealed class DestructionOnSqliteTests : DestructionTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(StorageOptions.Sqlite(Directory.CreateTempSubdirectory("mangrove-destruction-data-").FullName));

    [Fact]
    public async Task Raw_bytes_have_nothing_left_of_the_keys_and_would_have_without_overwriting()
    {
        await using var here = await DestructionHouse.Build(await NewStorage());
        var folder = Path.GetDirectoryName(FileOf(here))!;
        byte[] wrapped;
        await using (var connection = await here.House.KeyStore.Open(default))
        {
            wrapped = (byte[])(await connection.Scalar("SELECT wrapped FROM patient_key WHERE patient = @gone", default, ("@gone", here.Gone.Id.Value)))!;
        }

        // Control: what is deleted without being overwritten is found by the same search.
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        var careless = Path.Combine(folder, "careless.db");
        File.Copy(FileOf(here), careless);
        foreach (var rest in Directory.GetFiles(folder, "keys.db-wal"))
        {
            File.Copy(rest, careless + "-wal");
        }

        await using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={careless};Pooling=false"))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await connection.Run("PRAGMA secure_delete=OFF", default);
            await connection.Run("DELETE FROM patient_key WHERE patient = @gone", default, ("@gone", here.Gone.Id.Value));
        }

        Assert.True(Hits(folder, "careless.db", wrapped) > 0, "Without overwriting nothing was found: the search proves nothing.");
        var id = await here.Approved();
        _ = (await here.Desk.Begin(here.One, id, false, default)).Value;
        _ = (await here.Carry(id)).Value;
        Assert.Equal(0, Hits(folder, "keys.db", wrapped));
    }

    private static string FileOf(DestructionHouse here) => here.KeyFile;

    private static int Hits(string folder, string file, byte[] wanted)
    {
        var hits = 0;
        foreach (var path in Directory.GetFiles(folder, file + "*"))
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            for (var at = 0; bytes.AsSpan(at).IndexOf(wanted) is >= 0 and var next; at += next + 1)
            {
                hits++;
            }
        }

        return hits;
    }
}

public sealed class DestructionOnPostgresTests : DestructionTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
