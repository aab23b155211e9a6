using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Cli.Verbs;

/// <summary>Lists entries of the audit log for somebody who may read it. The look is an entry too.</summary>
internal sealed class AuditListVerb : HospitalVerb
{
    private readonly Option<string?> patient = new("--patient") { Description = "Only acts that touched this patient.", HelpName = "MRN" };
    private readonly Option<string?> actor = new("--actor") { Description = "Only acts of this user.", HelpName = "USER" };
    private readonly Option<string?> since = new("--since") { Description = "Only acts at or after this time (ISO 8601; without a zone it is UTC).", HelpName = "T" };
    private readonly Option<string?> until = new("--until") { Description = "Only acts before this time.", HelpName = "T" };
    private readonly Option<string?> action = new("--action") { Description = "Only this act, such as VIEW_CHART.", HelpName = "A" };
    private readonly Option<int?> most = new("--most") { Description = "At most so many, the newest; all when left out.", HelpName = "N" };

    public AuditListVerb()
        : base("list", "List entries of the log, oldest first.", "audit", actsAsSomebody: true) =>
        Add(patient, actor, since, until, action, most);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var filter = new AuditFilter
        {
            Actor = arguments.GetValue(actor),
            Action = arguments.GetValue(action)?.ToUpperInvariant(),
            Since = Time(arguments.GetValue(since), "--since"),
            Until = Time(arguments.GetValue(until), "--until"),
            Most = arguments.GetValue(most) is not (<= 0) ? arguments.GetValue(most) : throw new RefusedInput("audit.most", "Give a number above 0 with --most."),
        };
        var by = await Actor(hospital, arguments, call, cancel);
        string? number = null;
        if (arguments.GetValue(patient) is { } typed)
        {
            number = Mrn.TryParse(typed, out var mrn) ? mrn.ToString() : throw new RefusedInput("patient.number", "This is not a hospital number: its check digit does not fit. Type it again.");
            await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);

            // A number that was never given is asked for as nobody's id: the look is recorded, and the answer is empty.
            filter = filter with { Patient = await clinic.Patients.Where(row => row.Mrn == number).Select(row => (Guid?)row.Id).FirstOrDefaultAsync(cancel) ?? Guid.Empty };
        }

        var entries = (await hospital.Vault.Review.List(by, filter, number, cancel)).Reverse().Select(Line.Of).ToArray();
        return Answer.Of(entries, string.Join('\n', entries.Select(entry => entry.Words())));
    }

    private static DateTimeOffset? Time(string? text, string option) => text is null
        ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw new RefusedInput("audit.time", $"Give {option} as ISO 8601, such as 2026-03-05T14:21:03Z.");

    /// <summary>An entry as the whitepaper writes it (4.1).</summary>
    private sealed record Line(
        [property: JsonPropertyName("timestamp")] string Timestamp,
        [property: JsonPropertyName("actor")] string Actor,
        [property: JsonPropertyName("staff_id")] string StaffId,
        [property: JsonPropertyName("action")] string Action,
        [property: JsonPropertyName("resource")] string Resource,
        [property: JsonPropertyName("fields_accessed")] IReadOnlyList<string> FieldsAccessed,
        [property: JsonPropertyName("device")] string Device,
        [property: JsonPropertyName("session_id")] string SessionId,
        [property: JsonPropertyName("purpose")] string Purpose,
        [property: JsonPropertyName("reason")] string Reason,
        [property: JsonPropertyName("outcome")] string Outcome,
        [property: JsonPropertyName("prev_hash")] string PrevHash,
        [property: JsonPropertyName("entry_hash")] string EntryHash,
        [property: JsonPropertyName("seq")] long Seq,
        [property: JsonPropertyName("department")] string Department)
    {
        public static Line Of(AuditEntry entry) => new(
            entry.Timestamp.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
            entry.Actor,
            entry.StaffId,
            entry.Action,
            entry.Resource,
            entry.FieldsAccessed,
            entry.Device,
            entry.SessionId,
            entry.Purpose,
            entry.Reason,
            entry.Outcome.ToString().ToLowerInvariant(),
            Convert.ToHexStringLower(entry.PrevHash.Span),
            Convert.ToHexStringLower(entry.EntryHash.Span),
            entry.Seq,
            entry.Department);

        public string Words() => $"{Seq,8}  {Timestamp}  {Actor,-16} {Action,-24} {Resource}{(FieldsAccessed.Count == 0 ? "" : $"  [{string.Join(", ", FieldsAccessed)}]")}{(Outcome == "allowed" ? "" : $"  {Outcome.ToUpperInvariant()}")}{(Reason.Length == 0 ? "" : $"  {Reason}")}";
    }
}
