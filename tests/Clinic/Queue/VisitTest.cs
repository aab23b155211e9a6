using Mangrove.Clinic.Queue;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Queue;

public sealed class VisitTest
{
    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Two_desks_that_open_a_visit_of_one_patient_at_once_open_one(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var patient = await hospital.Register();
        var desk = await hospital.As(Role.FrontDesk);
        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => hospital.Use<OpenVisit>().Run(patient.Id, VisitKind.Outpatient, desk, default))));

        Assert.Single(results, result => result.Ok);
        Assert.All(results.Where(result => !result.Ok), result => Assert.Equal(OpenVisit.AlreadyOpen, result.Error?.Code));
        await using var clinic = hospital.Clinic();
        Assert.Equal(1, await clinic.Visits.CountAsync(visit => visit.PatientId == patient.Id));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_visit_closed_under_another_patients_address_stays_open(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var desk = await hospital.As(Role.FrontDesk);
        var (_, visit) = await hospital.Arrive();
        var (other, _) = await hospital.Arrive();

        Assert.Equal("not-found", (await hospital.Use<CloseVisit>().Run(other.Id, visit.Id, desk, default)).Error?.Code);
        await using var clinic = hospital.Clinic();
        Assert.Equal(VisitStatus.Arrived, (await clinic.Visits.FindAsync(visit.Id))!.Status);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task The_arrivals_show_who_came_and_the_board_shows_tokens_alone(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var desk = await hospital.As(Role.FrontDesk);
        var (patient, visit) = await hospital.Arrive();
        var (_, left) = await hospital.Arrive();
        Assert.True((await hospital.Use<CloseVisit>().Run(left.PatientId, left.Id, desk, default)).Ok);

        var arrivals = await hospital.Use<ListArrivals>().Run(desk, refresh: false, default);
        Assert.Equal(2, arrivals.Count);
        Assert.Equal(patient.Mrn, arrivals[0].Patient.Mrn);
        Assert.Equal(AdministrativeSex.Female, arrivals[0].Person.Sex);
        var line = Assert.Single(await hospital.Use<ShowBoard>().Run(default));
        Assert.Equal(new ShowBoard.Line(visit.Token, VisitKind.Outpatient, VisitStatus.Arrived, visit.ArrivedAt), line);

        var entry = Assert.Single(await hospital.Entries("VIEW_WORKLIST"));
        Assert.Equal("worklist:arrivals", entry.Resource);
        Assert.Equal(2, entry.Patients.Count);
    }

    [Fact]
    public async Task Tokens_begin_again_with_the_hospitals_day()
    {
        await using var hospital = await TestHospital.New(StorageKind.Sqlite);
        var (_, first) = await hospital.Arrive();
        var (_, second) = await hospital.Arrive();
        hospital.Clock.Pass(TimeSpan.FromDays(1));
        var (_, third) = await hospital.Arrive();
        Assert.Equal((1, 2, 1), (first.Token, second.Token, third.Token));
    }
}
