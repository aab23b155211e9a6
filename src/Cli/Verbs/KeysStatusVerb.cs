using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;

namespace Mangrove.Cli.Verbs;

/// <summary>Shows the versions and ages of the keys and how much is sealed under each. No key material, no patient data.</summary>
internal sealed class KeysStatusVerb() : HospitalVerb("status", "Versions and ages of the keys, and how much is sealed under each version.", "keys")
{
    private const string Data = "data";

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        // The data key wraps the patients' keys. With one version all of them are under it; the others wrap no rows.
        var patients = await hospital.Vault.PatientKeyCount(cancel);
        var states = hospital.Vault.KeyStates();
        var single = states.Count(state => state.Purpose == Data) == 1;
        var purposes = states
            .Select(state => new
            {
                name = state.Purpose,
                version = state.Version,
                created = state.Created,
                ciphertexts = state.Purpose == Data && single ? patients : (long?)null,
            })
            .ToArray();
        var now = hospital.Clock.GetUtcNow();
        return Answer.Of(
            new { purposes },
            string.Join('\n', purposes.Select(one => string.Create(
                CultureInfo.InvariantCulture,
                $"{one.name,-8} version {one.version}  {(now - one.created).TotalDays,6:0} days old{(one.ciphertexts is { } count ? $"  {count:#,##0} patient keys under it" : "")}"))));
    }
}
