using System.Globalization;
using System.Text;
using Mangrove.Vault.Audit;

namespace Mangrove.Web.Administration;

/// <summary>
/// Entries as a table for other programs: RFC 4180, UTF-8, lines end in CR LF. A cell that a spreadsheet would run as a formula
/// begins with an apostrophe. What was typed at a break-glass may be about the patient and is left out.
/// </summary>
internal static class AuditCsv
{
    private static readonly string[] Columns =
        ["seq", "timestamp", "actor", "staff_id", "action", "resource", "fields_accessed", "device", "department", "session_id", "purpose", "reason", "outcome", "count", "prev_hash", "entry_hash"];

    public static byte[] Write(IReadOnlyList<AuditEntry> entries)
    {
        var text = new StringBuilder();
        Line(text, Columns);
        foreach (var entry in entries)
        {
            Line(
                text,
                entry.Seq.ToString(CultureInfo.InvariantCulture),
                entry.Timestamp.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
                entry.Actor,
                entry.StaffId,
                entry.Action,
                entry.Resource,
                string.Join(';', entry.FieldsAccessed),
                entry.Device,
                entry.Department,
                entry.SessionId,
                entry.Purpose,
                entry.Outcome == AuditOutcome.BreakGlass ? "" : entry.Reason,
                entry.Outcome.ToString().ToLowerInvariant(),
                entry.Count.ToString(CultureInfo.InvariantCulture),
                Convert.ToHexStringLower(entry.PrevHash.Span),
                Convert.ToHexStringLower(entry.EntryHash.Span));
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Line(StringBuilder text, params ReadOnlySpan<string> cells)
    {
        for (var index = 0; index < cells.Length; index++)
        {
            text.Append(index == 0 ? "" : ",").Append(Cell(cells[index]));
        }

        text.Append("\r\n");
    }

    private static string Cell(string value)
    {
        var safe = value.Length > 0 && value[0] is ('=' or '+' or '-' or '@' or '\t' or '\r') ? "'" + value : value;
        return safe.AsSpan().IndexOfAny("\",\r\n") >= 0 ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }
}
