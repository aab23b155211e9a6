using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Tests.Vault.Integrations;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Keys;

/// <summary>
/// Patients' own keys change and everything under them is sealed anew (threat K7): cut off anywhere, everything opens; at the
/// end nothing is under an old key, and the old keys are gone.
/// </summary>
public abstract class PatientRotationTests : OnEveryDatabase
{
    [Fact]
    public async Task Interrupted_at_a_hundred_random_points_nothing_is_unreadable_and_nothing_stays_under_an_old_key()
    {
        var house = await House();
        var shelf = new Shelf();
        await Put(house, shelf, 90);
        string[] all = ["after a batch of keys", "after a piece", "before a piece", "before it is asked", "before new keys", "before retiring", "retired"];
        var ends = 0;
        house.Records = shelf;
        await house.Restart();
        await new PowerCuts(house, all).Fall(
            through: 5,
            steps: 9,
            async () =>
            {
                if (await house.Keys.PatientTurn(default) is null)
                {
                    await house.Keys.RotatePatients(house.SetUp.Setup, default);
                }

                ends += await house.Keys.Advance(default) ? 1 : 0;
            },
            async () =>
            {
                await Opens(house, shelf);
                if (PowerCuts.Chance(4) == 0)
                {
                    await Put(house, shelf, 3);
                }
            });

        Assert.True(ends > 3, $"{ends} rotations came to their end");
        await house.Restart();
        await Opens(house, shelf);
        Assert.Null(await house.Keys.PatientTurn(default));
        Assert.Equal(0, await Count(house, "SELECT COUNT(*) FROM patient_key_before"));
        await NothingUnderAnOldKey(house, shelf);
    }

    [Fact]
    public async Task An_act_that_had_taken_the_old_key_is_found_out_and_what_it_stored_is_sealed_anew()
    {
        var house = await House();
        var shelf = new Shelf();
        var patient = (await Put(house, shelf, 1))[0];
        house.Records = shelf;
        await house.Restart();
        var late = new SealedRow { PatientId = patient.Id };
        using (var writing = await house.Door.Open(Actor.Maker.System(SystemWork.Sample), Write(patient), default))
        {
            writing.Set(late, SealedRow.Name, "sealed before");
            (await house.Keys.RotatePatients(house.SetUp.Setup, default)).ThrowIfRefused();

            // The old key is held: it stays, whatever is left under it.
            Assert.False(await house.Keys.Advance(default));
            shelf.Add(late);
            Assert.Equal(1, (await house.Keys.PatientTurn(default))!.Older);

            // What this act reads or seals from here on is right too, although it began before.
            Assert.Equal("sealed before", await ReadBy(house, late));
            var after = new SealedRow { PatientId = patient.Id };
            writing.Set(after, SealedRow.Name, "sealed after");
            Assert.Equal(2, Envelope.ReadHeader(after.NameText.Envelope).KeyVersion);
            shelf.Add(after);
        }

        Assert.True(await house.Keys.Advance(default));
        Assert.Equal(0, await Count(house, "SELECT COUNT(*) FROM patient_key_before"));
        await NothingUnderAnOldKey(house, shelf);
        await Opens(house, shelf);
    }

    [Fact]
    public async Task A_cell_that_does_not_open_keeps_its_patients_old_key_and_nobody_elses()
    {
        var house = await House();
        var shelf = new Shelf();
        var patients = await Put(house, shelf, 5);
        house.Records = shelf;
        await house.Restart();
        var whole = shelf.Damage(patients[2].Id);

        (await house.Keys.RotatePatients(house.SetUp.Setup, default)).ThrowIfRefused();
        Assert.True(await house.Keys.Advance(default));
        Assert.Equal(1, (await house.Keys.PatientTurn(default))!.Older);
        Assert.Equal("keys.unreadable", Assert.Single(await house.Entries("RETIRE_KEY"), entry => entry.Outcome == Mangrove.Vault.Audit.AuditOutcome.Refused).Reason);

        // Put back as it was, it opens: its key was kept. The next rotation takes it along and ends.
        shelf.PutBack(patients[2].Id, whole);
        await Opens(house, shelf);
        (await house.Keys.RotatePatients(house.SetUp.Setup, default)).ThrowIfRefused();
        Assert.True(await house.Keys.Advance(default));
        Assert.Equal(0, await Count(house, "SELECT COUNT(*) FROM patient_key_before"));
        await Opens(house, shelf);
    }

    [Fact]
    public async Task The_data_key_rotates_beside_it_and_older_keys_go_along()
    {
        var house = await House();
        var shelf = new Shelf();
        await Put(house, shelf, 60);
        house.Records = shelf;
        await house.Restart();
        var pieces = 0;
        house.Between = step =>
        {
            if (step == "after a piece" && ++pieces == 2)
            {
                throw new PowerCut();
            }
        };
        (await house.Keys.RotatePatients(house.SetUp.Setup, default)).ThrowIfRefused();
        await Assert.ThrowsAsync<PowerCut>(() => house.Keys.Advance(default));
        house.Between = null;
        await house.Restart();
        Assert.Equal(60, (await house.Keys.PatientTurn(default))!.Older);

        (await house.Keys.Rotate(house.SetUp.Setup, "data", default)).ThrowIfRefused();
        Assert.True(await house.Rotations.Advance(default));
        Assert.Equal(0, await Count(house, "SELECT COUNT(*) FROM patient_key_before WHERE data_version <> 2"));
        await Opens(house, shelf);
        Assert.True(await house.Keys.Advance(default));
        await NothingUnderAnOldKey(house, shelf);
        await Opens(house, shelf);
    }

    [Fact]
    public async Task Only_an_administrator_begins_it()
    {
        var house = await House();
        await house.Member("nina");
        await Assert.ThrowsAsync<Refused>(async () => await house.Keys.RotatePatients((await house.Enter("nina")).Actor, default));
        Assert.Equal("access.role", Assert.Single(await house.Entries("ROTATE_KEY")).Reason);
        Assert.Null(await house.Keys.PatientTurn(default));
    }

    private static async Task<long> Count(IdentityHouse house, string sql)
    {
        await using var connection = await house.KeyStore.Open(default);
        return (long)(await connection.Scalar(sql, default))!;
    }

    private static Request Write(PatientRef patient) => new() { Action = "TEST", Purpose = Purpose.Portability, Patients = [patient], Writes = [SealedRow.Name], Creates = true };

    private static async Task<List<PatientRef>> Put(IdentityHouse house, Shelf shelf, int count)
    {
        var made = new List<PatientRef>();
        for (var n = 0; n < count; n++)
        {
            var patient = new PatientRef(PatientId.New(), $"P-{shelf.Count + 1:0000000}");
            var row = new SealedRow { PatientId = patient.Id };
            using var writing = await house.Door.Open(Actor.Maker.System(SystemWork.Sample), Write(patient), default);
            writing.Set(row, SealedRow.Name, $"Patient {patient.Mrn}");
            shelf.Add(row);
            made.Add(patient);
        }

        return made;
    }

    private static async Task<string?> ReadBy(IdentityHouse house, SealedRow row)
    {
        using var reading = await house.Door.Open(
            SystemActors.Index,
            new Request { Action = "TEST", Purpose = Purpose.System, Patients = [new PatientRef(row.PatientId, "P-1")], Reads = [SealedRow.Name] },
            default);
        return reading.Read(row, SealedRow.Name);
    }

    private static async Task Opens(IdentityHouse house, Shelf shelf)
    {
        var rows = shelf.All();
        using var reading = await house.Door.Open(
            SystemActors.Index,
            new Request { Action = "TEST", Purpose = Purpose.System, Patients = [.. rows.Select(row => row.PatientId).Distinct().Select(id => new PatientRef(id, "P-1"))], Reads = [SealedRow.Name] },
            default);
        foreach (var row in rows)
        {
            Assert.NotEmpty(reading.Read(row, SealedRow.Name)!);
        }
    }

    private static async Task NothingUnderAnOldKey(IdentityHouse house, Shelf shelf)
    {
        var rows = shelf.All();
        var keys = await house.Ring.Load([.. rows.Select(row => row.PatientId).Distinct()], remember: false, default);
        Assert.All(rows, row => Assert.Equal(keys[row.PatientId].Id, Envelope.ReadHeader(row.NameText.Envelope).KeyId));
        Assert.All(keys.Values, key => Assert.Null(key.Before));
    }
}

public sealed class PatientRotationOnSqliteTests : PatientRotationTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class PatientRotationOnPostgresTests : PatientRotationTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
