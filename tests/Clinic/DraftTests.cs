using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic;

public sealed class DraftTests
{
    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task An_old_draft_does_not_open_in_the_one_that_came_after_it(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var nurse = await hospital.As(Role.Nurse);
        var (patient, visit) = await hospital.Arrive();
        var place = new DraftBox.Place(DraftKind.Triage, patient.Id, patient.Mrn, visit.Id);
        await hospital.Use<DraftBox>().Save(place, "what was given up", nurse, default);
        Guid first;
        Sealed<string> kept;
        await using (var clinic = hospital.Clinic())
        {
            var draft = await clinic.Drafts.SingleAsync(row => row.PatientId == patient.Id);
            (first, kept) = (draft.Id, draft.Content);
            clinic.Drafts.Remove(draft);
            await clinic.SaveChangesAsync();
        }

        await hospital.Use<DraftBox>().Save(place, "what is written now", nurse, default);
        await using (var clinic = hospital.Clinic())
        {
            var draft = await clinic.Drafts.SingleAsync(row => row.PatientId == patient.Id);
            Assert.NotEqual(first, draft.Id);
            draft.Content = kept;
            await clinic.SaveChangesAsync();
        }

        await Assert.ThrowsAsync<SealBroken>(() => hospital.Use<DraftBox>().Open(place, nurse, default));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite, true)]
    [InlineData(StorageKind.Sqlite, false)]
    [InlineData(StorageKind.Postgres, true)]
    [InlineData(StorageKind.Postgres, false)]
    public async Task First_saves_at_once_leave_one_draft(StorageKind kind, bool ofVisit)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        var actor = await hospital.As(ofVisit ? Role.Nurse : Role.FrontDesk);
        var place = ofVisit
            ? new DraftBox.Place(DraftKind.Triage, patient.Id, patient.Mrn, visit.Id)
            : new DraftBox.Place(DraftKind.Registration, PatientId.New(), "", null);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(number => Task.Run(() => hospital.Use<DraftBox>().Save(place, $"save {number}", actor, default))));

        await using var clinic = hospital.Clinic();
        Assert.Equal(1, await clinic.Drafts.CountAsync(row => row.PatientId == place.Patient));
        Assert.StartsWith("save ", (await hospital.Use<DraftBox>().Open(place, actor, default))!.Value.Content, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite, false)]
    [InlineData(StorageKind.Sqlite, true)]
    [InlineData(StorageKind.Postgres, false)]
    [InlineData(StorageKind.Postgres, true)]
    public async Task An_act_takes_its_draft_away_though_the_page_kept_it_once_more_meanwhile(StorageKind kind, bool inTransaction)
    {
        var hospital = await TestHospital.Shared(kind);
        var nurse = await hospital.As(Role.Nurse);
        var (patient, visit) = await hospital.Arrive();
        var place = new DraftBox.Place(DraftKind.Triage, patient.Id, patient.Mrn, visit.Id);
        await hospital.Use<DraftBox>().Save(place, "as it was read", nurse, default);
        await using var act = hospital.Clinic();
        act.Drafts.Remove(await act.Drafts.SingleAsync(row => row.PatientId == patient.Id));
        await hospital.Use<DraftBox>().Save(place, "kept once more", nurse, default);

        if (inTransaction)
        {
            await using var held = await act.HoldVisit(visit.Id, default);
            await act.SaveChangesAsync();
            await held.CommitAsync();
        }
        else
        {
            await act.SaveChangesAsync();
        }

        await using var clinic = hospital.Clinic();
        Assert.Equal(0, await clinic.Drafts.CountAsync(row => row.PatientId == patient.Id));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_draft_that_is_gone_already_is_no_reason_to_refuse_the_act(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var nurse = await hospital.As(Role.Nurse);
        var (patient, visit) = await hospital.Arrive();
        var place = new DraftBox.Place(DraftKind.Triage, patient.Id, patient.Mrn, visit.Id);
        await hospital.Use<DraftBox>().Save(place, "given up twice", nurse, default);
        await using var first = hospital.Clinic();
        await using var second = hospital.Clinic();
        foreach (var clinic in new[] { first, second })
        {
            clinic.Drafts.Remove(await clinic.Drafts.SingleAsync(row => row.PatientId == patient.Id));
        }

        await first.SaveChangesAsync();
        await second.SaveChangesAsync();

        await using var after = hospital.Clinic();
        Assert.Equal(0, await after.Drafts.CountAsync(row => row.PatientId == patient.Id));
    }
}
