using System.Text.Json;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>
/// Keeps what a doctor is writing every few seconds, sealed, so that a lock, a crash or another workstation loses
/// nothing. Two copies of the same page do not overwrite each other: the one opened later wins, the other is told.
/// </summary>
public sealed class ConsultationDraft(ClinicContext clinic, Door door, TimeProvider clock)
{
    private const int Attempts = 4;

    internal static readonly FieldUse Content = Draft.ContentField.As(Category.Notes);

    /// <summary>When it was saved.</summary>
    /// <returns>Or <c>draft.newer</c>: the same writer opened the page again elsewhere and wrote there.</returns>
    public async Task<Result<DateTimeOffset>> Save(PatientId patientId, Guid visitId, ConsultationForm form, Actor actor, CancellationToken cancel)
    {
        if (await VisitOfPatient.Find(clinic, patientId, visitId, cancel) is not { } found)
        {
            return Missing.Visit;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "SAVE_DRAFT", Purpose = Purpose.Treatment, Patients = [found.Patient.Ref], Reads = [Content], Writes = [Content] },
            cancel);
        return await Write(opening, patientId, visitId, form, actor, cancel);
    }

    /// <summary>Saves it through the opening of another act, which was granted <see cref="Content"/>: one act stays one entry.</summary>
    internal async Task<Result<DateTimeOffset>> Write(Opening opening, PatientId patientId, Guid visitId, ConsultationForm form, Actor actor, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await Put(opening, patientId, visitId, form, actor, cancel);
            }
            catch (Exception collision) when (attempt < Attempts && collision is DbUpdateException or RefusedInput { Code: "record.changed" })
            {
                // The page itself sends two saves at once (a field left, an order picked): the later one goes on top.
                clinic.ChangeTracker.Clear();
            }
        }
    }

    /// <summary>The writer's draft of this visit with the time it was saved, or null.</summary>
    public async Task<(ConsultationForm Form, DateTimeOffset SavedAt)?> Open(PatientRef patient, Guid visitId, Actor actor, CancellationToken cancel)
    {
        if (await Find(clinic, patient.Id, visitId, actor, cancel) is not { } draft)
        {
            return null;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "OPEN_DRAFT", Purpose = Purpose.Treatment, Patients = [patient], Reads = [Content] },
            cancel);
        return Read(opening, draft) is { } form ? (form, draft.SavedAt) : null;
    }

    /// <summary>The writer's draft of this visit; the database keeps one at most.</summary>
    internal static Task<Draft?> Find(ClinicContext clinic, PatientId patientId, Guid visitId, Actor actor, CancellationToken cancel) => clinic.Drafts.FirstOrDefaultAsync(
        row => row.PatientId == patientId && row.By == actor.Staff && row.Kind == DraftKind.Consultation && row.VisitId == visitId,
        cancel);

    internal static ConsultationForm? Read(Opening opening, Draft draft) =>
        opening.Read(draft, Draft.ContentField) is { } content ? JsonSerializer.Deserialize(content, ConsultationJson.Default.ConsultationForm) : null;

    private async Task<Result<DateTimeOffset>> Put(Opening opening, PatientId patientId, Guid visitId, ConsultationForm form, Actor actor, CancellationToken cancel)
    {
        var draft = await Find(clinic, patientId, visitId, actor, cancel);
        if (draft is null)
        {
            // A save on its way while the note was signed must not bring the draft back.
            if (await clinic.Notes.AnyAsync(note => note.Id == form.NoteId, cancel))
            {
                return SignConsultation.SignedAlready;
            }

            draft = new Draft { PatientId = patientId, Kind = DraftKind.Consultation, VisitId = visitId, By = actor.Staff };
            clinic.Drafts.Add(draft);
        }
        else if (Read(opening, draft) is { } kept && kept.Opened > form.Opened)
        {
            return new Error("draft.newer", "You opened this consultation again and wrote there. Copy what you need and load this page again.");
        }

        draft.SavedAt = clock.GetUtcNow();
        opening.Set(draft, Draft.ContentField, JsonSerializer.Serialize(form, ConsultationJson.Default.ConsultationForm));
        await clinic.SaveChangesAsync(cancel);
        return draft.SavedAt;
    }
}
