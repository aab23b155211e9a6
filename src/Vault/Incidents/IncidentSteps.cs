using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Vault.Incidents;

/// <summary>Which steps are done, from the facts alone: nobody ticks anything by hand.</summary>
public static class IncidentSteps
{
    /// <summary>The steps in their order.</summary>
    public static IReadOnlyList<IncidentStep> All { get; } = Enum.GetValues<IncidentStep>();

    internal static IReadOnlyList<StepStanding> Of(
        Incident incident,
        IReadOnlyList<IncidentNotice> notices,
        IReadOnlyList<IncidentTarget> targets,
        IReadOnlyList<IncidentKey> keys,
        IReadOnlyList<IncidentImpact> impacts,
        IReadOnlyList<IncidentSent> sent,
        IReadOnlyList<IncidentAction> actions,
        IReadOnlyDictionary<IncidentStep, StaffId> waived)
    {
        return [.. All.Select(step => Judge(step) is var (done, figures) ? new StepStanding(step, done, figures, waived.TryGetValue(step, out var by) ? by : null) : null!)];

        (bool Done, string Figures) Judge(IncidentStep step) => step switch
        {
            IncidentStep.Tell => Told(notices),
            IncidentStep.Contain => (incident.Contained is not null, incident.Contained is null ? "nothing yet" : Text($"{targets.Count} contained")),
            IncidentStep.RotateKeys => (keys.Count > 0 && keys.All(key => key.Ended is not null), keys.Count == 0 ? "none asked for" : Text($"{keys.Count(key => key.Ended is not null)} of {keys.Count} rotated to the end")),
            IncidentStep.KeepLog => (incident.LogKept is not null, incident.LogKept is not null ? Text($"{incident.LogSize} entries and more, sha256 {incident.LogHash![..16]}") : incident.LogSize is { } size ? Text($"root at {size} entries written down, the copy follows") : "nothing yet"),
            IncidentStep.Impact => (impacts.Count > 0, impacts.Count == 0 ? "the log was not asked" : Text($"{impacts.Max(one => one.Patients)} patients")),
            IncidentStep.Risk => (incident.IsJudged, incident.Risk switch { RiskFound.Breach => "a breach", RiskFound.Low when incident.NothingOwed => "low probability, said by two", RiskFound.Low => "low probability: a second person is asked", _ => "presumed a breach" }),
            IncidentStep.Notify => Notified(incident, sent),
            _ => (incident.Reviewed is not null && actions.All(one => one.Done is not null), Text($"{actions.Count(one => one.Done is not null)} of {actions.Count} actions done")),
        };
    }

    /// <summary>How far it has come: by what was settled from the first step on.</summary>
    internal static IncidentState State(Incident incident, IReadOnlyList<StepStanding> steps)
    {
        if (incident.Closed is not null)
        {
            return IncidentState.Closed;
        }

        var settled = steps.Where(one => one.Settled).Select(one => one.Step).ToHashSet();
        return !settled.Contains(IncidentStep.Contain) ? IncidentState.Open
            : !settled.IsSupersetOf([IncidentStep.Impact, IncidentStep.Risk]) ? IncidentState.Contained
            : !settled.Contains(IncidentStep.Notify) ? IncidentState.Assessed
            : !settled.Contains(IncidentStep.Review) ? IncidentState.Notified
            : IncidentState.Reviewed;
    }

    // An officer's receipt; where the hospital has named none, that of whoever else was told.
    private static (bool Done, string Figures) Told(IReadOnlyList<IncidentNotice> notices)
    {
        var asked = notices.Any(one => one.Officer) ? notices.Where(one => one.Officer).ToList() : [.. notices];
        var seen = asked.Count(one => one.Seen is not null);
        return (seen > 0, Text($"{notices.Count} told, {seen} of {asked.Count} {(notices.Any(one => one.Officer) ? "privacy officers" : "administrators")} have seen it"));
    }

    private static (bool Done, string Figures) Notified(Incident incident, IReadOnlyList<IncidentSent> sent)
    {
        if (incident.NothingOwed)
        {
            return (true, "none is owed");
        }

        var told = sent.Where(one => one.To == NoticeTo.Patients).Sum(one => (long)one.People);
        var done = incident.Risk == RiskFound.Breach && incident.Affected is { } affected
            && (affected == 0 || (told >= affected && sent.Any(one => one.To == NoticeTo.Authority)))
            && (incident.InOneState is not > 500 || sent.Any(one => one.To == NoticeTo.Media));
        return (done, Text($"{told} of {incident.Affected ?? 0} patients, {(sent.Any(one => one.To == NoticeTo.Authority) ? "authority told" : "authority not told")}"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
