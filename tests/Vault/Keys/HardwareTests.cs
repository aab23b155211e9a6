using System.Text;
using System.Text.Json.Nodes;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Shared;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Keys;
using Mangrove.Vault.Keys.Hardware;

namespace Mangrove.Tests.Vault.Keys;

/// <summary>The root key under a TPM and under a token: Debian's swtpm and SoftHSM, through the tools that a hospital has. One test at a time, because the tools find both by this process's environment.</summary>
[Collection("hardware")]
public abstract class HardwareTests : OnEveryDatabase
{
    private const string Label = "hospital one";

    private static readonly byte[] Kept = "what the ring keeps"u8.ToArray();

    private readonly List<IDisposable> machines = [];

    private static RootSecret Unattended { get; } = new();

    private static RootSecret ToTpm { get; } = new() { Tpm = new TpmWanted([]) };

    private static RootSecret ToToken => new() { Token = new TokenWanted(TestToken.Module!, Label), Pin = TestToken.Pin.ToCharArray() };

    [Fact]
    public async Task A_TPM_opens_the_hospital_without_anybody_and_no_other_TPM_does()
    {
        var tpm = await Tpm();
        var house = await Keeping();
        var keyFile = house.Protection;

        Assert.Equal(ProtectorKind.Tpm, (await house.Keys.ChangeProtector(house.SetUp.Setup, keyFile, ToTpm, default)).Value);
        Assert.Equal((ProtectorKind.Tpm, false, false), (house.Keys.Protector.Guard.Kind, house.Keys.Protector.Guard.AsksPin, house.Keys.Protector.Guard.BoundToBoot));
        house.Protection = Unattended;
        await Opens(house);

        // The disk in another machine, in one without a TPM, and in its own again.
        await Tpm();
        await Refuses(house, "tpm.foreign");
        Environment.SetEnvironmentVariable(TestTpm.Variable, "swtpm:path=/nowhere/at/all");
        await RefusesAgain(house, "tpm.missing");
        house.Protection = keyFile;
        await RefusesAgain(house, "tpm.missing");
        Use(tpm);
        house.Protection = Unattended;
        await house.StartAgain();
        await Opens(house);

        // Its root key is renewed, and it goes back to a passphrase.
        var copy = await File.ReadAllBytesAsync(RootProtector.PathIn(house.Roots));
        Assert.Equal(7, (await house.Keys.RotateRoot(house.SetUp.Setup, Unattended, default)).Value);
        await Opens(house);
        await File.WriteAllBytesAsync(RootProtector.PathIn(house.Roots) + ".old", copy);
        var passphrase = new RootSecret { Passphrase = "a long new passphrase".ToCharArray() };
        Assert.Equal(ProtectorKind.Passphrase, (await house.Keys.ChangeProtector(house.SetUp.Setup, Unattended, passphrase, default)).Value);
        house.Protection = passphrase;
        await Opens(house);
        Assert.Equal(["key file -> TPM", "TPM -> passphrase"], (await house.Entries("CHANGE_PROTECTOR")).Select(entry => entry.Reason));

        // Nothing was left in the TPM, and nothing of the tools in memory's file system.
        Assert.Equal("", (await tpm.Tool("tpm2_getcap", "handles-transient")).Trim());
        Assert.Equal("", (await tpm.Tool("tpm2_getcap", "handles-loaded-session")).Trim());
        Assert.Empty(Directory.GetDirectories("/dev/shm", FormattableString.Invariant($"mangrove-{Environment.ProcessId}-*")));
    }

    [Fact]
    public async Task A_PIN_is_asked_and_counted_by_the_TPM_and_wrong_ones_shut_nobody_else_out()
    {
        await Tpm();
        var house = await Keeping();
        var keyFile = house.Protection;
        var admin = house.SetUp.Setup;
        Assert.Equal("tpm.pin-length", (await house.Keys.ChangeProtector(admin, keyFile, ToTpm with { Pin = "123".ToCharArray() }, default)).Error!.Code);
        Assert.Equal("tpm.pin-length", (await house.Keys.ChangeProtector(admin, keyFile, new RootSecret { Tpm = new TpmWanted([7]), Pin = "123".ToCharArray() }, default)).Error!.Code);
        Assert.Equal("tpm.registers", (await house.Keys.ChangeProtector(admin, keyFile, new RootSecret { Tpm = new TpmWanted([24]) }, default)).Error!.Code);
        await Opens(house);

        Assert.True((await house.Keys.ChangeProtector(admin, keyFile, ToTpm with { Pin = "Zäh-4711".ToCharArray() }, default)).Ok);
        Assert.True(house.Keys.Protector.Guard.AsksPin);
        using var besides = KeyMaterial.Generate();
        var open = await TpmKey.Seal(besides, new TpmWanted([]), null, default);
        Assert.Equal(["tpm.pin-length", "tpm.pin-length", "tpm.registers", "key file -> TPM, with a PIN"], (await house.Entries("CHANGE_PROTECTOR")).Select(entry => entry.Reason));

        house.Protection = Unattended;
        await Refuses(house, "tpm.pin-needed");
        house.Protection = new RootSecret { Pin = "Zäh-4711".ToCharArray() };
        await house.StartAgain();
        house.Protection = new RootSecret { Pin = "Zäh-4712".ToCharArray() };
        await Refuses(house, "tpm.pin-wrong");
        var codes = new List<string>();
        for (var guess = 0; guess < 40 && codes.LastOrDefault() != "tpm.locked"; guess++)
        {
            codes.Add((await Assert.ThrowsAsync<RefusedInput>(house.StartAgain)).Code);
        }

        Assert.Equal("tpm.locked", codes[^1]);
        using var back = await TpmKey.Open(open, null, default);
        Assert.Equal(besides.Bytes, back.Bytes);
    }

    [Fact]
    public async Task Bound_to_the_boot_it_opens_only_as_the_machine_was_started()
    {
        var tpm = await Tpm();
        var house = await Keeping();
        Assert.True((await house.Keys.ChangeProtector(house.SetUp.Setup, house.Protection, new RootSecret { Tpm = new TpmWanted([7, 0, 7]) }, default)).Ok);
        Assert.True(house.Keys.Protector.Guard.BoundToBoot);
        Assert.Equal([0, 7], house.Keys.Protector.Tpm!.Pcrs);
        house.Protection = Unattended;
        await Opens(house);
        await tpm.Tool("tpm2_pcrextend", "7:sha256=" + new string('a', 64));
        await Refuses(house, "tpm.boot-differs");
    }

    [Fact]
    public async Task With_a_PIN_and_bound_to_the_boot_it_opens_with_both_alone_and_PINs_are_tried_in_the_right_boot_only()
    {
        var tpm = await Tpm();
        var house = await Keeping();
        var right = new RootSecret { Pin = "Zäh-4711".ToCharArray() };
        var wrong = new RootSecret { Pin = "Zäh-4712".ToCharArray() };
        Assert.True((await house.Keys.ChangeProtector(house.SetUp.Setup, house.Protection, right with { Tpm = new TpmWanted([16]) }, default)).Ok);
        Assert.Equal((true, true), (house.Keys.Protector.Guard.AsksPin, house.Keys.Protector.Guard.BoundToBoot));
        Assert.Equal("the TPM of this machine, with a PIN and bound to how it starts", house.Keys.Protector.Guard.Words);
        Assert.Contains("not even the PIN opens it", house.Keys.Protector.Guard.StolenDisk, StringComparison.Ordinal);
        Assert.Equal("key file -> TPM, with a PIN and bound to the boot", Assert.Single(await house.Entries("CHANGE_PROTECTOR")).Reason);
        house.Protection = right;
        await Opens(house);
        house.Protection = Unattended;
        await Refuses(house, "tpm.pin-needed");
        house.Protection = wrong;
        await RefusesAgain(house, "tpm.pin-wrong");
        house.Protection = right;
        await house.StartAgain();
        await Opens(house);

        // Started otherwise nobody even tries a PIN: the TPM counts nothing, however often.
        await tpm.Tool("tpm2_pcrextend", "16:sha256=" + new string('a', 64));
        await Refuses(house, "tpm.boot-differs");
        house.Protection = wrong;
        for (var tries = 0; tries < 8; tries++)
        {
            await RefusesAgain(house, "tpm.boot-differs");
        }

        // As it was: the debug register 16 is the one that can be set back without a restart.
        await tpm.Tool("tpm2_pcrreset", "16");
        house.Protection = right;
        await house.StartAgain();
        await Opens(house);

        // Whoever takes the gate out of root.json (the TPM counts that as a wrong PIN, of which it takes few), or puts one of another seal there, opens nothing.
        await tpm.Tool("tpm2_dictionarylockout", "--clear-lockout");
        var path = RootProtector.PathIn(house.Roots);
        var kept = await File.ReadAllTextAsync(path);
        var without = JsonNode.Parse(kept)!;
        without["tpm"]!.AsObject().Remove("gate");
        await File.WriteAllTextAsync(path, without.ToJsonString());
        await Refuses(house, "tpm.pin-wrong");
        var other = JsonNode.Parse(kept)!;
        using var stranger = KeyMaterial.Generate();
        var strange = await TpmKey.Seal(stranger, new TpmWanted([16]), null, default);
        other["tpm"]!["gate"]!["public"] = Convert.ToBase64String(strange.Public);
        other["tpm"]!["gate"]!["private"] = Convert.ToBase64String(strange.Private);
        await File.WriteAllTextAsync(path, other.ToJsonString());
        await RefusesAgain(house, "tpm.pin-wrong");
        await File.WriteAllTextAsync(path, kept);
        await house.StartAgain();
        await Opens(house);
        await Tpm();
        await Refuses(house, "tpm.foreign");
    }

    [Theory]
    [InlineData("before root.json", true)]
    [InlineData("after root.json", false)]
    public async Task Cut_off_on_the_way_to_the_TPM_and_back_one_of_the_two_opens(string at, bool old)
    {
        await Tpm();
        var house = await Keeping();
        var passphrase = new RootSecret { Passphrase = "a long new passphrase".ToCharArray() };
        Assert.True((await house.Keys.ChangeProtector(house.SetUp.Setup, house.Protection, passphrase, default)).Ok);
        house.Protection = passphrase;
        foreach (var (from, to) in new[] { (passphrase, ToTpm), (Unattended, passphrase) })
        {
            // Each half begins where the one before should have ended.
            if (from == Unattended && house.Keys.Protector.Kind != ProtectorKind.Tpm)
            {
                Assert.True((await house.Keys.ChangeProtector(house.SetUp.Setup, passphrase, ToTpm, default)).Ok);
                house.Protection = Unattended;
            }

            house.Between = step =>
            {
                if (step == at)
                {
                    throw new IOException("The power is gone.");
                }
            };
            await Assert.ThrowsAsync<IOException>(() => house.Keys.ChangeProtector(house.SetUp.Setup, from, to, default));
            house.Between = null;
            house.Protection = old ? from : to == ToTpm ? Unattended : to;
            await Opens(house);
            Assert.Equal(["root.json", "root.key"], Directory.GetFiles(house.Roots).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task A_root_json_that_was_changed_opens_nothing()
    {
        await Tpm();
        var house = await Keeping();
        Assert.True((await house.Keys.ChangeProtector(house.SetUp.Setup, house.Protection, ToTpm, default)).Ok);
        house.Protection = Unattended;
        var path = RootProtector.PathIn(house.Roots);
        var whole = await File.ReadAllTextAsync(path);
        foreach (var (change, code) in new (Action<JsonNode>, string)[]
        {
            (root => root["tpm"]!["private"] = Flipped(root["tpm"]!["private"]!), "tpm.foreign"),
            (root => root["tpm"]!["pcrs"] = new JsonArray(7), "tpm.boot-differs"),
            (root => root["salt"] = Flipped(root["salt"]!), "keys.protector-bad"),
            (root => root["tpm"] = null, "keys.protector-bad"),
            (root => root["kind"] = 1, "keys.protector-bad"),
            (root => root["format"] = 1, "keys.protector-bad"),
            (root => root["kind"] = 4, "keys.protector-bad"),
        })
        {
            var root = JsonNode.Parse(whole)!;
            change(root);
            await File.WriteAllTextAsync(path, root.ToJsonString());
            var refused = await Assert.ThrowsAsync<RefusedInput>(house.Restart);
            Assert.Equal(code, refused.Code);
            await File.WriteAllTextAsync(path, whole);
            await house.StartAgain();
        }

        // Another key sealed in its place, by somebody who may use this TPM, opens nothing.
        using var another = KeyMaterial.Generate();
        var planted = await TpmKey.Seal(another, new TpmWanted([]), null, default);
        (RootProtector.Read(house.Roots) with { Tpm = planted }).Save(house.Roots);
        await Refuses(house, "keys.protector-bad");
    }

    [Fact]
    public async Task A_token_opens_with_its_PIN_and_nothing_else_does()
    {
        var token = await Token(Label);
        var house = await Keeping();
        var keyFile = house.Protection;
        var admin = house.SetUp.Setup;
        Assert.Equal("token.pin-needed", (await house.Keys.ChangeProtector(admin, keyFile, ToToken with { Pin = null }, default)).Error!.Code);
        Assert.Equal("token.pin-wrong", (await house.Keys.ChangeProtector(admin, keyFile, ToToken with { Pin = "111111".ToCharArray() }, default)).Error!.Code);
        Assert.Equal("token.missing", (await house.Keys.ChangeProtector(admin, keyFile, ToToken with { Token = new TokenWanted(TestToken.Module!, "hospital two") }, default)).Error!.Code);
        Assert.Equal("token.module-bad", (await house.Keys.ChangeProtector(admin, keyFile, ToToken with { Token = new TokenWanted(Path.Combine(house.Roots, "evil.so"), Label) }, default)).Error!.Code);
        Assert.Equal("token.module-bad", (await house.Keys.ChangeProtector(admin, keyFile, ToToken with { Token = new TokenWanted("/usr/lib/none.so", Label) }, default)).Error!.Code);
        Assert.Equal("token.label", (await house.Keys.ChangeProtector(admin, keyFile, ToToken with { Token = new TokenWanted(TestToken.Module!, new string('x', 33)) }, default)).Error!.Code);
        Assert.Equal(0, await token.Keys(Label));
        await Opens(house);

        Assert.Equal(ProtectorKind.Token, (await house.Keys.ChangeProtector(admin, keyFile, ToToken, default)).Value);
        Assert.Equal(1, await token.Keys(Label));
        house.Protection = new RootSecret { Pin = TestToken.Pin.ToCharArray() };
        await Opens(house);
        house.Protection = Unattended;
        await Refuses(house, "token.pin-needed");
        house.Protection = new RootSecret { Pin = "111111".ToCharArray() };
        await RefusesAgain(house, "token.pin-wrong");

        // Another token of the same label, and none.
        house.Protection = new RootSecret { Pin = TestToken.Pin.ToCharArray() };
        await Token(Label);
        await RefusesAgain(house, "token.foreign");
        await Token(null);
        await RefusesAgain(house, "token.missing");
        Environment.SetEnvironmentVariable(TestToken.Variable, token.Configuration);
        await house.StartAgain();
        await Opens(house);
        Assert.Equal(7, (await house.Keys.RotateRoot(admin, house.Protection, default)).Value);
        Assert.Equal(ProtectorKind.KeyFile, (await house.Keys.ChangeProtector(admin, house.Protection, new RootSecret { KeyFile = Path.Combine(house.Roots, "second.key"), AcceptSameVolume = true }, default)).Value);
        house.Protection = Unattended;
        await Opens(house);
    }

    [Theory]
    [InlineData("before root.json", true)]
    [InlineData("after root.json", false)]
    public async Task Cut_off_on_the_way_to_a_token_one_of_the_two_opens_and_no_key_is_left_over(string at, bool old)
    {
        var token = await Token(Label);
        var house = await Keeping();
        house.Between = step =>
        {
            if (step == at)
            {
                throw new IOException("The power is gone.");
            }
        };
        await Assert.ThrowsAsync<IOException>(() => house.Keys.ChangeProtector(house.SetUp.Setup, house.Protection, ToToken, default));
        house.Between = null;
        Assert.Equal(old ? 0 : 1, await token.Keys(Label));
        house.Protection = old ? house.Protection : new RootSecret { Pin = TestToken.Pin.ToCharArray() };
        await Opens(house);
    }

    [Fact]
    public async Task Backups_open_by_what_was_chosen_for_them_and_never_need_the_machine()
    {
        await Tpm();
        var house = await Keeping();
        var keyFile = house.Protection;
        using var epoch = KeyMaterial.Generate();
        var context = "backup epoch"u8.ToArray();
        await house.Recovery.FollowProtector(house.Keys.Protector, keyFile, default);

        // Without a passphrase of their own they stay with the key file of before, also over a start.
        Assert.True((await house.Keys.ChangeProtector(house.SetUp.Setup, keyFile, ToTpm, default)).Ok);
        house.Protection = Unattended;
        await Opens(house);
        await house.Recovery.FollowProtector(house.Keys.Protector, Unattended, default);
        Assert.Equal(ProtectorKind.KeyFile, (await house.Recovery.State(default)).Protector);
        Assert.True(Same(await house.Recovery.SlotsFor(epoch, context, default), keyFile));

        Assert.Equal("keys.passphrase-short", (await house.Keys.ChangeProtector(house.SetUp.Setup, Unattended, ToTpm with { ForBackups = "short".ToCharArray() }, default)).Error!.Code);
        var words = "velvet tractor mumbles".ToCharArray();
        Assert.True((await house.Keys.ChangeProtector(house.SetUp.Setup, Unattended, ToTpm with { ForBackups = words }, default)).Ok);
        Assert.Equal(ProtectorKind.Passphrase, (await house.Recovery.State(default)).Protector);
        var slots = await house.Recovery.SlotsFor(epoch, context, default);
        Assert.True(Same(slots, new RootSecret { Passphrase = words }));
        Assert.Single(slots);

        // It opens backups, and not the hospital.
        house.Protection = new RootSecret { Passphrase = words };
        await Tpm();
        await Refuses(house, "tpm.foreign");

        bool Same(IReadOnlyList<RecoverySlot> all, RootSecret secret)
        {
            using var opened = RecoveryRecipients.Open(all, context, RecoverySecret.Of(secret));
            return opened.Bytes.SequenceEqual(epoch.Bytes);
        }
    }

    [Fact]
    public async Task A_tool_that_hangs_writes_without_end_or_is_not_there_is_an_answer_of_its_own()
    {
        Installed.Require(OperatingSystem.IsLinux(), "The tools are those of Linux.");
        var none = new Dictionary<string, string>(StringComparer.Ordinal);
        Assert.Equal("keys.tool-missing", (await Assert.ThrowsAsync<RefusedInput>(() => ToolRun.Run("no-such-tool", [], default, "/", none, default))).Code);
        Assert.Equal("keys.tool-output", (await Assert.ThrowsAsync<RefusedInput>(() => ToolRun.Run("yes", [], default, "/", none, default))).Code);
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAsync<OperationCanceledException>(() => ToolRun.Run("sleep", ["60"], default, "/", none, soon.Token));
        using (var failed = await ToolRun.Run("false", [], new byte[1 << 20], "/", none, default))
        {
            Assert.False(failed.Ok);
        }

        // What it finds in its environment is ours and nothing of the server's.
        Environment.SetEnvironmentVariable("LD_DEBUG", "statistics");
        try
        {
            using var seen = await ToolRun.Run("env", [], default, "/", new Dictionary<string, string>(StringComparer.Ordinal) { ["MADE"] = "here" }, default);
            var names = Encoding.UTF8.GetString(seen.Output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[..line.IndexOf('=', StringComparison.Ordinal)]).ToList();
            Assert.Contains("MADE", names);
            Assert.Equal([], names.Except(["MADE", "PATH", "LC_ALL", "HOME", TestTpm.Variable, TestToken.Variable]));
        }
        finally
        {
            Environment.SetEnvironmentVariable("LD_DEBUG", null);
        }

        using var echoed = await ToolRun.Run("cat", [], "straight through"u8.ToArray(), "/", none, default);
        Assert.Equal("straight through"u8.ToArray(), echoed.Output);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        machines.ForEach(one => one.Dispose());
        Environment.SetEnvironmentVariable(TestTpm.Variable, null);
        Environment.SetEnvironmentVariable(TestToken.Variable, null);
        GC.SuppressFinalize(this);
    }

    private static void Use(TestTpm tpm) => Environment.SetEnvironmentVariable(TestTpm.Variable, tpm.Address);

    private static string Flipped(JsonNode base64)
    {
        var bytes = Convert.FromBase64String(base64.GetValue<string>());
        bytes[^1] ^= 1;
        return Convert.ToBase64String(bytes);
    }

    private static async Task Opens(IdentityHouse house)
    {
        await house.Restart();
        Assert.Equal(Kept, await house.Ring.Secret(KeyPurpose.Ring, "kept", default));
    }

    private static async Task Refuses(IdentityHouse house, string code) => Assert.Equal(code, (await Assert.ThrowsAsync<RefusedInput>(house.Restart)).Code);

    private static async Task RefusesAgain(IdentityHouse house, string code) => Assert.Equal(code, (await Assert.ThrowsAsync<RefusedInput>(house.StartAgain)).Code);

    private async Task<IdentityHouse> Keeping()
    {
        var house = await House();
        await house.Ring.PutSecret(KeyPurpose.Ring, "kept", Kept, default);
        return house;
    }

    private async Task<TestTpm> Tpm()
    {
        var tpm = await TestTpm.Start();
        machines.Add(tpm);
        Use(tpm);
        return tpm;
    }

    private async Task<TestToken> Token(string? label)
    {
        var token = await TestToken.Make(label);
        machines.Add(token);
        Environment.SetEnvironmentVariable(TestToken.Variable, token.Configuration);
        return token;
    }
}

public sealed class HardwareOnSqliteTests : HardwareTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class HardwareOnPostgresTests : HardwareTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
