using System.Diagnostics;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Demo;

/// <summary>How much a sample hospital is to hold.</summary>
/// <param name="Patients">Made-up people.</param>
/// <param name="Seed">Another seed gives other people.</param>
/// <param name="Histories">So many of them get a past, beyond which they are registered only.</param>
/// <param name="Slice">Patients are registered in acts of so many, each with its entry in the log.</param>
internal sealed record SamplePlan(int Patients, long Seed, int Histories, int Slice = int.MaxValue);

/// <summary>Fills a new hospital: staff, stock, patients, histories and today's visits. The demonstration and the benches use the same.</summary>
internal static class SampleFiller
{
    private const int SayEvery = 50_000;
    private const int SayHistories = 500;

    /// <param name="hospital">Being made.</param>
    /// <param name="setUp">Its set-up.</param>
    /// <param name="plan">How much.</param>
    /// <param name="say">Told how far it is.</param>
    /// <param name="sliceDone">Told the patients of each slice and how long they took.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<DemoTeam> Fill(Hospital hospital, FirstSetUp setUp, SamplePlan plan, Action<string> say, Action<int, TimeSpan>? sliceDone, CancellationToken cancel)
    {
        var now = hospital.Clock.GetUtcNow();
        var team = await DemoTeam.Hire(hospital, setUp, cancel);
        say($"{team.Accounts.Count} accounts");
        say($"{await new SampleStock(hospital, setUp, team, plan.Seed, now).Write(cancel)} batches of stock");

        var generator = new PatientGenerator(plan.Seed, DateOnly.FromDateTime(now.UtcDateTime));
        var known = new List<Registered>();
        for (var from = 0; from < plan.Patients; from += Math.Min(plan.Slice, plan.Patients - from))
        {
            var count = Math.Min(plan.Slice, plan.Patients - from);
            var started = Stopwatch.GetTimestamp();
            await new SampleWriter(hospital, setUp).Register(
                generator.People(count, from),
                (person, patient) =>
                {
                    if (known.Count < plan.Histories)
                    {
                        known.Add(new Registered(person, patient));
                    }

                    if (person.Number % SayEvery == SayEvery - 1)
                    {
                        say($"{person.Number + 1} patients");
                    }
                },
                cancel);
            sliceDone?.Invoke(count, Stopwatch.GetElapsedTime(started));
        }

        say($"{plan.Patients} patients");
        var histories = new SampleHistories(hospital, setUp, team, plan.Seed, now);
        var visits = await histories.Write(
            known,
            done =>
            {
                if (done % SayHistories == 0)
                {
                    say($"{done} histories");
                }
            },
            cancel);
        var open = await new SampleDay(hospital, setUp, team, histories, plan.Seed, now).Write(known, cancel);
        say($"{visits} earlier visits, {open} today");
        return team;
    }
}
