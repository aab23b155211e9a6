using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault;

/// <summary>The rotation of patients' own keys, as administrators begin and watch it.</summary>
public sealed partial class KeyDesk
{
    /// <summary>How the rotation of patients' keys is named beside the purposes.</summary>
    public const string PatientsName = "patients";

    /// <summary>Says where sealed records are stored; called once, when the hospital is put together.</summary>
    public void Serve(ISealedRecords records) => patients.Serve(records);

    /// <summary>How far the change of every patient's key is; null when none is under way.</summary>
    public async Task<PatientKeyTurn?> PatientTurn(CancellationToken cancel) =>
        await ring.PatientTurn(cancel) is { } state ? new PatientKeyTurn(state.Asked, state.Waiting, state.Before, patients.Progress.Looked, patients.Progress.Renewed) : null;

    /// <summary>
    /// Begins to give every patient a new key and to seal every record anew under it. The work goes on behind the pages and after
    /// a stop of the machine.
    /// </summary>
    /// <returns>How many patients there are, or <c>keys.rotating</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<long>> RotatePatients(Actor admin, CancellationToken cancel)
    {
        if (!admin.May(Rights.Administration))
        {
            // Says no, writes the refusal and throws.
            await door.Record(admin, Rights.Administration, Sessions.Act(KeyRotations.BeginAction, PatientRotation.Resource, null), cancel);
        }

        var begun = await patients.Begin(words => door.Record(admin, Rights.Administration, Sessions.Act(KeyRotations.BeginAction, PatientRotation.Resource, words), cancel), cancel);
        if (begun.Error is { } refusal)
        {
            await log.Refuse(admin, Sessions.Act(KeyRotations.BeginAction, PatientRotation.Resource, null), refusal, cancel);
            return refusal;
        }

        wake.Writer.TryWrite(true);
        return begun;
    }
}

/// <summary>How far the change of every patient's key is.</summary>
/// <param name="Asked">When it was asked for; null when only cells that do not open are left.</param>
/// <param name="Waiting">Patients that have no new key yet.</param>
/// <param name="Older">Older keys that are still there; at the end they are deleted.</param>
/// <param name="Looked">Sealed cells looked at since the work went on.</param>
/// <param name="Renewed">Of them, sealed anew.</param>
public sealed record PatientKeyTurn(DateTimeOffset? Asked, long Waiting, long Older, long Looked, long Renewed);
