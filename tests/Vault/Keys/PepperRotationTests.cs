using Mangrove.Kernel;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Keys;

/// <summary>The pepper rotates without anybody noticing, and the old one goes when nothing names it any more.</summary>
public abstract class PepperRotationTests : OnEveryDatabase
{
    private const string Device = "Ward-3-Tablet";
    private const string Pin = "480265";

    [Fact]
    public async Task Passwords_PINs_and_phones_go_on_working_and_the_old_pepper_goes_when_the_last_hash_was_made_anew()
    {
        var house = await House();
        await house.Member("nina");
        await house.Member("boss", Role.Admin);
        var nina = await house.Enter("nina");
        nina = (await house.Desk.Pin.Choose(nina.Token, IdentityHouse.Password, Pin, default)).Value;
        var codes = await FirstCodes(house);

        Assert.Equal(2, (await house.Keys.Rotate(house.SetUp.Setup, "pepper", default)).Value);
        Assert.True(await house.Keys.Advance(default));

        var old = (await Pepper(house)).Versions[1];
        Assert.Equal([("passwords", 2L), ("PINs", 1L), ("recovery codes", 10L)], old.Kinds.Select(kind => (kind.Kind, kind.Count)));
        Assert.Equal("secrets of phones", Assert.Single((await Pepper(house)).Versions[0].Kinds).Kind);
        await house.Restart();

        // At the lock the PIN is at hand: it is hashed anew.
        await house.Sessions.Lock(nina.Token, default);
        nina = (await house.Sessions.Unlock(nina.Token, UnlockBy.Pin, Pin, Device, default)).Value;
        Assert.StartsWith("mg2$2$$2b$", await Text(house, "SELECT hash FROM pin"), StringComparison.Ordinal);
        await house.Sessions.Lock(nina.Token, default);
        nina = (await house.Sessions.Unlock(nina.Token, UnlockBy.Pin, Pin, Device, default)).Value;

        // The password at the lock too, and at a sign-in; a code of paper is used up under its own pepper.
        await house.Sessions.Lock(nina.Token, default);
        Assert.True((await house.Sessions.Unlock(nina.Token, UnlockBy.Password, IdentityHouse.Password, Device, default)).Ok);
        var step = (await house.SignIn.Password("boss", IdentityHouse.Password, Device, default)).Value;
        Assert.True((await house.SignIn.Code(step.Ticket, codes[0], Device, default)).Ok);
        Assert.False((await house.SignIn.Code((await house.SignIn.Password("boss", IdentityHouse.Password, Device, default)).Value.Ticket, codes[0], Device, default)).Ok);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM account WHERE hash NOT LIKE 'mg2$2$%'"));
        Assert.Equal([("recovery codes", 9L)], (await Pepper(house)).Versions[1].Kinds.Select(kind => (kind.Kind, kind.Count)));
        Assert.True(await house.Keys.Advance(default));
        Assert.Equal(2, (await Pepper(house)).Versions.Count);

        // New codes: nothing names the old pepper.
        await using (var connection = await house.Store.Open(default))
        {
            await new SecondFactors(new Peppers(house.Ring), house.Clock).NewCodes(connection, (await Boss(connection)), default);
        }

        Assert.True(await house.Keys.Advance(default));
        Assert.Equal(2, Assert.Single((await Pepper(house)).Versions).Version);
        await house.Restart();
        Assert.Equal("boss", (await house.Enter("boss")).Actor.User);
        Assert.Equal("nina", (await house.Enter("nina")).Actor.User);
    }

    [Fact]
    public async Task A_wrong_password_is_wrong_under_every_pepper_and_a_hash_of_a_pepper_that_is_gone_matches_nothing()
    {
        var house = await House();
        await house.Member("nina");
        (await house.Keys.Rotate(house.SetUp.Setup, "pepper", default)).ThrowIfRefused();
        await house.Keys.Advance(default);

        Assert.Equal("signin.refused", (await house.SignIn.Password("nina", "velvet tractor mumbles loudly", Device, default)).Error!.Code);
        Assert.StartsWith("mg1$", await Text(house, "SELECT hash FROM account"), StringComparison.Ordinal);
        Assert.Equal("nina", (await house.Enter("nina")).Actor.User);
        await house.Keys.Advance(default);
        Assert.Single((await Pepper(house)).Versions);

        await using (var connection = await house.Store.Open(default))
        {
            await connection.Run("UPDATE account SET hash = 'mg1$' || SUBSTR(hash, 7)", default);
        }

        Assert.Equal("signin.refused", (await house.SignIn.Password("nina", IdentityHouse.Password, Device, default)).Error!.Code);
    }

    [Fact]
    public async Task Codes_and_numbers_that_were_given_out_before_still_count()
    {
        var house = await House();
        var code = (await house.Desk.Devices.Register(house.SetUp.Setup, "Ward-4-Tablet", "Ward 4", default)).Value;
        var nonce = house.Desk.Devices.Challenge();
        house.Clock.Pass(TimeSpan.FromMinutes(1));
        (await house.Keys.Rotate(house.SetUp.Setup, "pepper", default)).ThrowIfRefused();
        await house.Keys.Advance(default);

        Assert.Equal(("enrolment codes", 1L, false), (await Pepper(house)).Versions[1].Kinds.Select(kind => (kind.Kind, kind.Count, kind.Moves)).Single());
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var signature = key.SignData(System.Text.Encoding.ASCII.GetBytes($"mangrove device enrol {nonce}"), System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        Assert.True((await house.Desk.Devices.Enrol(code.Code, Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), nonce, Convert.ToBase64String(signature), "address:10.0.0.7", default)).Ok);

        await house.Keys.Advance(default);
        Assert.Single((await Pepper(house)).Versions);
    }

    private static async Task<IReadOnlyList<string>> FirstCodes(IdentityHouse house)
    {
        var boss = await house.Enter("boss");
        return house.Desk.SecondFactor.TakeCodes(boss.Actor)!;
    }

    private static async Task<KeyPurposeStatus> Pepper(IdentityHouse house) => (await house.Keys.Status(default)).Single(one => one.Purpose == "pepper");

    private static async Task<string> Text(IdentityHouse house, string sql)
    {
        await using var connection = await house.Store.Open(default);
        return (string)(await connection.Scalar(sql, default))!;
    }

    private static async Task<Guid> Boss(System.Data.Common.DbConnection connection) =>
        (await connection.Query("SELECT id FROM account WHERE username = 'boss'", row => row.Guid(0), default)).Single();
}

public sealed class PepperRotationOnSqliteTests : PepperRotationTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class PepperRotationOnPostgresTests : PepperRotationTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
