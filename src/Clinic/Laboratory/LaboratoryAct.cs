using Mangrove.Clinic.Records;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Laboratory;

/// <summary>What every act of the bench has in common.</summary>
internal static class LaboratoryAct
{
    /// <summary>
    /// Keeps an act to those who write results: doctors read orders and results too, and the bench is not theirs. Who
    /// writes no results asks for a write that the policy refuses, so the refusal is an entry like any other.
    /// </summary>
    public static Request ForTheBench(this Request request, Actor actor) => actor.Writes(Category.LabResults)
        ? request
        : request with { Writes = [.. request.Writes, Observation.LabResults], Narrowed = false };
}
