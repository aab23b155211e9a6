using Mangrove.Cli.Demo;

namespace Mangrove.Tests.Cli;

public class GeneratorTests
{
    private static readonly DateOnly Today = new(2026, 11, 22);

    [Fact]
    public void The_same_seed_gives_the_same_people_and_another_seed_others()
    {
        var one = new PatientGenerator(5, Today).People(300).ToArray();
        Assert.Equal(one.Select(Words), new PatientGenerator(5, Today).People(300).Select(Words));
        Assert.NotEqual(one.Select(Words), new PatientGenerator(6, Today).People(300).Select(Words));
        Assert.Equal(Words(one[137]), Words(new PatientGenerator(5, Today).At(137)));
        Assert.Equal(300, one.Select(person => person.Id).Distinct().Count());
    }

    [Fact]
    public void The_mix_has_what_registration_really_meets()
    {
        const int Count = 20_000;
        var people = new PatientGenerator(1, Today).People(Count).ToArray();
        void Share(double least, double most, Func<SamplePatient, bool> has) => Assert.InRange(people.Count(has) / (double)Count, least, most);

        Share(0.015, 0.025, person => person.Like is not null);
        Share(0.01, 0.03, person => person.Name.Family is null);
        Share(0.15, 0.30, person => person.Name.Other is not null);
        Share(0.10, 0.18, person => person.Person.BornOn() is { IsFull: false });
        Share(0.01, 0.04, person => person.IsDead);
        Share(0.02, 0.06, person => person.AgeOn(Today) == 0);
        Share(0.03, 0.09, person => person.AgeOn(Today) >= 70);
        Assert.All(people, person => Assert.False(person.Name.IsEmpty));
        Assert.All(people, person => Assert.True(person.Person.BornOn()!.Value.Earliest <= Today));
        Assert.All(people, person => Assert.True(person.Person.Died is null || string.CompareOrdinal(person.Person.Died, person.Person.BornOn()!.Value.ToIso()) >= 0));
    }

    [Fact]
    public void Somebody_registered_again_is_like_the_first_but_not_the_same_row()
    {
        var generator = new PatientGenerator(1, Today);
        var again = generator.People(5_000).Where(person => person.Like is not null).ToArray();
        Assert.NotEmpty(again);
        Assert.All(again, person =>
        {
            Assert.True(person.Like < person.Number);
            Assert.Equal(person.Person.Sex, generator.At(person.Number).Person.Sex);
            Assert.NotEqual(generator.At(person.Like!.Value).Id, person.Id);
        });
    }

    [Fact]
    public void Every_condition_names_codes_tests_and_medicines_that_the_lists_have()
    {
        Assert.Empty(SampleLists.Unknown());
    }

    private static string Words(SamplePatient person) =>
        $"{person.Id} {person.Name.Display} {person.Name.Other} {person.Person.Born} {person.Person.Sex} {person.Contact.Address} {string.Join(',', person.Contact.Phones)} {person.Payer?.PolicyNumber}";
}
