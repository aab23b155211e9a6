using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Governance.Retention;
using Mangrove.Vault.Holds;

namespace Mangrove.Cli.Verbs;

/// <summary>Counts now what is due by the rules of retention.</summary>
internal sealed class RetentionDueVerb() : HospitalVerb("due", "Count which records are due by the rules of retention: their period is over by the clock, the log and the backups, and nothing holds them.", "retention", actsAsSomebody: true)
{
    // As many patients as one entry of the log names.
    private const int Most = 2_000;

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        await hospital.Vault.Retention.AskToCount(actor, cancel);
        using var list = new DueList(hospital.Clinics, hospital.Vault.Retention, hospital.Vault.Holds, hospital.Clock);
        var report = await list.Count(cancel);
        var shown = report.Due.Take(Most).ToList();
        await hospital.Vault.Retention.LookAtDue(actor, [.. shown.Select(one => one.Patient)], cancel);
        return Answer.Of(
            new
            {
                country = report.Policy.Country,
                clock = report.Time.Wall,
                log = report.Time.Log,
                backups = report.Time.Backups,
                agreed = report.Today,
                records = report.Patients,
                due = report.Due.Count,
                held = report.Held,
                awaitTime = report.AwaitTime,
                inCare = report.InCare,
                unread = report.Unread,
                byYear = report.ByYear.OrderBy(year => year.Key).Select(year => new { year = year.Key, records = year.Value }).ToArray(),
                patients = shown.Select(one => new { patient = one.Patient.Mrn, because = one.Because?.ToString().ToLowerInvariant() ?? "floor" }).ToArray(),
            },
            string.Join('\n', shown.Select(one => $"{one.Patient.Mrn,-14} {one.Because?.ToString() ?? "DATA_RETENTION_YEARS"}").Append(string.Create(
                CultureInfo.InvariantCulture,
                $"{report.Due.Count} of {report.Patients} records are due ({report.Held} more are held, {report.AwaitTime} are over by the clock alone). {(report.Policy.Country is null ? "No rules were adopted: nothing is ever due." : report.Today is { } day ? $"The witnesses of time agree on {day:yyyy-MM-dd}." : "A witness of time is missing: make a backup.")}"))));
    }
}

/// <summary>The rules of retention in force, with their source.</summary>
internal sealed class RetentionRulesVerb() : HospitalVerb("rules", "The rules of retention in force, with their legal source, and the countries whose rules can be adopted.", "retention", actsAsSomebody: true)
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var policy = await hospital.Vault.Retention.Read(actor, cancel);
        return Answer.Of(
            new
            {
                country = policy.Country,
                majority = policy.Country is null ? (int?)null : policy.MajorityAge,
                floorYears = policy.FloorYears,
                rules = policy.Rules.Select(Shown).ToArray(),
                countries = RetentionTable.All.Select(one => new { country = one.Rules.Country, name = one.Name, majority = one.Rules.MajorityAge, rules = one.Rules.Rules.Select(Shown).ToArray() }).ToArray(),
            },
            string.Join('\n', policy.Rules.Select(rule => string.Create(CultureInfo.InvariantCulture, $"{rule.Kind,-14} {rule.Years,3} years  {rule.Source}"))
                .Prepend(string.Create(CultureInfo.InvariantCulture, $"{"Every record",-14} {policy.FloorYears,3} years  DATA_RETENTION_YEARS"))
                .Append(policy.Country is null ? "No rules were adopted: nothing is ever due. An administrator adopts them on the page Retention." : $"Adopted: {policy.Country}, of age at {policy.MajorityAge}.")));
    }

    private static object Shown(RetentionRule rule) => new { kind = rule.Kind.ToString().ToLowerInvariant(), years = rule.Years, source = rule.Source };
}
