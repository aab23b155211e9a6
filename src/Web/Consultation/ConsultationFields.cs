using System.Globalization;
using Mangrove.Clinic.Consultation;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web.Consultation;

/// <summary>Names of the consultation form's fields, and the form read back from them.</summary>
internal static class ConsultationFields
{
    public const string Note = "note";
    public const string Opened = "opened";
    public const string Diagnosis = "dx";
    public const string Line = "rx";
    public const string Order = "lab";
    public const string Urgent = "lab-urgent";
    public const string Await = "await";
    public const string Happened = "happened";

    public static string Of(string key, string field) => $"rx-{key}-{field}";

    public static string ReasonOf(string key, string finding) => $"rx-{key}-why-{finding}";

    public static ConsultationForm Read(IFormCollection form)
    {
        var urgent = form[Urgent].Where(code => code is not null).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return new ConsultationForm
        {
            NoteId = Guid.TryParseExact(form[Note], "N", out var note) ? note : Guid.Empty,
            Opened = long.TryParse(form[Opened], NumberStyles.None, CultureInfo.InvariantCulture, out var opened) ? opened : 0,
            Subjective = Text(form, "s"),
            Objective = Text(form, "o"),
            Assessment = Text(form, "a"),
            Plan = Text(form, "p"),
            HappenedAt = form[Happened].ToString(),
            Diagnoses = [.. form[Diagnosis].OfType<string>().Where(code => code.Length > 0).Distinct(StringComparer.OrdinalIgnoreCase)],
            Prescriptions = [.. form[Line].OfType<string>().Where(IsKey).Distinct(StringComparer.Ordinal).Select(key => Draft(form, key))],
            Orders = [.. form[Order].OfType<string>().Where(code => code.Length > 0).Distinct(StringComparer.OrdinalIgnoreCase).Select(code => new OrderDraft(code, urgent.Contains(code)))],
            AwaitResults = form[Await] == "on",
        };
    }

    private static PrescriptionDraft Draft(IFormCollection form, string key)
    {
        var why = ReasonOf(key, "");
        return new PrescriptionDraft(
            key,
            form[Of(key, "product")].ToString(),
            form[Of(key, "quantity")].ToString(),
            form[Of(key, "unit")].ToString(),
            form[Of(key, "frequency")].ToString(),
            form[Of(key, "route")].ToString(),
            form[Of(key, "days")].ToString(),
            form.Keys.Where(name => name.StartsWith(why, StringComparison.Ordinal))
                .ToDictionary(name => name[why.Length..], name => form[name].ToString(), StringComparer.Ordinal));
    }

    // Browsers send line ends as CR LF, whatever was typed.
    private static string Text(IFormCollection form, string field) => form[field].ToString().ReplaceLineEndings("\n");

    private static bool IsKey(string key) => key.Length is > 0 and <= 8 && key.All(char.IsAsciiDigit);
}
