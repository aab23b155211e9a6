using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Holds;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Governance.Retention;

/// <summary>A record that may be destroyed: its period is over by every witness of time, and nothing holds it.</summary>
/// <param name="Patient">Hospital number and id.</param>
/// <param name="Because">The rule that kept it longest; null for the hospital's DATA_RETENTION_YEARS.</param>
public sealed record DueRecord(PatientRef Patient, RecordKind? Because);

/// <summary>What a counting found. Numbers of patients and sums; nothing of a person.</summary>
public sealed record DueReport
{
    public required DateTimeOffset At { get; init; }

    /// <summary>By which it was counted.</summary>
    public required RetentionPolicy Policy { get; init; }

    public required WitnessedTime Time { get; init; }

    /// <summary>The day of the hospital on which all witnesses agree; null while one is missing.</summary>
    public required DateOnly? Today { get; init; }

    /// <summary>How many records there are.</summary>
    public int Patients { get; init; }

    public IReadOnlyList<DueRecord> Due { get; init; } = [];

    /// <summary>Records whose period is over and that a legal hold keeps.</summary>
    public int Held { get; init; }

    /// <summary>Records whose period is over by the clock on the wall alone.</summary>
    public int AwaitTime { get; init; }

    /// <summary>Patients with an open visit: nothing is counted while it is.</summary>
    public int InCare { get; init; }

    /// <summary>Records that could not be read: a damaged cell, or a key that is gone. They stay.</summary>
    public int Unread { get; init; }

    /// <summary>How many records fall due in each year; those of years past stand under this year.</summary>
    public IReadOnlyDictionary<int, int> ByYear { get; init; } = new Dictionary<int, int>();

    /// <summary>The first month in which a record falls due that is not yet.</summary>
    public DateOnly? NextMonth { get; init; }
}

/// <summary>
/// Which records are due. Counted by the system's own work through the door, one entry for the whole; kept in memory alone,
/// because a day on which a minor's record falls due tells when the patient was born.
/// </summary>
public sealed class DueList(IDbContextFactory<ClinicContext> clinics, RetentionDesk retention, HoldDesk holds, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private volatile DueReport? newest;

    /// <summary>What the last counting found; null before the first since the start.</summary>
    public DueReport? Newest => newest;

    /// <summary>Counts now. Two that come together count one after the other.</summary>
    /// <exception cref="Vault.Audit.AuditUnavailable">The log cannot be written: nothing is read.</exception>
    public async Task<DueReport> Count(CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            var tally = new Tally();
            var policy = await retention.Policy(cancel);
            DueReport? report = null;
            await retention.Count(
                HistoryReader.Fields,
                async (opening, token) =>
                {
                    // After the entry of this counting, which is a mark of time.
                    var time = await retention.Time(token);
                    report = new DueReport { At = clock.GetUtcNow(), Policy = policy, Time = time, Today = Day(time.Agreed) };
                    await Walk(opening, policy, report, tally, token);
                },
                cancel);
            newest = tally.Into(report!);
            return newest;
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private async Task Walk(Opening opening, RetentionPolicy policy, DueReport report, Tally tally, CancellationToken cancel)
    {
        var wall = clock.LocalToday();
        var held = await holds.Held(cancel);
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        var reader = new HistoryReader(clinic, clock.LocalTimeZone);
        await foreach (var rows in reader.Pages(cancel))
        {
            await opening.Turn([.. rows.Select(row => row.PatientId)], create: false, cancel);
            var histories = await reader.Histories(rows, cancel);
            foreach (var row in rows)
            {
                tally.Patients++;
                if (histories[row.PatientId].InCare)
                {
                    tally.InCare++;
                }
                else if (Whole(opening, row, histories[row.PatientId]) is not { } history)
                {
                    tally.Unread++;
                }
                else
                {
                    tally.Add(row.Ref, RetentionCalculator.Until(history, policy), report.Today, wall, policy.Country is not null, held.Holds(row.PatientId));
                }
            }
        }
    }

    /// <summary>The history with the dates of the person; null where they cannot be read.</summary>
    internal static RecordHistory? Whole(Opening opening, Patient row, RecordHistory history)
    {
        try
        {
            return opening.TryRead(row, Patient.PersonField, out var person) ? history with { Born = person?.BornOn(), Dead = person?.Dead == true, Died = person?.Died } : null;
        }
        catch (RefusedInput gone) when (gone.Code == "keys.patient-key-missing")
        {
            return null;
        }
    }

    private DateOnly? Day(DateTimeOffset? at) => at is { } time ? DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time, clock.LocalTimeZone).DateTime) : null;

    private sealed class Tally
    {
        private readonly List<DueRecord> due = [];
        private readonly Dictionary<int, int> years = [];
        private DateOnly? next;
        private int held;
        private int awaiting;

        public int Patients { get; set; }

        public int InCare { get; set; }

        public int Unread { get; set; }

        public void Add(PatientRef patient, KeptUntil until, DateOnly? today, DateOnly wall, bool hasPolicy, bool isHeld)
        {
            var falls = until.Day < DateOnly.MaxValue ? until.Day.AddDays(1) : until.Day;
            var year = Math.Max(falls.Year, wall.Year);
            years[year] = years.GetValueOrDefault(year) + 1;
            if (until.Day >= wall)
            {
                next = next is { } first && first <= falls ? first : falls;
            }
            else if (!(until.Day < today))
            {
                awaiting++;
            }
            else if (isHeld)
            {
                held++;
            }
            else if (hasPolicy)
            {
                due.Add(new DueRecord(patient, until.Because));
            }
        }

        public DueReport Into(DueReport report) => report with
        {
            Patients = Patients,
            Due = due,
            Held = held,
            AwaitTime = awaiting,
            InCare = InCare,
            Unread = Unread,
            ByYear = years,
            NextMonth = next is { } day ? new DateOnly(day.Year, day.Month, 1) : null,
        };
    }
}
