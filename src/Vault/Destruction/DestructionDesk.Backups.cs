using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Destruction;

/// <summary>Key bundles of backups without the destroyed patients, the tombstones that travel in them, and what a search of everything finds.</summary>
public sealed partial class DestructionDesk
{
    private const int BlockSize = 1 << 20;
    private const int IdSize = 16;

    /// <summary>Rewrites the key bundles of one target that are not under the newest epoch.</summary>
    /// <param name="id">The order.</param>
    /// <param name="target">The target, for the certificate.</param>
    /// <param name="bundles">Paths of its key bundles.</param>
    /// <param name="scratch">An empty folder of this account alone.</param>
    /// <param name="cancel">Gives up between two bundles; what was rewritten stays so.</param>
    public async Task<DestructionOrder> RewriteBundles(Guid id, string target, IReadOnlyList<string> bundles, string scratch, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(bundles);
        var order = await Underway(id, cancel);
        var (now, key) = order.Facts.Epoch is null ? await backups.NewEpoch(cancel) : await backups.Epoch(cancel);
        using var epoch = key;
        if (order.Facts.Epoch != now)
        {
            order = await Keep(order with { Facts = order.Facts with { Epoch = now } }, cancel);
        }

        var stones = await ring.Tombstones(cancel);
        var slots = await RecoveryRecipients.SlotsFor(ring, epoch, BundleHead.SlotContext(facility, now), cancel);
        using var held = ring.Hold();
        var epochs = await backups.AllEpochs(cancel);
        foreach (var path in bundles)
        {
            cancel.ThrowIfCancellationRequested();
            var facts = order.Facts;
            try
            {
                if (HeadOf(path) is not { } head || head.Facility != facility)
                {
                    throw new RefusedInput("backup.damaged", "This key bundle cannot be read.");
                }

                if (head.Epoch == now)
                {
                    continue;
                }

                var (before, after, removed) = await BundleRewrite.Run(
                    path,
                    found => epochs.TryGetValue(found.Epoch, out var wrapped) ? backups.Epoch(wrapped) : throw new RefusedInput("backup.epoch-destroyed", "The key of this bundle's epoch is destroyed."),
                    (now, epoch),
                    slots,
                    stones,
                    scratch,
                    cancel);
                facts = facts with { Bundles = [.. facts.Bundles, new RewrittenBundle(target, Path.GetFileName(path), before, after, removed)], Unopened = [.. facts.Unopened.Where(one => one != path)] };
            }
            catch (RefusedInput)
            {
                // Nothing of this hospital opens it any more, or ever did. The certificate names it.
                facts = facts with { Unopened = [.. facts.Unopened.Where(one => one != path), path] };
            }

            order = await Keep(order with { Facts = facts }, cancel);
        }

        return order;
    }

    /// <summary>
    /// Ends the rewriting. The keys of the epochs of before are destroyed when every target was seen; while one is waited for they
    /// are kept, because its bundles could not be rewritten without them.
    /// </summary>
    /// <param name="id">The order.</param>
    /// <param name="outstanding">Targets that are waited for.</param>
    /// <param name="unreached">Places of before that could not be reached and are not waited for.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<DestructionOrder> FinishBundles(Guid id, IReadOnlyList<string> outstanding, IReadOnlyList<string> unreached, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(outstanding);
        var order = await Underway(id, cancel);
        if (order.Facts.Epoch is null)
        {
            var (made, key) = await backups.NewEpoch(cancel);
            key.Dispose();
            order = await Keep(order with { Facts = order.Facts with { Epoch = made } }, cancel);
        }

        IReadOnlyList<Guid> gone = [];
        if (outstanding.Count == 0)
        {
            var (newest, key) = await backups.Epoch(cancel);
            key.Dispose();
            gone = [.. (await backups.AllEpochs(cancel)).Keys.Where(epoch => epoch != newest)];
            await backups.ForgetEpochs(gone, cancel);
            if (gone.Count > 0)
            {
                await receipts.Note(SystemActors.Destruction, Act("DESTROY_BACKUP_EPOCHS", order, string.Create(CultureInfo.InvariantCulture, $"{gone.Count} epochs")), cancel);
            }
        }

        return await Keep(
            order with
            {
                Step = order.Step < DestructionStep.BundlesRewritten ? DestructionStep.BundlesRewritten : order.Step,
                Facts = order.Facts with { Outstanding = outstanding, Unreached = unreached, Epochs = [.. order.Facts.Epochs.Union(gone)] },
            },
            cancel);
    }

    /// <summary>
    /// Goes back to the bundles of an order whose targets were outstanding; what follows is done again, under yet another epoch and with yet
    /// other keys: copies of keys.db of meanwhile have the old epochs' keys under those of meanwhile, and so have bundles of meanwhile.
    /// </summary>
    public async Task<DestructionOrder> TryBundlesAgain(Guid id, CancellationToken cancel)
    {
        var order = await Underway(id, cancel);
        return order.State == DestructionState.Outstanding && order.Step > DestructionStep.RowsGone
            ? await Keep(order with { Step = DestructionStep.RowsGone, Facts = order.Facts with { Epoch = null, DataVersion = null, BackupVersion = null, RootRotated = false } }, cancel)
            : order;
    }

    /// <summary>Looks for the patients in every place that can be reached.</summary>
    /// <param name="id">The order.</param>
    /// <param name="clinic">How many rows the clinic's tables have of these patients.</param>
    /// <param name="bundles">Paths of every key bundle that can be reached.</param>
    /// <param name="scratch">An empty folder of this account alone.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The order, or <c>destruction.remnant</c>: something was found, and where.</returns>
    public async Task<Result<DestructionOrder>> Verify(Guid id, Func<IReadOnlyList<PatientId>, CancellationToken, Task<long>> clinic, IReadOnlyList<string> bundles, string scratch, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(clinic);
        ArgumentNullException.ThrowIfNull(bundles);
        var order = await Underway(id, cancel);
        if (order.Step >= DestructionStep.Verified)
        {
            return order;
        }

        var ids = order.Patients.Select(patient => patient.Id).ToList();
        var wanted = ids.ToHashSet();
        var keyIds = (await ring.Tombstones(cancel)).Where(stone => wanted.Contains(stone.Patient)).SelectMany(stone => stone.Ids()).ToList();
        var looked = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["keys.db, keys of the patients"] = await ring.KeysOf(ids, cancel),
            ["keys that the key ring gives"] = (await ring.Load(ids, remember: false, cancel)).Count,
            ["clinic, rows of the patients"] = await clinic(ids, cancel),
            ["patient index"] = ids.Count(patient => index.NumberOf(patient) is not null),
        };
        if (storage.Kind == StorageKind.Sqlite)
        {
            var raw = 0L;
            foreach (var file in (string[])["keys.db", "keys.db-wal"])
            {
                raw += await Occurrences(Path.Combine(storage.Folder, file), keyIds, cancel);
            }

            looked["keys.db, raw bytes with free pages and write-ahead log"] = raw;
        }

        var (read, found) = (0, 0L);
        var epochs = await backups.AllEpochs(cancel);
        foreach (var path in bundles.Where(path => HeadOf(path) is { } head && head.Facility == facility && epochs.ContainsKey(head.Epoch)))
        {
            try
            {
                using var bundle = OpenedBundle.Open(path, head => backups.Epoch(epochs[head.Epoch]));
                foreach (var part in bundle.Extract(scratch))
                {
                    found += await Occurrences(part.Path, keyIds, cancel);
                }

                read++;
            }
            catch (RefusedInput)
            {
                // Damaged since it was rewritten: the certificate names it.
                order = order with { Facts = order.Facts with { Unopened = [.. order.Facts.Unopened.Where(one => one != path), path] } };
            }
            finally
            {
                foreach (var left in Directory.EnumerateFiles(scratch))
                {
                    File.Delete(left);
                }
            }
        }

        looked[string.Create(CultureInfo.InvariantCulture, $"key bundles, {read} opened and read")] = found;
        if (looked.Values.Any(count => count > 0))
        {
            var where = string.Join("; ", looked.Where(place => place.Value > 0).Select(place => place.Key));
            var remnant = new Error("destruction.remnant", $"Something of the records was still found: {where}. It is tried again; if it stays, tell your security officer.");
            await receipts.Refuse(SystemActors.Destruction, Act("VERIFY_DESTRUCTION", order, null), remnant, cancel);
            return remnant;
        }

        return await Keep(order with { Step = DestructionStep.Verified, Facts = order.Facts with { Looked = looked } }, cancel);
    }

    /// <summary>Signs the certificate, and deletes what the order itself still says of the patients. Its hash is an entry.</summary>
    public async Task<DestructionOrder> Certify(Guid id, CancellationToken cancel)
    {
        var order = await Underway(id, cancel);
        var complete = order.Facts.Outstanding.Count == 0;
        var (proof, _) = await log.Prove(order.Facts.Announced, cancel);
        var certificate = new DestructionCertificate
        {
            Facility = facility,
            FacilityName = facilityName,
            Order = order.Name,
            OrderId = order.Id,
            Complete = complete,
            Reason = order.Reason.ToString(),
            ProposedBy = order.ProposedBy.ToString(),
            ApprovedBy = order.DecidedBy?.ToString() ?? string.Empty,
            Started = order.Started ?? clock.GetUtcNow(),
            Certified = DateTimeOffset.FromUnixTimeMilliseconds(Now),
            Patients = [.. order.Patients.Select(patient => new CertifiedPatient(patient.Id.Value, Convert.ToHexStringLower(patient.Salt.Span), Convert.ToHexStringLower(patient.MrnHash.Span)))],
            Facts = order.Facts,
            Limits = DestructionLimits.Of(order.Facts, storage.Kind),
            Proof = proof,
            Entry = order.Facts.Announced,
        };
        var stored = certificate.Signed(signer);

        // The log says which certificate there is before there is one.
        await receipts.Note(SystemActors.Destruction, Act("CERTIFY_DESTRUCTION", order, $"{(complete ? "complete" : "targets outstanding")}, sha256 {DestructionCertificate.DigestOf(stored)}"), cancel);
        return await identity.Sessions.Change(
            async change =>
            {
                await change.Connection.Run(
                    "UPDATE destruction_order SET state = @state, step = @step, ended = @now, failure = NULL, words = NULL, certificate = @certificate WHERE id = @id",
                    cancel,
                    ("@state", (int)(complete ? DestructionState.Done : DestructionState.Outstanding)),
                    ("@step", (int)DestructionStep.Certified),
                    ("@now", Now),
                    ("@certificate", stored),
                    ("@id", id));
                await change.Connection.Run("UPDATE destruction_patient SET mrn = NULL WHERE destruction = @id", cancel, ("@id", id));
                return (await One(change.Connection, id, cancel))!;
            },
            cancel);
    }

    /// <summary>
    /// Patients of tombstones of whom something came back with an older copy of the databases. Called before anything of a hospital is
    /// opened: keys that came back are deleted here, the rows by the caller and <see cref="TombstonesApplied"/>.
    /// </summary>
    /// <param name="rows">How many rows the clinic's tables have of a patient.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<IReadOnlyList<PatientId>> CameBack(Func<PatientId, CancellationToken, Task<long>> rows, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var back = new List<PatientId>();
        var stones = await ring.Tombstones(cancel);
        if (stones.Count == 0)
        {
            return back;
        }

        using var verifier = CheckpointVerifier.From(signer.ExportPublicKey());
        foreach (var stone in stones)
        {
            if (!verifier.Verify(stone.ToBytes(), stone.Signature))
            {
                await receipts.Refuse(SystemActors.Destruction, Sessions.Act("APPLY_TOMBSTONES", "destruction", null), new Error("destruction.tombstone-bad", "A tombstone was changed; nothing is deleted for it."), cancel);
                continue;
            }

            var keys = await ring.KeysOf([stone.Patient], cancel);
            if (keys > 0)
            {
                await ring.DestroyPatients(stone.Order, [stone.Patient], one => signer.Sign(one.ToBytes()), cancel);
            }

            if (keys > 0 || await rows(stone.Patient, cancel) > 0)
            {
                back.Add(stone.Patient);
            }
        }

        return back;
    }

    /// <summary>Takes patients who came back out of the vault's own tables too, and says so in the log.</summary>
    /// <param name="patients">Of <see cref="CameBack"/>.</param>
    /// <param name="rows">Rows that were deleted from the clinic's tables.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task TombstonesApplied(IReadOnlyList<PatientId> patients, long rows, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(patients);
        var own = await EraseVault(patients, cancel);
        await receipts.Note(
            SystemActors.Destruction,
            Sessions.Act("APPLY_TOMBSTONES", "destruction", string.Create(CultureInfo.InvariantCulture, $"{patients.Count} destroyed patients came back with an older copy; {rows + own.Values.Sum()} rows removed")) with { Patients = [.. patients.Select(patient => new PatientRef(patient, string.Empty))] },
            cancel);
    }

    private static BundleHead? HeadOf(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return BundleHead.ReadFrom(file).Head;
        }
        catch (SealBroken)
        {
            return null;
        }
    }

    /// <summary>How often any of these ids stands in the raw bytes of a file; 0 for one that is not there.</summary>
    private static async Task<long> Occurrences(string path, List<byte[]> ids, CancellationToken cancel)
    {
        if (ids.Count == 0 || !File.Exists(path))
        {
            return 0;
        }

        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var buffer = new byte[BlockSize + IdSize];
        var (kept, found) = (0, 0L);
        for (int read; (read = await file.ReadAtLeastAsync(buffer.AsMemory(kept, BlockSize), BlockSize, throwOnEndOfStream: false, cancel)) > 0;)
        {
            var filled = kept + read;
            foreach (var id in ids)
            {
                for (var at = 0; buffer.AsSpan(at, filled - at).IndexOf(id) is >= 0 and var next; at += next + 1)
                {
                    found++;
                }
            }

            kept = Math.Min(IdSize - 1, filled);
            buffer.AsSpan(filled - kept, kept).CopyTo(buffer);
        }

        return found;
    }
}
