using Mangrove.Clinic.Records;
using Mangrove.Clinic.Registration;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Index;

namespace Mangrove.Tests.Clinic.Registration;

public sealed class DuplicateGuardTest
{
    private static readonly BirthAndSex Born = new("1967-03-14", AdministrativeSex.Female);
    private static readonly ContactDetails Phone = new() { Phones = ["0722 418 093"] };

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Somebody_very_like_a_registered_patient_is_registered_only_with_a_reason_and_the_log_keeps_its_code(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var desk = await hospital.As(Role.FrontDesk);
        var first = new RegisterPatient.Form(PatientId.New(), new PersonName("Hassan", ["Amina", "Salim"]), Born, Phone, null);
        Assert.True((await hospital.Use<RegisterPatient>().Run(first, desk, default)).Ok);

        var again = first with { Id = PatientId.New(), Name = new PersonName("Hassan", ["Aminah", "Saleem"]) };
        var refused = await hospital.Use<RegisterPatient>().Run(again, desk, default);
        Assert.Equal(RegisterPatient.Duplicate, refused.Error?.Code);

        var free = await hospital.Use<RegisterPatient>().Run(again with { NotTheSameBecause = "because I say so" }, desk, default);
        Assert.Equal(RegisterPatient.Duplicate, free.Error?.Code);

        var patient = (await hospital.Use<RegisterPatient>().Run(again with { NotTheSameBecause = "relative" }, desk, default)).Value;
        var entry = Assert.Single(await hospital.Entries(patient, "REGISTER_PATIENT"));
        Assert.Equal("duplicate overridden: relative", entry.Reason);
    }

    [Fact]
    public async Task The_guard_scores_candidates_and_says_how_each_part_fits()
    {
        await using var hospital = await TestHospital.New(StorageKind.Sqlite);
        var desk = await hospital.As(Role.FrontDesk);
        await hospital.Use<RegisterPatient>().Run(new RegisterPatient.Form(PatientId.New(), new PersonName("Hassan", ["Amina"]), Born, Phone, null), desk, default);

        var hits = await hospital.Use<FindLike>().Run(new PersonName("Hassan", ["Aminah"]), new BirthAndSex("1967-03", AdministrativeSex.Female), "0722418093", desk, default);

        var hit = Assert.Single(hits);
        Assert.True(hit.Score >= RegisterPatient.ProbableDuplicate, $"scored {hit.Score}");
        Assert.Equal(Fit.Same, hit.Evidence.Family);
        Assert.Equal(Fit.SoundsAlike, hit.Evidence.Given);
        Assert.Equal(Fit.Partly, hit.Evidence.Born);
        Assert.Equal(Fit.Same, hit.Evidence.Phone);
    }

    [Fact]
    public async Task One_letter_asks_nobody()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        Assert.Empty(await hospital.Use<FindLike>().Run(new PersonName("H", []), new BirthAndSex(null, AdministrativeSex.Unknown), null, await hospital.As(Role.FrontDesk), default));
    }
}
