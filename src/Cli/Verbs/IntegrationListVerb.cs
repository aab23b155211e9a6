using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Vault.Integrations;

namespace Mangrove.Cli.Verbs;

/// <summary>Every program of somebody else with its agreement, its approvals and whether it may read at this moment.</summary>
internal sealed class IntegrationListVerb() : HospitalVerb("list", "List the programs that read over FHIR: agreement, approvals, and whether each may read now.", "integration", actsAsSomebody: true)
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var admin = await Actor(hospital, arguments, call, cancel);
        var today = DateOnly.FromDateTime(hospital.Clock.GetLocalNow().DateTime);
        var all = (await hospital.Vault.Integrations.Directory.List(admin, cancel)).Select(one => new
        {
            client = one.Client,
            name = one.Name,
            purpose = one.Purpose.ToString().ToLowerInvariant(),
            state = one.State.ToString().ToLowerInvariant(),
            mayReadNow = one.Missing(today) is null,
            missing = one.Missing(today)?.Code,
            scopes = one.Scopes.Select(scope => scope.Text),
            agreement = one.Agreement is { } agreement ? new { sha256 = agreement.Hash, signer = agreement.Signer, expires = agreement.Expires, filedBy = agreement.FiledBy.ToString() } : null,
            approvals = new[] { one.First, one.Second }.OfType<Approval>().Select(approval => new { by = approval.By.ToString(), at = approval.At }),
            key = one.Key.Thumbprint,
        }).ToArray();
        return Answer.Of(
            all,
            all.Length == 0
                ? "No program reads here."
                : string.Join('\n', all.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.client,-24} {(one.mayReadNow ? "may read" : one.missing),-28} {one.purpose,-12} agreement {one.agreement?.expires.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "none"}, {one.approvals.Count()} of 2 approvals  {one.name}"))));
    }
}
