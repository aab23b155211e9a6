using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic;

/// <summary>Each act that the log announces has its record or an entry that says there is none, and never both (threat A6).</summary>
public sealed class ActMarksTests
{
    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task An_act_without_a_record_is_said_once_and_one_with_a_record_never(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var nurse = await hospital.As(Role.Nurse);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Use<DraftBox>().Save(Place(patient, visit), "kept", nurse, default);
        long recorded;
        await using (var clinic = hospital.Clinic())
        {
            recorded = (await clinic.Drafts.AsNoTracking().SingleAsync(row => row.PatientId == patient.Id)).EntrySeq;
        }

        // Granted, written into the log, and then nothing: as if the power went between the two databases.
        long bare;
        using (var opening = await Begin(hospital, nurse, patient))
        {
            bare = opening.EntrySeq;
        }

        var marks = new ActMarks(hospital.Clinics);
        await Settle(hospital, marks, bare);
        await hospital.Vault.Acts.Settle(marks, default);

        var said = Assert.Single(await Said(hospital, bare));
        Assert.Equal(("system:settlement", "SAVE_DRAFT"), (said.Actor, said.Reason));
        Assert.Equal(patient.Id.Value, Assert.Single(said.Patients));
        Assert.Empty(await Said(hospital, recorded));
        Assert.DoesNotContain(recorded, await marks.Committed(0, default));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Of_an_act_under_way_nothing_is_said_until_it_has_ended(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var nurse = await hospital.As(Role.Nurse);
        var (patient, visit) = await hospital.Arrive();
        var marks = new ActMarks(hospital.Clinics);
        long slow, late;
        using (var opening = await Begin(hospital, nurse, patient))
        {
            slow = opening.EntrySeq;
            await hospital.Use<DraftBox>().Save(Place(patient, visit), "meanwhile", nurse, default);
            await hospital.Vault.Acts.Settle(marks, default);
            Assert.Empty(await Said(hospital, slow));
            Assert.True(await marks.Settled(default) < slow);

            await using var clinic = hospital.Clinic();
            var draft = await clinic.Drafts.SingleAsync(row => row.PatientId == patient.Id);
            late = draft.EntrySeq;
            opening.Set(draft, Draft.ContentField, "and this too");
            await clinic.SaveChangesAsync();
        }

        await Settle(hospital, marks, late);
        Assert.Empty(await Said(hospital, slow));
        Assert.Empty(await Said(hospital, late));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_commit_that_fails_leaves_no_mark_and_one_by_the_swift_writer_does(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var nurse = await hospital.As(Role.Nurse);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Use<DraftBox>().Save(Place(patient, visit), "first", nurse, default);
        long failed, swift;
        await using (var clinic = hospital.Clinic())
        {
            // A second draft at the same place is what the database itself refuses.
            using var opening = await Begin(hospital, nurse, patient);
            failed = opening.EntrySeq;
            clinic.Drafts.Add(Sealed(opening, patient, visit.Id, nurse.Staff));
            await Assert.ThrowsAnyAsync<DbUpdateException>(() => clinic.SaveChangesAsync());
        }

        await using (var clinic = hospital.Clinic())
        {
            using var opening = await Begin(hospital, nurse, patient);
            swift = opening.EntrySeq;
            await RowWriter.Insert(clinic, [Sealed(opening, patient, null, nurse.Staff)], default);
        }

        var marks = new ActMarks(hospital.Clinics);
        await Settle(hospital, marks, swift);
        Assert.Single(await Said(hospital, failed));
        Assert.Empty(await Said(hospital, swift));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task What_was_said_before_a_crash_is_not_said_again(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var nurse = await hospital.As(Role.Nurse);
        var (patient, _) = await hospital.Arrive();
        long bare;
        using (var opening = await Begin(hospital, nurse, patient))
        {
            bare = opening.EntrySeq;
        }

        var marks = new ActMarks(hospital.Clinics);
        var cut = new CutOff(marks, bare);
        await Assert.ThrowsAsync<IOException>(() => Settle(hospital, cut, bare));
        Assert.Single(await Said(hospital, bare));
        await Settle(hospital, marks, bare);
        Assert.Single(await Said(hospital, bare));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Looks_refusals_and_trial_runs_announce_no_record(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var nurse = await hospital.As(Role.Nurse);
        var cashier = await hospital.As(Role.Cashier);
        var (patient, _) = await hospital.Arrive();
        var look = new Request { Action = "TEST_LOOK", Purpose = Purpose.Treatment, Patients = [patient], Reads = [Patient.NameField] };
        (await hospital.Vault.Door.Open(nurse, look, default)).Dispose();
        await Assert.ThrowsAsync<Refused>(() => hospital.Vault.Door.Open(cashier, Write(patient) with { Action = "TEST_REFUSED" }, default));
        (await hospital.Vault.Door.Open(nurse, Write(patient) with { Action = "TEST_TRIAL", DryRun = true }, default)).Dispose();
        (await hospital.Vault.Door.Open(nurse, Write(patient) with { Action = "TEST_WRITE" }, default)).Dispose();

        var entries = (await hospital.Vault.Review.List(await hospital.As(Role.Admin), new AuditFilter { Patient = patient.Id.Value }, patient.Mrn, default))
            .Where(entry => entry.Action.StartsWith("TEST_", StringComparison.Ordinal))
            .ToDictionary(entry => entry.Action, entry => entry.Records, StringComparer.Ordinal);
        Assert.Equal(4, entries.Count);
        Assert.Equal("TEST_WRITE", Assert.Single(entries, one => one.Value).Key);
    }

    /// <summary>The hospital is shared: acts of other tests that are under way hold the comparison back for a moment.</summary>
    private static async Task Settle(TestHospital hospital, IActMarks marks, long past)
    {
        var patience = TimeProvider.System.GetTimestamp();
        while (await marks.Settled(default) < past)
        {
            await hospital.Vault.Acts.Settle(marks, default);
            Assert.True(TimeProvider.System.GetElapsedTime(patience) < TimeSpan.FromMinutes(1), "An act of another test never ends.");
            await Task.Yield();
        }
    }

    private static Request Write(PatientRef patient) =>
        new() { Action = "SAVE_DRAFT", Purpose = Purpose.Treatment, Patients = [patient], Writes = [Draft.ContentField.As(Draft.CategoryOf(DraftKind.Triage))] };

    private static Task<Opening> Begin(TestHospital hospital, Mangrove.Vault.Identity.Actor nurse, PatientRef patient) => hospital.Vault.Door.Open(nurse, Write(patient), default);

    private static DraftBox.Place Place(PatientRef patient, Visit visit) => new(DraftKind.Triage, patient.Id, patient.Mrn, visit.Id);

    private static Draft Sealed(Opening opening, PatientRef patient, Guid? visit, StaffId by)
    {
        var draft = new Draft { PatientId = patient.Id, Kind = DraftKind.Triage, VisitId = visit, By = by };
        opening.Set(draft, Draft.ContentField, "second");
        return draft;
    }

    private static async Task<IReadOnlyList<AuditEntry>> Said(TestHospital hospital, long entry)
    {
        var admin = await hospital.As(Role.Admin);
        var all = await hospital.Vault.Review.List(admin, new AuditFilter { Action = ActComparison.NothingRecorded }, null, default);
        return [.. all.Where(one => one.Resource == FormattableString.Invariant($"entry:{entry}"))];
    }

    /// <summary>The power goes before it is kept how far the comparison came.</summary>
    private sealed class CutOff(IActMarks marks, long past) : IActMarks
    {
        public Task<long> Settled(CancellationToken cancel) => marks.Settled(cancel);

        public Task<IReadOnlySet<long>> Committed(long after, CancellationToken cancel) => marks.Committed(after, cancel);

        public Task Settle(long upTo, CancellationToken cancel) => upTo < past ? marks.Settle(upTo, cancel) : throw new IOException();
    }
}
