using Mangrove.Clinic;
using Mangrove.Governance.Destruction;
using Mangrove.Vault;

namespace Mangrove.Cli.Destruction;

/// <summary>Applies tombstones before a hospital is opened to anybody: what came back with an older copy of the databases goes again (threat D4).</summary>
internal static class ReturnedPatients
{
    public static async Task Remove(VaultRoom vault, IClinicDatabase clinics, CancellationToken cancel)
    {
        var rows = new PatientRows(clinics);
        var back = await vault.Destruction.CameBack(rows.Registered, cancel);
        if (back.Count > 0)
        {
            var gone = await rows.Erase(back, cancel);
            await vault.Destruction.TombstonesApplied(back, gone.Values.Sum(), cancel);
        }
    }
}
