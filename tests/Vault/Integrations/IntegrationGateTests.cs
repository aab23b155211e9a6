using System.Globalization;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;

namespace Mangrove.Tests.Vault.Integrations;

public abstract class IntegrationGateTests : IntegrationsOnEveryDatabase
{
    private const string Client = "lab-bridge";

    /// <summary>
    /// Random traces of everything that can happen, against a model that knows nothing of the program but the three facts.
    /// After every step every actor that was ever made tries to read: a name comes out exactly when the model says so.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task No_trace_of_events_reaches_a_byte_without_agreement_two_approvals_and_an_active_state(int seed)
    {
        var house = await House();
        var chance = new Draw(seed);
        var (opened, shut) = (0, 0);
        for (var trace = 0; trace < 6; trace++)
        {
            var client = string.Create(CultureInfo.InvariantCulture, $"{Client}-{trace}");
            var model = new Model();
            var callers = new List<(Actor Actor, int Given)>();
            var events = new List<string>();
            for (var step = 0; step < 40; step++)
            {
                var what = chance.Of(Events(model));
                events.Add(what);
                await Do(house, client, model, what, chance);

                // Whoever gets a token now keeps it, and tries again whatever comes.
                if (await TryToken(house, client) is { } caller)
                {
                    Assert.True(model.Open(house), $"A token was given after {string.Join(", ", events)}.");
                    callers.Add((caller, model.Generation));
                }

                foreach (var (actor, given) in callers.TakeLast(6))
                {
                    var name = await house.Read(actor);
                    var may = model.Open(house) && given == model.Generation;
                    Assert.True((name is not null) == may, $"Seed {seed}: {(name is null ? "shut" : "open")} after {string.Join(", ", events)}.");
                    _ = name is null ? shut++ : opened++;
                }

                house.Clock.Pass(TimeSpan.FromSeconds(31));
            }
        }

        // Traces that only ever refuse, or never do, would prove nothing.
        Assert.True(opened > 20 && shut > 20, $"{opened} reads went through and {shut} did not.");
    }

    [Fact]
    public async Task An_agreement_that_has_run_out_shuts_the_door_at_midnight_and_a_clock_set_back_does_not_open_it_again()
    {
        var house = await House();
        await house.Active();
        house.Clock.Pass(TimeSpan.FromDays(30));
        var token = await house.Token();
        var caller = await house.Caller();
        Assert.Equal(IntegrationHouse.Secret, await house.Read(caller));

        house.Clock.Pass(TimeSpan.FromHours(16));
        Assert.Null(await house.Read(caller));
        Assert.Equal(ServiceTokens.NotValid, (await house.Tokens.Check(token, IntegrationHouse.Address, null, default)).Error);
        var lapsed = Assert.Single(await house.Entries("AGREEMENT_LAPSED"));
        Assert.Equal(("service:lab-bridge", "integration:lab-bridge"), (lapsed.Actor, lapsed.Resource));
        Assert.Equal("service.agreement-expired", (await house.Entries("FHIR_READ"))[^1].Reason);

        house.Clock.SetWall(TimeSpan.FromDays(-20));
        Assert.Null(await house.Read(caller));
        Assert.False((await house.Tokens.Issue(new TokenRequest(house.Assertion().Signed(), "system/Patient.r?part=name", IntegrationHouse.Audience, IntegrationHouse.Address), default)).Ok);
        Assert.Single(await house.Entries("AGREEMENT_LAPSED"));
    }

    [Fact]
    public async Task Whatever_was_given_out_stops_at_the_next_call_after_an_administrator_says_so_also_from_another_process()
    {
        var house = await House();
        using var elsewhere = house.Elsewhere();
        foreach (var (end, code) in new (Func<IntegrationDirectory, string, Task>, string)[]
        {
            (async (directory, client) => _ = (await directory.Suspend(house.Administrator(), client, default)).Value, "service.suspended"),
            (async (directory, client) => _ = (await directory.Revoke(house.Administrator(), client, default)).Value, "service.revoked"),
            (async (directory, client) => _ = (await directory.FileAgreement(house.Administrator(), client, house.Signed(), default)).Value, "service.not-approved"),
        })
        {
            var client = $"{Client}-{code[8..]}";
            await house.Active(client);
            var caller = await house.Caller(client);
            Assert.Equal(IntegrationHouse.Secret, await house.Read(caller));
            await end(elsewhere.Directory, client);
            Assert.Null(await house.Read(caller));
            Assert.Equal(code, (await house.Entries("FHIR_READ"))[^1].Reason);
        }
    }

    [Fact]
    public async Task Facts_taken_away_in_the_database_shut_the_door_too()
    {
        var house = await House();
        await house.Active();
        var caller = await house.Caller();
        foreach (var wrong in (string[])
        [
            "UPDATE integration SET scopes = 'system/Observation.s?part=vitals'", "UPDATE integration SET scopes = 'system/*.*'", "DELETE FROM assertion_used; DELETE FROM integration",
        ])
        {
            Assert.True(await house.Run(wrong) > 0);
            Assert.Null(await house.Read(caller));
        }

        Assert.Equal(["access.role", "access.role", "service.unknown"], (await house.Entries("FHIR_READ")).Select(entry => entry.Reason));
    }

    private static string[] Events(Model model) => model.State switch
    {
        // What leads on is drawn oftener than what ends, so that traces come to the point where something opens.
        State.Absent => ["register"],
        State.Requested => ["file", "file", "approve", "suspend", "resume", "time"],
        State.Agreed => ["approve", "approve", "approve", "approve-old", "file", "resume", "time"],
        State.Active => ["time", "time", "days", "suspend", "tokens", "file", "approve", "resume", "revoke"],
        State.Suspended => ["resume", "resume", "file", "approve", "tokens", "days"],
        _ => ["file", "approve", "resume", "suspend", "register", "tokens"],
    };

    private static async Task Do(IntegrationHouse house, string client, Model model, string what, Draw chance)
    {
        var number = chance.Below(3) + 1;
        var boss = house.Administrator(number);
        switch (what)
        {
            case "register":
                Assert.Equal(model.State == State.Absent, (await house.Directory.Register(boss, house.Asked(client), default)).Ok);
                model.State = model.State == State.Absent ? State.Requested : model.State;
                break;
            case "file":
                var agreement = house.Signed(chance.Below(4) + 1);
                if ((await house.Directory.FileAgreement(boss, client, agreement, default)).Ok)
                {
                    (model.State, model.Until, model.Lapsed) = (State.Agreed, agreement.Expires, false);
                    model.Approvers.Clear();
                    model.Filing++;
                    model.Generation++;
                }

                break;
            case "approve" or "approve-old":
                var filing = what == "approve" ? model.Filing : model.Filing - 1;
                var approved = (await house.Directory.Approve(boss, client, filing, default)).Ok;
                var counts = model.State == State.Agreed && filing == model.Filing && !model.HasLapsed(house) && model.Approvers.Add(number);
                Assert.Equal(counts, approved);
                model.State = model.State == State.Agreed && model.Approvers.Count == 2 ? State.Active : model.State;
                break;
            case "suspend":
                Assert.Equal(model.State == State.Active, (await house.Directory.Suspend(boss, client, default)).Ok);
                model.Move(State.Active, State.Suspended);
                break;
            case "resume":
                Assert.Equal(model.State == State.Suspended, (await house.Directory.Resume(boss, client, default)).Ok);
                model.Move(State.Suspended, State.Active);
                break;
            case "revoke":
                Assert.True((await house.Directory.Revoke(boss, client, default)).Ok);
                model.Move(model.State, State.Revoked);
                break;
            case "tokens":
                Assert.Equal(model.State == State.Active, (await house.Directory.EndTokens(boss, client, default)).Ok);
                model.Move(State.Active, State.Active);
                break;
            case "days":
                house.Clock.Pass(TimeSpan.FromDays(chance.Below(3) + 1));
                break;
            default:
                house.Clock.Pass(TimeSpan.FromMinutes(2));
                break;
        }
    }

    private static async Task<Actor?> TryToken(IntegrationHouse house, string client)
    {
        var issued = await house.Tokens.Issue(new TokenRequest(house.Assertion(client).Signed(), "system/Patient.r?part=name", IntegrationHouse.Audience, IntegrationHouse.Address), default);
        return issued.Ok ? (await house.Tokens.Check(issued.Value.Text, IntegrationHouse.Address, null, default)).Value : null;
    }

    private enum State
    {
        Absent,
        Requested,
        Agreed,
        Active,
        Suspended,
        Revoked,
    }

    /// <summary>The three facts as a child would write them down.</summary>
    private sealed class Model
    {
        public State State { get; set; }

        public DateOnly? Until { get; set; }

        public bool Lapsed { get; set; }

        public HashSet<int> Approvers { get; } = [];

        public int Filing { get; set; }

        public int Generation { get; set; }

        public void Move(State from, State to)
        {
            if (State == from)
            {
                State = to;
                Generation++;
            }
        }

        public bool HasLapsed(IntegrationHouse house)
        {
            Lapsed |= Until < house.Today;
            return Lapsed;
        }

        public bool Open(IntegrationHouse house) => State == State.Active && Until is not null && !HasLapsed(house) && Approvers.Count == 2;
    }

    /// <summary>Chance that can be drawn again.</summary>
    private sealed class Draw(int seed)
    {
        private uint state = unchecked(((uint)seed * 2654435761u) | 1u);

        public int Below(int many)
        {
            unchecked
            {
                // Xorshift (Marsaglia 2003): enough to wander, and the same on every machine.
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                return (int)(state % (uint)many);
            }
        }

        public string Of(string[] all) => all[Below(all.Length)];
    }
}
