using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Tests.Vault.Integrations;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Vault.Keys;

/// <summary>
/// Rotation of purpose keys (threats K5, K7): whatever happens on the way, everything opens, and at the end nothing is left
/// under the old version, which is then gone.
/// </summary>
public abstract class RotationTests : OnEveryDatabase
{
    private static readonly string[] Moved = ["data", "audit", "ring"];

    [Fact]
    public async Task A_rotation_moves_everything_to_the_new_version_and_takes_the_old_one_away()
    {
        var house = await House();
        var stock = await Stock.Of(house, patients: 230);
        foreach (var purpose in Moved)
        {
            Assert.Equal(2, (await house.Keys.Rotate(house.SetUp.Setup, purpose, default)).Value);
            await stock.Opens(house);
            Assert.True(await house.Keys.Advance(default));

            var status = await Status(house, purpose);
            var version = Assert.Single(status.Versions);
            Assert.Equal((2, true, 0L, 0L), (version.Version, version.InUse, status.ToMove, status.UnderOlder));
            await stock.Opens(house);
        }

        Assert.Equal(230, (await Status(house, "data")).Ciphertexts);
        Assert.Equal(0, await Count(house, "SELECT COUNT(*) FROM patient_key WHERE data_version <> 2"));
        Assert.Equal(0, await Count(house, "SELECT COUNT(*) FROM purpose_key WHERE purpose IN (1, 3, 7) AND version = 1"));
        await house.Restart();
        await stock.Opens(house);
        Assert.Equal(
            ["key:data version 1 -> 2, 230 under version 1", "key:audit version 1 -> 2, 1 under version 1"],
            (await house.Entries("ROTATE_KEY")).Take(2).Select(entry => $"{entry.Resource} {entry.Reason}"));
        var ends = await house.Entries("RETIRE_KEY");
        Assert.Equal("version 1 retired, 0 left under it, 230 moved to version 2", ends[0].Reason);
        Assert.Equal(["key:data", "key:audit", "key:ring"], ends.Select(entry => entry.Resource));
        Assert.All(ends, entry => Assert.Equal("system:keys", entry.Actor));
    }

    [Fact]
    public async Task Interrupted_at_a_hundred_random_points_nothing_is_unreadable_and_nothing_stays_under_an_old_version()
    {
        var house = await House();
        var stock = await Stock.Of(house, patients: 130);
        string[] all = ["after a batch", "after the new version", "before a batch", "before retiring", "before the new version", "drained", "retired"];
        await new PowerCuts(house, all).Fall(
            through: 4,
            steps: 11,
            async () =>
            {
                if (await Left(house) == 0)
                {
                    var purpose = Moved.Append("pepper").ElementAt(PowerCuts.Chance(4));
                    await house.Keys.Rotate(house.SetUp.Setup, purpose, default);
                }

                await house.Keys.Advance(default);
            },
            async () =>
            {
                await stock.Opens(house);
                if (PowerCuts.Chance(3) == 0)
                {
                    await stock.Add(house);
                }
            });

        Assert.True(Moved.Append("pepper").Sum(purpose => house.Ring.Newest(Enum.Parse<KeyPurpose>(purpose, ignoreCase: true)).Version - 1) > 5);
        foreach (var purpose in Moved)
        {
            Assert.Single((await Status(house, purpose)).Versions);
        }

        // Of the pepper nothing that the system can move is left; what is left waits for its owners.
        Assert.Equal(0, (await Status(house, "pepper")).ToMove);
        Assert.Equal(0, await Count(house, $"SELECT COUNT(*) FROM patient_key WHERE data_version <> {house.Ring.Newest(KeyPurpose.Data).Version}"));
        await house.Restart();
        await stock.Opens(house);
    }

    [Fact]
    public async Task Readers_and_registrations_go_on_while_the_key_is_rotated_again_and_again()
    {
        var house = await House();
        var stock = await Stock.Of(house, patients: 300);
        using var over = new CancellationTokenSource();
        var acts = 0;
        var readers = Enumerable.Range(0, 3).Select(n => Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                await stock.OpenSome(house, n);
                if (n == 0)
                {
                    await stock.Add(house);
                }

                Interlocked.Increment(ref acts);
            }
        })).ToArray();

        for (var round = 0; round < 4; round++)
        {
            (await house.Keys.Rotate(house.SetUp.Setup, "data", default)).ThrowIfRefused();
            while (!await house.Keys.Advance(default))
            {
                Assert.DoesNotContain(readers, reader => reader.IsFaulted);
            }
        }

        await over.CancelAsync();
        await Task.WhenAll(readers);
        Assert.True(acts > 10);
        Assert.Equal(5, Assert.Single((await Status(house, "data")).Versions).Version);
        await stock.Opens(house);
    }

    [Fact]
    public async Task A_record_that_is_open_keeps_the_old_version_until_it_is_closed()
    {
        var house = await House();
        var patient = new PatientRef(PatientId.New(), "P-1000007");
        var row = new SealedRow { PatientId = patient.Id };
        using (var writing = await house.Door.Open(
            Actor.Maker.System(SystemWork.Sample),
            new Request { Action = "TEST", Purpose = Purpose.Portability, Patients = [patient], Writes = [SealedRow.Name], Creates = true },
            default))
        {
            writing.Set(row, SealedRow.Name, "Amina");
        }

        var reading = await house.Door.Open(SystemActors.Index, Read(patient), default);
        (await house.Keys.Rotate(house.SetUp.Setup, "data", default)).ThrowIfRefused();

        Assert.False(await house.Keys.Advance(default));
        Assert.Equal([2, 1], (await Status(house, "data")).Versions.Select(version => version.Version));
        Assert.Equal(0, (await Status(house, "data")).UnderOlder);
        Assert.Equal("Amina", reading.Read(row, SealedRow.Name));
        reading.Dispose();

        Assert.True(await house.Keys.Advance(default));
        Assert.Single((await Status(house, "data")).Versions);
        using var again = await house.Door.Open(SystemActors.Index, Read(patient), default);
        Assert.Equal("Amina", again.Read(row, SealedRow.Name));
    }

    [Fact]
    public async Task A_retired_version_that_is_put_back_from_an_old_copy_opens_nothing()
    {
        var house = await House();
        var patient = PatientId.New();
        await house.Ring.CreateFor([patient], default);
        var old = (await house.Ring.Load([patient], remember: false, default))[patient];
        byte[] copy;
        await using (var connection = await house.KeyStore.Open(default))
        {
            copy = (byte[])(await connection.Scalar("SELECT wrapped FROM purpose_key WHERE purpose = 1 AND version = 1", default))!;
        }

        (await house.Keys.Rotate(house.SetUp.Setup, "data", default)).ThrowIfRefused();
        Assert.True(await house.Keys.Advance(default));
        Assert.Throws<SealBroken>(() => house.Ring.Unwrap(patient, old));
        await using (var connection = await house.KeyStore.Open(default))
        {
            await connection.Run("INSERT INTO purpose_key (purpose, version, id, wrapped, created) VALUES (1, 1, @id, @wrapped, 0)", default, ("@id", Ids.New()), ("@wrapped", copy));
            await connection.Run("UPDATE patient_key SET wrapped = @wrapped, data_version = 1", default, ("@wrapped", old.Wrapped));
        }

        await house.Restart();
        var planted = (await house.Ring.Load([patient], remember: false, default))[patient];
        Assert.Throws<SealBroken>(() => house.Ring.Unwrap(patient, planted));
        Assert.Throws<SealBroken>(() => house.Ring.Of(KeyPurpose.Data, 1));
        Assert.Throws<SealBroken>(() => house.Ring.Of(KeyPurpose.Data, 3));
    }

    [Fact]
    public async Task A_hospital_of_an_earlier_version_opens_and_rotates()
    {
        var house = await House();
        var stock = await Stock.Of(house, patients: 60);
        await using (var connection = await house.KeyStore.Open(default))
        {
            foreach (var sql in (string[])["DROP INDEX patient_key_data", "ALTER TABLE patient_key DROP COLUMN data_version", "ALTER TABLE secret DROP COLUMN purpose", "DROP TABLE key_least"])
            {
                await connection.Run(sql, default);
            }
        }

        await house.Restart();
        await stock.Opens(house);
        foreach (var purpose in Moved)
        {
            (await house.Keys.Rotate(house.SetUp.Setup, purpose, default)).ThrowIfRefused();
        }

        Assert.True(await house.Keys.Advance(default));
        Assert.All(Moved, purpose => Assert.Equal(2, house.Ring.Newest(Enum.Parse<KeyPurpose>(purpose, ignoreCase: true)).Version));
        await house.Restart();
        await stock.Opens(house);
    }

    [Fact]
    public async Task What_does_not_open_keeps_its_version_and_is_said_once()
    {
        var house = await House();
        var stock = await Stock.Of(house, patients: 5);
        var damaged = PatientId.New();
        await house.Ring.CreateFor([damaged], default);
        await using (var connection = await house.KeyStore.Open(default))
        {
            await connection.Run("UPDATE patient_key SET wrapped = @wrapped WHERE patient = @patient", default, ("@wrapped", new byte[61]), ("@patient", damaged.Value));
        }

        (await house.Keys.Rotate(house.SetUp.Setup, "data", default)).ThrowIfRefused();
        Assert.False(await house.Keys.Advance(default));
        Assert.False(await house.Keys.Advance(default));

        Assert.Equal((2, 1L), ((await Status(house, "data")).Versions.Count, (await Status(house, "data")).ToMove));
        Assert.Equal("keys.unreadable", Assert.Single(await house.Entries("RETIRE_KEY")).Reason);
        await stock.Opens(house);

        // What is damaged does not stand in the way of the next rotation.
        Assert.Equal(3, (await house.Keys.Rotate(house.SetUp.Setup, "data", default)).Value);
        Assert.Equal("keys.rotating", (await house.Keys.Rotate(house.SetUp.Setup, "data", default)).Error!.Code);
        Assert.False(await house.Keys.Advance(default));
        Assert.Equal([3, 1], (await Status(house, "data")).Versions.Select(version => version.Version));
        await stock.Opens(house);
    }

    [Fact]
    public async Task Only_an_administrator_rotates_and_every_refusal_is_an_entry()
    {
        var house = await House();
        await house.Member("nina");
        var nurse = (await house.Enter("nina")).Actor;

        await Assert.ThrowsAsync<Refused>(() => house.Keys.Rotate(nurse, "data", default));
        Assert.Equal("keys.purpose-unknown", (await house.Keys.Rotate(house.SetUp.Setup, "everything", default)).Error!.Code);

        Assert.Equal(["access.role", "keys.purpose-unknown"], (await house.Entries("ROTATE_KEY")).Select(entry => entry.Reason));
        Assert.All(await house.Keys.Status(default), purpose => Assert.Single(purpose.Versions));
    }

    [Fact]
    public async Task Without_an_entry_there_is_no_new_version()
    {
        var house = await House();
        await Assert.ThrowsAsync<PowerCut>(() => house.Rotations.Begin(KeyPurpose.Data, _ => throw new PowerCut(), default));

        Assert.Single((await Status(house, "data")).Versions);
        Assert.Equal(1, await Count(house, "SELECT COUNT(*) FROM purpose_key WHERE purpose = 1"));
    }

    [Fact]
    public async Task The_schedule_rotates_what_is_due_and_says_that_it_was_the_schedule()
    {
        var house = await House();
        Assert.True(await house.Keys.Advance(default));
        Assert.Empty(await house.Entries("ROTATE_KEY"));

        house.Clock.Pass(TimeSpan.FromDays(182));
        Assert.True(await house.Keys.Advance(default));
        var entries = await house.Entries("ROTATE_KEY");
        Assert.Equal(["key:backup", "key:sync"], entries.Select(entry => entry.Resource));
        Assert.All(entries, entry => Assert.Equal(("system:keys", "version 1 -> 2, 0 under version 1, by the schedule of 182 days"), (entry.Actor, entry.Reason)));

        // Nobody counts what hangs from the backup key yet, so its old version stays; of the sync key there is nothing.
        Assert.Equal((2, 1), ((await Status(house, "backup")).Versions.Count, (await Status(house, "sync")).Versions.Count));
        Assert.Null((await Status(house, "backup")).Ciphertexts);

        house.Clock.Pass(TimeSpan.FromDays(183));
        await house.Keys.Advance(default);
        Assert.Equal(["key:data", "key:index", "key:audit", "key:pepper", "key:ring"], (await house.Entries("ROTATE_KEY")).Skip(2).Select(entry => entry.Resource).Where(name => name is not ("key:backup" or "key:sync")));
        // Nobody has said here what is recognised under the index key, so its old version stays too.
        Assert.Equal(2, (await Status(house, "index")).Versions.Count);
    }

    [Fact]
    public async Task The_schedule_may_be_made_shorter_at_once_and_longer_with_a_code_and_never_beyond_a_year()
    {
        var house = await House();
        await house.Member("boss", Role.Admin);
        var boss = (await house.Enter("boss")).Actor;

        Assert.Equal("keys.rotation-days", (await house.Keys.ChangeDays(boss, new KeyRotationDays(366, 182), default, default)).Error!.Code);
        Assert.Equal("keys.rotation-days", (await house.Keys.ChangeDays(boss, new KeyRotationDays(90, 20), default, default)).Error!.Code);
        Assert.Equal(new KeyRotationDays(90, 60), (await house.Keys.ChangeDays(boss, new KeyRotationDays(90, 60), default, default)).Value);
        Assert.Equal("factor.code", (await house.Keys.ChangeDays(boss, new KeyRotationDays(90, 61), new FactorProof("000000"), default)).Error!.Code);
        await house.Restart();
        Assert.Equal(new KeyRotationDays(90, 60), house.Keys.Days);
        house.Clock.Pass(TimeSpan.FromSeconds(30));
        boss = (await house.Enter("boss")).Actor;
        house.Clock.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal(new KeyRotationDays(365, 182), (await house.Keys.ChangeDays(boss, KeyRotationDays.Default, new FactorProof(house.Code("boss")), default)).Value);

        Assert.Equal("365 days, backup and sync 182 days -> 90 days, backup and sync 60 days", (await house.Entries("CHANGE_KEY_ROTATION")).First(entry => entry.Reason.Contains("->", StringComparison.Ordinal)).Reason);
        await house.Member("nina");
        var nurse = (await house.Enter("nina")).Actor;
        await Assert.ThrowsAsync<Refused>(() => house.Keys.ChangeDays(nurse, KeyRotationDays.Default, default, default));
    }

    [Fact]
    public async Task A_version_is_kept_for_as_long_as_a_room_counts_something_under_it()
    {
        var house = await House();
        var backups = 3L;
        house.Rotations.Register(new HangingKind(KeyPurpose.Backup, "backups", _ => Task.FromResult<IReadOnlyList<Hanging>>([new Hanging(1, backups)]), null));
        (await house.Keys.Rotate(house.SetUp.Setup, "backup", default)).ThrowIfRefused();

        Assert.True(await house.Keys.Advance(default));
        var waiting = (await Status(house, "backup")).Versions[1];
        Assert.Equal((1, 3L), (waiting.Version, waiting.Ciphertexts));
        Assert.Equal(waiting.Created, (await Status(house, "backup")).Oldest);
        Assert.Equal(32, house.Ring.Of(KeyPurpose.Backup, 1).Bytes.Length);

        backups = 0;
        Assert.True(await house.Keys.Advance(default));
        Assert.Equal(2, Assert.Single((await Status(house, "backup")).Versions).Version);
        Assert.Throws<SealBroken>(() => house.Ring.Of(KeyPurpose.Backup, 1));
    }

    private static Request Read(PatientRef patient) => new() { Action = "TEST", Purpose = Purpose.System, Patients = [patient], Reads = [SealedRow.Name] };

    private static async Task<KeyPurposeStatus> Status(IdentityHouse house, string purpose) => (await house.Keys.Status(default)).Single(one => one.Purpose == purpose);

    private static async Task<long> Left(IdentityHouse house) => (await house.Keys.Status(default)).Sum(one => one.ToMove);

    private static async Task<long> Count(IdentityHouse house, string sql)
    {
        await using var connection = await house.KeyStore.Open(default);
        return (long)(await connection.Scalar(sql, default))!;
    }

    /// <summary>Keys of patients, secrets and a phone, with what each of them was, so that it can be told whether they still are.</summary>
    private sealed class Stock
    {
        private readonly Lock gate = new();
        private readonly List<(PatientId Patient, byte[] Key)> patients = [];
        private readonly Dictionary<string, byte[]> secrets = new(StringComparer.Ordinal);

        public static async Task<Stock> Of(IdentityHouse house, int patients)
        {
            var stock = new Stock();
            foreach (var name in (string[])["one", "two", "three"])
            {
                stock.secrets[name] = RandomNumberGenerator.GetBytes(100);
                await house.Ring.PutSecret(KeyPurpose.Ring, name, stock.secrets[name], default);
            }

            stock.secrets["audit-signer"] = RandomNumberGenerator.GetBytes(60);
            await house.Ring.PutSecret(KeyPurpose.Audit, "audit-signer", stock.secrets["audit-signer"], default);
            await house.Member("boss", Role.Admin);
            await house.Enter("boss");
            await stock.Make(house, patients);
            return stock;
        }

        public Task Add(IdentityHouse house) => Make(house, 1);

        /// <summary>Everything is what it was.</summary>
        public async Task Opens(IdentityHouse house)
        {
            await Compare(house, Known());
            foreach (var (name, value) in secrets)
            {
                Assert.Equal(value, await house.Ring.Secret(name == "audit-signer" ? KeyPurpose.Audit : KeyPurpose.Ring, name, default));
            }

            Assert.Equal("boss", (await house.Enter("boss")).Actor.User);
        }

        public Task OpenSome(IdentityHouse house, int part) => Compare(house, [.. Known().Where((_, at) => at % 3 == part).Take(40)]);

        private static async Task Compare(IdentityHouse house, IReadOnlyList<(PatientId Patient, byte[] Key)> some)
        {
            using var held = house.Ring.Hold();
            var wrapped = await house.Ring.Load([.. some.Select(one => one.Patient)], remember: true, default);
            foreach (var (patient, hash) in some)
            {
                using var key = house.Ring.Unwrap(patient, wrapped[patient]);
                Assert.Equal(hash, SHA256.HashData(key.Material.Bytes));
            }
        }

        private async Task Make(IdentityHouse house, int count)
        {
            PatientId[] made = [.. Enumerable.Range(0, count).Select(_ => PatientId.New())];
            await house.Ring.CreateFor(made, default);
            using var held = house.Ring.Hold();
            foreach (var (patient, wrapped) in await house.Ring.Load(made, remember: false, default))
            {
                using var key = house.Ring.Unwrap(patient, wrapped);
                lock (gate)
                {
                    patients.Add((patient, SHA256.HashData(key.Material.Bytes)));
                }
            }
        }

        private List<(PatientId Patient, byte[] Key)> Known()
        {
            lock (gate)
            {
                return [.. patients];
            }
        }
    }
}

internal static class Outcomes
{
    public static void ThrowIfRefused<T>(this Result<T> result) => Assert.True(result.Ok, result.Error?.Code);
}

public sealed class RotationOnSqliteTests : RotationTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class RotationOnPostgresTests : RotationTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
