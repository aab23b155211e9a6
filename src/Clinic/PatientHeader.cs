using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic;

/// <summary>The four states of the allergy field, never blank, and the one of roles that do not see it.</summary>
public enum AllergyState
{
    /// <summary>The role does not read allergies.</summary>
    NotForRole = 0,
    Known = 1,
    NoneKnown = 2,
    NotRecorded = 3,
    Unavailable = 4,
}

/// <summary>
/// What stands in the banner over every page about a patient, as far as the actor's role may read it. Its fields are
/// part of the page's own request, so that one look stays one entry.
/// </summary>
/// <param name="Name">Names.</param>
/// <param name="Person">Birth, sex and death; null when the role does not read them.</param>
/// <param name="Allergies">Known allergies and intolerances that are active.</param>
/// <param name="AllergyState">What to say of allergies.</param>
/// <param name="AllergiesAsked">When "none known" was stated.</param>
public sealed record PatientHeader(
    PatientRef Patient,
    PersonName Name,
    BirthAndSex? Person,
    IReadOnlyList<AllergyRecord> Allergies,
    AllergyState AllergyState,
    DateTimeOffset? AllergiesAsked)
{
    /// <summary>The fields that the banner needs, for the role of this actor.</summary>
    public static IReadOnlyList<FieldUse> Fields(Actor actor)
    {
        var fields = new List<FieldUse> { Records.Patient.NameField };
        if (actor.Reads(Category.BirthAndSex))
        {
            fields.Add(Records.Patient.PersonField);
        }

        if (actor.Reads(Category.Allergies))
        {
            fields.Add(Allergy.RecordField);
        }

        return fields;
    }

    /// <summary>Reads the banner of one patient through the page's opening.</summary>
    public static async Task<PatientHeader> Read(Opening opening, ClinicContext clinic, Records.Patient patient, CancellationToken cancel)
    {
        var rows = opening.MayRead(Allergy.RecordField) ? await RowsOfPatient.Allergies(clinic, patient.PatientId, cancel) : [];
        return Of(opening, patient, rows);
    }

    /// <summary>As <see cref="Read"/>, with the patient's allergies at hand.</summary>
    internal static PatientHeader Of(Opening opening, Records.Patient patient, IReadOnlyList<Allergy> rows)
    {
        var name = opening.ReadIfGranted(patient, Records.Patient.NameField) ?? PersonName.Unnamed;
        var person = opening.ReadIfGranted(patient, Records.Patient.PersonField);
        if (!opening.MayRead(Allergy.RecordField))
        {
            return new PatientHeader(patient.Ref, name, person, [], AllergyState.NotForRole, null);
        }

        var known = new List<AllergyRecord>();
        DateTimeOffset? asked = null;
        foreach (var row in rows)
        {
            if (opening.Read(row, Allergy.RecordField) is not { Status: "active" } record)
            {
                continue;
            }

            if (record.NoneKnown)
            {
                asked = row.RecordedAt;
            }
            else
            {
                known.Add(record);
            }
        }

        var state = known.Count > 0 ? AllergyState.Known : asked is not null ? AllergyState.NoneKnown : AllergyState.NotRecorded;
        return new PatientHeader(patient.Ref, name, person, known, state, asked);
    }

    /// <summary>Completed years today, or null when the birth date is not known or not for this role.</summary>
    public int? Age(TimeProvider clock) => Person?.BornOn()?.AgeOn(DateOnly.FromDateTime(clock.GetLocalNow().DateTime));

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(PatientHeader);
}
