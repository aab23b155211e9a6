namespace Mangrove.Vault.Access;

/// <summary>
/// What kind of protected health information a field holds. The role matrix speaks in these words, and every sealed
/// field belongs to exactly one of them.
/// </summary>
public enum Category
{
    /// <summary>The patient's names.</summary>
    Name = 1,

    /// <summary>Birth date, sex and death: what ranges and doses need.</summary>
    BirthAndSex = 2,

    /// <summary>Telephone, address, identity document, language, next of kin.</summary>
    Contact = 3,

    /// <summary>Who pays, and the policy number.</summary>
    Payer = 4,

    /// <summary>What was done, as price codes, quantities and amounts.</summary>
    Charges = 5,

    /// <summary>Money received, means and receipt.</summary>
    Payments = 6,

    /// <summary>Allergies and intolerances, and whether they were asked.</summary>
    Allergies = 7,

    /// <summary>Vital signs.</summary>
    Vitals = 8,

    /// <summary>Weight and height: what a dose needs.</summary>
    BodyMeasures = 9,

    /// <summary>Complaint, urgency, early warning score.</summary>
    Triage = 10,

    /// <summary>Problems and diagnoses.</summary>
    Problems = 11,

    /// <summary>Medicines in use.</summary>
    Medicines = 12,

    /// <summary>Prescriptions, with dose, duration and the alerts overridden.</summary>
    Prescriptions = 13,

    /// <summary>What was handed over, from which batch.</summary>
    Dispensing = 14,

    /// <summary>Clinical notes.</summary>
    Notes = 15,

    /// <summary>Laboratory orders.</summary>
    LabOrders = 16,

    /// <summary>Laboratory results and reports.</summary>
    LabResults = 17,

    /// <summary>Procedures done.</summary>
    Procedures = 18,

    /// <summary>Immunizations given.</summary>
    Immunizations = 19,

    /// <summary>Earlier encounters: reason, kind and place of care.</summary>
    Encounters = 20,

    /// <summary>Social history, survey and other observations.</summary>
    OtherObservations = 21,

    /// <summary>Records that came from elsewhere and are kept unchanged.</summary>
    Documents = 22,
}

/// <summary>Why somebody acts (FHIR PurposeOfUse, in hospital words). Stands in every audit entry.</summary>
public enum Purpose
{
    /// <summary>Care of this patient.</summary>
    Treatment = 1,

    /// <summary>Registration, queue and appointments.</summary>
    Registration = 2,

    /// <summary>Billing and payment.</summary>
    Payment = 3,

    /// <summary>Running the hospital: accounts, settings, stock, audit review.</summary>
    Administration = 4,

    /// <summary>Import and export of the hospital's own records by an authorised administrator.</summary>
    Portability = 5,

    /// <summary>Work of the system itself, such as building the patient index. Nobody reads the result as it is.</summary>
    System = 6,
}

/// <summary>Rights over things that are not patient data.</summary>
[Flags]
public enum Rights
{
    None = 0,

    /// <summary>Read the audit log.</summary>
    AuditLog = 1,

    /// <summary>Accounts, settings, health of the system.</summary>
    Administration = 2,

    /// <summary>Price list and other set-up of billing.</summary>
    BillingSetUp = 4,

    /// <summary>Take payments, issue receipts.</summary>
    Billing = 8,

    /// <summary>Receive, count and correct pharmacy stock.</summary>
    Stock = 16,

    /// <summary>Put patients into the queue.</summary>
    Queue = 32,

    /// <summary>Open a record that is closed to the role, in an emergency.</summary>
    BreakGlass = 64,
}
