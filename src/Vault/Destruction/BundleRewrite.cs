using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Destruction;

/// <summary>
/// Writes one key bundle anew, without destroyed patients and under a new epoch. The archive of the backup and its signed manifest
/// stay as they are: they hold none of these keys.
/// </summary>
internal static class BundleRewrite
{
    private const string PartEnding = ".part";

    /// <summary>Writes it beside the old one and puts it in its place, durable, in one step.</summary>
    /// <param name="path">The bundle.</param>
    /// <param name="epochOf">The key of the epoch that it is under.</param>
    /// <param name="epoch">The new one.</param>
    /// <param name="slots">The new epoch's key for everybody who can recover.</param>
    /// <param name="stones">Every tombstone.</param>
    /// <param name="scratch">A folder of this account alone; left empty.</param>
    /// <param name="cancel">Gives up; the bundle is then as it was.</param>
    /// <returns>SHA-256 of before and after, and how many keys of destroyed patients were in it.</returns>
    /// <exception cref="RefusedInput"><c>backup.damaged</c> and what <paramref name="epochOf"/> throws.</exception>
    public static async Task<(string Before, string After, int Removed)> Run(
        string path, Func<BundleHead, KeyMaterial> epochOf, (Guid Id, KeyMaterial Key) epoch, IReadOnlyList<RecoverySlot> slots, IReadOnlyCollection<Tombstone> stones, string scratch, CancellationToken cancel)
    {
        var before = await Hash(path, cancel);
        var part = path + PartEnding;
        File.Delete(part);
        int removed;
        using (var bundle = OpenedBundle.Open(path, epochOf))
        {
            IReadOnlyList<SnapshotPart> copies = [];
            try
            {
                copies = bundle.Extract(scratch);
                using var copy = new KeyCopy(bundle.Keys, stones, epoch);
                try
                {
                    await copy.Change(copies, cancel);
                }
                catch (SealBroken)
                {
                    throw new RefusedInput("backup.damaged", "The keys in this backup do not belong together. It is left as it is; make a new backup.");
                }

                removed = copy.Removed;
                using var file = Durable.NewFile(part);
                BundleWriting.Write(
                    file,
                    bundle.Head with { Epoch = epoch.Id, Slots = slots },
                    epoch.Key,
                    bundle.Keys with { Purposes = copy.Purposes, Parts = [.. copies.Select(one => (one.Name, new FileInfo(one.Path).Length))] },
                    [.. copies.Select(one => one.Path)]);
                Settle(file);
            }
            catch
            {
                File.Delete(part);
                throw;
            }
            finally
            {
                foreach (var left in Directory.EnumerateFiles(scratch))
                {
                    File.Delete(left);
                }
            }
        }

        var after = await Hash(part, cancel);
        File.Move(part, path, overwrite: true);
        Durable.FlushFolder(Path.GetDirectoryName(path)!);
        return (before, after, removed);
    }

    // There is no asynchronous one that waits for the disk.
    private static void Settle(FileStream file) => file.Flush(flushToDisk: true);

    private static async Task<string> Hash(string path, CancellationToken cancel)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
    }
}
