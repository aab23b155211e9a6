using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Mangrove.Cli.CommandLine;
using Mangrove.Governance.Incidents;
using Mangrove.Kernel;
using Mangrove.Vault.Incidents;

namespace Mangrove.Cli.Verbs;

/// <summary>What the verbs about incidents share. They only read: an incident is worked on at the page, where the second factor is.</summary>
internal abstract class IncidentVerb(string verb, string description) : HospitalVerb(verb, description, "incident", actsAsSomebody: true)
{
    protected static object Shown(IncidentFile file, IReadOnlyList<OwedNotice> owed) => new
    {
        number = file.Incident.Number,
        kind = Code(file.Incident.Kind),
        state = Code(file.State),
        known = file.Incident.Known,
        agentKnew = file.Incident.AgentKnew,
        opened = file.Incident.Opened,
        openedBy = file.Incident.OpenedBy.ToString(),
        lead = file.Incident.Lead.ToString(),
        contained = file.Incident.Contained,
        risk = Code(file.Incident.Risk),
        affected = file.Incident.Affected,
        closed = file.Incident.Closed,
        steps = file.Steps.Select(step => new { step = Code(step.Step), done = step.Done, figures = step.Figures, waivedBy = step.WaivedBy?.ToString() }),
        owed = owed.Select(one => new { to = Code(one.Duty), law = one.Law, lastDay = one.LastDay, due = one.Due }),
    };

    protected static string Code<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    protected static IReadOnlyList<OwedNotice> Owed(Hospital hospital, IncidentFile file) => BreachAlarm.Owed(file, BreachLaws.Hipaa | BreachLaws.Gdpr, hospital.Clock.LocalTimeZone);
}

/// <summary>Every incident, and what is still to be done about each.</summary>
internal sealed class IncidentListVerb() : IncidentVerb("list", "Every incident, the newest first, with what is still to be done. The look is an entry.")
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var files = await hospital.Vault.Incidents.List(await Actor(hospital, arguments, call, cancel), cancel);
        return Answer.Of(
            files.Select(file => Shown(file, Owed(hospital, file))).ToArray(),
            files.Count == 0 ? "No incident was opened." : string.Join('\n', files.Select(Line)));
    }

    private static string Line(IncidentFile file)
    {
        var open = file.Steps.Where(step => !step.Settled).Select(step => Code(step.Step)).ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{file.Incident.Number,4}  {Code(file.State),-9} {Code(file.Incident.Kind),-17} {file.Incident.Known.UtcDateTime:yyyy-MM-dd'T'HH:mm'Z'}  {file.Incident.Lead}{(open.Count == 0 ? "" : $"  to do: {string.Join(", ", open)}")}");
    }
}

/// <summary>One incident with everything that was written about it.</summary>
internal sealed class IncidentShowVerb : IncidentVerb
{
    private readonly Argument<int> number = new("number") { Description = "Its number, as 'incident list' shows it.", HelpName = "NUMBER" };

    public IncidentShowVerb()
        : base("show", "One incident with its words, what was contained, asked of the log, sent and is still owed. The look is an entry.") => Command.Arguments.Add(number);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var opened = await hospital.Vault.Incidents.Open(actor, arguments.GetValue(number), cancel);
        if (opened.Error is not null)
        {
            throw new RefusedInput("incident.none", "There is no incident of this number. Look at 'mangrove incident list'.");
        }

        var file = opened.Value;
        var owed = Owed(hospital, file);
        return Answer.Of(
            new
            {
                incident = Shown(file, owed),
                words = file.Texts.Select(text => new { kind = Code(text.Kind), by = text.By.ToString(), written = text.Written, text = text.Text }),
                told = file.Notices.Select(notice => new { to = notice.To.ToString(), told = notice.Told, seen = notice.Seen }),
                targets = file.Targets.Select(target => new { kind = Code(target.Kind), name = target.Name, at = target.At, by = target.By.ToString(), outcome = target.Outcome }),
                keys = file.Keys.Select(key => new { purpose = key.Purpose, asked = key.Asked, ended = key.Ended }),
                log = new { size = file.Incident.LogSize, kept = file.Incident.LogKept, sha256 = file.Incident.LogHash },
                impacts = file.Impacts.Select(impact => new { made = impact.Made, by = impact.By.ToString(), question = impact.Question, patients = impact.Patients, acts = impact.Acts, everybody = impact.Everybody, logSize = impact.LogSize, sha256 = impact.Hash }),
                sent = file.Sent.Select(sent => new { to = Code(sent.To), people = sent.People, day = sent.Day, way = Code(sent.Way), by = sent.By.ToString() }),
                actions = file.Actions.Select(action => new { owner = action.Owner.ToString(), due = action.Due, done = action.Done }),
            },
            Words(file, owed));
    }

    private static string Words(IncidentFile file, IReadOnlyList<OwedNotice> owed)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Incident {file.Incident.Number}, {Code(file.Incident.Kind)}, {Code(file.State)}; known {file.Incident.Known.UtcDateTime:yyyy-MM-dd'T'HH:mm'Z'}, lead {file.Incident.Lead}\n");
        foreach (var step in file.Steps)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(step.Done ? "[x]" : step.WaivedBy is null ? "[ ]" : "[-]")} {Code(step.Step),-10} {step.Figures}\n");
        }

        foreach (var one in owed)
        {
            text.Append(CultureInfo.InvariantCulture, $"owed: {Code(one.Duty)} until {one.Due.UtcDateTime:yyyy-MM-dd'T'HH:mm'Z'} ({one.Law})\n");
        }

        foreach (var one in file.Texts)
        {
            text.Append(CultureInfo.InvariantCulture, $"{one.Written.UtcDateTime:yyyy-MM-dd'T'HH:mm'Z'} {one.By} {Code(one.Kind)}: {one.Text}\n");
        }

        return text.ToString().TrimEnd('\n');
    }
}
