#pragma warning disable
// TEMPORARY while Identity and Index are in work on their own branches: whoever lands one of them deletes its part here.
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
namespace Mangrove.Vault.Index { internal sealed class PatientIndex { public int Count => 0; public static IReadOnlyList<FieldUse> FieldsFor(Actor a) => []; public IReadOnlyList<PatientHit> Search(PatientQuery q, IReadOnlyList<FieldUse> f) => []; public void Put(PatientId id, string mrn, PersonName name, BirthAndSex person, IReadOnlyList<string> phones) { } } }
