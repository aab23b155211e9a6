using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic;

/// <summary>
/// Keeps unsigned work on the server every few seconds, sealed like the record itself, so that a lock, a crash or
/// another workstation loses nothing. A draft is its writer's alone.
/// </summary>
public sealed class DraftBox(ClinicContext clinic, Door door, TimeProvider clock)
{
    /// <param name="Kind">Which form.</param>
    /// <param name="Patient">Whose; for a registration the id that the form was given when it was opened.</param>
    /// <param name="Mrn">The patient's number; empty before registration.</param>
    /// <param name="VisitId">Which visit, where the form belongs to one.</param>
    public sealed record Place(DraftKind Kind, PatientId Patient, string Mrn, Guid? VisitId);

    private const int Attempts = 4;

    public async Task<DateTimeOffset> Save(Place place, string content, Actor actor, CancellationToken cancel)
    {
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "SAVE_DRAFT",
                Purpose = PurposeOf(place.Kind),
                Patients = [new PatientRef(place.Patient, place.Mrn)],
                Writes = [Draft.ContentField.As(Draft.CategoryOf(place.Kind))],
                Creates = place.Kind == DraftKind.Registration,
            },
            cancel);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await Put(opening, place, content, actor, cancel);
            }
            catch (Exception collision) when (attempt < Attempts && collision is DbUpdateException or RefusedInput { Code: "record.changed" })
            {
                // The same writer saves from two screens at once, or from a page that is just being left: the later one stays.
                clinic.ChangeTracker.Clear();
            }
        }
    }

    /// <summary>The writer's draft at this place, or null.</summary>
    public async Task<(string Content, DateTimeOffset SavedAt)?> Open(Place place, Actor actor, CancellationToken cancel)
    {
        if (await Find(place, actor, cancel) is not { } draft)
        {
            return null;
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "OPEN_DRAFT",
                Purpose = PurposeOf(place.Kind),
                Patients = [new PatientRef(place.Patient, place.Mrn)],
                Reads = [Draft.ContentField.As(Draft.CategoryOf(place.Kind))],
            },
            cancel);
        return opening.Read(draft, Draft.ContentField) is { } content ? (content, draft.SavedAt) : null;
    }

    /// <summary>Takes the draft away once its form is signed or given up. The caller commits.</summary>
    public async Task Remove(Place place, Actor actor, CancellationToken cancel)
    {
        if (await Find(place, actor, cancel) is { } draft)
        {
            clinic.Drafts.Remove(draft);
        }
    }

    private async Task<DateTimeOffset> Put(Opening opening, Place place, string content, Actor actor, CancellationToken cancel)
    {
        var draft = await Find(place, actor, cancel);
        if (draft is null)
        {
            draft = new Draft { PatientId = place.Patient, Kind = place.Kind, VisitId = place.VisitId, By = actor.Staff };
            clinic.Drafts.Add(draft);
        }

        draft.SavedAt = clock.GetUtcNow();
        opening.Set(draft, Draft.ContentField, content);
        await clinic.SaveChangesAsync(cancel);
        return draft.SavedAt;
    }

    private Task<Draft?> Find(Place place, Actor actor, CancellationToken cancel) => clinic.Drafts.FirstOrDefaultAsync(
        draft => draft.PatientId == place.Patient && draft.By == actor.Staff && draft.Kind == place.Kind && draft.VisitId == place.VisitId,
        cancel);

    private static Purpose PurposeOf(DraftKind kind) => kind switch
    {
        DraftKind.Registration => Purpose.Registration,
        DraftKind.Payment => Purpose.Payment,
        _ => Purpose.Treatment,
    };
}
