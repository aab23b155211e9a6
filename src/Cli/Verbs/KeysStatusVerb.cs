using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Vault;

namespace Mangrove.Cli.Verbs;

/// <summary>Shows every version of every purpose's key, what hangs from it and when it is due. No key material, no patient data.</summary>
internal sealed class KeysStatusVerb() : HospitalVerb("status", "Every version of every key with its age, how much hangs from it and when it is due, and how many patients have a key of their own.", "keys")
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var now = hospital.Clock.GetUtcNow();
        var patients = await hospital.Vault.PatientKeys(cancel);
        var states = await hospital.Vault.Keys.Status(cancel);
        var turn = await hospital.Vault.Keys.PatientTurn(cancel);
        var patientKeys = new
        {
            rotation = turn,
            count = patients.Sum(one => one.Count),
            versions = patients.Select(one => new { version = one.Version, count = one.Count, oldest = one.Oldest, newest = one.Newest }).ToArray(),
        };
        return Answer.Of(
            new { purposes = KeyLines.Of(states, now), patientKeys, schedule = new { days = hospital.Vault.Keys.Days.Usual, backupAndSyncDays = hospital.Vault.Keys.Days.BackupAndSync } },
            string.Join('\n', KeyLines.Text(states, now)
                .Append(string.Create(CultureInfo.InvariantCulture, $"patients {patientKeys.count:#,##0} keys of their own"))
                .Concat(patients.Select(one => string.Create(CultureInfo.InvariantCulture, $"         version {one.Version}: {one.Count:#,##0}, the oldest {KeyLines.Days(now, one.Oldest)} days old, the newest {KeyLines.Days(now, one.Newest)}")))
                .Concat(turn is null ? [] : [string.Create(CultureInfo.InvariantCulture, $"         being changed: {turn.Waiting:#,##0} wait for a new key, {turn.Older:#,##0} older keys are still there")])));
    }
}

/// <summary>The states of keys as the verbs print them.</summary>
internal static class KeyLines
{
    public static int Days(DateTimeOffset now, DateTimeOffset created) => Math.Max(0, (int)(now - created).TotalDays);

    public static object[] Of(IReadOnlyList<KeyPurposeStatus> states, DateTimeOffset now) =>
    [
        .. states.SelectMany(purpose => purpose.Versions.Select(version => new
        {
            name = purpose.Purpose,
            id = version.Id.ToString("N"),
            version = version.Version,
            created = version.Created,
            days = Days(now, version.Created),
            state = version.InUse ? "in-use" : "opens-older",
            ciphertexts = version.Ciphertexts,
            kinds = version.Kinds.Select(kind => new { kind = kind.Kind, count = kind.Count, waits = !kind.Moves }).ToArray(),
            oldestDays = version.InUse && purpose.Oldest is { } oldest ? Days(now, oldest) : (int?)null,
            due = version.InUse ? purpose.Due : (DateTimeOffset?)null,
        })),
    ];

    public static IEnumerable<string> Text(IReadOnlyList<KeyPurposeStatus> states, DateTimeOffset now)
    {
        foreach (var purpose in states)
        {
            foreach (var version in purpose.Versions)
            {
                var what = version.Ciphertexts is { } count ? string.Create(CultureInfo.InvariantCulture, $"{count:#,##0} under it") : "not counted";
                var state = version.InUse ? string.Create(CultureInfo.InvariantCulture, $"in use, due {purpose.Due:yyyy-MM-dd}") : "opens what is older";
                yield return string.Create(CultureInfo.InvariantCulture, $"{purpose.Purpose,-8} {version.Id:N}  version {version.Version}  {Days(now, version.Created),5} days old  {state}, {what}");
                if (!version.InUse)
                {
                    foreach (var kind in version.Kinds)
                    {
                        yield return string.Create(CultureInfo.InvariantCulture, $"         {kind.Count:#,##0} {kind.Kind}{(kind.Moves ? "" : ", made anew by their owners")}");
                    }
                }
            }
        }
    }
}
