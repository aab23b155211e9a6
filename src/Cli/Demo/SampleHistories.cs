using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Demo;

/// <summary>A made-up person with the number that the hospital gave.</summary>
internal sealed record Registered(SamplePatient Person, PatientRef Ref)
{
    /// <summary>Nothing of the person.</summary>
    public override string ToString() => Ref.Mrn;
}

/// <summary>Gives made-up patients a past: visits over three years with what each left behind, and charges that were paid then.</summary>
internal sealed class SampleHistories(Hospital hospital, FirstSetUp setUp, DemoTeam team, long seed, DateTimeOffset now)
{
    private const int Batch = 20;
    private const int DaysBack = 1_050;

    private readonly Dictionary<PatientId, Body> bodies = [];

    internal static readonly FieldUse[] Fields =
    [
        Visit.EncounterField, TriageAssessment.OutcomeField, Observation.Vitals, Observation.BodyMeasures, Observation.LabResults, Allergy.RecordField,
        Problem.RecordField, Note.TextField, Prescription.LineField, Prescription.MedicineField, Dispense.RecordField, LabOrder.LineField,
    ];

    /// <summary>What the past made of somebody; of a stranger nothing.</summary>
    public Body BodyOf(PatientId patient) => bodies.TryGetValue(patient, out var body) ? body : bodies[patient] = new Body();

    /// <returns>How many visits were written.</returns>
    public async Task<int> Write(IReadOnlyList<Registered> people, Action<int> progress, CancellationToken cancel)
    {
        using var opening = await SampleWriter.Open(hospital, setUp, "WRITE_SAMPLE_HISTORIES", Fields, cancel);
        var visits = 0;
        var done = 0;
        foreach (var batch in people.Chunk(Batch))
        {
            await opening.Turn([.. batch.Select(one => one.Ref.Id)], create: false, cancel);
            await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
            foreach (var one in batch)
            {
                visits += await Past(clinic, opening, one, cancel);
            }

            await clinic.SaveChangesAsync(cancel);
            done += batch.Length;
            progress(done);
        }

        return visits;
    }

    /// <summary>Numbers for the tubes of a condition's tests, one a kind of specimen.</summary>
    internal static async Task<IReadOnlyDictionary<string, string>> Tubes(ClinicContext clinic, Condition condition, DateTimeOffset at, CancellationToken cancel)
    {
        var kinds = condition.Tests.Select(usual => LaboratoryCatalogue.Load().Find(usual.Code)!.Specimen).Distinct(StringComparer.Ordinal).ToArray();
        if (kinds.Length == 0)
        {
            return new Dictionary<string, string>(StringComparer.Ordinal);
        }

        var year = at.ToString("yy", CultureInfo.InvariantCulture);
        var first = await clinic.Next("specimen:" + year, kinds.Length, cancel);
        return kinds.Select((kind, index) => (kind, number: string.Create(CultureInfo.InvariantCulture, $"{year}-{first + index:00000}"))).ToDictionary(pair => pair.kind, pair => pair.number, StringComparer.Ordinal);
    }

    private async Task<int> Past(ClinicContext clinic, Opening opening, Registered one, CancellationToken cancel)
    {
        var (person, draw) = (one.Person, Draw.For(seed, one.Person.Number, aspect: 3));
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var age = person.AgeOn(today) ?? 30;
        var body = BodyOf(one.Ref.Id);
        var course = new Course(opening, person, body, draw, team, today);

        // Somebody registered twice by mistake has hardly been here under the second number.
        var count = person.Like is not null ? draw.Below(2) : draw.Unit() switch { < 0.18 => 0, < 0.5 => 1, < 0.75 => draw.Between(2, 3), _ => draw.Between(4, age > 45 ? 9 : 6) };
        var last = person.Person.Died is { } died && DateOnly.TryParseExact(died, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var end) ? today.DayNumber - end.DayNumber : 2;
        var first = Math.Min(DaysBack, today.DayNumber - (person.Person.BornOn()?.Earliest.DayNumber ?? 0));
        if (count == 0 || first <= last + 1)
        {
            return 0;
        }

        Condition? chronic = null;
        var days = Enumerable.Range(0, count).Select(_ => draw.Between(last, first)).OrderDescending().ToArray();
        for (var at = 0; at < days.Length; at++)
        {
            var arrived = now.AddDays(-days[at]).Date.AddHours(7 + draw.Below(9)).AddMinutes(draw.Below(60));
            var start = new DateTimeOffset(DateTime.SpecifyKind(arrived, DateTimeKind.Utc));
            var fitting = Condition.All.Where(condition => condition.Fits(age, person.Person.Sex)).ToArray();
            var condition = chronic is not null && draw.Chance(0.7) ? chronic : draw.Of(fitting, one => one.Weight);
            var round = body.Meet(condition);

            var visit = new Visit { Id = draw.Id(), PatientId = person.Id, Kind = draw.Chance(0.2) ? VisitKind.Emergency : VisitKind.Outpatient, Token = draw.Between(1, 90), ArrivedAt = start }.Past(start.AddMinutes(150));
            course.Encounter(visit, condition, start.AddMinutes(150));
            clinic.Visits.Add(visit);
            var triage = course.Triage(visit, condition, start.AddMinutes(12));
            course.Note(visit, condition, triage, start.AddMinutes(100));
            if (round == 0)
            {
                course.Problem(visit, condition, start.AddMinutes(100), resolved: !condition.Chronic);
            }

            if (at == 0 && draw.Chance(0.8))
            {
                course.Allergies(start.AddMinutes(90));
            }

            foreach (var order in course.Laboratory(visit, condition, await Tubes(clinic, condition, start, cancel), start.AddMinutes(45), LabOrderStatus.Released, urgent: false))
            {
                order.Acknowledge(team.Doctor, start.AddMinutes(140));
            }

            course.Prescribe(visit, condition, start.AddMinutes(105), dispensed: true);
            chronic = condition.Chronic ? condition : chronic;
        }

        clinic.AddRange(course.Rows);
        return days.Length;
    }
}
