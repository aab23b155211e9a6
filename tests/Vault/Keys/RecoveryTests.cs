using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Vault.Keys;

public abstract class RecoveryTests : OnEveryDatabase
{
    private static readonly byte[] Context = "backup epoch 7"u8.ToArray();

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("mangrove-recovery-");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    private static async Task<Actor> Administrator(IdentityHouse house)
    {
        await house.Member("boss", Role.Admin);
        return (await house.Enter("boss", "Office")).Actor;
    }

    /// <summary>A code that was not used yet: time goes on to it, less than a screen takes to lock.</summary>
    private static string Fresh(IdentityHouse house)
    {
        house.Clock.Pass(TimeSpan.FromSeconds(Totp.StepSeconds));
        return house.Code("boss");
    }

    private static async Task<ShareCeremony> Begin(IdentityHouse house, Actor admin, int threshold = 2, int count = 3) =>
        (await house.Recovery.BeginShares(admin, threshold, count, new FactorProof(Fresh(house)), default)).Value;

    private static string Text(ShareSheet sheet) => string.Join('\n', sheet.Lines);

    private static string[] Texts(ShareCeremony made, params int[] numbers) => [.. numbers.Select(number => Text(made.Sheets[number - 1]))];

    private static async Task<string[]> Answers(IdentityHouse house, ShareCeremony made) =>
        [.. (await house.Recovery.State(default)).Asked.Select(asked => made.Sheets[asked.Sheet - 1].Lines[asked.Line - 1].Split(' ')[asked.Group - 1])];

    private static async Task<ShareCeremony> InForce(IdentityHouse house, Actor admin)
    {
        var made = await Begin(house, admin);
        _ = (await house.Recovery.VerifyShares(admin, Texts(made, 1, 2, 3), default)).Value;
        return made;
    }

    private static string Opened(IReadOnlyList<RecoverySlot> slots, RecoverySecret secret, byte[]? context = null)
    {
        using (secret)
        {
            using var key = RecoveryRecipients.Open(slots, context ?? Context, secret);
            return Convert.ToHexString(key.Bytes);
        }
    }

    private static string Code(IReadOnlyList<RecoverySlot> slots, RecoverySecret secret, byte[]? context = null) =>
        Assert.Throws<RefusedInput>(() => Opened(slots, secret, context)).Code;

    [Fact]
    public async Task A_ceremony_ends_in_sheets_that_open_what_is_sealed_from_then_on()
    {
        var house = await House();
        var admin = await Administrator(house);
        using var epoch = KeyMaterial.Generate();
        var made = await Begin(house, admin);
        Assert.Equal([1, 2, 3], made.Sheets.Select(sheet => sheet.Number));
        Assert.False(made.Set.InForce);
        Assert.Empty(await house.Recovery.SlotsFor(epoch, Context, default));

        // One group of each sheet is read back; a wrong one is named and nothing else is said.
        var state = await house.Recovery.State(default);
        Assert.Equal(made.Set, state.Begun);
        Assert.Null(state.InForce);
        Assert.Equal([1, 2, 3], state.Asked.Select(asked => asked.Sheet));
        Assert.All(state.Asked, asked => Assert.True(asked is { Line: >= 2 and <= 5, Group: >= 1 and <= 4 }));
        var answers = await Answers(house, made);
        var wrong = await house.Recovery.ConfirmShares(admin, [answers[0], answers[0] == answers[1] ? "AAAA" : answers[0], answers[2]], default);
        Assert.Equal("shares.read-back", wrong.Error!.Code);
        Assert.Contains("sheet 2 ", wrong.Error.Message, StringComparison.Ordinal);
        Assert.Equal("shares.read-back", (await house.Recovery.ConfirmShares(admin, answers[..2], default)).Error!.Code);
        var confirmed = (await house.Recovery.ConfirmShares(admin, [.. answers.Select(answer => answer.ToLowerInvariant())], default)).Value;
        Assert.False(confirmed.InForce);
        Assert.Empty(await house.Recovery.SlotsFor(epoch, Context, default));
        Assert.Equal("shares.not-begun", (await house.Recovery.ConfirmShares(admin, answers, default)).Error!.Code);

        // Two holders type theirs whole: from now on it counts.
        var verified = (await house.Recovery.VerifyShares(admin, [Text(made.Sheets[2]), string.Empty, Text(made.Sheets[0])], default)).Value;
        Assert.True(verified.InForce);
        var slot = Assert.Single(await house.Recovery.SlotsFor(epoch, Context, default));
        Assert.Equal((RecoverySlot.SharesKindName, 2, 0), (slot.Kind, slot.Threshold, slot.Rounds));
        Assert.Null(slot.WrappedPrivate);

        // The slot travels as JSON; the new machine has nothing else.
        var there = JsonSerializer.Deserialize<RecoverySlot[]>(JsonSerializer.Serialize<RecoverySlot[]>([slot]))!;
        foreach (var chosen in new[] { new[] { 1, 2 }, [3, 1], [1, 2, 3] })
        {
            Assert.Equal(Convert.ToHexString(epoch.Bytes), Opened(there, RecoverySecret.OfSheets(Texts(made, chosen)).Value));
        }

        var entries = await house.Entries();
        Assert.Equal(
            [("MAKE_SHARES", "2 of 3"), ("READ_BACK_SHARES", "shares.read-back"), ("READ_BACK_SHARES", "shares.read-back"), ("READ_BACK_SHARES", "3 of 3 sheets"), ("READ_BACK_SHARES", "shares.not-begun"), ("VERIFY_SHARES", "2 of 3 sheets -> in force")],
            entries.Where(entry => entry.Action.EndsWith("_SHARES", StringComparison.Ordinal)).Select(entry => (entry.Action, entry.Reason)));
        Assert.All(entries.Where(entry => entry.Action.EndsWith("_SHARES", StringComparison.Ordinal) && entry.Outcome == AuditOutcome.Allowed), entry => Assert.Equal($"recovery-sheets:{made.Set.Name}", entry.Resource));
        await NothingOf(house, made);
    }

    [Fact]
    public async Task A_new_set_takes_the_place_of_the_old_one_only_when_it_counts()
    {
        var house = await House();
        var admin = await Administrator(house);
        using var epoch = KeyMaterial.Generate();
        var old = await InForce(house, admin);
        var before = await house.Recovery.SlotsFor(epoch, Context, default);
        var given = await Begin(house, admin, 3, 4);
        var made = await Begin(house, admin, 3, 4);
        Assert.Equal(old.Set.Name, (await house.Recovery.State(default)).InForce!.Name);
        Assert.Equal(made.Set.Name, (await house.Recovery.State(default)).Begun!.Name);

        // One that was begun and given up is gone with the next.
        Assert.Equal("shares.other-set", (await house.Recovery.VerifyShares(admin, Texts(given, 1, 2, 3), default)).Error!.Code);

        // Typing as many as are needed is a drill, but one sheet was never read: it does not count yet.
        Assert.False((await house.Recovery.VerifyShares(admin, Texts(made, 1, 2, 3), default)).Value.InForce);
        Assert.Equal(old.Set.Name, (await house.Recovery.State(default)).InForce!.Name);
        Assert.True((await house.Recovery.VerifyShares(admin, Texts(made, 4, 2, 1, 3), default)).Value.InForce);
        var state = await house.Recovery.State(default);
        Assert.Equal(made.Set.Name, state.InForce!.Name);
        Assert.Null(state.Begun);
        Assert.Equal([given.Set.Name, old.Set.Name], state.Earlier.Select(set => set.Name));

        // What was sealed before opens with the sheets of before, what is sealed now with those of now.
        var after = await house.Recovery.SlotsFor(epoch, Context, default);
        Assert.Equal(Convert.ToHexString(epoch.Bytes), Opened(before, RecoverySecret.OfSheets(Texts(old, 1, 3)).Value));
        Assert.Equal(Convert.ToHexString(epoch.Bytes), Opened(after, RecoverySecret.OfSheets(Texts(made, 1, 3, 4)).Value));
        Assert.Equal("shares.other-set", Code(after, RecoverySecret.OfSheets(Texts(old, 1, 3)).Value));
        Assert.Equal("shares.other-set", (await house.Recovery.VerifyShares(admin, Texts(old, 1, 3), default)).Error!.Code);
    }

    [Fact]
    public async Task A_drill_says_when_it_was_and_refuses_what_is_not_right()
    {
        var house = await House();
        var admin = await Administrator(house);
        var made = await InForce(house, admin);
        var before = (await house.Recovery.State(default)).InForce!.Verified;
        house.Clock.Pass(TimeSpan.FromMinutes(3));
        Assert.True((await house.Recovery.VerifyShares(admin, Texts(made, 3, 2), default)).Value.Verified >= before + TimeSpan.FromMinutes(3));

        var slip = Text(made.Sheets[0]).Split('\n');
        slip[2] = slip[2][..^1] + (slip[2][^1] == 'A' ? 'C' : 'A');
        Assert.Equal("shares.mistyped", (await house.Recovery.VerifyShares(admin, [Text(made.Sheets[1]), string.Join('\n', slip)], default)).Error!.Code);
        Assert.Equal("shares.too-few", (await house.Recovery.VerifyShares(admin, Texts(made, 1), default)).Error!.Code);
        Assert.Equal("shares.too-few", (await house.Recovery.VerifyShares(admin, [" ", ""], default)).Error!.Code);
        Assert.Equal("shares.doubled", (await house.Recovery.VerifyShares(admin, Texts(made, 1, 1), default)).Error!.Code);

        // Sheets under the name of the set that somebody else printed: their lines are right, their key is not.
        using var stranger = RecoveryKey.Generate();
        var name = Convert.ToInt64(made.Set.Name.Replace(" ", "", StringComparison.Ordinal), 16);
        string[] forged = [.. RecoveryShare.Split(stranger.Private, name, 2, 3).Select(share => string.Join('\n', share.Text()))];
        Assert.Equal("shares.wrong", (await house.Recovery.VerifyShares(admin, forged[..2], default)).Error!.Code);
        Assert.Equal("shares.wrong", (await house.Recovery.VerifyShares(admin, [Text(made.Sheets[0]), forged[1]], default)).Error!.Code);
        Assert.Equal("shares.wrong", (await house.Recovery.VerifyShares(admin, [.. Texts(made, 1, 2), forged[2]], default)).Error!.Code);
        Assert.Equal(7, (await house.Entries("VERIFY_SHARES")).Count(entry => entry.Outcome == AuditOutcome.Refused));
        Assert.Equal(before + TimeSpan.FromMinutes(3), (await house.Recovery.State(default)).InForce!.Verified);
    }

    [Fact]
    public async Task Only_an_administrator_with_a_fresh_code_holds_a_ceremony()
    {
        var house = await House();
        var admin = await Administrator(house);
        await house.Member("nurse");
        var nurse = (await house.Enter("nurse")).Actor;
        await Assert.ThrowsAsync<Refused>(() => house.Recovery.BeginShares(nurse, 2, 3, new FactorProof("123456"), default));
        await Assert.ThrowsAsync<Refused>(() => house.Recovery.ConfirmShares(nurse, [], default));
        await Assert.ThrowsAsync<Refused>(() => house.Recovery.VerifyShares(nurse, [], default));

        var code = Fresh(house);
        Assert.Equal("factor.code", (await house.Recovery.BeginShares(admin, 2, 3, default, default)).Error!.Code);
        _ = (await house.Recovery.BeginShares(admin, 2, 3, new FactorProof(code), default)).Value;
        Assert.Equal("factor.code", (await house.Recovery.BeginShares(admin, 2, 3, new FactorProof(code), default)).Error!.Code);
        foreach (var (threshold, count) in new[] { (1, 3), (0, 0), (4, 3), (2, 17), (-1, 5) })
        {
            Assert.Equal("shares.numbers", (await house.Recovery.BeginShares(admin, threshold, count, new FactorProof(Fresh(house)), default)).Error!.Code);
        }

        Assert.Equal("shares.not-begun", (await (await House()).Recovery.ConfirmShares(admin, [], default)).Error!.Code);
        Assert.Equal(3, (await house.Entries()).Count(entry => entry is { Actor: "nurse", Outcome: AuditOutcome.Refused, Reason: "access.role" }));
    }

    [Fact]
    public async Task A_restart_forgets_what_was_asked_and_whole_sheets_do_instead()
    {
        var house = await House();
        var admin = await Administrator(house);
        var made = await Begin(house, admin);
        await house.Restart();
        admin = (await house.Enter("boss", "Office")).Actor;
        var state = await house.Recovery.State(default);
        Assert.Equal(made.Set, state.Begun);
        Assert.Empty(state.Asked);
        Assert.Equal("shares.not-begun", (await house.Recovery.ConfirmShares(admin, ["AAAA", "AAAA", "AAAA"], default)).Error!.Code);
        Assert.True((await house.Recovery.VerifyShares(admin, Texts(made, 1, 2, 3), default)).Value.InForce);
    }

    [Fact]
    public async Task The_questions_of_a_ceremony_are_over_after_two_hours()
    {
        var house = await House();
        var made = await Begin(house, await Administrator(house));
        var answers = await Answers(house, made);
        house.Clock.Pass(TimeSpan.FromHours(2));
        Assert.Empty((await house.Recovery.State(default)).Asked);
        var admin = (await house.Enter("boss", "Office")).Actor;
        Assert.Equal("shares.not-begun", (await house.Recovery.ConfirmShares(admin, answers, default)).Error!.Code);
    }

    [Fact]
    public async Task The_passphrase_opens_what_is_sealed_while_it_is_in_force()
    {
        var house = await House();
        using var epoch = KeyMaterial.Generate();
        var first = new RootSecret { Passphrase = "velvet tractor mumbles".ToCharArray() };
        var slots = await Follow(house, first, epoch);
        var slot = Assert.Single(slots);
        Assert.Equal((RecoverySlot.ProtectorKindName, 0, KeyDerivation.FewestIterations), (slot.Kind, slot.Threshold, slot.Rounds));
        Assert.Equal(ProtectorKind.Passphrase, (await house.Recovery.State(default)).Protector);
        Assert.Equal(Convert.ToHexString(epoch.Bytes), Opened(slots, RecoverySecret.Of(first)));
        Assert.Equal("keys.passphrase-wrong", Code(slots, RecoverySecret.Of(new RootSecret { Passphrase = "velvet tractor mumbled".ToCharArray() })));
        Assert.Equal("keys.no-secret", Code([slot with { Rounds = 0 }], RecoverySecret.Of(new RootSecret())));

        // The same protector at the next start makes nothing new; another one takes its place.
        await house.Recovery.FollowProtector(RootProtector.Read(folder.FullName), first, default);
        Assert.Equal(slot.Recipient, Assert.Single(await house.Recovery.SlotsFor(epoch, Context, default)).Recipient);
        var second = new RootSecret { Passphrase = "quiet harvest umbrella".ToCharArray() };
        var after = await Follow(house, second, epoch);
        Assert.NotEqual(slot.Recipient, Assert.Single(after).Recipient);
        Assert.Equal(Convert.ToHexString(epoch.Bytes), Opened(after, RecoverySecret.Of(second)));
        Assert.Equal("keys.passphrase-wrong", Code(after, RecoverySecret.Of(first)));
        Assert.Equal(2, (await house.Entries("MAKE_RECOVERY_KEY")).Count);
    }

    [Fact]
    public async Task The_key_file_opens_what_is_sealed_while_it_is_in_force()
    {
        var house = await House();
        using var epoch = KeyMaterial.Generate();
        var file = new RootSecret { KeyFile = Path.Combine(folder.FullName, "first.key"), AcceptSameVolume = true };
        var slots = await Follow(house, file, epoch);
        Assert.Equal(0, Assert.Single(slots).Rounds);
        Assert.Equal(ProtectorKind.KeyFile, (await house.Recovery.State(default)).Protector);
        Assert.Equal(Convert.ToHexString(epoch.Bytes), Opened(slots, RecoverySecret.Of(new RootSecret { KeyFile = file.KeyFile })));

        var other = Path.Combine(folder.FullName, "other.key");
        await File.WriteAllTextAsync(other, Convert.ToHexString(RandomNumberGenerator.GetBytes(32)));
        Assert.Equal("keys.file-foreign", Code(slots, RecoverySecret.Of(new RootSecret { KeyFile = other })));
        Assert.Equal("keys.file-missing", Code(slots, RecoverySecret.Of(new RootSecret { KeyFile = other + "2" })));
        Assert.Equal("recovery.no-slot", Code(slots, RecoverySecret.Of(new RootSecret { Passphrase = "velvet tractor mumbles".ToCharArray() })));
        using var stranger = RecoveryKey.Generate();
        Assert.Equal("recovery.no-slot", Code(slots, RecoverySecret.OfSheets([.. RecoveryShare.Split(stranger.Private, 1, 2, 2).Select(share => string.Join('\n', share.Text()))]).Value));

        // The file itself is not the key that wraps: what is derived from it for recovery opens nothing else.
        var stored = Convert.FromHexString((await File.ReadAllTextAsync(file.KeyFile!)).Trim());
        using var plain = KeyMaterial.From(stored);
        Assert.Throws<SealBroken>(() => KeyWrap.UnwrapBound(plain, slots[0].WrappedPrivate!, Encoding.ASCII.GetBytes($"recovery:{slots[0].Recipient:N}:0")));
    }

    [Fact]
    public async Task A_slot_that_was_changed_or_moved_opens_nothing()
    {
        var house = await House();
        using var epoch = KeyMaterial.Generate();
        var file = new RootSecret { KeyFile = Path.Combine(folder.FullName, "first.key"), AcceptSameVolume = true };
        var slot = (await Follow(house, file, epoch))[0];
        RecoverySecret Secret() => RecoverySecret.Of(new RootSecret { KeyFile = file.KeyFile });
        Assert.Equal("recovery.slot-bad", Code([slot], Secret(), "backup epoch 8"u8.ToArray()));
        Assert.Equal("recovery.slot-bad", Code([slot with { SealedKey = [.. slot.SealedKey[..^1], (byte)(slot.SealedKey[^1] ^ 1)] }], Secret()));
        Assert.Equal("recovery.slot-bad", Code([slot with { WrappedPrivate = null }], Secret()));
        Assert.Equal("recovery.slot-bad", Code([slot with { Salt = [1, 2, 3] }], Secret()));
        Assert.Equal("keys.file-foreign", Code([slot with { Recipient = Ids.New() }], Secret()));
        var passphrase = RecoverySecret.Of(new RootSecret { Passphrase = "velvet tractor mumbles".ToCharArray() });
        Assert.Equal("recovery.slot-bad", Code([slot with { Rounds = 1 }], passphrase));
        Assert.Equal("recovery.slot-bad", Code([slot with { Rounds = int.MaxValue }], passphrase));
        Assert.Equal("recovery.no-slot", Code([], passphrase));
    }

    [Fact]
    public async Task Whoever_writes_into_the_key_store_becomes_no_recipient()
    {
        var house = await House();
        var admin = await Administrator(house);
        await InForce(house, admin);
        using var epoch = KeyMaterial.Generate();
        Assert.Single(await house.Recovery.SlotsFor(epoch, Context, default));

        // Bytes of their own, and a sealed secret of another name that they found beside it.
        await using var connection = await house.KeyStore.Open(default);
        var stored = (byte[])(await connection.Scalar("SELECT wrapped FROM secret WHERE name = 'recovery-recipients'", default))!;
        var other = (byte[])(await connection.Scalar("SELECT wrapped FROM secret WHERE name = 'tls-authority-key'", default))!;
        byte[] changed = [.. stored];
        changed[^20] ^= 1;
        foreach (var planted in new[] { "[]"u8.ToArray(), other, changed })
        {
            await connection.Run("UPDATE secret SET wrapped = @wrapped WHERE name = 'recovery-recipients'", default, ("@wrapped", planted));
            await Assert.ThrowsAsync<SealBroken>(() => house.Recovery.SlotsFor(epoch, Context, default));
            await Assert.ThrowsAsync<SealBroken>(() => house.Recovery.State(default));
        }
    }

    private async Task<IReadOnlyList<RecoverySlot>> Follow(IdentityHouse house, RootSecret secret, KeyMaterial epoch)
    {
        File.Delete(RootProtector.PathIn(folder.FullName));
        (await RootProtector.Create(folder.FullName, secret, "Kivuko", default)).Dispose();
        await house.Recovery.FollowProtector(RootProtector.Read(folder.FullName), secret, default);
        return await house.Recovery.SlotsFor(epoch, Context, default);
    }

    /// <summary>What is kept of a set is its public key and its dates; no line of a sheet stands in the log.</summary>
    private static async Task NothingOf(IdentityHouse house, ShareCeremony made)
    {
        var stored = JsonSerializer.Deserialize((await house.Ring.Secret(KeyPurpose.Ring, "recovery-recipients", default))!, RecipientJson.Default.ListRecipient)!;
        var kept = Assert.Single(stored);
        Assert.Equal((made.Set, null, null, null), (kept.Shown() with { ReadBack = null, Verified = null }, kept.WrappedPrivate, kept.Salt, kept.Follows));
        using var secret = RecoverySecret.OfSheets(Texts(made, 1, 2)).Value;
        using var scalar = RecoveryShare.Combine(secret.Shares).Value;
        using var key = RecoveryKey.FromPrivate(scalar.Bytes);
        Assert.Equal(key.PublicKey, kept.Public);
        var entries = await house.Entries();
        foreach (var line in made.Sheets.SelectMany(sheet => sheet.Lines))
        {
            Assert.All(entries, entry => Assert.DoesNotContain(line[..9], entry.Reason + entry.Resource, StringComparison.Ordinal));
        }

        Assert.Equal([nameof(ShareCeremony), nameof(ShareSheet)], [made.ToString(), made.Sheets[0].ToString()]);
    }
}

public sealed class RecoveryOnSqliteTests : RecoveryTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class RecoveryOnPostgresTests : RecoveryTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
