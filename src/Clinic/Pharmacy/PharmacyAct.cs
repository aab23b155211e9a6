using Mangrove.Clinic.Records;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Pharmacy;

/// <summary>What every act at the counter has in common.</summary>
internal static class PharmacyAct
{
    /// <summary>
    /// Keeps an act to those who dispense: doctors read prescriptions and dispensing too, and the counter is not theirs.
    /// Who does not dispense asks for a write that the policy refuses, so the refusal is an entry like any other.
    /// </summary>
    public static Request AtTheCounter(this Request request, Actor actor) => actor.Writes(Category.Dispensing)
        ? request
        : request with { Writes = [.. request.Writes, Dispense.RecordField], Narrowed = false };
}
