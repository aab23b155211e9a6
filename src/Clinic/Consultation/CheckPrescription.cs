using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Consultation;

/// <summary>Holds the lines that are being written against the patient, before anything is signed.</summary>
public sealed class CheckPrescription(ClinicContext clinic, Door door, ConsultationDraft draft, TimeProvider clock)
{
    /// <param name="Lines">The lines with what was found at each.</param>
    /// <param name="Picture">What they were held against.</param>
    /// <param name="Name">Who it is for: the button that signs names the patient.</param>
    /// <param name="Person">Likewise.</param>
    public sealed record Checked(IReadOnlyList<CheckedLine> Lines, SafetyPicture Picture, PersonName Name, BirthAndSex? Person)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Checked);
    }

    /// <summary>Checks the lines of a form that is being written.</summary>
    public Task<Result<Checked>> Run(PatientId patientId, Guid visitId, IReadOnlyList<PrescriptionDraft> drafts, Actor actor, CancellationToken cancel) =>
        Run(patientId, visitId, drafts, null, actor, cancel);

    /// <summary>Keeps the form as a draft and checks its lines: one act of the writer, and one entry.</summary>
    /// <returns>The lines, or the codes of <see cref="ConsultationDraft.Save"/>.</returns>
    public Task<Result<Checked>> Keep(PatientId patientId, Guid visitId, ConsultationForm form, Actor actor, CancellationToken cancel) =>
        Run(patientId, visitId, form.Prescriptions, form, actor, cancel);

    private async Task<Result<Checked>> Run(PatientId patientId, Guid visitId, IReadOnlyList<PrescriptionDraft> drafts, ConsultationForm? form, Actor actor, CancellationToken cancel)
    {
        if (await VisitOfPatient.Find(clinic, patientId, visitId, cancel) is not { Patient: var patient })
        {
            return Missing.Visit;
        }

        if (drafts.Count > ConsultationForm.MostLines)
        {
            return new Error("consultation.long", "The prescription has more than 40 lines. Shorten it.");
        }

        FieldUse[] kept = form is null ? [] : [ConsultationDraft.Content];

        // Asking to write prescriptions keeps the act to those who prescribe.
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "CHECK_PRESCRIPTION",
                Purpose = Purpose.Treatment,
                Patients = [patient.Ref],
                Reads = [.. SafetyPicture.Fields, Patient.NameField, .. kept],
                Writes = actor.Writes(Category.Prescriptions) ? kept : [Prescription.LineField, .. kept],
            },
            cancel);
        if (form is not null && (await draft.Write(opening, patientId, visitId, form, actor, cancel)).Error is { } refused)
        {
            return refused;
        }

        var picture = await SafetyPicture.Read(opening, clinic, patient, visitId, clock.LocalToday(), cancel);
        return new Checked(
            PrescribingSafety.Check(drafts, picture),
            picture,
            opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed,
            opening.Read(patient, Patient.PersonField));
    }
}
