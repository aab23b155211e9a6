using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;

namespace Mangrove.Cli.Verbs;

/// <summary>Shows every key of every purpose, and how many patients have one of their own. No key material, no patient data.</summary>
internal sealed class KeysStatusVerb() : HospitalVerb("status", "Every key of every purpose with its id, version, age and state, and how many patients have a key of their own.", "keys")
{
    private const string Data = "data";

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var now = hospital.Clock.GetUtcNow();
        var patients = await hospital.Vault.PatientKeys(cancel);
        var states = hospital.Vault.KeyStates();

        // The data key wraps the patients' keys. With one version all of them are under it; the others wrap no rows.
        var single = states.Count(state => state.Purpose == Data) == 1;
        var purposes = states
            .Select(state => new
            {
                name = state.Purpose,
                id = state.Id.ToString("N"),
                version = state.Version,
                created = state.Created,
                days = Days(now, state.Created),
                state = state.InUse ? "in-use" : "opens-older",
                ciphertexts = state.Purpose == Data && single ? patients.Sum(one => one.Count) : (long?)null,
            })
            .ToArray();
        var patientKeys = new
        {
            count = patients.Sum(one => one.Count),
            versions = patients.Select(one => new { version = one.Version, count = one.Count, oldest = one.Oldest, newest = one.Newest }).ToArray(),
        };
        return Answer.Of(
            new { purposes, patientKeys },
            string.Join('\n', purposes
                .Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.name,-8} {one.id}  version {one.version}  {one.days,5} days old  {(one.state == "in-use" ? "in use" : "opens what is older")}{(one.ciphertexts is { } count ? $", {count:#,##0} patient keys under it" : "")}"))
                .Append(string.Create(CultureInfo.InvariantCulture, $"patients {patientKeys.count:#,##0} keys of their own"))
                .Concat(patients.Select(one => string.Create(CultureInfo.InvariantCulture, $"         version {one.Version}: {one.Count:#,##0}, the oldest {Days(now, one.Oldest)} days old, the newest {Days(now, one.Newest)}")))));
    }

    private static int Days(DateTimeOffset now, DateTimeOffset created) => Math.Max(0, (int)(now - created).TotalDays);
}
