using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Registration;

/// <summary>
/// Fills the form of a newborn from the mother's record: family name, address, payer, and the mother as next of kin.
/// Registers nothing.
/// </summary>
public sealed class PrepareNewborn(ClinicContext clinic, Door door, TimeProvider clock)
{
    /// <param name="Mother">Whose child it is.</param>
    public sealed record Prepared(PatientRef Mother, PersonName Name, BirthAndSex Person, ContactDetails Contact, PayerDetails? Payer)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Prepared);
    }

    public async Task<Result<Prepared>> Run(PatientId motherId, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.AsNoTracking().SingleOrDefaultAsync(row => row.PatientId == motherId, cancel) is not { } mother)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "PREPARE_NEWBORN",
                Purpose = Purpose.Registration,
                Patients = [mother.Ref],
                Reads = [Patient.NameField, Patient.ContactField, Patient.PayerField],
            },
            cancel);
        var name = opening.Read(mother, Patient.NameField) ?? PersonName.Unnamed;
        var contact = opening.Read(mother, Patient.ContactField) ?? new ContactDetails();
        var called = name.Given is [var first, ..] ? first : name.Lead;
        return new Prepared(
            mother.Ref,
            new PersonName(name.Family, [$"Baby of {called}"]),
            new BirthAndSex(PartialDate.From(DateOnly.FromDateTime(clock.GetLocalNow().DateTime)).ToString(), AdministrativeSex.Unknown),
            new ContactDetails
            {
                Address = contact.Address,
                City = contact.City,
                District = contact.District,
                PostalCode = contact.PostalCode,
                Country = contact.Country,
                Language = contact.Language,
                NextOfKin = $"{name.Display}, mother, {mother.Mrn}",
                NextOfKinPhone = contact.Phones is [var phone, ..] ? phone : null,
                Mother = motherId.Value,
            },
            opening.Read(mother, Patient.PayerField));
    }
}
