using System.Data.Common;
using Mangrove.Kernel;

namespace Mangrove.Vault.Incidents;

/// <summary>The rows of incidents as they are read.</summary>
public sealed partial class IncidentDesk
{
    private static async Task<Incident?> One(DbConnection connection, int number, CancellationToken cancel) =>
        (await Read(connection, "WHERE number = @number", cancel, ("@number", (long)number))).FirstOrDefault();

    private static Task<List<Incident>> Read(DbConnection connection, string which, CancellationToken cancel, params (string Name, object? Value)[] values) => connection.Query(
        $"SELECT id, number, kind, known, agent_knew, opened, opened_by, lead, finding, contained, log_size, log_kept, log_hash, risk, risk_by, risk_confirmed_by, affected, in_state, reviewed, closed, closed_by FROM incident {which}",
        row => new Incident
        {
            Id = row.Guid(0),
            Number = (int)row.GetInt64(1),
            Kind = (IncidentKind)row.GetInt64(2),
            Known = Wall(row.GetInt64(3)),
            AgentKnew = row.LongOrNull(4) is { } agent ? DateOnly.FromDayNumber((int)agent) : null,
            Opened = Wall(row.GetInt64(5)),
            OpenedBy = new StaffId((int)row.GetInt64(6)),
            Lead = new StaffId((int)row.GetInt64(7)),
            Finding = row.LongOrNull(8),
            Contained = WallOrNull(row, 9),
            LogSize = row.LongOrNull(10),
            LogKept = WallOrNull(row, 11),
            LogHash = row.IsDBNull(12) ? null : Convert.ToHexStringLower(row.Bytes(12)),
            Risk = (RiskFound)row.GetInt64(13),
            RiskBy = StaffOrNull(row, 14),
            RiskConfirmedBy = StaffOrNull(row, 15),
            Affected = (int?)row.LongOrNull(16),
            InOneState = (int?)row.LongOrNull(17),
            Reviewed = WallOrNull(row, 18),
            Closed = WallOrNull(row, 19),
            ClosedBy = StaffOrNull(row, 20),
        },
        cancel,
        values);

    private static async Task<IncidentFile> Fill(DbConnection connection, Incident incident, IReadOnlyList<IncidentText> texts, CancellationToken cancel)
    {
        var id = ("@id", (object?)incident.Id);
        var notices = await connection.Query(
            "SELECT account.number, incident_notice.officer, incident_notice.created, incident_notice.seen FROM incident_notice JOIN account ON account.id = incident_notice.account WHERE incident_notice.incident = @id ORDER BY account.number",
            row => new IncidentNotice(new StaffId((int)row.GetInt64(0)), row.GetInt64(1) == 1, Wall(row.GetInt64(2)), WallOrNull(row, 3)),
            cancel,
            id);
        var targets = await connection.Query(
            "SELECT kind, name, at, staff, outcome FROM incident_target WHERE incident = @id ORDER BY kind, name",
            row => new IncidentTarget((TargetKind)row.GetInt64(0), row.GetString(1), Wall(row.GetInt64(2)), new StaffId((int)row.GetInt64(3)), row.GetString(4)),
            cancel,
            id);
        var rotated = await connection.Query(
            "SELECT purpose, version, asked, ended FROM incident_key WHERE incident = @id ORDER BY purpose",
            row => new IncidentKey(row.GetString(0), (int?)row.LongOrNull(1), Wall(row.GetInt64(2)), WallOrNull(row, 3)),
            cancel,
            id);
        var impacts = await connection.Query(
            "SELECT incident_impact.id, incident_words.written, incident_words.staff, question, hash, log_size, patients, acts, everybody FROM incident_impact JOIN incident_words ON incident_words.id = incident_impact.id WHERE incident_impact.incident = @id ORDER BY incident_words.written DESC",
            row => new IncidentImpact(row.Guid(0), Wall(row.GetInt64(1)), new StaffId((int)row.GetInt64(2)), row.GetString(3), Convert.ToHexStringLower(row.Bytes(4)), row.GetInt64(5), (int)row.GetInt64(6), row.GetInt64(7), (int)row.GetInt64(8)),
            cancel,
            id);
        var sent = await connection.Query(
            "SELECT recipient, people, day, way, at, staff FROM incident_sent WHERE incident = @id ORDER BY at, recipient",
            row => new IncidentSent((NoticeTo)row.GetInt64(0), (int)row.GetInt64(1), DateOnly.FromDayNumber((int)row.GetInt64(2)), (NoticeWay)row.GetInt64(3), Wall(row.GetInt64(4)), new StaffId((int)row.GetInt64(5))),
            cancel,
            id);
        var actions = await connection.Query(
            "SELECT id, owner, due, done FROM incident_action WHERE incident = @id ORDER BY due, id",
            row => new IncidentAction(row.Guid(0), new StaffId((int)row.GetInt64(1)), DateOnly.FromDayNumber((int)row.GetInt64(2)), WallOrNull(row, 3)),
            cancel,
            id);
        var waived = (await connection.Query("SELECT step, staff FROM incident_waiver WHERE incident = @id", row => ((IncidentStep)row.GetInt64(0), new StaffId((int)row.GetInt64(1))), cancel, id))
            .ToDictionary(one => one.Item1, one => one.Item2);
        return new IncidentFile(incident, texts, notices, targets, rotated, impacts, sent, actions, IncidentSteps.Of(incident, notices, targets, rotated, impacts, sent, actions, waived));
    }

    private static DateTimeOffset? WallOrNull(DbDataReader row, int column) => row.LongOrNull(column) is { } at ? Wall(at) : null;

    private static StaffId? StaffOrNull(DbDataReader row, int column) => row.LongOrNull(column) is { } number ? new StaffId((int)number) : null;
}
