using Mangrove.Cli;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Tests.Cli.Upgrades;

/// <summary>The files of before an upgrade hold the wrapped keys of before: that they go is an entry, and they do not go without one.</summary>
public sealed class KeptFilesTests(SampleHospital sample) : IClassFixture<SampleHospital>, IDisposable
{
    private readonly Folder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Files_kept_long_enough_are_removed_with_an_entry_and_younger_ones_stay()
    {
        var copy = await sample.CopyTo(folder["copy"]);
        var old = Keep(copy.Folder, "before-upgrade-20260101-000000-schema-0", TimeSpan.FromDays(15));
        var young = Keep(copy.Folder, "before-upgrade-20260201-000000-schema-0", TimeSpan.FromDays(13));
        foreach (var _ in (int[])[1, 2])
        {
            await using var hospital = await Hospital.Open(copy, OldHospital.SecretOf(copy.Folder), TimeProvider.System, default);
            Assert.False(Directory.Exists(old));
            Assert.True(Directory.Exists(young));
            var (user, password) = sample.Login(Role.Admin);
            var admin = (await hospital.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
            var entry = Assert.Single(await hospital.Vault.Review.List(admin, new AuditFilter { Action = "REMOVE_FILES_OF_BEFORE" }, null, default));
            Assert.Equal(("before-upgrade-20260101-000000-schema-0", "system:upgrade"), (entry.Reason, entry.Actor));
        }
    }

    private static string Keep(string data, string name, TimeSpan age)
    {
        var path = Directory.CreateDirectory(Path.Combine(data, name)).FullName;
        File.WriteAllText(Path.Combine(path, "keys.db"), "wrapped");
        Directory.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime - age);
        return path;
    }
}
