#pragma warning disable
// TEMPORARY while Identity and Index are in work on their own branches: whoever lands one of them deletes its part here.
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
namespace Mangrove.Vault.Identity { internal sealed record Account(string User, string DisplayName, StaffId Staff, Role Role); public static class SystemActors { public static Actor Charging { get; } = Actor.Maker.System(SystemWork.Charging); } }
// IdentityDesk bundles the desks of Identity for VaultRoom: StaffDirectory, SignIn, Sessions, FirstAdministrator. The identity branch writes the real one in src/Vault/Identity/IdentityDesk.cs with this constructor and Create.
namespace Mangrove.Vault.Identity { public sealed class IdentityDesk { internal IdentityDesk(Store store, KeyRing keys, Door door, Receipt.Log log, string hospital, TimeProvider clock) { } internal static Task Create(Store store, CancellationToken cancel) => Task.CompletedTask; } }
namespace Mangrove.Vault.Index { internal sealed class PatientIndex { public int Count => 0; public static IReadOnlyList<FieldUse> FieldsFor(Actor a) => []; public IReadOnlyList<PatientHit> Search(PatientQuery q, IReadOnlyList<FieldUse> f) => []; public void Put(PatientId id, string mrn, PersonName name, BirthAndSex person, IReadOnlyList<string> phones) { } } }
