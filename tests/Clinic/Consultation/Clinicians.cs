using Mangrove.Clinic.Consultation;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Clinic.Consultation;

/// <summary>What the tests of consultation need again and again.</summary>
internal static class Clinicians
{
    public static async Task<(PatientRef Patient, Visit Visit, Actor Doctor)> Consult(this TestHospital hospital, string? doctor = null)
    {
        var (patient, visit) = await hospital.Arrive();
        var actor = await hospital.As(Role.Doctor, doctor);
        return (patient, (await hospital.Use<TakePatient>().Run(patient.Id, visit.Id, false, actor, default)).Value, actor);
    }

    public static ConsultationForm Note(string plan = "Rest and fluids.") =>
        new() { NoteId = Ids.New(), Opened = 1, Subjective = "Cough for four days.", Assessment = "Viral infection.", Plan = plan };

    public static PrescriptionDraft Line(string medicine, string frequency = "twice-daily", string days = "5", string quantity = "1", params (string Key, string Reason)[] reasons)
    {
        var found = MedicineCatalogue.Load().ByName(medicine) ?? throw new InvalidOperationException(medicine);
        return PrescribingSafety.NewLine("1", found, found.Products[0]) with
        {
            Frequency = frequency,
            Days = days,
            Quantity = quantity,
            Reasons = reasons.ToDictionary(pair => pair.Key, pair => pair.Reason, StringComparer.Ordinal),
        };
    }
}
