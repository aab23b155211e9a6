using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

/// <summary>A registered person. <see cref="SealedRow.Id"/> equals the patient's id.</summary>
public sealed class Patient : SealedRow
{
    public static readonly Field<Patient, PersonName> NameField =
        new("patient", "name", "name", Category.Name, row => row.Name, (row, value) => row.Name = value, ClinicJson.Default.PersonName);

    public static readonly Field<Patient, BirthAndSex> PersonField =
        new("patient", "person", "birth_and_sex", Category.BirthAndSex, row => row.Person, (row, value) => row.Person = value, ClinicJson.Default.BirthAndSex, width: 128);

    public static readonly Field<Patient, ContactDetails> ContactField =
        new("patient", "contact", "contact", Category.Contact, row => row.Contact, (row, value) => row.Contact = value, ClinicJson.Default.ContactDetails);

    public static readonly Field<Patient, PayerDetails> PayerField =
        new("patient", "payer", "payer", Category.Payer, row => row.Payer, (row, value) => row.Payer = value, ClinicJson.Default.PayerDetails, width: 128);

    [Public("hospital number: an opaque count with a check digit, the handle that the log shows")]
    public string Mrn { get; init; } = string.Empty;

    public DateTimeOffset RegisteredAt { get; init; }

    public Sealed<PersonName> Name { get; set; }

    public Sealed<BirthAndSex> Person { get; set; }

    public Sealed<ContactDetails> Contact { get; set; }

    public Sealed<PayerDetails> Payer { get; set; }

    public PatientRef Ref => new(PatientId, Mrn);

    public static Patient New(PatientId id, string mrn, DateTimeOffset now) => new() { Id = id.Value, PatientId = id, Mrn = mrn, RegisteredAt = now };
}

/// <summary>Where to reach a person, and who stands by them.</summary>
public sealed record ContactDetails
{
    public IReadOnlyList<string> Phones { get; init; } = [];

    public string? Email { get; init; }

    /// <summary>Street or description, as people say it: <c>Bamburi, near the old mosque</c>.</summary>
    public string? Address { get; init; }

    public string? City { get; init; }

    public string? District { get; init; }

    public string? PostalCode { get; init; }

    public string? Country { get; init; }

    /// <summary>BCP 47 tag.</summary>
    public string? Language { get; init; }

    /// <summary>Number of the identity document shown.</summary>
    public string? IdentityDocument { get; init; }

    public string? NextOfKin { get; init; }

    public string? NextOfKinPhone { get; init; }

    /// <summary>Patient id of the mother, for somebody born here.</summary>
    public Guid? Mother { get; init; }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ContactDetails);
}

/// <summary>Who pays.</summary>
/// <param name="Name">Name of the payer, such as an insurer; null means the patient.</param>
/// <param name="PolicyNumber">Membership or policy number.</param>
/// <param name="SharePercent">Share of listed items that the payer bears, 0 to 100.</param>
public sealed record PayerDetails(string? Name, string? PolicyNumber, decimal SharePercent)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(PayerDetails);
}
