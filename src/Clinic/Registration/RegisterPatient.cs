using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Registration;

/// <summary>Takes a patient's details at the desk and gives them a hospital number.</summary>
public sealed class RegisterPatient(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    /// <summary>A registered patient at or above this score must be looked at before somebody like them is registered.</summary>
    public const int ProbableDuplicate = 70;

    /// <summary>Code of the refusal when somebody very like the patient is registered.</summary>
    public const string Duplicate = "registration.duplicate";

    /// <summary>
    /// Why somebody very like a registered patient is somebody else. Coded, because the log keeps it for ever and what
    /// people type about two patients is about two patients.
    /// </summary>
    public static IReadOnlyList<KeyValuePair<string, string>> OverrideReasons { get; } =
    [
        new("documents-differ", "Documents differ"),
        new("relative", "Twin or relative"),
        new("asked-both", "Asked: never registered here"),
        new("person-differs", "The registered person is known here"),
        new("name-only", "Only the name is alike"),
        new(GeneratedName, "Unknown patient, generated name"),
    ];

    internal const string GeneratedName = "generated-name";

    /// <param name="Id">Made when the form was opened, so that sending it twice registers once.</param>
    /// <param name="Name">Names as known.</param>
    /// <param name="Person">Birth and sex as known.</param>
    /// <param name="Contact">Where to reach them.</param>
    /// <param name="Payer">Who pays, if not the patient.</param>
    /// <param name="NotTheSameBecause">Why a probable duplicate is somebody else: a code of <see cref="OverrideReasons"/>; goes into the log.</param>
    /// <param name="Visit">What they came for; null when they are registered without being in the queue.</param>
    public sealed record Form(PatientId Id, PersonName Name, BirthAndSex Person, ContactDetails Contact, PayerDetails? Payer, string? NotTheSameBecause = null, VisitKind? Visit = null)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Form);
    }

    public async Task<Result<PatientRef>> Run(Form form, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.FindAsync([form.Id.Value], cancel) is { } already)
        {
            return already.Ref;
        }

        if ((Demographics.Check(form.Name, form.Person, clock) ?? (form.Visit is { } came ? NewVisit.Check(came) : null)) is { } wrong)
        {
            return wrong;
        }

        var like = await door.Find(actor, FindLike.Query(form.Name, form.Person, form.Contact.Phones is [var phone, ..] ? phone : null), cancel);
        if (like.FirstOrDefault(hit => hit.Id == form.Id) is { } registered)
        {
            // The same form came twice at the same moment; the other one is the registration, not a duplicate of it.
            return new PatientRef(registered.Id, registered.Mrn);
        }

        var overridden = OverrideReasons.Any(reason => reason.Key == form.NotTheSameBecause);
        if (like.Any(hit => hit.Score >= ProbableDuplicate) && !overridden)
        {
            return new Error(Duplicate, "Somebody very like this patient is registered already. Open that record, or say why this is somebody else.");
        }

        var mrn = Mrn.FromSequence(await clinic.Next("mrn", cancel)).ToString();
        var patient = Patient.New(form.Id, mrn, clock.GetUtcNow());
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "REGISTER_PATIENT",
                Purpose = Purpose.Registration,
                Patients = [patient.Ref],
                Writes = [Patient.NameField, Patient.PersonField, Patient.ContactField, Patient.PayerField],
                Reason = overridden ? $"duplicate overridden: {form.NotTheSameBecause}" : null,
                Creates = true,
            },
            cancel);
        opening.Set(patient, Patient.NameField, form.Name);
        opening.Set(patient, Patient.PersonField, form.Person);
        opening.Set(patient, Patient.ContactField, form.Contact);
        opening.Set(patient, Patient.PayerField, form.Payer);
        clinic.Patients.Add(patient);
        if (form.Visit is { } kind)
        {
            // In the same commit: a disk that is full between the two would leave somebody registered whom no station sees.
            await door.Record(actor, Rights.Queue, NewVisit.Of(patient), cancel);
            clinic.Visits.Add(await NewVisit.Make(clinic, patient.PatientId, kind, clock, cancel));
        }

        clinic.Drafts.RemoveRange(clinic.Drafts.Where(draft => draft.PatientId == form.Id));
        try
        {
            await clinic.SaveChangesAsync(cancel);
        }
        catch (DbUpdateException) when (clinic.Patients.AsNoTracking().Any(row => row.PatientId == form.Id))
        {
            // The same form came twice at the same moment; the other one is the registration.
            return (await clinic.Patients.AsNoTracking().SingleAsync(row => row.PatientId == form.Id, cancel)).Ref;
        }

        opening.Index(patient.PatientId, mrn, form.Name, form.Person, form.Contact.Phones);
        events.Changed(form.Visit is null ? [Station.Arrivals] : NewVisit.Stations);
        return patient.Ref;
    }
}
