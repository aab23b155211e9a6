using Mangrove.Kernel;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Identity;
using Mangrove.Sealing;

namespace Mangrove.Tests.Vault.Glass;

/// <summary>Somebody who is signed in, with the phone in the hand.</summary>
internal sealed class Clinician(IdentityHouse house, string user, SignedIn session)
{
    public SignedIn Session { get; private set; } = session;

    public Actor Actor => Session.Actor;

    /// <summary>A code that was not used: time goes on to the next.</summary>
    public FactorProof Proof()
    {
        house.Clock.Pass(TimeSpan.FromSeconds(Totp.StepSeconds));
        return new FactorProof(house.Code(user));
    }

    public async Task<Result<SignedIn>> Break(PatientRef patient, GlassReason reason = GlassReason.LifeAtRisk, string words = GlassHouse.Words, FactorProof? proof = null)
    {
        var broken = await house.Glass.Break(Session.Token, patient, reason, words, proof ?? Proof(), default);
        if (broken.Ok)
        {
            Session = broken.Value;
        }

        return broken;
    }

    /// <summary>Opens what a page would open: one act on the record.</summary>
    public async Task<string?> Try(params PatientRef[] patients) => await Try(new Request { Action = "VIEW_CHART", Purpose = Purpose.Treatment, Patients = patients });

    /// <returns>Null when it opened, else the code of the refusal.</returns>
    public async Task<string?> Try(Request request)
    {
        try
        {
            using var opening = await house.Door.Open(Actor, request, default);
            return null;
        }
        catch (Refused refused)
        {
            return refused.Code;
        }
    }

    /// <summary>Works on for so long, with a gesture each four minutes, so that the screen does not lock.</summary>
    public async Task Work(TimeSpan time)
    {
        for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromMinutes(4))
        {
            house.Clock.Pass(left < TimeSpan.FromMinutes(4) ? left : TimeSpan.FromMinutes(4));
            Assert.Equal(SessionStanding.Live, (await house.Sessions.Touch(Session.Token, default)).Standing);
        }
    }

    /// <summary>Signs in anew, after the session of before was ended.</summary>
    public async Task Again() => Session = await house.Enter(user);
}

/// <summary>A house in which emergency access has somebody to be told.</summary>
internal static class GlassHouse
{
    public const string Words = "Collapsed in corridor B, pulse 38. Need medicines.";

    /// <summary>Lets nurses and doctors have a second factor, which they set up at their first sign-in.</summary>
    public static async Task Furnish(IdentityHouse house)
    {
        await house.Member("boss", Role.Admin);
        var boss = await house.Enter("boss");
        Assert.True((await house.Desk.SecondFactor.Require(boss.Actor, new HashSet<Role> { Role.Nurse, Role.Doctor }, default, default)).Ok);
        await house.Sessions.End(boss.Token, default);
    }

    public static async Task<Clinician> Sit(IdentityHouse house, string user, Role role)
    {
        await house.Member(user, role);
        return new Clinician(house, user, await house.Enter(user));
    }

    public static async Task<Clinician> Boss(IdentityHouse house) => new(house, "boss", await house.Enter("boss"));

    public static PatientRef Patient(int number = 1_000_000) => new(PatientId.New(), Mrn.FromSequence(number).ToString());
}
