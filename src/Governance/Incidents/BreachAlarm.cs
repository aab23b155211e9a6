using Mangrove.Vault.Incidents;

namespace Mangrove.Governance.Incidents;

/// <summary>When an incident has to be told of again, because a notice is due soon.</summary>
public static class BreachAlarm
{
    /// <summary>How long before the last day.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromDays(7);

    /// <summary>How long before the end of the authority's 72 hours.</summary>
    public static readonly TimeSpan AuthorityAhead = TimeSpan.FromHours(24);

    /// <summary>How many of the incidents have a notice that is due soon or late, and was not sent.</summary>
    public static long Due(IReadOnlyList<IncidentFile> owing, DateTimeOffset now, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(owing);
        return owing.LongCount(file => Owed(file, BreachLaws.Hipaa | BreachLaws.Gdpr, zone).Any(one =>
            file.Sent.All(sent => sent.To != To(one.Duty)) && one.Due - now <= (one.Duty == NoticeDuty.Authority ? AuthorityAhead : Ahead)));
    }

    /// <summary>What an incident owes, by what is known of it now: at least one patient, until it is judged otherwise.</summary>
    public static IReadOnlyList<OwedNotice> Owed(IncidentFile file, BreachLaws laws, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Incident.NothingOwed || file.Incident.Affected == 0)
        {
            return [];
        }

        var patients = file.Incident.Affected ?? Math.Max(1, file.Impacts.Select(one => one.Patients).DefaultIfEmpty(0).Max());
        return BreachDeadlines.Of(new Discovery(file.Incident.Known, file.Incident.AgentKnew), new Extent(patients, file.Incident.InOneState ?? patients), null, laws, zone);
    }

    private static NoticeTo To(NoticeDuty duty) => duty switch
    {
        NoticeDuty.Individuals => NoticeTo.Patients,
        NoticeDuty.Media => NoticeTo.Media,
        _ => NoticeTo.Authority,
    };
}
