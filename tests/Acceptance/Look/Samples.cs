using Mangrove.Web.Parts;
using Mangrove.Web.Shell;

namespace Mangrove.Tests.Acceptance.Look;

/// <summary>The invented people and figures of the design's pictures, so that a page can be held beside its picture.</summary>
internal static class Samples
{
    public static IReadOnlyList<BannerFact> Facts(string born, string sex, string number) => [new("Born", born), new("Sex", sex), new("Number", number)];

    public static IReadOnlyList<PlotPoint> Trend(Finding last, params decimal[] values) =>
        [.. values.Select((v, i) => new PlotPoint("", v, i == values.Length - 1 ? last : Finding.None))];

    public static IReadOnlyList<PlotPoint> Inr { get; } =
        [new("Jun", 2.1m), new("Aug", 3.4m, Finding.High), new("Sep", 2.6m), new("Oct", 2.7m), new("Nov", 2.4m)];

    public static Story Story { get; } = new(
        new DateOnly(2026, 11, 23),
        [
            new("hypertension", new(2012, 4, 20)), new("type 2 diabetes", new(2014, 8, 6)),
            new("kidney disease 3a", new(2022, 2, 6)), new("atrial fibrillation", new(2024, 1, 19)),
        ],
        [
            new("hydroCHLOROthiazide", new(2012, 5, 27)), new("metFORMIN", new(2014, 9, 10)), new("atorvastatin", new(2016, 7, 2)),
            new("amLODIPine for hydroCHLOROthiazide (low sodium)", new(2019, 3, 14)), new("warfarin", new(2024, 2, 6)),
        ],
        [
            new("anaphylaxis, amoxicillin", new(2011, 9, 30), StoryEventKind.Danger), new("pneumonia", new(2021, 6, 5), StoryEventKind.Illness),
            new("admitted 4 d", new(2024, 1, 31), StoryEventKind.Admission),
        ],
        [.. Enumerable.Range(0, 31).Select(n => new DateOnly(2010, 8, 8).AddDays(n * 198)), new DateOnly(2010, 1, 5)]);

    /// <summary>A long history: more problems, medicines and events than the drawing has room for.</summary>
    public static Story LongStory { get; } = new(
        new DateOnly(2026, 11, 23),
        [.. Enumerable.Range(0, 24).Select(n => new StorySpan($"problem number {n}", new DateOnly(1951 + (n * 3), 3, 1), n % 3 == 0 ? new DateOnly(1953 + (n * 3), 6, 1) : null))],
        [.. Enumerable.Range(0, 30).Select(n => new StoryMoment($"medicine{n}", new DateOnly(1960 + (n * 2), 5, 1)))],
        [.. Enumerable.Range(0, 20).Select(n => new StoryEvent($"event {n}", new DateOnly(1980 + (n * 2), 7, 1), StoryEventKind.Illness))],
        [.. Enumerable.Range(0, 80).Select(n => new DateOnly(1950, 1, 1).AddDays(n * 340))]);

    public static IReadOnlyList<MatchRow> Match { get; } =
    [
        new("Family name", "Hassan", "HASSAN", Agreement.Same, "same"),
        new("Given names", "Aminah Saleem", "Amina Salim", Agreement.Near, "sounds the same"),
        new("Other script", "أمينة سالم حسن", "أمينة سالم حسن", Agreement.Same, "same"),
        new("Born", "Mar-1967", "14-Mar-1967", Agreement.Near, "fits, partial"),
        new("Phone", "0722 418 093", "0722 418 093", Agreement.Same, "same, rare: +31"),
        new("Lives in", "Bamburi, near the old mosque", "Nyali", Agreement.Differs, "differs, people move"),
    ];

    public static IReadOnlyList<Proof> Proofs { get; } =
    [
        new("link", "Audit log", "Verified, whole chain", "482,911 entries, head 7b2e…41c0", "full pass 14:41, 38 s · none failed"),
        new("lock", "Last checkpoint", "#1,204 anchored", "14:58, in 3 of 3 places", "clinic.db · backup · Mtwapa Clinic"),
        new("cloud-check", "Last backup", "12:00 today, 3 h ago", "18.4 GB, encrypted, read back", "next 16:00 · off-site copy 12:09"),
        new("alarm", "Last proven restore", "23 days ago", "31-Oct-2026, verified in 11 min", "", Stale: true, Act: "Start a drill", ActAddress: "/look/trust"),
        new("shield-check", "Oldest key", "backup, 201 days", "limit 365 · 3 of 5 shares", "rotation due 07-May-2027"),
    ];

    public static IReadOnlyList<QueueRow> Queue { get; } =
    [
        new("Do now · re-check overdue · 1", 2, "DESAI", "Rajesh Kumar", "M · 72 y · P-0982140", "Chest pain, sweating · ECG done 09:11", 8, false, false, null, [4, 6, 8], 21, 10, "2 min over", TimerState.Over, "Re-check"),
        new("Not yet triaged · 3", null, "HASSAN", "Amina Salim", "F · 59 y · P-1048370", "Fever, cough 4 days", null, false, false, "to measure", [], 14, 15, "triage by 09:27", TimerState.Near, "Triage"),
        new(null, null, "NGUYỄN", "Minh Anh", "F · 4 y · P-1120450", "Vomiting since last night", null, false, false, "PEWS, under 16", [], 8, 15, "triage by 09:33", TimerState.Plain, "Triage"),
        new(null, null, "KOWALSKI", "Piotr", "M · 41 y · P-1033109", "Cut left hand, bleeding controlled", null, false, false, "to measure", [], 3, 15, "triage by 09:38", TimerState.Plain, "Triage"),
        new("Triaged, waiting for a doctor · 7", 1, "UNKNOWN MALE", "“Baobab 7”", "M · about 40 y · P-1121029", "Found collapsed, roadside · in Resus 1", 11, false, false, null, [9, 12, 11], 5, 0, "continuous", TimerState.Plain, "Vitals"),
        new(null, 3, "MOHAMED", "Abdi Warsame Guled", "M · 66 y · P-0877308", "COPD, more breathless since Saturday", 5, false, true, null, [3, 4, 5], 44, 60, "due in 16 min", TimerState.Plain, "Re-check"),
        new(null, 3, "LIU", "Jianguo", "M · 54 y · P-1102987", "Palpitations, pulse 134", 3, true, false, null, [3, 3], 31, 60, "due in 29 min", TimerState.Plain, "Re-check"),
        new(null, 4, "O’BRIEN", "Siobhán", "F · 81 y · P-0766527", "Fall at home, wrist swollen", 2, false, false, null, [1, 2], 68, 120, "due 10:18", TimerState.Plain, "Re-check"),
        new(null, 5, "NYOKABI", "", "F · about 19 y · P-1121011", "Dressing change, booked", 0, false, false, null, [], 35, 240, "not needed", TimerState.Plain, "Dressing"),
    ];
}

internal sealed record QueueRow(string? Group, int? Category, string Lead, string Rest, string Meta, string Complaint, int? News, bool Three, bool Scale2, string? Instead, decimal[] Trend, int Waited, int Target, string Timer, TimerState State, string Act);
