using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Tests.Continuity;

/// <summary>What was backed up comes back byte for byte, and what was touched in between does not come back at all (threats B2, B3).</summary>
public sealed class BackupTests : IDisposable
{
    private readonly Ground ground = new();

    public void Dispose() => ground.Dispose();

    [Fact]
    public async Task What_went_in_comes_out_byte_for_byte()
    {
        ground.Files["clinic.db"] = Ground.Random((3 * BackupWriter.ChunkSize) + 17);
        ground.Files["audit.db"] = Ground.Random(BackupWriter.ChunkSize);
        ground.Files["files/empty"] = [];
        ground.Files["zeros.db"] = new byte[40 * BackupWriter.ChunkSize];
        var stored = await ground.Backup();

        var back = await ground.Restore(stored);

        Assert.Equal(ground.Files, back);
        Assert.True(stored.Manifest.Complete);
        Assert.Equal((1, null), (stored.Manifest.Number, stored.Manifest.Previous));
        Assert.Equal(ground.Files.Values.Sum(file => (long)file.Length), stored.Manifest.Content);

        // Forty equal chunks lie there once.
        Assert.True(new FileInfo(stored.DataPath).Length < 6 * BackupWriter.ChunkSize);
    }

    [Fact]
    public async Task The_next_one_holds_only_what_changed_and_restores_as_a_whole()
    {
        ground.Files["clinic.db"] = Ground.Random(20 * BackupWriter.ChunkSize);
        var first = await ground.Backup();
        ground.Files["clinic.db"][5 * BackupWriter.ChunkSize] ^= 1;
        var second = await ground.Backup();
        ground.Files["clinic.db"] = [.. ground.Files["clinic.db"], 1, 2, 3];
        var third = await ground.Backup();

        Assert.False(second.Manifest.Complete);
        Assert.InRange(second.Manifest.Length, BackupWriter.ChunkSize, 2 * BackupWriter.ChunkSize);
        Assert.Equal([third.Manifest.Backup, first.Manifest.Backup, second.Manifest.Backup], third.Manifest.Archives);
        Assert.Equal(second.Hash, third.Manifest.Previous);
        Assert.Equal(ground.Files, await ground.Restore(third));
        Assert.NotEqual(ground.Files["clinic.db"], (await ground.Restore(second))["clinic.db"]);

        var whole = await ground.Backup(complete: true);
        Assert.True(whole.Manifest.Complete);
        Assert.Equal([whole.Manifest.Backup], whole.Manifest.Archives);
    }

    [Fact]
    public async Task Every_changed_byte_and_every_cut_of_any_of_its_files_is_refused_and_nothing_is_written()
    {
        ground.Files["clinic.db"] = Ground.Random(700);
        ground.Files["audit.db"] = Ground.Random(300);
        var stored = await ground.Backup();
        foreach (var path in new[] { stored.DataPath, stored.Path })
        {
            var good = await File.ReadAllBytesAsync(path);
            for (var at = 0; at < good.Length; at++)
            {
                var bad = (byte[])good.Clone();
                bad[at] ^= (byte)(1 << (at % 8));
                await Refused(path, bad);
            }

            for (var length = 0; length < good.Length; length++)
            {
                await Refused(path, good[..length]);
            }

            await Refused(path, [.. good, 0]);
            await File.WriteAllBytesAsync(path, good);
        }

        Assert.Equal(ground.Files, await ground.Restore(BackupFolder.Read(stored.Path, ground.Keeper.Keys)));
    }

    [Fact]
    public async Task Chunks_that_were_swapped_or_taken_from_another_backup_are_refused()
    {
        ground.Files["clinic.db"] = Ground.Random(4 * BackupWriter.ChunkSize);
        var one = await ground.Backup();
        ground.Files["clinic.db"] = Ground.Random(4 * BackupWriter.ChunkSize);
        var two = await ground.Backup(complete: true);
        var size = Archive.SizeOf(BackupWriter.ChunkSize);
        var good = await File.ReadAllBytesAsync(two.DataPath);
        var other = await File.ReadAllBytesAsync(one.DataPath);
        for (var at = 0; at < 4; at++)
        {
            var from = ArchiveHeader.Size + (at * size);
            for (var to = 0; to < 4; to++)
            {
                var swapped = (byte[])good.Clone();
                (to == at ? other : good).AsSpan(from, size).CopyTo(swapped.AsSpan(ArchiveHeader.Size + (to * size)));
                await Refused(two.DataPath, swapped);
            }
        }

        await File.WriteAllBytesAsync(two.DataPath, good);
        Assert.Equal(ground.Files, await ground.Restore(two));

        // A whole archive under the name of another one.
        await Refused(two.DataPath, other);
    }

    [Fact]
    public async Task A_manifest_of_another_hospital_or_number_is_refused_and_an_older_one_shows_by_its_number()
    {
        ground.Files["clinic.db"] = Ground.Random(1000);
        var one = await ground.Backup();
        var two = await ground.Backup();
        using var stranger = new Keeper();
        Refusal("backup.manifest-bad", () => BackupFolder.Read(one.Path, stranger.Keys));

        // The newest manifest replaced by the older one: signed, and yet not what its archive holds.
        File.Copy(one.Path, two.Path, overwrite: true);
        await RefusalOf("backup.damaged", () => ground.Restore(BackupFolder.Read(two.Path, ground.Keeper.Keys)));
        Assert.Equal([1L, 1L], ground.Folder.List(ground.Keeper.Keys).Select(stored => stored.Manifest.Number));
    }

    [Fact]
    public async Task Whatever_interrupts_it_leaves_the_backups_of_before_and_nothing_else()
    {
        ground.Files["clinic.db"] = Ground.Random(64 * BackupWriter.ChunkSize);
        var first = await ground.Backup();
        var before = Directory.GetFiles(ground.Folder.Folder);
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        ground.Files["clinic.db"] = Ground.Random(64 * BackupWriter.ChunkSize);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ground.Backup(cancel: stopped.Token));
        Assert.Equal(before.Order(StringComparer.Ordinal), Directory.GetFiles(ground.Folder.Folder).Order(StringComparer.Ordinal));

        // A process that was killed could not tidy up: the next backup does, and numbers go on.
        await File.WriteAllTextAsync(Path.Combine(ground.Folder.Folder, "000002-20261102T060000Z.data.part"), "half");
        await File.WriteAllTextAsync(Path.Combine(ground.Folder.Folder, "000002-20261102T060000Z.data"), "whole, but without a manifest");
        var next = await ground.Backup();
        Assert.Equal(2, next.Manifest.Number);
        Assert.Equal(6, Directory.GetFiles(ground.Folder.Folder).Length);
        Assert.Equal(ground.Files, await ground.Restore(next));
        Assert.Equal(1, first.Manifest.Number);
    }

    [Fact]
    public async Task A_damaged_or_missing_archive_before_makes_the_next_one_complete_and_the_older_one_refused()
    {
        ground.Files["clinic.db"] = Ground.Random(8 * BackupWriter.ChunkSize);
        var first = await ground.Backup();
        ground.Files["clinic.db"][0] ^= 1;
        var second = await ground.Backup();
        File.Delete(first.DataPath);
        await RefusalOf("backup.archive-missing", () => ground.Restore(second));
        var third = await ground.Backup();
        Assert.True(third.Manifest.Complete);
        Assert.Equal(ground.Files, await ground.Restore(third));
    }

    [Fact]
    public async Task A_manifest_that_cannot_be_read_keeps_nobody_from_making_the_next()
    {
        ground.Files["clinic.db"] = Ground.Random(2 * BackupWriter.ChunkSize);
        var first = await ground.Backup();
        await File.WriteAllTextAsync(first.Path, "{}");
        var second = await ground.Backup();
        Assert.True(second.Manifest.Complete);
        Assert.Equal(ground.Files, await ground.Restore(second));
        Assert.Equal([Path.GetFileName(first.Path)], ground.Folder.Survey(ground.Keeper.Keys).Unreadable);
        Assert.Empty(BackupRetention.Apply(ground.Folder, ground.Keeper.Keys, 1, TimeSpan.Zero, Ground.Day(100)));
        Assert.True(File.Exists(first.Path));
        Refusal("backup.manifest-bad", () => ground.Folder.List(ground.Keeper.Keys));
    }

    [Fact]
    public async Task A_target_that_was_rolled_back_goes_on_under_numbers_that_were_never_used()
    {
        ground.Files["clinic.db"] = Ground.Random(10);
        await ground.Backup();
        Assert.Equal(8, (await ground.Backup(after: 7)).Manifest.Number);
    }

    [Fact]
    public async Task Old_backups_go_when_enough_younger_ones_are_there_and_archives_stay_as_long_as_they_are_needed()
    {
        ground.Files["clinic.db"] = Ground.Random(4 * BackupWriter.ChunkSize);
        var stored = new List<StoredBackup>();
        for (var day = 1; day <= 6; day++)
        {
            ground.Files["clinic.db"][day] ^= 1;
            stored.Add(await ground.Backup(complete: day == 4));
        }

        var keys = ground.Keeper.Keys;

        // Young enough all of them, or too few: nothing goes, however many or old they are.
        Assert.Empty(BackupRetention.Apply(ground.Folder, keys, 2, TimeSpan.FromDays(30), Ground.Day(7)));
        Assert.Empty(BackupRetention.Apply(ground.Folder, keys, 6, TimeSpan.FromDays(1), Ground.Day(400)));
        Assert.Equal(6, ground.Folder.List(keys).Count);

        // The first goes; its archive stays, because the second and third build on it.
        Assert.Empty(BackupRetention.Apply(ground.Folder, keys, 5, TimeSpan.FromDays(1), Ground.Day(7)));
        Assert.Equal([2L, 3, 4, 5, 6], ground.Folder.List(keys).Select(one => one.Manifest.Number));
        Assert.True(File.Exists(stored[0].DataPath));
        Assert.False(File.Exists(stored[0].KeysPath));
        await ground.Restore(stored[2]);

        // The next backup's tidying leaves it too.
        await ground.Backup();
        Assert.True(File.Exists(stored[0].DataPath));

        // With the third goes the last that needs the first three archives.
        var gone = BackupRetention.Apply(ground.Folder, keys, 2, TimeSpan.FromDays(3.5), Ground.Day(7));
        Assert.Equal(stored.Take(3).Select(one => one.Manifest.Backup).Order(), gone.Order());
        Assert.Equal([4L, 5, 6, 7], ground.Folder.List(keys).Select(one => one.Manifest.Number));
        Assert.False(File.Exists(stored[0].DataPath));
        await ground.Restore(stored[4]);
    }

    [Fact]
    public async Task An_archive_whose_key_was_destroyed_opens_no_more()
    {
        ground.Files["clinic.db"] = Ground.Random(100);
        var stored = await ground.Backup();
        ground.Keeper.Forget(stored.Manifest.Backup);
        await RefusalOf("backup.damaged", () => ground.Restore(stored));
    }

    [Fact]
    public async Task Backups_are_found_where_a_person_points()
    {
        ground.Files["clinic.db"] = Ground.Random(10);
        var stored = await ground.Backup();
        Assert.Equal(ground.Folder.Folder, BackupFolder.Find(ground.Target).Folder.Folder);
        Assert.Equal(ground.Folder.Folder, BackupFolder.Find(ground.Folder.Folder).Folder.Folder);
        Assert.Equal(stored.Path, BackupFolder.Find(stored.Path).Manifest);
        Assert.Equal(stored.Path, BackupFolder.Find(stored.DataPath).Manifest);
        Refusal("backup.not-found", () => BackupFolder.Find(ground.Target + "/nowhere"));
        Directory.CreateDirectory(Path.Combine(ground.Target, "mangrove-other"));
        File.Copy(stored.Path, Path.Combine(ground.Target, "mangrove-other", Path.GetFileName(stored.Path)));
        Refusal("backup.several", () => BackupFolder.Find(ground.Target));
    }

    private async Task Refused(string path, byte[] content)
    {
        await File.WriteAllBytesAsync(path, content);
        var stored = Path.ChangeExtension(path, ".manifest");
        await Assert.ThrowsAsync<RefusedInput>(async () => await ground.Restore(BackupFolder.Read(stored, ground.Keeper.Keys)));
    }

    private static async Task RefusalOf(string code, Func<Task> act) => Assert.Equal(code, (await Assert.ThrowsAsync<RefusedInput>(act)).Error.Code);

    private static void Refusal(string code, Action act) => Assert.Equal(code, Assert.Throws<RefusedInput>(act).Error.Code);
}
