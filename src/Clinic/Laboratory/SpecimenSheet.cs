using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Laboratory;

/// <summary>A result that was reported before, in the laboratory's own unit.</summary>
public sealed record EarlierResult(DateTimeOffset At, decimal? Number, string? Text, ResultFlag Flag)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(EarlierResult);
}

/// <summary>A result of this specimen as it was released; a corrected one keeps its place behind the one that replaced it.</summary>
public sealed record ReportedResult(Guid Id, DateTimeOffset At, StaffId? By, ObservedValue Value)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ReportedResult);
}

/// <summary>One test of a specimen.</summary>
/// <param name="Test">Null when the laboratory's list does not have it any more; then the result is words, not judged.</param>
/// <param name="Range">For this person, in the laboratory's unit.</param>
/// <param name="Earlier">Of the same test, the oldest first.</param>
/// <param name="Reported">What stands now, or null.</param>
/// <param name="Replaced">What stood before corrections, the newest first.</param>
public sealed record TestRow(
    Guid OrderId,
    LabOrderStatus Status,
    LaboratoryTest? Test,
    LabOrderLine Line,
    Interval? Range,
    string RangeNote,
    IReadOnlyList<EarlierResult> Earlier,
    ReportedResult? Reported,
    IReadOnlyList<ReportedResult> Replaced)
{
    public bool IsOpen => Status is LabOrderStatus.Ordered or LabOrderStatus.Received;

    public EarlierResult? Before => Earlier.Count == 0 ? null : Earlier[^1];

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(TestRow);
}

/// <summary>One specimen with its tests, as the bench works on it.</summary>
/// <param name="Place">Where the draft of its results is kept: the first of its orders.</param>
/// <param name="Age">On the day when the specimen was taken; null when the birth date is not known.</param>
/// <param name="RejectReason">Why it was rejected, if it was.</param>
public sealed record SpecimenSheet(
    PatientRef Patient,
    string Number,
    Guid Place,
    Guid VisitId,
    bool Urgent,
    SpecimenState State,
    string Kind,
    DateTimeOffset OrderedAt,
    StaffId OrderedBy,
    DateTimeOffset? ReceivedAt,
    Age? Age,
    Sex Sex,
    string? RejectReason,
    IReadOnlyList<TestRow> Tests)
{
    private const int MostEarlier = 8;

    /// <summary>The fields that <see cref="Read"/> opens.</summary>
    internal static IReadOnlyList<FieldUse> Fields { get; } = [Records.Patient.PersonField, LabOrder.LineField, Observation.LabResults];

    public int Open => Tests.Count(test => test.IsOpen);

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(SpecimenSheet);

    /// <summary>The orders of a specimen of this patient; none when the number is another patient's.</summary>
    internal static async Task<List<LabOrder>> Orders(ClinicContext clinic, PatientId patient, string specimen, CancellationToken cancel) =>
        await clinic.LabOrders.Where(row => row.SpecimenNumber == specimen && row.PatientId == patient).OrderBy(row => row.OrderedAt).ThenBy(row => row.Id).ToListAsync(cancel);

    internal static async Task<SpecimenSheet> Read(Opening opening, ClinicContext clinic, Patient patient, List<LabOrder> orders, TimeProvider clock, CancellationToken cancel)
    {
        var catalogue = LaboratoryCatalogue.Load();
        var person = opening.Read(patient, Records.Patient.PersonField);
        var sex = (Sex)(person?.Sex ?? AdministrativeSex.Unknown);
        var received = orders.Where(order => order.ReceivedAt is not null).Select(order => order.ReceivedAt).Min();
        // When it was taken is not recorded; the bench has held it since it was received, before that it was not taken yet.
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(received ?? clock.GetUtcNow(), clock.LocalTimeZone).DateTime);
        Age? age = person?.BornOn() is { } born ? Terminology.Age.On(born, day) : null;
        var rows = await clinic.Observations.AsNoTracking()
            .Where(row => row.PatientId == patient.PatientId && row.Kind == ObservationKind.Laboratory)
            .OrderBy(row => row.TakenAt)
            .ToListAsync(cancel);
        var results = new List<(Observation Row, ObservedValue Value, LaboratoryTest? Test)>();
        foreach (var row in rows)
        {
            if (opening.Read(row, Observation.ValueField) is { } value)
            {
                results.Add((row, value, value.TestCode is { } code ? catalogue.Find(code) : value.Code is { } loinc ? catalogue.ByLoinc(loinc) : null));
            }
        }

        var tests = new List<TestRow>();
        string? rejected = null;
        foreach (var order in orders)
        {
            var line = opening.Read(order, LabOrder.LineField) ?? new LabOrderLine("", "", "");
            var test = catalogue.Find(line.TestCode);
            var mine = results.Where(result => result.Row.OrderId == order.Id).ToList();
            var standing = mine.FirstOrDefault(result => result.Row.ReplacedBy is null);
            if (order.Status == LabOrderStatus.Rejected)
            {
                rejected ??= standing.Value?.Note;
            }

            // The range at the ends of the scale: any value of the test gives it, so the middle of the plausible ones serves.
            var judged = test is { IsNumeric: true } ? LaboratoryCatalogue.Judge(test, test.Plausible.Low ?? 0, sex, age ?? Terminology.Age.OfYears(ResultJudgement.AgeWithoutBirthDate)) : null;
            tests.Add(new TestRow(
                order.Id,
                order.Status,
                test,
                line,
                judged?.Range,
                age is null && test is { IsNumeric: true } ? ResultJudgement.NoBirthDate : judged?.Note ?? "",
                test is null ? [] : Earlier(test, order, results),
                order.Status == LabOrderStatus.Released && standing.Row is not null ? Reported(standing) : null,
                [.. mine.Where(result => result.Row.ReplacedBy is not null).Select(Reported).Reverse()]));
        }

        return new SpecimenSheet(
            patient.Ref,
            orders[0].SpecimenNumber,
            orders[0].Id,
            orders[0].VisitId,
            orders.Any(order => order.Urgent),
            SpecimenStates.Of([.. orders.Select(order => order.Status)]),
            tests[0].Line.Specimen,
            orders[0].OrderedAt,
            orders[0].By,
            received,
            age,
            sex,
            rejected,
            tests);
    }

    private static ReportedResult Reported((Observation Row, ObservedValue Value, LaboratoryTest? Test) result) =>
        new(result.Row.Id, result.Row.TakenAt, result.Row.By, result.Value);

    private static IReadOnlyList<EarlierResult> Earlier(LaboratoryTest test, LabOrder order, List<(Observation Row, ObservedValue Value, LaboratoryTest? Test)> results)
    {
        var earlier = new List<EarlierResult>();
        foreach (var (row, value, other) in results)
        {
            if (other?.Code != test.Code || row.OrderId == order.Id || row.ReplacedBy is not null || value.Status is "cancelled" or "entered-in-error")
            {
                continue;
            }

            var flag = Enum.TryParse<ResultFlag>(value.Flag, out var known) ? known : ResultFlag.None;
            var number = value.Number is { } recorded ? LaboratoryCatalogue.ToMainUnit(test, recorded, value.UnitCode ?? value.Unit ?? test.Unit) : null;
            if (number is not null || value.Text is not null)
            {
                earlier.Add(new EarlierResult(row.TakenAt, number, value.Text, flag));
            }
        }

        return [.. earlier.TakeLast(MostEarlier)];
    }
}
