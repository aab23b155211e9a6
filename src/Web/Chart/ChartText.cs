using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Web.Parts;
using Mangrove.Web.Shell;

namespace Mangrove.Web.Chart;

/// <summary>How a chart writes dates, people and values.</summary>
internal static class ChartText
{
    private const int DrawnPoints = 12;

    public static DateTimeOffset Local(this TimeProvider clock, DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, clock.LocalTimeZone);

    /// <summary>How a late entry is marked, wherever it is shown: <c>late entry, recorded 23-Nov 14:05</c>.</summary>
    public static string Late(this TimeProvider clock, DateTimeOffset recorded) => $"late entry, recorded {clock.Day(recorded)} {clock.Minute(recorded)}";

    public static string Day(this TimeProvider clock, DateTimeOffset time) => ClinicalTime.Day(clock.Local(time));

    public static string Minute(this TimeProvider clock, DateTimeOffset time) => ClinicalTime.Minute(clock.Local(time));

    /// <summary>The time alone today, the day otherwise.</summary>
    public static string When(this TimeProvider clock, DateTimeOffset time) =>
        clock.Local(time).Date == clock.GetLocalNow().Date ? clock.Minute(time) : clock.Day(time);

    /// <summary>Day and month within the last eleven months, month and year before.</summary>
    public static string Short(this TimeProvider clock, DateTimeOffset time)
    {
        var local = clock.Local(time);
        return clock.GetLocalNow() - local < TimeSpan.FromDays(330) ? ClinicalTime.DayMonth(local) : ClinicalTime.Day(local)[3..];
    }

    /// <summary>A date as FHIR wrote it, however much of it is known.</summary>
    public static PartialDate? Fhir(string? text) => text is null ? null : PartialDate.TryParse(text.Length > 10 ? text[..10] : text, out var date) ? date : null;

    /// <summary>A language as people call it, where it is kept as its code (BCP 47), as imported ones are; otherwise as it was typed.</summary>
    public static string? Language(string? kept)
    {
        if (string.IsNullOrWhiteSpace(kept) || kept.Length < 2)
        {
            return kept;
        }

        try
        {
            return CultureInfo.GetCultureInfo(kept, predefinedOnly: true).EnglishName;
        }
        catch (CultureNotFoundException)
        {
            return kept;
        }
    }

    public static string SexLetter(BirthAndSex? person) => person?.Sex switch
    {
        AdministrativeSex.Female => "F",
        AdministrativeSex.Male => "M",
        AdministrativeSex.Other => "X",
        _ => "?",
    };

    /// <summary>An age beside every birth date: days and months count in the first years.</summary>
    public static string? Age(BirthAndSex? person, TimeProvider clock)
    {
        if (person?.BornOn() is not { } born)
        {
            return null;
        }

        var today = DateOnly.FromDateTime(clock.GetLocalNow().DateTime);
        var days = Math.Max(0, today.DayNumber - born.Earliest.DayNumber);
        var age = (born.AgeOn(today), born.IsFull, days) switch
        {
            (0, true, < 28) => $"{days} d",
            (< 2, true, _) => $"{Math.Max(0, ((today.Year - born.Year) * 12) + today.Month - born.Month - (today.Day < born.Day ? 1 : 0))} mo",
            ({ } years, _, _) => $"{years} y",
        };
        return born.IsFull && !born.Estimated ? age : "about " + age;
    }

    /// <summary><c>F · 59 y · P-1048370</c>.</summary>
    public static string Meta(BirthAndSex? person, string mrn, TimeProvider clock) =>
        string.Join(" · ", new[] { SexLetter(person), Age(person, clock), mrn }.Where(part => part is not null));

    /// <summary>The visit that is going on, for the banner.</summary>
    public static IReadOnlyList<BannerFact> VisitFact(Visit? visit, TimeProvider clock) =>
        visit is null ? [] : [new BannerFact("Visit", $"{clock.Day(visit.ArrivedAt)}, {clock.Minute(visit.ArrivedAt)}", WideOnly: true)];

    /// <summary>Name and birth date on a button that cannot be undone.</summary>
    public static string Whole(PatientHeader header) =>
        $"{header.Name.Lead} {header.Name.Rest}".Trim() + (header.Person?.BornOn() is { } born ? $", {born.Display()}" : "");

    public static string Allergy(AllergyRecord record) => string.IsNullOrWhiteSpace(record.Reaction)
        ? record.Severity is { } severity ? $"{record.Substance} ({severity})" : record.Substance ?? ""
        : $"{record.Substance}: {record.Reaction}";

    public static Finding Finding(ResultFlag flag) => flag switch
    {
        ResultFlag.Normal => Parts.Finding.Normal,
        ResultFlag.Low => Parts.Finding.Low,
        ResultFlag.High => Parts.Finding.High,
        ResultFlag.CriticalLow => Parts.Finding.CriticalLow,
        ResultFlag.CriticalHigh => Parts.Finding.CriticalHigh,
        ResultFlag.Abnormal => Parts.Finding.Abnormal,
        _ => Parts.Finding.None,
    };

    public static Finding Finding(string? flag) => Enum.TryParse<ResultFlag>(flag, out var parsed) ? Finding(parsed) : Parts.Finding.None;

    /// <summary>At most four significant decimals: imported numbers carry more than anybody reads.</summary>
    public static string Figure(decimal value) => Svg.Figure(decimal.Round(value, Math.Abs(value) switch { >= 100 => 0, >= 10 => 1, >= 1 => 2, _ => 4 }));

    public static string Value(ChartPoint point) => point.Value is { } number ? Figure(number) : point.Text ?? "";

    public static Band? Band(ChartSeries series) => series.Range is { } range ? new Band(range.Low, range.High) : null;

    public static IReadOnlyList<PlotPoint> Plot(ChartSeries series, TimeProvider clock) =>
        [.. series.Points.Where(point => point.Value is not null).TakeLast(DrawnPoints).Select(point => new PlotPoint(clock.Short(point.At), decimal.Round(point.Value!.Value, 2), Finding(point.Flag)))];

    /// <summary>The story so far, from what was read.</summary>
    public static Story Story(PatientChart chart, TimeProvider clock)
    {
        var today = DateOnly.FromDateTime(clock.GetLocalNow().DateTime);
        DateOnly? Date(string? text) => Fhir(text) is { } date && date.Earliest <= today ? date.Earliest : null;
        var spans = (chart.Problems ?? [])
            .Where(problem => Date(problem.Record.Onset) is not null)
            .DistinctBy(problem => (problem.Record.Display, problem.Record.Onset))
            .Select(problem => new StorySpan(Clip(Plain(problem.Record.Display)), Date(problem.Record.Onset)!.Value, problem.Record.IsActive ? null : Date(problem.Record.Abated) ?? Date(problem.Record.Onset)));
        var medicines = (chart.Medicines ?? [])
            .GroupBy(medicine => Clip(medicine.Medicine.Name), StringComparer.OrdinalIgnoreCase)
            .Select(group => new StoryMoment(group.Key, DateOnly.FromDateTime(clock.Local(group.Min(medicine => medicine.OrderedAt)).DateTime)))
            .Where(moment => moment.On <= today);
        var events = (chart.Visits ?? [])
            .Where(visit => visit.Encounter?.Class is "IMP" or "EMER" or "ACUTE")
            .Select(visit => new StoryEvent(
                visit.Encounter!.Class == "EMER" ? "emergency" : Admitted(visit),
                DateOnly.FromDateTime(clock.Local(visit.At).DateTime),
                visit.Encounter.Class == "EMER" ? StoryEventKind.Illness : StoryEventKind.Admission))
            .Concat((chart.Allergies ?? [])
                .Where(allergy => allergy.Record.Severity == "severe" && Date(allergy.Record.Onset) is not null)
                .Select(allergy => new StoryEvent(Clip(Allergy(allergy.Record)), Date(allergy.Record.Onset)!.Value, StoryEventKind.Danger)))
            .Where(happened => happened.On <= today);
        return new Story(today, [.. spans], [.. medicines], [.. events], [.. (chart.Visits ?? []).Select(visit => DateOnly.FromDateTime(clock.Local(visit.At).DateTime))]);
    }

    /// <summary>The kind of an encounter in words: HL7's ActCode value set ActEncounterCode, and what Synthea adds. A code that is not known stays as it is.</summary>
    public static string? Class(string? code) => code?.ToUpperInvariant() switch
    {
        "AMB" => "outpatient",
        "EMER" => "emergency",
        "IMP" => "inpatient",
        "ACUTE" => "inpatient, acute",
        "NONAC" => "inpatient, not acute",
        "OBSENC" => "observation",
        "PRENC" => "before admission",
        "SS" => "short stay",
        "HH" => "at home",
        "FLD" => "on the road",
        "VR" => "by phone or video",
        "WELLNESS" => "check-up",
        _ => code,
    };

    /// <summary>Without SNOMED's kind of concept in brackets.</summary>
    public static string Plain(string display)
    {
        var at = display.LastIndexOf(" (", StringComparison.Ordinal);
        var text = at > 0 && display.EndsWith(')') && display[(at + 2)..^1] is "disorder" or "finding" or "situation" or "procedure" or "regime/therapy" or "morphologic abnormality" or "person" ? display[..at] : display;
        return text;
    }

    private static string Admitted(ChartVisit visit) => visit.Until is { } until && (until - visit.At).TotalDays >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"admitted {Math.Round((until - visit.At).TotalDays):0} d")
        : "admitted";

    private static string Clip(string text) => text.Length <= 44 ? text : text[..43].TrimEnd() + "…";
}
