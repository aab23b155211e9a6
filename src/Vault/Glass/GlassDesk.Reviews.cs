using System.Data.Common;
using System.Globalization;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Glass;

/// <summary>What becomes of an emergency access afterwards: looked at, reviewed by somebody else, suspensions lifted.</summary>
public sealed partial class GlassDesk
{
    /// <summary>Within which accesses are counted for each person.</summary>
    public static readonly TimeSpan RateWindow = TimeSpan.FromDays(30);

    private const string Columns =
        "SELECT glass.id, account.number, account.username, account.name, glass.patient, glass.mrn, glass.reason, glass.device, glass.opened, glass.until, glass.due, glass.ended, glass.ended_by, glass.justified, glass.overdue, glass.outcome FROM glass JOIN account ON account.id = glass.account";

    /// <summary>Every emergency access, the newest first, at most 200. Looking is an entry.</summary>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    public async Task<IReadOnlyList<GlassGrant>> List(Actor actor, CancellationToken cancel)
    {
        var act = Sessions.Act("LIST_GLASS", "glass", null);
        await Require(actor, act, cancel);
        await using var connection = await store.Open(cancel);
        var all = await Read(connection, "ORDER BY glass.opened DESC LIMIT 200", cancel);
        await log.Note(actor, act, cancel);
        return all;
    }

    /// <summary>How often each person broke the glass within the last 30 days, the most often first.</summary>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    public async Task<IReadOnlyList<GlassRate>> Rates(Actor actor, CancellationToken cancel)
    {
        await Require(actor, Sessions.Act("LIST_GLASS", "glass", null), cancel);
        await using var connection = await store.Open(cancel);
        return await Rates(connection, cancel);
    }

    /// <summary>One access with everything that was written about it. Looking is an entry that names the patient.</summary>
    /// <returns>The file, or <c>not-found</c>.</returns>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    /// <exception cref="SealBroken">A text was changed in the database.</exception>
    public async Task<Result<GlassFile>> Open(Actor actor, Guid id, CancellationToken cancel)
    {
        var act = Act("VIEW_GLASS", id, null);
        await Require(actor, act, cancel);
        await using var connection = await store.Open(cancel);
        if (await One(connection, id, cancel) is not { } grant)
        {
            return Missing;
        }

        // Durable before a word is opened.
        await log.Note(actor, act with { Patients = [grant.Patient], NamedFields = ["emergency_access_words"] }, cancel);
        var texts = await connection.Query(
            "SELECT glass_words.id, glass_words.kind, account.name, glass_words.written, glass_words.outcome, glass_words.words FROM glass_words JOIN account ON account.id = glass_words.account WHERE glass_words.glass = @id ORDER BY glass_words.written, glass_words.kind",
            row => new GlassText(
                (GlassWriting)row.GetInt64(1),
                row.GetString(2),
                Wall(row.GetInt64(3)),
                row.LongOrNull(4) is { } outcome ? (GlassOutcome)outcome : null,
                Encoding.UTF8.GetString(identity.Pepper.Open(GlassSealing.Use, row.Bytes(5), GlassSealing.Address(row.Guid(0), id)))),
            cancel,
            ("@id", id));
        var notices = await connection.Query(
            "SELECT account.name, glass_notice.created, glass_notice.seen FROM glass_notice JOIN account ON account.id = glass_notice.account WHERE glass_notice.glass = @id ORDER BY glass_notice.created, account.name",
            row => new GlassNotice(row.GetString(0), Wall(row.GetInt64(1)), row.LongOrNull(2) is { } seen ? Wall(seen) : null, null),
            cancel,
            ("@id", id));
        var letters = await connection.Query(
            "SELECT address, created, delivered, receipt FROM letter WHERE kind = @kind ORDER BY created, address",
            row => new GlassNotice(row.GetString(0), Wall(row.GetInt64(1)), row.LongOrNull(2) is { } delivered ? Wall(delivered) : null, row.TextOrNull(3) ?? ""),
            cancel,
            ("@kind", LetterKind(id)));
        var suspended = await connection.Scalar(
            "SELECT glass_suspension.id FROM glass_suspension JOIN account ON account.id = glass_suspension.account WHERE account.number = @number AND lifted IS NULL",
            cancel,
            ("@number", grant.Staff.Number)) is not null;
        return new GlassFile(grant, texts, [.. notices, .. letters], suspended);
    }

    /// <summary>Reviews an access of somebody else.</summary>
    /// <param name="actor">Administrator or privacy officer; never who broke the glass.</param>
    /// <param name="id">The access.</param>
    /// <param name="outcome">What it came to. Asking for more makes another justification due within 24 hours.</param>
    /// <param name="words">Why, or what is asked; 20 to 2,000 characters.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The access, or <c>not-found</c>, <c>glass.own</c>, <c>glass.open</c>, <c>glass.not-justified</c>, <c>glass.reviewed</c>, <c>glass.outcome</c>, <c>glass.review-words</c>.</returns>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    public async Task<Result<GlassGrant>> Review(Actor actor, Guid id, GlassOutcome outcome, string? words, CancellationToken cancel)
    {
        var act = Act("REVIEW_GLASS", id, null);
        await Require(actor, act, cancel);
        var done = await sessions.Change<Result<GlassGrant>>(
            async change =>
            {
                change.Keep = false;
                var found = await One(change.Connection, id, cancel);
                if (Unreviewable(actor, found, outcome, words) is { } refusal)
                {
                    return refusal;
                }

                await Write(change.Connection, id, GlassWriting.Review, actor, outcome, words!.Trim(), cancel);
                if (outcome == GlassOutcome.MoreAsked)
                {
                    await change.Connection.Run(
                        "UPDATE glass SET outcome = @outcome, justified = NULL, overdue = NULL, due = @due WHERE id = @id",
                        cancel,
                        ("@outcome", (int)outcome),
                        ("@due", time.Now + (long)JustifyWithin.TotalMilliseconds),
                        ("@id", id));
                }
                else
                {
                    await change.Connection.Run("UPDATE glass SET outcome = @outcome WHERE id = @id", cancel, ("@outcome", (int)outcome), ("@id", id));
                }

                await log.Note(actor, act with { Patients = [found!.Patient], Reason = Code(outcome) }, cancel);
                change.Keep = true;
                return found with { Outcome = outcome };
            },
            cancel);
        if (done.Error is { } error)
        {
            await log.Refuse(actor, act, error, cancel);
            return error;
        }

        Changed?.Invoke(this, EventArgs.Empty);
        return done;
    }

    /// <summary>Lifts a suspension, after the access that it came from was reviewed.</summary>
    /// <returns>The staff number, or <c>glass.not-suspended</c>, <c>glass.not-reviewed</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<StaffId>> Lift(Actor admin, StaffId staff, CancellationToken cancel)
    {
        var lifted = await identity.Acts.Run<StaffId>(
            admin,
            "LIFT_GLASS_SUSPENSION",
            $"staff:{staff}",
            async change =>
            {
                var found = await change.Connection.Query(
                    "SELECT glass_suspension.id, glass_suspension.glass FROM glass_suspension JOIN account ON account.id = glass_suspension.account WHERE account.number = @number AND lifted IS NULL",
                    row => (Id: row.Guid(0), Cause: row.Guid(1)),
                    cancel,
                    ("@number", staff.Number));
                if (found is not [var (suspension, cause)])
                {
                    return new Error("glass.not-suspended", "This person's right is not suspended.");
                }

                if (admin.Staff == staff)
                {
                    return Own();
                }

                var open = (long)(await change.Connection.Scalar(
                    "SELECT COUNT(*) FROM glass JOIN account ON account.id = glass.account WHERE account.number = @number AND (glass.overdue IS NOT NULL OR glass.id = @cause) AND (glass.outcome IS NULL OR glass.outcome = @more)",
                    cancel,
                    ("@number", staff.Number),
                    ("@cause", cause),
                    ("@more", (int)GlassOutcome.MoreAsked)))!;
                if (open > 0)
                {
                    return new Error("glass.not-reviewed", "An emergency access of this person that was not justified in time is not reviewed yet. Review it first.");
                }

                await change.Connection.Run(
                    "UPDATE glass_suspension SET lifted = @now, lifted_by = (SELECT id FROM account WHERE number = @by) WHERE id = @id",
                    cancel,
                    ("@now", Now),
                    ("@by", admin.Staff.Number),
                    ("@id", suspension));
                return new Acted<StaffId>(staff, $"staff:{staff}", "lifted");
            },
            cancel);
        if (lifted.Ok)
        {
            Changed?.Invoke(this, EventArgs.Empty);
        }

        return lifted;
    }

    /// <summary>How many rights are suspended now, and how often the one who breaks the glass most did within 30 days. Nobody is named.</summary>
    public async Task<(int Suspended, int Most)> Figures(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var rates = await Rates(connection, cancel);
        return (rates.Count(one => one.Suspended), rates.Select(one => one.Count).DefaultIfEmpty().Max());
    }

    private static Error Own() => new("glass.own", "Nobody reviews their own emergency access. Another administrator or privacy officer does.");

    private static Error? Unreviewable(Actor actor, GlassGrant? found, GlassOutcome outcome, string? words) => found switch
    {
        null => Missing,
        _ when found.Staff == actor.Staff => Own(),
        { Standing: GlassStanding.Open } => new("glass.open", "The record is still open by this access. Review it when it has ended."),
        { Standing: GlassStanding.Owed } => new("glass.not-justified", "The justification is not written yet, and still has time. Review it then, or when it is overdue."),
        { Standing: GlassStanding.Reviewed } => new("glass.reviewed", "This access is reviewed already. Load the page again to see by whom."),
        _ when outcome == GlassOutcome.Unchosen || !Enum.IsDefined(outcome) => new("glass.outcome", "Choose what the review came to."),
        _ when !IsText(words) => new("glass.review-words", string.Create(CultureInfo.InvariantCulture, $"Write at least {LeastWords} and at most {MostWords} characters: why, or what is asked.")),
        _ => null,
    };

    private static string Code(GlassOutcome outcome) => outcome switch
    {
        GlassOutcome.Appropriate => "appropriate",
        GlassOutcome.NotAppropriate => "not-appropriate",
        _ => "more-asked",
    };

    /// <summary>Lets administrators and privacy officers pass, with a session that stands; everybody else leaves an entry.</summary>
    private async Task Require(Actor actor, Request act, CancellationToken cancel)
    {
        if ((standings.Refusal(actor) ?? (IsTold(actor) ? null : new Error("access.role", "Your role may not do this."))) is { } refusal)
        {
            await log.Refuse(actor, act, refusal, cancel);
            throw new Refused(refusal.Code, refusal.Message);
        }
    }

    private Task<List<GlassRate>> Rates(DbConnection connection, CancellationToken cancel) => connection.Query(
        """
        SELECT account.number, account.name,
            (SELECT COUNT(*) FROM glass WHERE glass.account = account.id AND glass.opened > @since),
            (SELECT COUNT(*) FROM glass WHERE glass.account = account.id AND glass.opened > @since AND glass.overdue IS NOT NULL),
            (SELECT COUNT(*) FROM glass_suspension WHERE glass_suspension.account = account.id AND lifted IS NULL)
        FROM account WHERE EXISTS (SELECT 1 FROM glass WHERE glass.account = account.id AND glass.opened > @since)
            OR EXISTS (SELECT 1 FROM glass_suspension WHERE glass_suspension.account = account.id AND lifted IS NULL)
        ORDER BY 3 DESC, account.number
        """,
        row => new GlassRate(new StaffId((int)row.GetInt64(0)), row.GetString(1), (int)row.GetInt64(2), (int)row.GetInt64(3), row.GetInt64(4) > 0),
        cancel,
        ("@since", (clock.GetUtcNow() - RateWindow).ToUnixTimeMilliseconds()));

    private async Task<GlassGrant?> One(DbConnection connection, Guid id, CancellationToken cancel) =>
        (await Read(connection, "WHERE glass.id = @id", cancel, ("@id", id))).FirstOrDefault();

    private Task<List<GlassGrant>> Read(DbConnection connection, string which, CancellationToken cancel, params (string Name, object? Value)[] values) => connection.Query(
        $"{Columns} {which}",
        row => new GlassGrant
        {
            Id = row.Guid(0),
            Staff = new StaffId((int)row.GetInt64(1)),
            User = row.GetString(2),
            DisplayName = row.GetString(3),
            Patient = new PatientRef(new PatientId(row.Guid(4)), row.GetString(5)),
            Reason = (GlassReason)row.GetInt64(6),
            Device = row.GetString(7),
            Opened = Wall(row.GetInt64(8)),
            Until = time.OnTheWall(row.GetInt64(9)),
            Due = time.OnTheWall(row.GetInt64(10)),
            Ended = row.LongOrNull(11) is { } ended ? Wall(ended) : null,
            EndedBy = row.LongOrNull(12) is { } by ? (GlassEnd)by : null,
            Justified = row.LongOrNull(13) is { } justified ? Wall(justified) : null,
            Overdue = row.LongOrNull(14) is { } overdue ? Wall(overdue) : null,
            Outcome = row.LongOrNull(15) is { } outcome ? (GlassOutcome)outcome : null,
        },
        cancel,
        values);

    private static DateTimeOffset Wall(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
