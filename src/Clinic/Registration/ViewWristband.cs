using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Registration;

/// <summary>What a wristband and a patient's card show: name, birth, sex and number.</summary>
public sealed class ViewWristband(ClinicContext clinic, Door door)
{
    public sealed record Wristband(PatientRef Patient, PersonName Name, BirthAndSex Person)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Wristband);
    }

    public async Task<Result<Wristband>> Run(PatientId id, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.AsNoTracking().SingleOrDefaultAsync(row => row.PatientId == id, cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "PRINT_WRISTBAND", Purpose = Purpose.Registration, Patients = [patient.Ref], Reads = [Patient.NameField, Patient.PersonField] },
            cancel);
        return new Wristband(
            patient.Ref,
            opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed,
            opening.Read(patient, Patient.PersonField) ?? new BirthAndSex(null, AdministrativeSex.Unknown));
    }
}
