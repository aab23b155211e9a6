using System.Net;
using System.Text.Json;
using Mangrove.Api;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Tests.Clinic;
using Mangrove.Vault;
using Mangrove.Vault.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mangrove.Tests.Portability.Exchange;

/// <summary>FHIR over HTTP, asked by each of the seven roles. Sign-in is the web room's and stands in its own tests; here the actor is given.</summary>
public sealed class FhirApiTests : IAsyncLifetime
{
    private readonly HttpClient http = new();
    private TestHospital hospital = null!;
    private WebApplication server = null!;
    private PatientRef inCare;
    private PatientRef stranger;
    private Dictionary<ObservationKind, Guid> observations = null!;

    public static TheoryData<Role> Roles => [.. Enum.GetValues<Role>()];

    public async ValueTask InitializeAsync()
    {
        hospital = await TestHospital.Shared(StorageKind.Sqlite);
        (inCare, var visit) = await hospital.Arrive();
        observations = await WrittenHere.Fill(hospital, inCare, visit.Id);
        stranger = await hospital.Register();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(hospital.Clock).AddSingleton(hospital.Vault).AddSingleton(hospital.Door)
            .AddSingleton<IDbContextFactory<ClinicContext>>(hospital.Clinics).AddSingleton(hospital.Events).AddSingleton(new DiagnosisList(null)).AddMangroveClinic();
        server = builder.Build();
        server.Use(async (request, next) =>
        {
            request.Features.Set(new SignedInActor(await hospital.As(RoleNames.Parse(request.Request.Headers["X-Role"]).Value)));
            await next(request);
        });
        server.MapMangroveApi();
        await server.StartAsync();
        http.BaseAddress = new Uri(server.Urls.First());
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await server.DisposeAsync();
    }

    [Theory, MemberData(nameof(Roles))]
    public async Task A_patient_shows_the_parts_of_the_role_and_no_other(Role role)
    {
        var (status, body) = await Get(role, $"Patient/{inCare.Id.Value:D}");
        if (role == Role.Admin)
        {
            Assert.Equal(HttpStatusCode.NotFound, status);
            return;
        }

        Assert.Equal(HttpStatusCode.OK, status);
        using var json = JsonDocument.Parse(body);
        Assert.True(json.RootElement.TryGetProperty("name", out _));
        Assert.Equal(role != Role.Cashier, json.RootElement.TryGetProperty("birthDate", out _));
        var contact = role is Role.FrontDesk or Role.Nurse or Role.Doctor;
        Assert.Equal(contact, json.RootElement.TryGetProperty("telecom", out _));
        Assert.Equal(contact, json.RootElement.TryGetProperty("address", out _));
        Assert.Equal(contact, body.Contains("A123", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Roles))]
    public async Task Observations_are_those_that_the_role_reads(Role role)
    {
        ObservationKind[] expected = role switch
        {
            Role.Doctor => [ObservationKind.Vital, ObservationKind.BodyMeasure, ObservationKind.Laboratory, ObservationKind.Other],
            Role.Nurse => [ObservationKind.Vital, ObservationKind.BodyMeasure],
            Role.Pharmacist => [ObservationKind.BodyMeasure],
            Role.LabTech => [ObservationKind.Laboratory],
            _ => [],
        };
        var (status, body) = await Get(role, $"Observation?patient={inCare.Id.Value:D}");
        Assert.Equal(expected.Length == 0 ? HttpStatusCode.NotFound : HttpStatusCode.OK, status);
        foreach (var (kind, id) in observations)
        {
            Assert.Equal(expected.Contains(kind), body.Contains(id.ToString("D"), StringComparison.Ordinal));
        }

        Assert.Equal(role == Role.Doctor, body.Contains("Encounter/", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Roles))]
    public async Task What_may_not_be_seen_is_answered_like_what_does_not_exist(Role role)
    {
        var nobody = PatientId.New().Value.ToString("D");
        var (absent, nothing) = await Get(role, $"Patient/{nobody}");
        Assert.Equal(HttpStatusCode.NotFound, absent);
        Assert.Equal((absent, nothing), await Get(role, $"Observation?patient={nobody}"));
        Assert.Equal((absent, nothing), await Get(role, "Patient/not-an-id"));
        Assert.Equal((absent, nothing), await Get(role, $"Medication/{nobody}"));
        if (role is not (Role.FrontDesk or Role.Cashier))
        {
            Assert.Equal((absent, nothing), await Get(role, $"Patient/{stranger.Id.Value:D}"));
        }

        Assert.Equal((absent, nothing), await Get(role, $"Observation?patient={stranger.Id.Value:D}"));
    }

    [Fact]
    public async Task A_search_is_narrowed_by_category_and_code()
    {
        var patient = inCare.Id.Value.ToString("D");
        Assert.Equal(2, await Total($"Observation?patient={patient}&category=vital-signs"));
        Assert.Equal(3, await Total($"Observation?patient=Patient/{patient}&category=vital-signs,laboratory"));
        Assert.Equal(1, await Total($"Observation?patient={patient}&code=http://loinc.org%7C718-7"));
        Assert.Equal(0, await Total($"Observation?patient={patient}&code=http://snomed.info/sct%7C718-7"));
        Assert.Equal(0, await Total($"Observation?patient={patient}&category=laboratory&code=29463-7"));
    }

    [Theory]
    [InlineData("Observation")]
    [InlineData("Observation?patient=")]
    [InlineData("Observation?patient=a&patient=b")]
    [InlineData("Observation?patient=a&date=2020")]
    [InlineData("Observation?patient=a&code=")]
    [InlineData("Patient/a?_elements=name")]
    public async Task A_question_that_is_not_understood_is_refused_and_not_half_answered(string address)
    {
        var (status, body) = await Get(Role.Doctor, address);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("OperationOutcome", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_answer_is_one_entry_that_names_the_fields()
    {
        var before = (await hospital.Entries(inCare, "FHIR_READ")).Count;
        await Get(Role.Cashier, $"Patient/{inCare.Id.Value:D}");
        var entries = await hospital.Entries(inCare, "FHIR_READ");
        Assert.Equal(before + 1, entries.Count);
        Assert.Equal(["name"], entries[^1].FieldsAccessed);
    }

    [Fact]
    public async Task The_statement_of_capabilities_and_every_answer_are_valid_R4()
    {
        using var scratch = new Scratch();
        var answers = new[]
        {
            (await Get(Role.Doctor, "metadata")).Body,
            (await Get(Role.Doctor, $"Patient/{inCare.Id.Value:D}")).Body,
            (await Get(Role.Cashier, $"Patient/{inCare.Id.Value:D}")).Body,
            (await Get(Role.Doctor, $"Observation?patient={inCare.Id.Value:D}")).Body,
            (await Get(Role.Admin, $"Patient/{inCare.Id.Value:D}")).Body,
        };
        var verdict = FhirCheck.Validate(scratch.Write("answers.ndjson", string.Join('\n', answers) + "\n"));
        Assert.Equal(answers.Length, verdict.Resources);
        Assert.Empty(verdict.Problems);
    }

    private async Task<int> Total(string address)
    {
        using var json = JsonDocument.Parse((await Get(Role.Doctor, address)).Body);
        return json.RootElement.GetProperty("total").GetInt32();
    }

    private async Task<(HttpStatusCode Status, string Body)> Get(Role role, string address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/fhir/R4/" + address, UriKind.Relative));
        request.Headers.Add("X-Role", role.Slug());
        using var response = await http.SendAsync(request);
        Assert.Equal("application/fhir+json", response.Content.Headers.ContentType?.MediaType);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
