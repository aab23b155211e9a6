namespace Mangrove.Governance.Incidents;

/// <summary>Who is owed word of a breach.</summary>
public enum NoticeDuty
{
    /// <summary>Each patient: 45 CFR 164.404.</summary>
    Individuals = 1,

    /// <summary>The Secretary, where 500 or more are affected: 45 CFR 164.408(b).</summary>
    Secretary = 2,

    /// <summary>The Secretary, in the log of the year, where fewer are: 45 CFR 164.408(c).</summary>
    YearlyLog = 3,

    /// <summary>Prominent media of a state with more than 500 affected residents: 45 CFR 164.406.</summary>
    Media = 4,

    /// <summary>The supervisory authority: GDPR, article 33.</summary>
    Authority = 5,
}

/// <summary>When what happened was known, and to whom.</summary>
/// <param name="Known">When the hospital came to know of it.</param>
/// <param name="AgentKnew">The first day on which a member of staff or an agent knew, or with reasonable diligence would have; null where that is no earlier.</param>
public sealed record Discovery(DateTimeOffset Known, DateOnly? AgentKnew)
{
    /// <summary>
    /// The first day on which the breach is known or by reasonable diligence would have been: what any member of the workforce
    /// or agent knows counts, whatever the hospital's own day (45 CFR 164.404(a)(2)).
    /// </summary>
    public DateOnly Day(TimeZoneInfo zone)
    {
        var own = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Known, zone).DateTime);
        return AgentKnew is { } agent && agent < own ? agent : own;
    }
}

/// <summary>How many are affected.</summary>
/// <param name="Patients">In all.</param>
/// <param name="InOneState">Residents of the state or jurisdiction with the most of them.</param>
public sealed record Extent(int Patients, int InOneState);

/// <summary>A law-enforcement official's statement that notice would impede an investigation (45 CFR 164.412).</summary>
/// <param name="Said">The day of the statement.</param>
/// <param name="Until">The last day that a written statement names; null for a spoken one, which holds for at most 30 days.</param>
public sealed record LawEnforcementDelay(DateOnly Said, DateOnly? Until)
{
    /// <summary>How long a spoken statement holds (164.412(b)).</summary>
    public const int SpokenDays = 30;

    /// <summary>The last day on which nobody may be told.</summary>
    public DateOnly Last => Until ?? Said.AddDays(SpokenDays);
}

/// <summary>One notice that is owed.</summary>
/// <param name="Duty">To whom.</param>
/// <param name="Law">Where it is asked.</param>
/// <param name="LastDay">The last day on which it is in time, in the hospital's time zone; null where the law counts hours.</param>
/// <param name="Due">The moment after which it is late: the end of that day, or the end of the hours.</param>
/// <param name="NotBefore">The first day on which it may be made, where law enforcement asked for a delay.</param>
public sealed record OwedNotice(NoticeDuty Duty, string Law, DateOnly? LastDay, DateTimeOffset Due, DateOnly? NotBefore);

/// <summary>Under which laws a hospital stands. Set by the hospital: both, where nobody said otherwise.</summary>
[Flags]
public enum BreachLaws
{
    None = 0,
    Hipaa = 1,
    Gdpr = 2,
}

/// <summary>
/// The days and hours within which a breach is told. Calendar days in the hospital's own time zone; nothing is moved for weekends
/// or holidays, because the law moves nothing. "Without unreasonable delay" comes first: each of these is the outermost day.
/// </summary>
public static class BreachDeadlines
{
    /// <summary>45 CFR 164.404(b), 164.406(b), 164.408(c), 164.410(b).</summary>
    public const int Days = 60;

    /// <summary>From so many on the Secretary is told at the same time as the patients (164.408(b)).</summary>
    public const int AtOnceFrom = 500;

    /// <summary>More than so many residents of one state: the media too (164.406(a)).</summary>
    public const int MediaAbove = 500;

    /// <summary>GDPR, article 33(1).</summary>
    public static readonly TimeSpan AuthorityWithin = TimeSpan.FromHours(72);

    /// <summary>What is owed, the earliest first.</summary>
    public static IReadOnlyList<OwedNotice> Of(Discovery discovery, Extent extent, LawEnforcementDelay? delay, BreachLaws laws, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(discovery);
        ArgumentNullException.ThrowIfNull(extent);
        var owed = new List<OwedNotice>();
        if (extent.Patients <= 0)
        {
            return owed;
        }

        if (laws.HasFlag(BreachLaws.Hipaa))
        {
            var day = discovery.Day(zone);
            var sixty = day.AddDays(Days);
            owed.Add(OnDay(NoticeDuty.Individuals, "45 CFR 164.404", sixty, delay, zone));
            owed.Add(extent.Patients >= AtOnceFrom
                ? OnDay(NoticeDuty.Secretary, "45 CFR 164.408(b)", sixty, delay, zone)
                : OnDay(NoticeDuty.YearlyLog, "45 CFR 164.408(c)", LastDayOfYearlyLog(day.Year), delay, zone));
            if (extent.InOneState > MediaAbove)
            {
                owed.Add(OnDay(NoticeDuty.Media, "45 CFR 164.406", sixty, delay, zone));
            }
        }

        if (laws.HasFlag(BreachLaws.Gdpr))
        {
            // Of hours, and from what the hospital itself knows; no statement of the police holds this one up.
            owed.Add(new OwedNotice(NoticeDuty.Authority, "GDPR 33", null, discovery.Known + AuthorityWithin, null));
        }

        return [.. owed.OrderBy(one => one.Due).ThenBy(one => one.Duty)];
    }

    /// <summary>The last day for the breaches of fewer than 500 that were discovered in a year: 60 days after its end.</summary>
    public static DateOnly LastDayOfYearlyLog(int year) => new DateOnly(year, 12, 31).AddDays(Days);

    /// <summary>The last day on which a business associate tells the hospital (45 CFR 164.410(b)).</summary>
    public static DateOnly LastDayOfAssociate(DateOnly discovered) => discovered.AddDays(Days);

    private static OwedNotice OnDay(NoticeDuty duty, string law, DateOnly last, LawEnforcementDelay? delay, TimeZoneInfo zone)
    {
        // While the delay lasts nobody may be told; where it outlasts the sixty days, the day after it is the last one.
        var first = delay?.Last.AddDays(1);
        var due = first is { } open && open > last ? open : last;
        return new OwedNotice(duty, law, due, EndOf(due, zone), first);
    }

    /// <summary>The first moment after a day in a time zone. Where the clocks skip midnight, the moment they jump to.</summary>
    public static DateTimeOffset EndOf(DateOnly day, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var local = day.AddDays(1).ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        // Midnight comes twice where the clocks go back over it: the day has ended at the first.
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset);
    }
}
