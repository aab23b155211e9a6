using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>
/// Signs and locks a consultation: note, diagnoses, prescription and orders in one transaction and one entry. The
/// safety check runs again here, whatever the page said.
/// </summary>
public sealed class SignConsultation(ClinicContext clinic, Door door, DiagnosisList list, Charging charging, StationEvents events, TimeProvider clock)
{
    public const string Icd10 = "http://hl7.org/fhir/sid/icd-10";

    public static Error SignedAlready { get; } = new("consultation.signed-already", "This note is signed already. What is to be added goes into an addendum.");

    /// <returns>
    /// The note, or <c>consultation.signed-already</c>, <c>consultation.empty</c>, <c>consultation.long</c>,
    /// <c>diagnosis.unknown</c>, <c>laboratory.unknown-test</c>, <c>prescription.line</c>, <c>prescription.blocked</c>,
    /// <c>prescription.reason-needed</c>, <c>draft.newer</c>, <c>late.…</c>, <c>visit.…</c>; then nothing is written.
    /// </returns>
    public async Task<Result<Note>> Run(PatientId patientId, Guid visitId, ConsultationForm form, Actor actor, CancellationToken cancel)
    {
        if (await VisitOfPatient.Find(clinic, patientId, visitId, cancel) is not { Visit: var visit, Patient: var patient })
        {
            return Missing.Visit;
        }

        var draft = await ConsultationDraft.Find(clinic, patientId, visitId, actor, cancel);
        using var opening = await door.Open(actor, RequestFor(form, patient, draft), cancel);
        if (await NoteIsThere(form.NoteId, cancel))
        {
            return SignedAlready;
        }

        if (visit.Status != VisitStatus.InConsultation || visit.Doctor != actor.Staff)
        {
            return NotYours(visit);
        }

        if (draft is not null && ConsultationDraft.Read(opening, draft) is { } kept && kept.Opened > form.Opened)
        {
            return new Error("draft.newer", "You opened this consultation again and wrote there. Copy what you need and load this page again.");
        }

        var happened = LateEntry.Read(form.HappenedAt, clock);
        if (happened.Error is { } never)
        {
            return never;
        }

        var now = clock.GetUtcNow();
        var read = await Read(form, opening, patient, visit, now, cancel);
        if (read.Error is { } wrong)
        {
            // The same form sent twice at the same moment: what the other one prescribed stands in the way of this one.
            return await NoteIsThere(form.NoteId, cancel) ? SignedAlready : wrong;
        }

        var (diagnoses, lines, tests) = read.Value;
        var note = new Note { Id = form.NoteId, PatientId = patientId, Kind = NoteKind.Consultation, VisitId = visitId, SignedAt = now, By = actor.Staff };
        opening.Set(note, Note.TextField, new NoteText(form.Subjective.Trim(), form.Objective.Trim(), form.Assessment.Trim(), form.Plan.Trim()) { Happened = happened.Value.Recorded is null ? null : happened.Value.At });
        clinic.Notes.Add(note);
        await AddProblems(opening, visit, diagnoses, actor, now, cancel);
        foreach (var line in lines)
        {
            var row = new Prescription { PatientId = patientId, VisitId = visitId, OrderedAt = now, By = actor.Staff };
            opening.Set(row, Prescription.LineField, PrescribingSafety.Stored(line));
            opening.Set(row, Prescription.MedicineField, PrescribingSafety.InUse(line, Today(now)));
            clinic.Prescriptions.Add(row);
        }

        if (tests.Count > 0)
        {
            var left = await OrderLaboratory.NotOpenYet(clinic, opening, visit, tests, cancel);
            await LaboratoryRequest.Place(clinic, opening, visit, left, actor, now, cancel);
        }

        if (!form.AwaitResults && visit.FinishConsultation(now).Error is { } refused)
        {
            return refused;
        }

        var encounter = opening.Read(visit, Visit.EncounterField) ?? new EncounterRecord();
        opening.Set(visit, Visit.EncounterField, encounter with
        {
            Reason = diagnoses.Count > 0 ? diagnoses[0].Name : encounter.Reason,
            End = form.AwaitResults ? encounter.End : now.ToString("yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture),
        });
        if (draft is not null)
        {
            clinic.Drafts.Remove(draft);
        }

        var first = !await clinic.Notes.AnyAsync(row => row.PatientId == patientId && row.VisitId == visitId && row.Kind == NoteKind.Consultation, cancel);
        try
        {
            await charging.Save(clinic, visit, patient.Ref, first ? [new Charging.Act(note.Id, PriceList.Consultation, "Consultation", "Consultation", 1)] : [], cancel);
        }
        catch (Exception collision) when (collision is DbUpdateException or RefusedInput { Code: "record.changed" })
        {
            clinic.ChangeTracker.Clear();
            if (!await NoteIsThere(form.NoteId, cancel))
            {
                throw;
            }

            // The same form sent twice at the same moment: the other one signed.
            return SignedAlready;
        }

        events.Changed(Station.Doctor, Station.Pharmacy, Station.Laboratory, Station.Arrivals);
        return note;
    }

    internal static Error NotYours(Visit visit) => visit.Status switch
    {
        VisitStatus.Consulted or VisitStatus.Closed => new Error("visit.over", "This consultation is finished. What is to be added goes into an addendum."),
        VisitStatus.InConsultation => new Error("visit.with-colleague", "A colleague has taken this patient over. Your draft is kept; speak with them."),
        _ => new Error("visit.not-in-consultation", "This visit is not in consultation. Open it from the queue."),
    };

    /// <summary>Exactly the fields that this form needs: a note without a prescription opens no allergies.</summary>
    private static Request RequestFor(ConsultationForm form, Patient patient, Draft? draft)
    {
        List<FieldUse> reads = [Visit.EncounterField];
        List<FieldUse> writes = [Note.TextField, Visit.EncounterField];
        if (draft is not null)
        {
            reads.Add(Draft.ContentField.As(Category.Notes));
        }

        if (form.Diagnoses.Count > 0)
        {
            reads.Add(Problem.RecordField);
            writes.Add(Problem.RecordField);
        }

        if (form.Prescriptions.Count > 0)
        {
            reads.AddRange(SafetyPicture.Fields);
            writes.Add(Prescription.LineField);
            writes.Add(Prescription.MedicineField);
        }

        if (form.Orders.Count > 0)
        {
            reads.Add(LabOrder.LineField);
            writes.Add(LabOrder.LineField);
        }

        return new Request { Action = "SIGN_CONSULTATION", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = reads, Writes = writes };
    }

    private async Task<Result<(IReadOnlyList<Icd10Code> Diagnoses, IReadOnlyList<CheckedLine> Lines, IReadOnlyList<(LaboratoryTest Test, bool Urgent)> Tests)>> Read(
        ConsultationForm form, Opening opening, Patient patient, Visit visit, DateTimeOffset now, CancellationToken cancel)
    {
        string[] parts = [form.Subjective, form.Objective, form.Assessment, form.Plan];
        if (form.NoteId == Guid.Empty || parts.All(string.IsNullOrWhiteSpace))
        {
            return new Error("consultation.empty", "Write the note before you sign it: at least one of S, O, A and P.");
        }

        if (parts.Any(part => part.Length > ConsultationForm.LongestPart) || form.Diagnoses.Count > ConsultationForm.MostLines
            || form.Prescriptions.Count > ConsultationForm.MostLines || form.Orders.Count > ConsultationForm.MostLines)
        {
            return new Error("consultation.long", "A part of the note is longer than 20,000 letters, or a list has more than 40 lines. Shorten it.");
        }

        var diagnoses = form.Diagnoses.Distinct(StringComparer.OrdinalIgnoreCase).Select(list.Current.Find).ToArray();
        if (diagnoses.Any(code => code is null))
        {
            return new Error("diagnosis.unknown", "A diagnosis is not in the list. Remove it and choose another.");
        }

        if (LaboratoryRequest.Resolve(form.Orders) is not { } tests)
        {
            return LaboratoryRequest.UnknownTest;
        }

        IReadOnlyList<CheckedLine> lines = [];
        if (form.Prescriptions.Count > 0)
        {
            lines = PrescribingSafety.Check(form.Prescriptions, await SafetyPicture.Read(opening, clinic, patient, visit.Id, Today(now), cancel));
            if (PrescribingSafety.Hindrance(lines) is { } hindrance)
            {
                return hindrance;
            }
        }

        return ((IReadOnlyList<Icd10Code>)[.. diagnoses.OfType<Icd10Code>()], lines, tests);
    }

    // A diagnosis that stands on the problem list already is not listed twice.
    private async Task AddProblems(Opening opening, Visit visit, IReadOnlyList<Icd10Code> diagnoses, Actor actor, DateTimeOffset now, CancellationToken cancel)
    {
        if (diagnoses.Count == 0)
        {
            return;
        }

        var rows = await clinic.Problems.AsNoTracking().Where(row => row.PatientId == visit.PatientId).ToListAsync(cancel);
        var active = rows.Select(row => opening.Read(row, Problem.RecordField)).OfType<ProblemRecord>()
            .Where(record => record.IsActive && record.System == Icd10).Select(record => record.Code).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var code in diagnoses.Where(code => !active.Contains(code.Code)))
        {
            var row = new Problem { PatientId = visit.PatientId, VisitId = visit.Id, RecordedAt = now, By = actor.Staff };
            opening.Set(row, Problem.RecordField, new ProblemRecord(code.Code, Icd10, code.Name, Today(now).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
            clinic.Problems.Add(row);
        }
    }

    private Task<bool> NoteIsThere(Guid noteId, CancellationToken cancel) => clinic.Notes.AnyAsync(row => row.Id == noteId, cancel);

    private DateOnly Today(DateTimeOffset now) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, clock.LocalTimeZone).DateTime);
}
