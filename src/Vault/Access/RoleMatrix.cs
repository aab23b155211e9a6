using System.Collections.Frozen;
using Mangrove.Kernel;
using static Mangrove.Vault.Access.Category;

namespace Mangrove.Vault.Access;

/// <summary>
/// Who may read and write what: the table of the whitepaper (2.3.2), over named categories of fields. This file is the
/// whole policy by role; nothing elsewhere grants anything. What is not named here is denied.
/// </summary>
/// <remarks>
/// The whitepaper's line is quoted above each role. Demographics are Name, BirthAndSex, Contact and Payer.
/// </remarks>
public static class RoleMatrix
{
    private static readonly FrozenDictionary<Role, RoleRights> Table = new Dictionary<Role, RoleRights>
    {
        // Front Desk | Demographics only | Registration | - | -
        [Role.FrontDesk] = new(
            Reads: [Name, Category.BirthAndSex, Contact, Payer],
            Writes: [Name, Category.BirthAndSex, Contact, Payer],
            Rights: Rights.Queue,
            Purposes: [Purpose.Registration],
            NeedsCareRelationship: false),

        // Cashier | Name + billing | - | yes | -
        [Role.Cashier] = new(
            Reads: [Name, Payer, Charges, Payments],
            Writes: [Payments],
            Rights: Rights.Billing,
            Purposes: [Purpose.Payment],
            NeedsCareRelationship: false),

        // Nurse | Clinical subset | Vitals, triage | - | -
        [Role.Nurse] = new(
            Reads: [Name, Category.BirthAndSex, Contact, Allergies, Vitals, BodyMeasures, Triage, Medicines, Problems],
            Writes: [Vitals, BodyMeasures, Triage],
            Rights: Rights.BreakGlass,
            Purposes: [Purpose.Treatment],
            NeedsCareRelationship: true),

        // Doctor | Full record | Full clinical | - | -
        [Role.Doctor] = new(
            Reads:
            [
                Name, Category.BirthAndSex, Contact, Allergies, Vitals, BodyMeasures, Triage, Problems, Medicines, Prescriptions, Dispensing, Notes,
                LabOrders, LabResults, Procedures, Immunizations, Encounters, OtherObservations, Documents,
            ],
            Writes: [Allergies, Vitals, BodyMeasures, Triage, Problems, Medicines, Prescriptions, Notes, LabOrders, Procedures, Immunizations, Encounters],
            Rights: Rights.BreakGlass,
            Purposes: [Purpose.Treatment],
            NeedsCareRelationship: true),

        // Pharmacist | Prescriptions | Dispensing | - | - (allergies, weight and active medicines are needed to dispense safely)
        [Role.Pharmacist] = new(
            Reads: [Name, Category.BirthAndSex, Allergies, BodyMeasures, Medicines, Prescriptions, Dispensing],
            Writes: [Dispensing],
            Rights: Rights.Stock,
            Purposes: [Purpose.Treatment],
            NeedsCareRelationship: true),

        // Lab Tech | Lab orders | Results | - | - (age and sex are needed for ranges, earlier results for the delta check)
        [Role.LabTech] = new(
            Reads: [Name, Category.BirthAndSex, LabOrders, LabResults],
            Writes: [LabResults],
            Rights: Rights.None,
            Purposes: [Purpose.Treatment],
            NeedsCareRelationship: true),

        // Admin | Audit logs | - | yes | yes
        [Role.Admin] = new(
            Reads: [],
            Writes: [],
            Rights: Rights.AuditLog | Rights.Administration | Rights.BillingSetUp,
            Purposes: [Purpose.Administration, Purpose.Portability],
            NeedsCareRelationship: false),
    }.ToFrozenDictionary();

    // Work that the system does by itself, each with only what it needs. No person acts through these.
    private static readonly FrozenDictionary<SystemWork, RoleRights> SystemTable = new Dictionary<SystemWork, RoleRights>
    {
        [SystemWork.Index] = new([Name, Category.BirthAndSex, Contact], [], Rights.None, [Purpose.System], false),
        [SystemWork.Charging] = new([], [Charges], Rights.None, [Purpose.Payment], false),
        [SystemWork.Setup] = new([], [], Rights.Administration, [Purpose.Administration, Purpose.System], false),
        [SystemWork.Keys] = new([], [], Rights.None, [Purpose.System], false),
        [SystemWork.Renewal] = new([], Everything(), Rights.None, [Purpose.System], false),
        [SystemWork.Recognition] = new(Everything(), [], Rights.None, [Purpose.System], false),
        [SystemWork.Watching] = new([Name], [], Rights.None, [Purpose.System], false),
        [SystemWork.Sample] = new([], Everything(), Rights.Administration, [Purpose.Portability], false),
        [SystemWork.Backup] = new([], [], Rights.None, [Purpose.Administration], false),
        [SystemWork.Upgrade] = new([], [], Rights.None, [Purpose.Administration], false),
        [SystemWork.Watch] = new([], [], Rights.None, [Purpose.Administration], false),
        [SystemWork.Glass] = new([], [], Rights.None, [Purpose.Administration], false),
        [SystemWork.Retention] = new([Category.BirthAndSex], [], Rights.None, [Purpose.System], false),
        [SystemWork.Incidents] = new([], [], Rights.None, [Purpose.Administration], false),
        [SystemWork.Destruction] = new([], [], Rights.None, [Purpose.Administration], false),
    }.ToFrozenDictionary();

    /// <summary>Every category may be read in bulk for export, and written for import, by an administrator acting for portability only.</summary>
    internal static RoleRights Portability { get; } = new(Everything(), Everything(), Rights.None, [Purpose.Portability], false);

    public static RoleRights Of(Role role) => Table[role];

    /// <summary>
    /// What a role may do in a record that it opened in an emergency: read what a doctor reads (seeds 6: "override role
    /// restrictions"), and write what it always writes.
    /// </summary>
    internal static RoleRights UnderGlass(RoleRights rights) => rights with { Reads = [.. rights.Reads.Union(Table[Role.Doctor].Reads)] };

    internal static RoleRights Of(SystemWork work) => SystemTable[work];

    private static Category[] Everything() => Enum.GetValues<Category>();
}

/// <summary>One line of the matrix.</summary>
/// <param name="Reads">Categories that may be read.</param>
/// <param name="Writes">Categories that may be written.</param>
/// <param name="Rights">Rights over things that are not patient data.</param>
/// <param name="Purposes">Purposes for which the role may act.</param>
/// <param name="NeedsCareRelationship">Whether a chart opens only while the patient is, or recently was, in care here.</param>
public sealed record RoleRights(
    IReadOnlyCollection<Category> Reads,
    IReadOnlyCollection<Category> Writes,
    Rights Rights,
    IReadOnlyCollection<Purpose> Purposes,
    bool NeedsCareRelationship);

/// <summary>Kinds of work the system does without a person.</summary>
#pragma warning disable CA1027 // A list of kinds; no two of them are ever combined.
public enum SystemWork
#pragma warning restore CA1027
{
    /// <summary>Building the in-memory patient index.</summary>
    Index = 1,

    /// <summary>Turning what was done into charges.</summary>
    Charging = 2,

    /// <summary>Set-up of a hospital.</summary>
    Setup = 3,

    /// <summary>Writing generated sample patients into a demonstration hospital.</summary>
    Sample = 4,

    /// <summary>Backups by schedule and their drills: carries ciphertext, opens nothing.</summary>
    Backup = 6,

    /// <summary>Rotating the hospital's keys.</summary>
    Keys = 5,

    /// <summary>Sealing records anew under patients' new keys; shows nothing of them to anybody.</summary>
    Renewal = 7,

    /// <summary>Bringing the databases to a newer version's schema; opens nothing.</summary>
    Upgrade = 8,

    /// <summary>Measuring the server's health, alarms and letters about them: opens nothing.</summary>
    Watch = 9,

    /// <summary>Comparing the acts of the log with the records that were committed: opens nothing.</summary>
    Settlement = 10,

    /// <summary>Making the fingerprints of imported records anew under a new index key; shows nothing of them to anybody.</summary>
    Recognition = 11,

    /// <summary>Judging the entries of the log by the rules of the watch; shows nothing of a record to anybody.</summary>
    Watching = 12,

    /// <summary>Ending emergency accesses, and saying which were not justified in time: opens nothing.</summary>
    Glass = 13,

    /// <summary>Counting whose record is due by the rules of retention: reads dates of birth and death, and shows none to anybody.</summary>
    Retention = 15,

    /// <summary>Copying the log of an incident, and saying which of its rotations have ended: opens nothing.</summary>
    Incidents = 16,

    /// <summary>Carrying out approved orders of destruction: opens nothing.</summary>
    Destruction = 14,
}
