using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Incidents;

/// <summary>The four factors, what was sent, and what was learned.</summary>
public sealed partial class IncidentDesk
{
    private const int MostPeople = 100_000_000;

    /// <summary>Judges the four factors of 45 CFR 164.402(2). A breach is presumed: a low probability holds when another person confirms it.</summary>
    /// <param name="actor">Administrator or privacy officer.</param>
    /// <param name="number">The incident.</param>
    /// <param name="factors">Nature and extent, who it came to, whether it was acquired or viewed, mitigation: 20 to 4,000 characters each.</param>
    /// <param name="found">What they come to.</param>
    /// <param name="affected">How many patients.</param>
    /// <param name="inOneState">How many of them live in the state or country with the most of them.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The incident's number, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.no-impact</c>, <c>incident.words</c>, <c>incident.risk</c>, <c>incident.affected</c>.</returns>
    public Task<Result<int>> Assess(Actor actor, int number, IReadOnlyList<string?> factors, RiskFound found, int affected, int inOneState, CancellationToken cancel) => On(
        actor,
        "ASSESS_INCIDENT",
        number,
        async (change, incident) =>
        {
            ArgumentNullException.ThrowIfNull(factors);
            var steps = (await Fill(change.Connection, incident, [], cancel)).Steps;
            if (!steps.Single(one => one.Step == IncidentStep.Impact).Settled)
            {
                return new Error("incident.no-impact", "Ask the log first what was opened: the first factor rests on it.");
            }

            if (found is not (RiskFound.Breach or RiskFound.Low))
            {
                return new Error("incident.risk", "Say what the four factors come to. Where you cannot say, it is a breach.");
            }

            if (affected is < 0 or > MostPeople || inOneState < 0 || inOneState > affected)
            {
                return new Error("incident.affected", "Give how many patients are affected, and how many of them live in the state or country with the most: at most as many.");
            }

            IncidentWriting[] kinds = [IncidentWriting.Nature, IncidentWriting.Person, IncidentWriting.Acquired, IncidentWriting.Mitigation];
            if (factors.Count != kinds.Length || !factors.All(IsText))
            {
                return new Error(Words.Code, string.Create(CultureInfo.InvariantCulture, $"Each of the four factors has at least {LeastWords} and at most {MostWords} characters."));
            }

            for (var factor = 0; factor < kinds.Length; factor++)
            {
                await Write(change.Connection, Ids.New(), incident.Id, kinds[factor], actor, factors[factor]!, cancel);
            }

            await change.Connection.Run(
                "UPDATE incident SET risk = @risk, risk_by = @by, risk_confirmed_by = NULL, affected = @affected, in_state = @state WHERE id = @id",
                cancel,
                ("@risk", (long)found),
                ("@by", (long)actor.Staff.Number),
                ("@affected", (long)affected),
                ("@state", (long)inOneState),
                ("@id", incident.Id));
            return Done(incident, string.Create(CultureInfo.InvariantCulture, $"{Code(incident)} -> {(found == RiskFound.Breach ? "breach" : "low, one person")}, {affected} affected, {inOneState} in one state"));
        },
        cancel);

    /// <summary>A second person says too that the probability is low; then nobody has to be told.</summary>
    /// <returns>The incident's number, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.not-low</c>, <c>incident.own-risk</c>.</returns>
    public Task<Result<int>> ConfirmLow(Actor actor, int number, CancellationToken cancel) => On(
        actor,
        "CONFIRM_INCIDENT_RISK",
        number,
        async (change, incident) =>
        {
            if (incident.Risk != RiskFound.Low || incident.RiskConfirmedBy is not null)
            {
                return new Error("incident.not-low", "There is no low probability that waits for a second person.");
            }

            if (incident.RiskBy == actor.Staff)
            {
                return new Error("incident.own-risk", "You judged it yourself. Another administrator or privacy officer confirms it.");
            }

            await change.Connection.Run("UPDATE incident SET risk_confirmed_by = @by WHERE id = @id", cancel, ("@by", (long)actor.Staff.Number), ("@id", incident.Id));
            return Done(incident, "low, one person -> low, two persons");
        },
        cancel);

    /// <summary>Records that a notice was sent, with day and way: the accounting of 45 CFR 164.414(b).</summary>
    /// <returns>The incident's number, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.not-judged</c>, <c>incident.sent</c>.</returns>
    public Task<Result<int>> RecordSent(Actor actor, int number, NoticeTo to, int people, DateOnly day, NoticeWay way, CancellationToken cancel) => On(
        actor,
        "RECORD_INCIDENT_NOTICE",
        number,
        async (change, incident) =>
        {
            if (incident.Risk != RiskFound.Breach)
            {
                return new Error("incident.not-judged", "Judge the four factors first: what is owed follows from them.");
            }

            var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(clock.GetUtcNow(), clock.LocalTimeZone).DateTime);
            var known = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(incident.Known, clock.LocalTimeZone).DateTime);
            if (to == NoticeTo.Unchosen || !Enum.IsDefined(to) || way == NoticeWay.Unchosen || !Enum.IsDefined(way) || people is < 1 or > MostPeople || day > today || day < (incident.AgentKnew ?? known))
            {
                return new Error("incident.sent", "Say to whom it went, to how many, how, and on which day: not before it was known and not after today.");
            }

            await change.Connection.Run(
                "INSERT INTO incident_sent (id, incident, recipient, people, day, way, at, staff) VALUES (@id, @incident, @to, @people, @day, @way, @now, @by)",
                cancel,
                ("@id", Ids.New()),
                ("@incident", incident.Id),
                ("@to", (long)to),
                ("@people", (long)people),
                ("@day", (long)day.DayNumber),
                ("@way", (long)way),
                ("@now", Now),
                ("@by", (long)actor.Staff.Number));
            return Done(incident, string.Create(CultureInfo.InvariantCulture, $"{to.ToString().ToLowerInvariant()}: {people} by {way.ToString().ToLowerInvariant()} on {day:yyyy-MM-dd}"));
        },
        cancel);

    /// <summary>Adds something that is to be done about it.</summary>
    /// <returns>The incident's number, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.words</c>, <c>incident.owner</c>, <c>incident.due</c>.</returns>
    public Task<Result<int>> AddAction(Actor actor, int number, StaffId owner, DateOnly due, string? words, CancellationToken cancel) => On(
        actor,
        "ADD_INCIDENT_ACTION",
        number,
        async (change, incident) =>
        {
            if (!IsText(words))
            {
                return Words;
            }

            if (await change.Connection.Scalar("SELECT number FROM account WHERE number = @number AND state = @active", cancel, ("@number", (long)owner.Number), ("@active", (long)AccountState.Active)) is null)
            {
                return new Error("incident.owner", "Choose who does it: somebody with an active account.");
            }

            if (due < DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(clock.GetUtcNow(), clock.LocalTimeZone).DateTime))
            {
                return new Error("incident.due", "Give the day by which it is done: today or later.");
            }

            var id = Ids.New();
            await Write(change.Connection, id, incident.Id, IncidentWriting.Action, actor, words!, cancel);
            await change.Connection.Run(
                "INSERT INTO incident_action (id, incident, owner, due) VALUES (@id, @incident, @owner, @due)",
                cancel,
                ("@id", id),
                ("@incident", incident.Id),
                ("@owner", (long)owner.Number),
                ("@due", (long)due.DayNumber));
            return Done(incident, string.Create(CultureInfo.InvariantCulture, $"action {id.ToString("N")[^8..]} for {owner} by {due:yyyy-MM-dd}"));
        },
        cancel);

    /// <summary>Says that an action is done.</summary>
    /// <returns>The incident's number, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.action</c>.</returns>
    public Task<Result<int>> EndAction(Actor actor, int number, Guid action, CancellationToken cancel) => On(
        actor,
        "END_INCIDENT_ACTION",
        number,
        async (change, incident) => await change.Connection.Run(
            "UPDATE incident_action SET done = @now, done_by = @by WHERE id = @action AND incident = @id AND done IS NULL",
            cancel,
            ("@now", Now),
            ("@by", (long)actor.Staff.Number),
            ("@action", action),
            ("@id", incident.Id)) == 0
            ? new Error("incident.action", "That action is done already. Load the page again.")
            : Done(incident, $"action {action.ToString("N")[^8..]}: open -> done"),
        cancel);

    /// <summary>Writes what is learned from the incident.</summary>
    /// <returns>The incident's number, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.words</c>, <c>incident.too-early</c>.</returns>
    public Task<Result<int>> Review(Actor actor, int number, string? words, CancellationToken cancel) => On(
        actor,
        "REVIEW_INCIDENT",
        number,
        async (change, incident) =>
        {
            if (!(await Fill(change.Connection, incident, [], cancel)).Steps.Single(one => one.Step == IncidentStep.Risk).Settled)
            {
                return new Error("incident.too-early", "Judge the four factors first: the review looks back on them.");
            }

            if (!IsText(words))
            {
                return Words;
            }

            await Write(change.Connection, Ids.New(), incident.Id, IncidentWriting.Review, actor, words!, cancel);
            await change.Connection.Run("UPDATE incident SET reviewed = @now WHERE id = @id", cancel, ("@now", Now), ("@id", incident.Id));
            return Done(incident, incident.Reviewed is null ? "not reviewed -> reviewed" : "reviewed again");
        },
        cancel);

    private static string Code(Incident incident) => incident.Risk switch
    {
        RiskFound.Breach => "breach",
        RiskFound.Low => incident.NothingOwed ? "low, two persons" : "low, one person",
        _ => "not judged",
    };
}
