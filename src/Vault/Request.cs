using Mangrove.Kernel;
using Mangrove.Vault.Access;

namespace Mangrove.Vault;

/// <summary>A patient as an act names it: the id that keys and rows use, the number that the log shows.</summary>
public readonly record struct PatientRef(PatientId Id, string Mrn);

/// <summary>
/// One act on protected information, as somebody asks for it: what, on whom, which fields, what for. One request makes
/// one audit entry, whatever the number of rows behind it.
/// </summary>
public sealed record Request
{
    /// <summary>How the log names an act over every patient.</summary>
    public const string EveryoneResource = "patients:all";

    /// <summary>Upper snake case, stable: <c>VIEW_CHART</c>, <c>REGISTER_PATIENT</c>. Shown in the log.</summary>
    public required string Action { get; init; }

    public required Purpose Purpose { get; init; }

    public IReadOnlyList<PatientRef> Patients { get; init; } = [];

    public IReadOnlyList<FieldUse> Reads { get; init; } = [];

    public IReadOnlyList<FieldUse> Writes { get; init; } = [];

    /// <summary>Fields that the log names although no sealed cell is opened: what the patient index showed.</summary>
    internal IReadOnlyList<string> NamedFields { get; init; } = [];

    /// <summary>What the act is on, when it is not one patient: <c>worklist:triage</c>. Never clinical content.</summary>
    public string? Resource { get; init; }

    /// <summary>A coded or typed reason, where the act asks for one.</summary>
    public string? Reason { get; init; }

    /// <summary>True when the patients are new: their keys are made before anything is sealed.</summary>
    public bool Creates { get; init; }

    /// <summary>True for an act that says what it would write and writes nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>
    /// True for an act over every patient of the hospital: the system building its index, an administrator's import or
    /// export. The policy refuses it to everybody else; the log shows it in the answer for each patient.
    /// </summary>
    public bool Everyone { get; init; }

    /// <summary>
    /// True to grant those of the named reads that the role has and leave out the rest, instead of refusing the act;
    /// for answers that differ by role. Writes are never narrowed. Patients not in care are left out of a narrowed list.
    /// </summary>
    public bool Narrowed { get; init; }

    /// <summary>
    /// True for what takes information out: an export, a program's answer, lists on paper. No emergency access allows it.
    /// </summary>
    public bool Leaves { get; init; }

    internal string ResourceText => Everyone ? EveryoneResource : Resource ?? (Patients.Count == 1 ? $"patient:{Patients[0].Mrn}" : $"patients:{Patients.Count}");
}

/// <summary>The policy said no. The refusal is in the log already. The message says nothing about whether the patient exists.</summary>
public sealed class Refused(string code, string message) : RefusedInput(code, message);
