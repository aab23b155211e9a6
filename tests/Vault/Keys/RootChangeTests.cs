using System.Text;
using Mangrove.Kernel;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Vault.Keys;

/// <summary>The root key and its protector change, and a power cut at any point leaves one pair that opens.</summary>
public abstract class RootChangeTests : OnEveryDatabase
{
    private static readonly byte[] Secret = "what the ring keeps"u8.ToArray();

    [Fact]
    public async Task Another_protector_opens_the_hospital_and_the_one_of_before_no_longer_does()
    {
        var house = await House();
        await house.Ring.PutSecret(KeyPurpose.Ring, "kept", Secret, default);
        var keyFile = house.Protection;
        var passphrase = new RootSecret { Passphrase = "a long new passphrase".ToCharArray() };

        Assert.Equal(ProtectorKind.Passphrase, (await house.Keys.ChangeProtector(house.SetUp.Setup, keyFile, passphrase, default)).Value);
        Assert.Equal(ProtectorKind.Passphrase, house.Keys.Protector.Kind);
        var shut = await Assert.ThrowsAsync<RefusedInput>(house.Restart);
        Assert.Equal("keys.passphrase-needed", shut.Code);
        house.Protection = passphrase;
        await house.StartAgain();
        Assert.Equal(Secret, await house.Ring.Secret(KeyPurpose.Ring, "kept", default));

        // And back to another key file, which is not the first one.
        var second = new RootSecret { KeyFile = Path.Combine(house.Roots, "second.key"), AcceptSameVolume = true };
        Assert.Equal(ProtectorKind.KeyFile, (await house.Keys.ChangeProtector(house.SetUp.Setup, passphrase, second, default)).Value);
        house.Protection = keyFile;
        Assert.Equal("keys.file-foreign", (await Assert.ThrowsAsync<RefusedInput>(house.Restart)).Code);
        house.Protection = new RootSecret();
        await house.StartAgain();
        Assert.Equal(Secret, await house.Ring.Secret(KeyPurpose.Ring, "kept", default));
        Assert.Equal(["key file -> passphrase", "passphrase -> key file, on the volume of the data"], (await house.Entries("CHANGE_PROTECTOR")).Select(entry => entry.Reason));
    }

    [Fact]
    public async Task A_protector_is_changed_by_an_administrator_who_has_the_old_secret_and_every_refusal_is_an_entry()
    {
        var house = await House();
        await house.Member("nina");
        var nurse = (await house.Enter("nina")).Actor;
        var admin = house.SetUp.Setup;
        var passphrase = new RootSecret { Passphrase = "a long new passphrase".ToCharArray() };
        var before = await File.ReadAllBytesAsync(RootProtector.PathIn(house.Roots));
        var foreign = Path.Combine(house.Roots, "foreign.key");
        await File.WriteAllTextAsync(foreign, new string('a', 64));

        await Assert.ThrowsAsync<Refused>(() => house.Keys.ChangeProtector(nurse, house.Protection, passphrase, default));
        await Assert.ThrowsAsync<Refused>(() => house.Keys.RotateRoot(nurse, house.Protection, default));
        Assert.Equal("keys.file-foreign", (await house.Keys.ChangeProtector(admin, new RootSecret { KeyFile = foreign }, passphrase, default)).Error!.Code);
        Assert.Equal("keys.file-foreign", (await house.Keys.RotateRoot(admin, new RootSecret { KeyFile = foreign }, default)).Error!.Code);
        Assert.Equal("keys.passphrase-short", (await house.Keys.ChangeProtector(admin, house.Protection, new RootSecret { Passphrase = "short".ToCharArray() }, default)).Error!.Code);
        Assert.Equal("keys.file-exists", (await house.Keys.ChangeProtector(admin, house.Protection, new RootSecret { KeyFile = foreign, AcceptSameVolume = true }, default)).Error!.Code);
        Assert.Equal("keys.same-volume", (await house.Keys.ChangeProtector(admin, house.Protection, new RootSecret { KeyFile = Path.Combine(house.Roots, "beside.key") }, default)).Error!.Code);

        Assert.Equal(before, await File.ReadAllBytesAsync(RootProtector.PathIn(house.Roots)));
        Assert.Equal(["access.role", "keys.file-foreign", "keys.passphrase-short", "keys.file-exists", "keys.same-volume"], (await house.Entries("CHANGE_PROTECTOR")).Select(entry => entry.Reason));
        Assert.Equal(["access.role", "keys.file-foreign"], (await house.Entries("ROTATE_KEY")).Select(entry => entry.Reason));
    }

    [Fact]
    public async Task A_new_root_key_makes_every_copy_of_the_old_one_worthless()
    {
        var house = await House();
        await house.Ring.PutSecret(KeyPurpose.Ring, "kept", Secret, default);
        (await house.Keys.Rotate(house.SetUp.Setup, "data", default)).ThrowIfRefused();
        var copy = await File.ReadAllBytesAsync(RootProtector.PathIn(house.Roots));

        Assert.Equal(8, (await house.Keys.RotateRoot(house.SetUp.Setup, house.Protection, default)).Value);
        (await house.Keys.Rotate(house.SetUp.Setup, "ring", default)).ThrowIfRefused();
        Assert.True(await house.Keys.Advance(default));
        await house.Restart();
        Assert.Equal(Secret, await house.Ring.Secret(KeyPurpose.Ring, "kept", default));
        Assert.Null(RootProtector.Read(house.Roots).Next);
        Assert.Contains("a new root key, 8 keys wrapped anew", (await house.Entries("ROTATE_KEY")).Select(entry => entry.Reason));

        await File.WriteAllBytesAsync(RootProtector.PathIn(house.Roots), copy);
        Assert.Equal("keys.wrong-root", (await Assert.ThrowsAsync<RefusedInput>(house.Restart)).Code);
    }

    [Theory]
    [InlineData("before both roots", true)]
    [InlineData("after both roots", true)]
    [InlineData("after keys.db", false)]
    [InlineData("after the new root", false)]
    public async Task Cut_off_anywhere_the_next_start_opens_and_settles_on_one_root(string at, bool old)
    {
        var house = await House();
        await house.Ring.PutSecret(KeyPurpose.Ring, "kept", Secret, default);
        var before = RootProtector.Read(house.Roots).Wrapped;
        house.Between = step =>
        {
            if (step == at)
            {
                throw new IOException("The power is gone.");
            }
        };

        await Assert.ThrowsAsync<IOException>(() => house.Keys.RotateRoot(house.SetUp.Setup, house.Protection, default));
        house.Between = null;
        if (RootProtector.Read(house.Roots).Next is not null)
        {
            Assert.Equal("keys.root-unsettled", (await house.Keys.RotateRoot(house.SetUp.Setup, house.Protection, default)).Error!.Code);
        }

        await house.Restart();
        Assert.Equal(Secret, await house.Ring.Secret(KeyPurpose.Ring, "kept", default));
        var settled = RootProtector.Read(house.Roots);
        Assert.Null(settled.Next);
        Assert.Equal(old, settled.Wrapped.AsSpan().SequenceEqual(before));
        Assert.Equal(7, (await house.Keys.RotateRoot(house.SetUp.Setup, house.Protection, default)).Value);
        await house.Restart();
        Assert.Equal(Secret, await house.Ring.Secret(KeyPurpose.Ring, "kept", default));
    }

    [Fact]
    public async Task Without_an_entry_neither_root_nor_protector_changes()
    {
        var house = await House();
        await house.Ring.PutSecret(KeyPurpose.Ring, "kept", Secret, default);
        var keeper = new RootKeeper(house.Roots, RootProtector.Read(house.Roots), house.Ring);
        var file = Path.Combine(house.Roots, "second.key");

        await Assert.ThrowsAsync<IOException>(() => keeper.Change(house.Protection, new RootSecret { KeyFile = file, AcceptSameVolume = true }, _ => throw new IOException("The log is shut."), default));
        await Assert.ThrowsAsync<IOException>(() => keeper.Rotate(house.Protection, _ => throw new IOException("The log is shut."), default));

        Assert.False(File.Exists(file));
        await house.Restart();
        Assert.Equal(Secret, await house.Ring.Secret(KeyPurpose.Ring, "kept", default));
    }

    [Fact]
    public async Task The_file_of_the_root_is_for_its_owner_alone_and_nothing_is_left_beside_it()
    {
        var house = await House();
        _ = (await house.Keys.RotateRoot(house.SetUp.Setup, house.Protection, default)).Value;

        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(RootProtector.PathIn(house.Roots)) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.Equal(["root.json", "root.key"], Directory.GetFiles(house.Roots).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("next", await File.ReadAllTextAsync(RootProtector.PathIn(house.Roots), Encoding.UTF8), StringComparison.OrdinalIgnoreCase);
    }
}

public sealed class RootChangeOnSqliteTests : RootChangeTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class RootChangeOnPostgresTests : RootChangeTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
