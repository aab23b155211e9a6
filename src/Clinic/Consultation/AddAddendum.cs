using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>Adds to a signed note. The note itself never changes.</summary>
public sealed class AddAddendum(ClinicContext clinic, Door door, TimeProvider clock)
{
    /// <param name="patientId">Whose.</param>
    /// <param name="noteId">The signed note.</param>
    /// <param name="addendumId">Made when the form was opened, so that sending it twice adds once.</param>
    /// <param name="text">What is to be added.</param>
    /// <param name="actor">Who signs it.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<Result<Note>> Run(PatientId patientId, Guid noteId, Guid addendumId, string text, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient
            || await clinic.Notes.AsNoTracking().FirstOrDefaultAsync(row => row.Id == noteId && row.PatientId == patientId && row.Kind == NoteKind.Consultation, cancel) is not { } note)
        {
            return Missing.Patient;
        }

        if (string.IsNullOrWhiteSpace(text) || text.Length > ConsultationForm.LongestPart)
        {
            return new Error("addendum.text", "Write what is to be added, in at most 20,000 letters.");
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "ADD_ADDENDUM", Purpose = Purpose.Treatment, Patients = [patient.Ref], Writes = [Note.TextField] },
            cancel);
        if (await clinic.Notes.AsNoTracking().FirstOrDefaultAsync(row => row.Id == addendumId, cancel) is { } present)
        {
            return present.PatientId == patientId && present.ParentId == noteId && present.By == actor.Staff ? present : Missing.Patient;
        }

        var addendum = new Note
        {
            Id = addendumId == Guid.Empty ? Ids.New() : addendumId,
            PatientId = patientId,
            Kind = NoteKind.Addendum,
            VisitId = note.VisitId,
            ParentId = noteId,
            SignedAt = clock.GetUtcNow(),
            By = actor.Staff,
        };
        opening.Set(addendum, Note.TextField, new NoteText("", "", "", text.Trim()));
        clinic.Notes.Add(addendum);
        await clinic.SaveChangesAsync(cancel);
        return addendum;
    }
}
