namespace Mangrove.Web.Parts;

/// <summary>
/// Places a <see cref="Story"/> on 1,340 px: problems in lanes, then medicines, events and visits. Lanes are filled
/// from the left with what fits; what finds no place is counted, never dropped silently.
/// </summary>
internal sealed class StoryDrawing
{
    public const double Width = 1340, Left = 112, Right = 1323;
    private const int MostProblemLanes = 6, MostTextLanes = 3;

    private readonly DateOnly start;
    private readonly int days;

    public StoryDrawing(Story story)
    {
        var first = story.Problems.Select(p => p.From).Concat(story.Medicines.Select(m => m.On)).Concat(story.Events.Select(e => e.On))
            .Concat(story.Visits).DefaultIfEmpty(story.Today).Min();
        // Whole years, and at least one, so that the axis has something to name.
        start = new DateOnly(Math.Min(first.Year, story.Today.AddYears(-1).Year), 1, 1);
        days = Math.Max(1, story.Today.DayNumber - start.DayNumber);

        double y = 3;
        ProblemsY = y + 12;
        // What still lasts comes first: it must have a place.
        var (problems, problemLanes, problemsLeft) = Place(
            story.Problems.OrderBy(p => p.Until is not null).ThenBy(p => p.From),
            p => Math.Min(X(p.From), BarTextLeft(p)), p => Math.Max(X(p.Until ?? story.Today), BarTextLeft(p) + 5 + TextWidth(p.Text)), MostProblemLanes);
        Problems = [.. problems.Select(p =>
        {
            var x = X(p.Item.From);
            return new Bar(x, y + (p.Lane * 15), Math.Max(2, X(p.Item.Until ?? story.Today) - x), p.Item.Text, p.Item.Until is null, x + 5 + TextWidth(p.Item.Text) > Right);
        })];
        y += Math.Max(1, problemLanes) * 15;

        MedicinesY = y + 12;
        var (medicines, medicineLanes, medicinesLeft) = Place(story.Medicines.OrderByDescending(m => m.On), m => TextLeft(X(m.On), m.Text), m => TextLeft(X(m.On), m.Text) + 14 + TextWidth(m.Text), MostTextLanes);
        Medicines = [.. medicines.Select(m => new Mark(X(m.Item.On), y + 8 + (m.Lane * 15), m.Item.Text, StoryEventKind.Illness, X(m.Item.On) + 14 + TextWidth(m.Item.Text) > Right))];
        y += Math.Max(1, medicineLanes) * 15;

        EventsY = y + 13;
        var (events, eventLanes, eventsLeft) = Place(story.Events.OrderByDescending(e => e.Kind).ThenByDescending(e => e.On), e => TextLeft(X(e.On), Words(e)), e => TextLeft(X(e.On), Words(e)) + 18 + TextWidth(Words(e)), MostTextLanes);
        Events = [.. events.Select(e => new Mark(X(e.Item.On), y + 9 + (e.Lane * 15), Words(e.Item), e.Item.Kind, X(e.Item.On) + 18 + TextWidth(Words(e.Item)) > Right))];
        y += (Math.Max(1, eventLanes) * 15) + 1;

        VisitsY = y + 9;
        Visits = [.. story.Visits.Where(v => v <= story.Today).Select(X)];
        Bottom = y + 15;
        Height = Bottom + 18;
        TodayX = X(story.Today);

        var yearWidth = (Right - Left) * 365.25 / days;
        var step = new[] { 1, 2, 5, 10, 20, 50 }.First(s => s * yearWidth >= 44 || s == 50);
        Years = [.. Enumerable.Range(start.Year, story.Today.Year - start.Year + 1).Where(year => (year - start.Year) % step == 0)
            .Select(year => (year, X(new DateOnly(year, 1, 1))))];

        More = (problemsLeft, medicinesLeft, eventsLeft) is (0, 0, 0) ? null
            : "Not drawn for want of room: " + string.Join(", ", new[] { (problemsLeft, "problems"), (medicinesLeft, "medicines"), (eventsLeft, "events") }.Where(m => m.Item1 > 0).Select(m => $"{m.Item1} {m.Item2}")) + ". The lists below have them all.";
        Spoken = $"Timeline {start.Year} to today: "
            + (story.Problems.Count == 0 ? "no problems" : string.Join(", ", story.Problems.OrderBy(p => p.From).Select(p => $"{p.Text} from {p.From.Year}{(p.Until is { } u ? $" to {u.Year}" : "")}")))
            + (story.Events.Count == 0 ? "" : "; " + string.Join(", ", story.Events.OrderBy(e => e.On).Select(e => $"{e.Text} {e.On.Year}")))
            + $"; {story.Visits.Count} visits";
    }

    public double Height { get; }
    public double Bottom { get; }
    public double ProblemsY { get; }
    public double MedicinesY { get; }
    public double EventsY { get; }
    public double VisitsY { get; }
    public double TodayX { get; }
    public IReadOnlyList<(int Year, double X)> Years { get; }
    public IReadOnlyList<Bar> Problems { get; }
    public IReadOnlyList<Mark> Medicines { get; }
    public IReadOnlyList<Mark> Events { get; }
    public IReadOnlyList<double> Visits { get; }
    public string? More { get; }
    public string Spoken { get; }

    private static string Words(StoryEvent e) => e.Kind == StoryEventKind.Danger ? "▲▲ " + e.Text : e.Text;

    // Inter at 11 px and weight 600 is about 6.2 px a letter; a little room to spare keeps names apart.
    private static double TextWidth(string text) => text.Length * 6.4;

    private static double TextLeft(double x, string text) => x + 18 + TextWidth(text) > Right ? x - 18 - TextWidth(text) : x;

    // The name stands inside its bar, or before it where it would leave the drawing.
    private double BarTextLeft(StorySpan span) => X(span.From) + 5 + TextWidth(span.Text) > Right ? X(span.From) - 4 - TextWidth(span.Text) : X(span.From) + 5;

    private static (IReadOnlyList<(T Item, int Lane)> Placed, int Lanes, int Left) Place<T>(IEnumerable<T> items, Func<T, double> from, Func<T, double> until, int most)
    {
        var lanes = new List<List<(double From, double Until)>>();
        var placed = new List<(T, int)>();
        var left = 0;
        foreach (var item in items)
        {
            var (a, b) = (from(item) - 4, until(item) + 4);
            var lane = lanes.FindIndex(l => l.TrueForAll(s => b <= s.From || a >= s.Until));
            if (lane < 0)
            {
                if (lanes.Count == most)
                {
                    left++;
                    continue;
                }

                lane = lanes.Count;
                lanes.Add([]);
            }

            lanes[lane].Add((a, b));
            placed.Add((item, lane));
        }

        return (placed, lanes.Count, left);
    }

    private double X(DateOnly day) => Left + (Math.Clamp(day.DayNumber - start.DayNumber, 0, days) * (Right - Left) / days);

    /// <param name="Ends">The text ends at the bar's right edge, because it would leave the drawing.</param>
    public sealed record Bar(double X, double Y, double Width, string Text, bool Lasting, bool Ends);

    /// <param name="Ends">The text stands before the mark, because it would leave the drawing.</param>
    public sealed record Mark(double X, double Y, string Text, StoryEventKind Kind, bool Ends);
}
