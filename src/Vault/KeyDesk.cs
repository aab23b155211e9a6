using System.Globalization;
using System.Threading.Channels;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault;

/// <summary>
/// The hospital's keys, for administrators: what there is, what hangs from it, when it is due, and rotation. No key material
/// passes through here. Rotation goes on behind the pages (<see cref="KeyWork"/>) and at the next start.
/// </summary>
public sealed partial class KeyDesk : IDisposable
{
    private readonly KeyRing ring;
    private readonly KeyRotations rotations;
    private readonly PatientRotation patients;
    private readonly RootKeeper keeper;
    private readonly RecoveryRecipients recovery;
    private readonly Door door;
    private readonly Receipt.Log log;
    private readonly IdentityDesk identity;
    private readonly TimeProvider clock;
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile KeyRotationDays days = KeyRotationDays.Default;

    internal KeyDesk(KeyRing ring, KeyRotations rotations, PatientRotation patients, RootKeeper keeper, RecoveryRecipients recovery, Door door, Receipt.Log log, IdentityDesk identity, TimeProvider clock)
    {
        this.ring = ring;
        this.rotations = rotations;
        this.patients = patients;
        this.keeper = keeper;
        this.recovery = recovery;
        this.door = door;
        this.log = log;
        this.identity = identity;
        this.clock = clock;
        foreach (var kind in identity.Peppered.Kinds())
        {
            rotations.Register(kind);
        }

        // Nothing leaves this version for another hospital: what hangs from the sync key is counted, and it is nothing.
        rotations.Register(new HangingKind(KeyPurpose.Sync, "parcels", _ => Task.FromResult<IReadOnlyList<Hanging>>([]), null));
    }

    /// <summary>Counts what a room has sealed under a purpose key; called while the vault is put together. See <see cref="HangingKind"/>.</summary>
    internal void Register(HangingKind kind) => rotations.Register(kind);

    /// <summary>Takes the records that are recognised under the index key. Before that no version of it is retired.</summary>
    public void Serve(IFingerprintedRecords records)
    {
        ArgumentNullException.ThrowIfNull(records);
        Register(new HangingKind(
            KeyPurpose.Index,
            records.Kind,
            async cancel => [.. (await records.Count(cancel)).Select(static one => new Hanging(one.Version, one.Count))],
            async (old, after, cancel) =>
            {
                // An import that began before the newest version would not recognise what is moved to it: it ends first.
                if (after is null && !await ring.Drain(rotations.LongestDrain, cancel))
                {
                    return default;
                }

                var batch = await records.Move(SystemActors.Recognition, old.Version, after, rotations.BatchSize, cancel);
                return new MovedBatch(batch.Moved, batch.Broken, batch.Next);
            }));
    }

    /// <summary>The purposes that <see cref="Rotate"/> takes, in the order of <see cref="Status"/>.</summary>
    public static IReadOnlyList<string> Purposes { get; } = [.. Enum.GetValues<KeyPurpose>().Select(KeyRing.Word)];

    /// <summary>The schedule in force.</summary>
    public KeyRotationDays Days => days;

    /// <summary>Every purpose with its versions and what hangs from each. Names no patient and opens nothing.</summary>
    public async Task<IReadOnlyList<KeyPurposeStatus>> Status(CancellationToken cancel)
    {
        var all = new List<KeyPurposeStatus>();
        foreach (var purpose in Enum.GetValues<KeyPurpose>())
        {
            var counts = await rotations.Count(purpose, cancel);
            var versions = ring.Versions(purpose);
            all.Add(new KeyPurposeStatus(
                KeyRing.Word(purpose),
                [
                    .. versions.Select(version =>
                    {
                        var kinds = counts?.Select(kind => new KeyKindCount(kind.Kind, kind.Counts.Where(one => one.Version == version.Version).Sum(one => one.Count), kind.Moves)).Where(kind => kind.Count > 0).ToList();
                        return new KeyVersionStatus(version.Id, version.Version, version.Created, version == versions[0], kinds?.Sum(kind => kind.Count), kinds ?? []);
                    }),
                ],
                versions[0].Created + LifeOf(purpose)));
        }

        return all;
    }

    /// <summary>Whether nothing older than a version of a purpose's key opens anything any more.</summary>
    internal bool HasEnded(string purpose, int version) =>
        Enum.GetValues<KeyPurpose>().Where(one => KeyRing.Word(one) == purpose).All(one => ring.Versions(one).All(known => known.Version >= version));

    /// <summary>Begins the rotation of a purpose's key: the new version is in use when the task ends, the rest follows behind.</summary>
    /// <returns>The new version, or <c>keys.purpose-unknown</c>, <c>keys.rotating</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<int>> Rotate(Actor admin, string? purpose, CancellationToken cancel)
    {
        var known = Enum.GetValues<KeyPurpose>().Where(one => KeyRing.Word(one) == purpose).ToList();
        var resource = known is [var named] ? $"key:{KeyRing.Word(named)}" : "keys";
        if (!admin.May(Rights.Administration))
        {
            // Says no, writes the refusal and throws.
            await door.Record(admin, Rights.Administration, Sessions.Act(KeyRotations.BeginAction, resource, null), cancel);
        }

        var begun = known is [var which]
            ? await rotations.Begin(which, words => door.Record(admin, Rights.Administration, Sessions.Act(KeyRotations.BeginAction, resource, words), cancel), cancel)
            : new Error("keys.purpose-unknown", $"Name the key to rotate: {string.Join(", ", Purposes)}.");
        if (begun.Error is { } refusal)
        {
            await log.Refuse(admin, Sessions.Act(KeyRotations.BeginAction, resource, null), refusal, cancel);
            return refusal;
        }

        wake.Writer.TryWrite(true);
        return begun;
    }

    /// <summary>Begins what the schedule asks for, and does everything that can be done now for every rotation that has not ended.</summary>
    /// <returns>False when something is left that another look in a minute may finish.</returns>
    public async Task<bool> Advance(CancellationToken cancel)
    {
        foreach (var purpose in Enum.GetValues<KeyPurpose>().Where(one => ring.Newest(one).Created + LifeOf(one) <= clock.GetUtcNow()))
        {
            // One that is still being moved is left to go on: it was begun a moment ago.
            await rotations.Begin(
                purpose,
                words => log.Note(SystemActors.Keys, KeyRotations.Act(KeyRotations.BeginAction, purpose, string.Create(CultureInfo.InvariantCulture, $"{words}, by the schedule of {LifeOf(purpose).Days} days")), cancel),
                cancel);
        }

        return await rotations.Advance(cancel) & await patients.Advance(cancel);
    }

    /// <summary>Waits until a rotation begins or the time is over.</summary>
    public async Task Wait(TimeSpan longest, CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await Task.WhenAny(wake.Reader.WaitToReadAsync(over.Token).AsTask(), Task.Delay(longest, clock, over.Token));
        await over.CancelAsync();
        wake.Reader.TryRead(out _);
        cancel.ThrowIfCancellationRequested();
    }

    /// <summary>Changes the schedule. A shorter one holds at once; a longer one, never beyond the default, asks for a second factor.</summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="wanted">Both periods from now on.</param>
    /// <param name="proof">The administrator's own second factor; asked only when a period gets longer.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The schedule from now on, or <c>keys.rotation-days</c>, <c>factor.code</c>, <c>factor.too-many</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<KeyRotationDays>> ChangeDays(Actor admin, KeyRotationDays wanted, FactorProof proof, CancellationToken cancel)
    {
        var changed = await identity.Acts.Run<KeyRotationDays>(
            admin,
            "CHANGE_KEY_ROTATION",
            "keys",
            async change =>
            {
                if (wanted.Malformed() is { } malformed)
                {
                    return malformed;
                }

                var before = days;
                if (wanted.LongerThan(before) && await identity.SecondFactor.Ask(change, admin, proof, FactorActs.KeySchedule, cancel) is { } refused)
                {
                    return refused;
                }

                await wanted.Keep(change.Connection, admin, clock.GetUtcNow().ToUnixTimeMilliseconds(), cancel);
                change.AfterCommit = () => days = wanted;
                return new Acted<KeyRotationDays>(wanted, "keys", $"{before.Words()} -> {wanted.Words()}");
            },
            cancel);
        if (changed.Ok)
        {
            wake.Writer.TryWrite(true);
        }

        return changed;
    }

    public void Dispose()
    {
        rotations.Dispose();
        patients.Dispose();
        keeper.Dispose();
    }

    internal async Task Load(CancellationToken cancel) => days = await identity.Sessions.Read(connection => KeyRotationDays.Load(connection, cancel), cancel);

    private TimeSpan LifeOf(KeyPurpose purpose) => TimeSpan.FromDays(purpose is KeyPurpose.Backup or KeyPurpose.Sync ? days.BackupAndSync : days.Usual);
}
