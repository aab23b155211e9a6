using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Demo;

/// <summary>Puts some of the made-up patients into the house today, so that every station has a worklist.</summary>
/// <param name="histories">Who was written before: today goes on from there.</param>
internal sealed class SampleDay(Hospital hospital, FirstSetUp setUp, DemoTeam team, SampleHistories histories, long seed, DateTimeOffset now)
{
    private const int Most = 48;

    private static readonly Scene[] Scenes = Enum.GetValues<Scene>();

    /// <summary>How far a visit has come.</summary>
    private enum Scene
    {
        Arrived = 0,
        WaitingForDoctor = 1,
        WithDoctor = 2,
        SpecimenOrdered = 3,
        SpecimenReceived = 4,
        ResultsBack = 5,
        AtPharmacy = 6,
        AtCashier = 7,
        Left = 8,
    }

    /// <returns>How many visits were opened.</returns>
    public async Task<int> Write(IReadOnlyList<Registered> people, CancellationToken cancel)
    {
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var here = people.Where(one => !one.Person.IsDead && one.Person.Like is null).ToArray();
        var count = Math.Min(here.Length, Math.Clamp(people.Count / 4, Scenes.Length, Most));
        var bills = new List<(Visit Visit, PatientRef Patient, List<Charging.Act> Acts)>();
        using (var opening = await SampleWriter.Open(hospital, setUp, "WRITE_SAMPLE_DAY", SampleHistories.Fields, cancel))
        {
            await opening.Turn([.. here.Take(count).Select(one => one.Ref.Id)], create: false, cancel);
            await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
            for (var at = 0; at < count; at++)
            {
                await Play(clinic, opening, here[at], Scenes[at % Scenes.Length], minutesAgo: 20 + ((count - at) * 5), today, bills, cancel);
            }

            await clinic.SaveChangesAsync(cancel);
        }

        var charging = new Charging(hospital.Clinics, hospital.Vault.Door, hospital.Events, hospital.Clock);
        foreach (var (visit, patient, acts) in bills)
        {
            await charging.Post(visit, patient, acts, cancel);
        }

        return count;
    }

    private async Task Play(
        ClinicContext clinic, Opening opening, Registered one, Scene scene, int minutesAgo, DateOnly today, List<(Visit, PatientRef, List<Charging.Act>)> bills, CancellationToken cancel)
    {
        var draw = Draw.For(seed, one.Person.Number, aspect: 4);
        var age = one.Person.AgeOn(today) ?? 30;
        var fitting = Condition.All.Where(condition => condition.Fits(age, one.Person.Person.Sex));
        fitting = scene is Scene.SpecimenOrdered or Scene.SpecimenReceived or Scene.ResultsBack ? fitting.Where(condition => condition.Tests.Count > 0)
            : scene is Scene.AtPharmacy or Scene.AtCashier ? fitting.Where(condition => condition.Medicines.Count > 0)
            : fitting;
        var condition = draw.Of(fitting.ToArray(), each => each.Weight);
        var body = histories.BodyOf(one.Ref.Id);
        var course = new Course(opening, one.Person, body, draw, team, today);
        var arrived = now.AddMinutes(-minutesAgo);
        var visit = new Visit
        {
            Id = draw.Id(),
            PatientId = one.Ref.Id,
            Kind = draw.Chance(0.3) ? VisitKind.Emergency : VisitKind.Outpatient,
            Token = checked((int)await clinic.Next("token:" + hospital.Clock.GetLocalNow().ToString("yyyyMMdd", CultureInfo.InvariantCulture), cancel)),
            ArrivedAt = arrived,
        };
        clinic.Visits.Add(visit);
        if (scene == Scene.Arrived)
        {
            return;
        }

        course.Encounter(visit, condition, null);
        var triage = course.Triage(visit, condition, arrived.AddMinutes(6));
        visit.Triage(arrived.AddMinutes(6));
        if (scene >= Scene.WithDoctor)
        {
            visit.Take(team.Doctor, arrived.AddMinutes(9));
        }

        var signed = arrived.AddMinutes(14);
        if (scene >= Scene.SpecimenOrdered)
        {
            course.Note(visit, condition, triage, signed);
            if (body.Meet(condition) == 0)
            {
                course.Problem(visit, condition, signed, resolved: false);
            }

            var state = scene switch { Scene.SpecimenOrdered => LabOrderStatus.Ordered, Scene.SpecimenReceived => LabOrderStatus.Received, _ => LabOrderStatus.Released };
            foreach (var order in course.Laboratory(visit, condition, await SampleHistories.Tubes(clinic, condition, now, cancel), signed, state, visit.Kind == VisitKind.Emergency))
            {
                if (scene > Scene.ResultsBack)
                {
                    order.Acknowledge(team.Doctor, now);
                }
            }
        }

        if (scene >= Scene.AtPharmacy)
        {
            visit.FinishConsultation(signed);
            course.Prescribe(visit, condition, signed, dispensed: scene >= Scene.AtCashier);
        }

        if (scene == Scene.Left)
        {
            visit.Close(now);
        }

        clinic.AddRange(course.Rows);
        if (course.Acts.Count > 0)
        {
            bills.Add((visit, one.Ref, course.Acts));
        }
    }
}
