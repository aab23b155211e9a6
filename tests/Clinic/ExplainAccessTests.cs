using Mangrove.Clinic.Find;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;

namespace Mangrove.Tests.Clinic;

public sealed class ExplainAccessTests
{
    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task An_administrator_is_told_why_a_colleague_may_read_something_or_may_not(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, _) = await hospital.Arrive();
        var admin = await hospital.As(Role.Admin);
        var (nurse, cashier) = (await hospital.As(Role.Nurse), await hospital.As(Role.Cashier));

        var allergies = await Ask(nurse.User, patient.Mrn, "allergies");
        Assert.True(allergies.Value.Allowed);
        Assert.Equal(["account", "device", "record"], allergies.Value.Reasons.Select(reason => reason.What));
        Assert.EndsWith("and the patient is in care here now.", allergies.Value.Reasons[^1].Reason, StringComparison.Ordinal);

        var note = await Ask(nurse.User, patient.Mrn, "note");
        Assert.False(note.Value.Allowed);
        Assert.Equal("access.role", note.Value.Reasons[^1].Refusal!.Code);

        // Neither in care nor known here: the two answers are the same.
        var elsewhere = await hospital.Register();
        Assert.Equal("access.not-in-care", (await Ask(nurse.User, elsewhere.Mrn, "allergies")).Value.Reasons[^1].Refusal!.Code);
        Assert.Equal("access.not-in-care", (await Ask(nurse.User, Mrn.FromSequence(9_999_999).ToString(), "allergies")).Value.Reasons[^1].Refusal!.Code);
        Assert.True((await Ask(cashier.User, elsewhere.Mrn, "name")).Value.Allowed);

        Assert.Equal("policy.user", (await Ask("nobody.here", patient.Mrn, "note")).Error!.Code);
        Assert.Equal("policy.field", (await Ask(nurse.User, patient.Mrn, "shoe-size")).Error!.Code);
        Assert.Equal("patient.number", (await Ask(nurse.User, "P-1", "note")).Error!.Code);
        Assert.Equal("device.unknown", (await hospital.Use<ExplainAccess>().Run(new ExplainAccess.Form(nurse.User, "Nowhere-1", patient.Mrn, "note"), admin, default)).Error!.Code);
        Assert.All(await hospital.Entries(patient, "EXPLAIN_POLICY"), entry => Assert.Equal((admin.User, AuditOutcome.Allowed), (entry.Actor, entry.Outcome)));

        Task<Result<ExplainAccess.Answer>> Ask(string user, string mrn, string field) => hospital.Use<ExplainAccess>().Run(new ExplainAccess.Form(user, "", mrn, field), admin, default);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Nobody_else_is_told(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, _) = await hospital.Arrive();
        var doctor = await hospital.As(Role.Doctor);
        var nurse = await hospital.As(Role.Nurse);

        var refused = await Assert.ThrowsAsync<Refused>(() => hospital.Use<ExplainAccess>().Run(new ExplainAccess.Form(nurse.User, "", patient.Mrn, "note"), doctor, default));

        Assert.Equal("access.role", refused.Code);
        Assert.Equal(AuditOutcome.Refused, Assert.Single(await hospital.Entries(patient, "EXPLAIN_POLICY")).Outcome);
    }
}
