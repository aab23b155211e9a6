using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Backups;

/// <summary>What of backups rests on keys alone: sealing one, and opening those that were made. It makes no entry and asks nobody.</summary>
internal sealed class BackupCrypt(StorageOptions storage, KeyRing ring, BackupKeys keys, Guid facility, string facilityName, TimeProvider clock)
{
    private const string SignerName = "backup-signer";

    /// <summary>As <see cref="BackupDesk.Seal"/>.</summary>
    public async Task<IArchiveMaker> Seal(string folder, CancellationToken cancel)
    {
        var signer = await Signer(cancel);
        (Guid Id, KeyMaterial Key)? epoch = null;
        (Guid Id, KeyMaterial Key)? archive = null;
        try
        {
            epoch = await keys.Epoch(cancel);
            archive = await keys.NewArchive(cancel);
            var slots = await RecoveryRecipients.SlotsFor(ring, epoch.Value.Key, BundleHead.SlotContext(facility, epoch.Value.Id), cancel);
            var (copy, purposes) = await ring.Copied(() => StoreSnapshot.Take(storage, "keys", folder, cancel), cancel);
            var live = new LiveRing(purposes, keys, await keys.AllArchives(cancel), signer, facility, facilityName);
            return new BackupSealing(live, archive.Value, epoch.Value, slots, copy, clock.GetUtcNow());
        }
        catch
        {
            epoch?.Key.Dispose();
            archive?.Key.Dispose();
            signer.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="BackupDesk.Keys"/>.</summary>
    public async Task<LiveArchives> Keys(CancellationToken cancel) =>
        new(keys, await keys.AllArchives(cancel), await Signer(cancel), facility);

    /// <summary>As <see cref="BackupDesk.OpenBundle"/>.</summary>
    public async Task<OpenedBundle> OpenBundle(string path, CancellationToken cancel)
    {
        var epochs = await keys.AllEpochs(cancel);
        return OpenedBundle.Open(path, head =>
            head.Facility != facility ? throw new RefusedInput("backup.other-hospital", "This backup is another hospital's.")
            : epochs.TryGetValue(head.Epoch, out var wrapped) ? keys.Epoch(wrapped)
            : throw new RefusedInput("backup.epoch-destroyed", "The key of this backup's epoch was destroyed, because a record in it was. Use a newer backup."));
    }

    // A key of its own: the log's vouches for the log only.
    public async Task<CheckpointSigner> Signer(CancellationToken cancel)
    {
        if (await ring.Secret(KeyPurpose.Backup, SignerName, cancel) is { } kept)
        {
            try
            {
                return CheckpointSigner.Import(kept);
            }
            finally
            {
                System.Security.Cryptography.CryptographicOperations.ZeroMemory(kept);
            }
        }

        var made = CheckpointSigner.Generate();
        var exported = made.ExportPrivateKey();
        try
        {
            await ring.PutSecret(KeyPurpose.Backup, SignerName, exported, cancel);
            return made;
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(exported);
        }
    }
}
