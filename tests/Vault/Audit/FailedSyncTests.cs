using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;
using Mangrove.Vault.Keys;
using Mangrove.Vault.Storage;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>
/// The disk does not confirm what was written (a failed fsync), before or after the bytes reached it: nobody gets a
/// receipt, the door stays shut and says why, and the log goes on whole when the disk answers again (threats A5, A6).
/// </summary>
public sealed class FailedSyncTests
{
    // https://www.sqlite.org/rescode.html
    private const int FailedSync = 1034;

    public enum Moment
    {
        BeforeTheWrite,
        AfterTheWrite,
    }

    [Theory]
    [InlineData(Moment.BeforeTheWrite)]
    [InlineData(Moment.AfterTheWrite)]
    public async Task A_failed_fsync_gives_no_receipt_and_shuts_the_door_until_the_log_was_read_again(Moment moment)
    {
        await using var home = new SqliteHome();
        var disk = new FailingDisk(home.Store(), moment);

        // Long enough that only the test decides when the log is tried again.
        await using var log = await AuditLog.Open(disk, home.Facility, home.Signer, home.Anchors, TimeProvider.System, Ids.New(), new AuditOptions { ProbeEvery = TimeSpan.FromMinutes(1) });
        Assert.Equal(1, (await log.Append(AuditHome.Act())).Seq);

        disk.Fails = true;
        var refused = await Assert.ThrowsAsync<AuditUnavailable>(async () => await log.Append(AuditHome.Act(1)));
        Assert.Equal("audit.unavailable", refused.Code);
        Assert.Contains("check the disk", refused.Message, StringComparison.Ordinal);
        Assert.Equal(refused.Message, log.Failure!.Message);
        Assert.Equal(1, log.Newest!.Size);

        disk.Fails = false;
        await Assert.ThrowsAsync<AuditUnavailable>(async () => await log.Append(AuditHome.Act(2)));
        Assert.True(await log.Recover());

        // What reached the disk without a receipt stays in the log: it says more than happened, never less.
        var kept = moment == Moment.AfterTheWrite ? 2 : 1;
        Assert.Equal(kept, log.Newest!.Size);
        Assert.Equal(kept + 1, (await log.Append(AuditHome.Act(3))).Seq);
        Assert.Empty((await log.Verify()).Problems);
    }

    [Theory]
    [InlineData(Moment.BeforeTheWrite)]
    [InlineData(Moment.AfterTheWrite)]
    public async Task The_door_opens_nothing_while_the_disk_does_not_confirm_its_entry(Moment moment)
    {
        await using var home = new SqliteHome();
        var disk = new FailingDisk(home.Store(), moment);
        await using var log = await AuditLog.Open(disk, home.Facility, home.Signer, home.Anchors, TimeProvider.System, Ids.New());
        using var root = KeyMaterial.Generate();
        var store = new Store(StorageOptions.Sqlite(home.Folder), "keys");
        await KeyRing.Create(store, root, TimeProvider.System, default);
        using var keys = await KeyRing.Open(store, root, TimeProvider.System, default);
        using var index = new PatientIndex();
        var standings = new Standings();
        var door = new Door(new Grant.Policy(new Everybody(), standings, TimeProvider.System), new Receipt.Log(log, standings), keys, index, home.Facility);
        var sample = Actor.Maker.System(SystemWork.Sample);
        var patient = new PatientRef(PatientId.New(), "P-1000007");
        var request = new Request { Action = "WRITE_SAMPLE", Purpose = Purpose.Portability, Patients = [patient], Creates = true };

        disk.Fails = true;
        Assert.Equal("audit.unavailable", (await Assert.ThrowsAsync<AuditUnavailable>(() => door.Open(sample, request, default))).Code);

        // Not even a key was made for the patient of an act that is not in the log.
        Assert.Equal(0, (await keys.PatientKeys(default)).Sum(one => one.Count));
        disk.Fails = false;
        Assert.True(await log.Recover());
        using (var opening = await door.Open(sample, request, default))
        {
            Assert.True(opening.Covers(patient.Id));
        }

        Assert.Equal(1, (await keys.PatientKeys(default)).Sum(one => one.Count));
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    private sealed class Everybody : ICareRelationships
    {
        public Task<IReadOnlySet<PatientId>> InCare(IReadOnlyCollection<PatientId> patients, TimeSpan window, DateTimeOffset now, CancellationToken cancel) =>
            Task.FromResult<IReadOnlySet<PatientId>>(new HashSet<PatientId>(patients));
    }

    /// <summary>A real store whose disk reports a failed fsync while it is told to.</summary>
    private sealed class FailingDisk(AuditStore real, Moment moment) : AuditStore
    {
        public bool Fails { get; set; }

        public override Task<LogIdentity?> Open(Guid facility, bool mayCreate, CancellationToken cancellation) => real.Open(facility, mayCreate, cancellation);

        public override async Task Commit(AuditBatch batch)
        {
            if (!Fails || moment == Moment.AfterTheWrite)
            {
                await real.Commit(batch);
            }

            if (Fails)
            {
                throw new SqliteFault(FailedSync, "disk I/O error");
            }
        }

        public override Task Close() => real.Close();

        public override AuditSource Read() => real.Read();

        public override string Advice(Exception failure) => real.Advice(failure);

        public override ValueTask DisposeAsync() => real.DisposeAsync();
    }
}
