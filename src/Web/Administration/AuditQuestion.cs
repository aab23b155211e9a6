using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web.Administration;

/// <summary>
/// What the administrator asks of the log, as typed. It travels in a post: a hospital number in an address would stay in
/// the browser's history.
/// </summary>
public sealed record AuditQuestion
{
    /// <summary>Entries a page.</summary>
    public const int PageSize = 50;

    /// <summary>Entries that the plots and the lists beside them are made of: the newest ones.</summary>
    public const int Drawn = 5_000;

    // What no index knows (device, purpose) is looked for among so many of those that the rest finds: half a second's work.
    private const int Examined = 50_000;

    // Dates as people at the desk type them; the first is how the page writes them.
    private static readonly string[] DateForms = ["dd-MMM-yyyy", "d-MMM-yyyy", "dd MMM yyyy", "d MMM yyyy", "yyyy-MM-dd"];

    public string Number { get; init; } = string.Empty;

    public string From { get; init; } = string.Empty;

    public string To { get; init; } = string.Empty;

    /// <summary>User name, or empty for everybody.</summary>
    public string Who { get; init; } = string.Empty;

    /// <summary>Name of the act in the log, or empty for every act.</summary>
    public string Act { get; init; } = string.Empty;

    /// <summary>Number of an <see cref="AuditOutcome"/>, or empty for all.</summary>
    public string Outcome { get; init; } = string.Empty;

    /// <summary>Whole name of a device as the log shows it, or empty for every one.</summary>
    public string Device { get; init; } = string.Empty;

    /// <summary>Name of a <see cref="Vault.Access.Purpose"/>, or empty for every one.</summary>
    public string Purpose { get; init; } = string.Empty;

    /// <summary>Only entries before this sequence number: the next page.</summary>
    public long? Beyond { get; init; }

    /// <summary>Nothing: what is asked names a patient.</summary>
    public override string ToString() => nameof(AuditQuestion);

    public static async Task<AuditQuestion> Read(HttpContext http, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        return new AuditQuestion
        {
            Number = Text("number"),
            From = Text("from"),
            To = Text("to"),
            Who = Text("who"),
            Act = Text("act"),
            Outcome = Text("outcome"),
            Device = Text("device"),
            Purpose = Text("purpose"),
            Beyond = long.TryParse(form["beyond"], NumberStyles.None, CultureInfo.InvariantCulture, out var beyond) ? beyond : null,
        };

        string Text(string name) => form[name].ToString().Trim();
    }

    /// <summary>The filter, or what is wrong by the name of the field.</summary>
    /// <param name="patient">The patient of <see cref="Number"/>, or null when nobody has it.</param>
    /// <param name="roster">The staff, whose user names may be asked for.</param>
    /// <param name="programs">The programs of others, which may be asked for too.</param>
    /// <param name="clock">For the hospital's own days.</param>
    public (AuditFilter Filter, IReadOnlyDictionary<string, string> Errors) Filter(PatientRef? patient, IReadOnlyList<Colleague> roster, IReadOnlyDictionary<string, string> programs, TimeProvider clock)
    {
        var errors = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Number.Length > 0 && patient is null)
        {
            errors["number"] = Mrn.TryParse(Number, out _) ? "No patient here has this number." : "Type the whole number with its check digit.";
        }

        var from = Day("from", From);
        var to = Day("to", To);
        if (from > to)
        {
            errors["to"] = "Ends before it begins.";
        }

        if (Who.Length > 0 && !ActWords.SystemActors.ContainsKey(Who) && !programs.ContainsKey(Who) && !roster.Any(one => one.User == Who))
        {
            errors["who"] = "Choose somebody of the list.";
        }

        AuditOutcome? outcome = null;
        if (Outcome.Length > 0)
        {
            if (Enum.TryParse<AuditOutcome>(Outcome, out var asked) && Enum.IsDefined(asked))
            {
                outcome = asked;
            }
            else
            {
                errors["outcome"] = "Choose one of the list.";
            }
        }

        if (Purpose.Length > 0 && !(Enum.TryParse<Vault.Access.Purpose>(Purpose, out var purpose) && Enum.IsDefined(purpose)))
        {
            errors["purpose"] = "Choose one of the list.";
        }

        var filter = new AuditFilter
        {
            Patient = patient?.Id.Value,
            Actor = Who.Length > 0 ? Who : null,
            Action = Act.Length > 0 ? Act : null,
            Outcome = outcome,
            Since = from is { } first ? clock.StartOf(first) : null,
            Until = to is { } last ? clock.StartOf(last.AddDays(1)) : null,
            Device = Device.Length > 0 ? Device : null,
            Purpose = Purpose.Length > 0 ? Purpose : null,
            Examine = Device.Length + Purpose.Length > 0 ? Examined : null,
            Beyond = Beyond,
            Most = (Beyond is null ? Drawn : PageSize) + 1,
        };
        return (filter, errors);

        DateOnly? Day(string field, string text)
        {
            if (text.Length == 0)
            {
                return null;
            }

            // The last day of the calendar has no day after it.
            if (DateOnly.TryParseExact(text, DateForms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is > 1900 and < 9999)
            {
                return day;
            }

            errors[field] = "Write it as 05-Nov-2026.";
            return null;
        }
    }
}
