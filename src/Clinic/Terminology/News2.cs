using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Clinic.Terminology;

/// <summary>Alertness: alert, new confusion, responds to voice, to pain, unresponsive (ACVPU).</summary>
public enum Alertness
{
    Alert = 1,
    Confused = 2,
    Voice = 3,
    Pain = 4,
    Unresponsive = 5,
}

/// <summary>Which scale of oxygen saturation holds.</summary>
public enum OxygenScale
{
    /// <summary>For everybody unless a clinician decided otherwise.</summary>
    One = 1,

    /// <summary>Only for confirmed hypercapnic respiratory failure with a target of 88 to 92 %, on a clinician's decision.</summary>
    Two = 2,
}

/// <summary>The seven observations; null is not measured yet.</summary>
/// <param name="OnOxygen">Whether the patient breathes added oxygen.</param>
/// <param name="Temperature">Degrees Celsius.</param>
public sealed record News2Observations(
    decimal? Breaths,
    decimal? Saturation,
    bool? OnOxygen,
    decimal? Systolic,
    decimal? Pulse,
    Alertness? Alertness,
    decimal? Temperature,
    OxygenScale Scale = OxygenScale.One);

/// <summary>A parameter of the score.</summary>
public enum News2Parameter
{
    Breaths = 1,
    Saturation = 2,
    Oxygen = 3,
    Systolic = 4,
    Pulse = 5,
    Alertness = 6,
    Temperature = 7,
}

/// <summary>One line of the table on the screen: <c>Breaths · 22 /min · 2 · 21 to 24</c>.</summary>
/// <param name="Interval">The row of the official table that the value fell into.</param>
public sealed record News2Points(News2Parameter Parameter, string Name, string Value, int Points, string Interval);

/// <summary>The clinical risk bands of the score.</summary>
public enum News2Band
{
    Low = 1,

    /// <summary>A total of 4 or less with 3 in one parameter.</summary>
    LowMedium = 2,
    Medium = 3,
    High = 4,
}

/// <summary>A score with its lines. Without all seven observations it is a floor: the true score is this or more.</summary>
public sealed record News2Score(int Total, IReadOnlyList<News2Points> Lines, IReadOnlyList<News2Parameter> Missing, OxygenScale Scale, bool Unresponsive)
{
    public bool Complete => Missing.Count == 0;

    public bool AnySingleThree => Lines.Any(line => line.Points == 3);

    public News2Band Band => Total switch
    {
        >= 7 => News2Band.High,
        >= 5 => News2Band.Medium,
        _ => AnySingleThree ? News2Band.LowMedium : News2Band.Low,
    };

    public string BandWord => Band switch
    {
        News2Band.High => "High",
        News2Band.Medium => "Medium",
        News2Band.LowMedium => "Low to medium",
        _ => "Low",
    };

    /// <summary>The head line: <c>Medium: urgent review</c>.</summary>
    public string Headline => Band switch
    {
        News2Band.High => "High: emergency review",
        News2Band.Medium => "Medium: urgent review",
        News2Band.LowMedium => "Low to medium: urgent ward review",
        _ when !Complete => "Low so far: not complete",
        _ => "Low: ward review",
    };

    /// <summary>What the score asks for (RCP 2017, chart 4: clinical response).</summary>
    public string Response => Band switch
    {
        News2Band.High => "Emergency team with critical-care skills now · observe continuously",
        News2Band.Medium => "Clinician to review · re-check at least hourly",
        News2Band.LowMedium => "Clinician to decide on escalation · re-check at least hourly",
        _ when Total >= 1 => "Nurse to decide on frequency · re-check every 4 to 6 hours",
        _ => "Routine · re-check at least every 12 hours",
    };

    /// <summary>Minutes until the next check at the latest; 0 is continuous.</summary>
    public int RecheckMinutes => Band switch
    {
        News2Band.High => 0,
        News2Band.Medium or News2Band.LowMedium => 60,
        _ when Total >= 1 => 360,
        _ => 720,
    };
}

/// <summary>
/// The National Early Warning Score 2, for people of 16 years and over who are not pregnant. The table is that of the
/// Royal College of Physicians: National Early Warning Score (NEWS) 2, London 2017; reproduced here as numbers, with
/// acknowledgement. Nothing in it may be changed by a hospital.
/// </summary>
public static class News2
{
    /// <summary>The note that a screen shows beside the score.</summary>
    public const string SourceNote = "Royal College of Physicians. National Early Warning Score (NEWS) 2. London: RCP, 2017. The hospital must review its use before clinical use.";

    // Limits are inclusive; null is open. Order is that of the chart.
    private static readonly Step[] BreathSteps = [new(null, 8, 3), new(9, 11, 1), new(12, 20, 0), new(21, 24, 2), new(25, null, 3)];
    private static readonly Step[] Scale1Steps = [new(null, 91, 3), new(92, 93, 2), new(94, 95, 1), new(96, null, 0)];
    private static readonly Step[] Scale2AirSteps = [new(null, 83, 3), new(84, 85, 2), new(86, 87, 1), new(88, 92, 0), new(93, null, 0)];
    private static readonly Step[] Scale2OxygenSteps = [new(null, 83, 3), new(84, 85, 2), new(86, 87, 1), new(88, 92, 0), new(93, 94, 1), new(95, 96, 2), new(97, null, 3)];
    private static readonly Step[] SystolicSteps = [new(null, 90, 3), new(91, 100, 2), new(101, 110, 1), new(111, 219, 0), new(220, null, 3)];
    private static readonly Step[] PulseSteps = [new(null, 40, 3), new(41, 50, 1), new(51, 90, 0), new(91, 110, 1), new(111, 130, 2), new(131, null, 3)];
    private static readonly Step[] TemperatureSteps = [new(null, 35.0m, 3), new(35.1m, 36.0m, 1), new(36.1m, 38.0m, 0), new(38.1m, 39.0m, 1), new(39.1m, null, 2)];

    /// <summary>Whether the chart holds for a person, or which one does instead.</summary>
    /// <returns>Null when it holds; else an error with code <c>news2.under-16</c> or <c>news2.pregnant</c>.</returns>
    public static Error? Refuses(Age age, bool pregnant) => (age.Years, pregnant) switch
    {
        ( < 16, _) => new Error("news2.under-16", "NEWS2 is not for under 16. Use the paediatric early warning chart for the age."),
        (_, true) => new Error("news2.pregnant", "NEWS2 is not for pregnancy. Use the maternity early warning chart."),
        _ => null,
    };

    /// <summary>Scores what has been measured. Values are taken as the chart has them: whole numbers, temperature to one decimal.</summary>
    public static Result<News2Score> Score(News2Observations observed, Age age, bool pregnant)
    {
        if (Refuses(age, pregnant) is { } refusal)
        {
            return refusal;
        }

        var lines = new List<News2Points>(7);
        var missing = new List<News2Parameter>();
        void Add(News2Parameter parameter, string name, decimal? value, int decimals, string unit, Step[]? steps)
        {
            if (value is not { } known || steps is null)
            {
                missing.Add(parameter);
                return;
            }

            var rounded = decimal.Round(known, decimals, MidpointRounding.AwayFromZero);
            var step = Array.Find(steps, one => one.Holds(rounded)) ?? throw new InvalidOperationException("The table of NEWS2 has a gap.");
            lines.Add(new News2Points(parameter, name, DrugLine.Dose(rounded, unit), step.Points, step.Text));
        }

        Add(News2Parameter.Breaths, "Breaths", observed.Breaths, 0, "/min", BreathSteps);

        // Scale 2 counts oxygen against a patient above 92 %, so it cannot be read without knowing whether oxygen is given.
        Add(
            News2Parameter.Saturation,
            observed.Scale == OxygenScale.Two ? "SpO₂, scale 2" : "SpO₂, scale 1",
            observed.Saturation,
            0,
            "%",
            observed switch
            {
                { Scale: OxygenScale.One } => Scale1Steps,
                { OnOxygen: true } => Scale2OxygenSteps,
                { OnOxygen: false } => Scale2AirSteps,
                { Saturation: < 92.5m } => Scale2AirSteps,
                _ => null,
            });

        if (observed.OnOxygen is { } oxygen)
        {
            lines.Add(new News2Points(News2Parameter.Oxygen, "Oxygen", oxygen ? "oxygen" : "air", oxygen ? 2 : 0, oxygen ? "oxygen" : "air"));
        }
        else
        {
            missing.Add(News2Parameter.Oxygen);
        }

        Add(News2Parameter.Systolic, "Systolic", observed.Systolic, 0, "mmHg", SystolicSteps);
        Add(News2Parameter.Pulse, "Pulse", observed.Pulse, 0, "/min", PulseSteps);
        if (observed.Alertness is { } alertness)
        {
            var alert = alertness == Alertness.Alert;
            lines.Add(new News2Points(News2Parameter.Alertness, "Alertness", Word(alertness), alert ? 0 : 3, alert ? "alert" : "confused, voice, pain or unresponsive"));
        }
        else
        {
            missing.Add(News2Parameter.Alertness);
        }

        Add(News2Parameter.Temperature, "Temperature", observed.Temperature, 1, "°C", TemperatureSteps);
        return new News2Score(lines.Sum(line => line.Points), lines, missing, observed.Scale, observed.Alertness == Alertness.Unresponsive);
    }

    private static string Word(Alertness alertness) => alertness switch
    {
        Alertness.Alert => "alert",
        Alertness.Confused => "new confusion",
        Alertness.Voice => "voice",
        Alertness.Pain => "pain",
        _ => "unresponsive",
    };

    private sealed record Step(decimal? Low, decimal? High, int Points)
    {
        public string Text => (Low, High) switch
        {
            (null, { } high) => $"{Figure(high)} or less",
            ({ } low, null) => $"{Figure(low)} or more",
            _ => $"{Figure(Low!.Value)} to {Figure(High!.Value)}",
        };

        public bool Holds(decimal value) => !(value < Low) && !(value > High);

        private static string Figure(decimal value) => value.ToString("0.#", CultureInfo.InvariantCulture);
    }
}
