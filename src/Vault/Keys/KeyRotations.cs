using System.Collections.Concurrent;
using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Keys;

/// <summary>
/// The rotation of purpose keys. Its whole state is in the tables: a purpose that has more than one version is being rotated,
/// and what is left to do is what hangs from the older ones. So there is nothing to lose when the machine stops: the next
/// start goes on from what it counts (threat K7). Order: the new version is durable and in use before anything is sealed
/// under it; what is old is moved batch by batch, each one transaction; everybody who held the old version goes; it is
/// counted; at zero, and only there, the version is retired.
/// </summary>
internal sealed class KeyRotations : IDisposable
{
    public const string BeginAction = "ROTATE_KEY";
    public const string RetireAction = "RETIRE_KEY";

    // New things may still be made under the old version by whoever began before the new one; a second pass takes them.
    private const int MostPasses = 3;

    private readonly KeyRing ring;
    private readonly Receipt.Log log;
    private readonly List<HangingKind> kinds = [];
    private readonly SemaphoreSlim beginning = new(1, 1);
    private readonly SemaphoreSlim turn = new(1, 1);

    // Versions under which something does not open. They stay, and do not stand in the way of the next rotation.
    private readonly ConcurrentDictionary<(KeyPurpose, int), bool> broken = new();

    public KeyRotations(KeyRing ring, Receipt.Log log)
    {
        this.ring = ring;
        this.log = log;
        foreach (var (before, name) in (ReadOnlySpan<(bool, string)>)[(false, "patients' keys"), (true, "older keys of patients")])
        {
            Register(new HangingKind(KeyPurpose.Data, name, cancel => ring.CountPatientKeys(before, cancel), (old, after, cancel) => ring.RewrapPatientKeys(before, old, after, BatchSize, cancel)));
        }

        foreach (var purpose in (KeyPurpose[])[KeyPurpose.Audit, KeyPurpose.Ring])
        {
            Register(new HangingKind(purpose, "secrets", cancel => ring.CountSecrets(purpose, cancel), (old, _, cancel) => ring.ResealSecrets(old, cancel)));
        }
    }

    /// <summary>Patients' keys in one transaction: some milliseconds, so that a registration waits no longer.</summary>
    public int BatchSize { get; init; } = 500;

    /// <summary>How long acts that began before are waited for at one look.</summary>
    public TimeSpan LongestDrain { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How old a new version has to be before anything is moved to it, where another server may stand on the same database: by
    /// then each of them has followed (<see cref="KeyRing.Follow"/>) and makes nothing under the old one any more.
    /// </summary>
    public TimeSpan OthersFollow { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Called between any two steps, with the step's name. Tests stop the work there, as a power cut would.</summary>
    public Action<string>? Between { get; init; }

    /// <summary>Adds a kind of thing that hangs from a purpose key. Before that, nothing of its purpose is known, and no version of it is retired.</summary>
    public void Register(HangingKind kind) => kinds.Add(kind);

    /// <summary>Makes a new version of a purpose's key. Moving what hangs from the old one is <see cref="Advance"/>'s.</summary>
    /// <param name="purpose">Which.</param>
    /// <param name="note">Writes the entry, given the act in words.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The new version, or <c>keys.rotating</c>.</returns>
    public async Task<Result<int>> Begin(KeyPurpose purpose, Func<string, Task> note, CancellationToken cancel)
    {
        await beginning.WaitAsync(cancel);
        try
        {
            var old = ring.Newest(purpose);
            var under = 0L;
            foreach (var kind in kinds.Where(kind => kind.Purpose == purpose))
            {
                var counts = await kind.Count(cancel);
                if (kind.Move is not null && counts.Any(one => one.Version > 0 && one.Version < old.Version && !broken.ContainsKey((purpose, one.Version))))
                {
                    return new Error("keys.rotating", "A rotation of this key is still moving what is under its older version. Wait until it has ended (keys status), then rotate again.");
                }

                under += counts.Where(one => one.Version == old.Version).Sum(one => one.Count);
            }

            Step("before the new version");
            var made = await ring.AddVersion(
                purpose,
                version => note(string.Create(CultureInfo.InvariantCulture, $"version {old.Version} -> {version}, {under} under version {old.Version}")),
                cancel);
            Step("after the new version");
            return made.Version;
        }
        finally
        {
            beginning.Release();
        }
    }

    /// <summary>Does everything that can be done now for every purpose that has an older version: moves, counts, retires.</summary>
    /// <returns>Whether nothing is left that another look in a minute could finish.</returns>
    public async Task<bool> Advance(CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            var done = true;
            foreach (var purpose in Enum.GetValues<KeyPurpose>())
            {
                if (ring.Versions(purpose).Count > 1 && kinds.Exists(kind => kind.Purpose == purpose))
                {
                    done &= await Finish(purpose, cancel);
                }
            }

            return done;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>What hangs from each version of a purpose, kind by kind; null when nobody counts it.</summary>
    public async Task<IReadOnlyList<(string Kind, bool Moves, IReadOnlyList<Hanging> Counts)>?> Count(KeyPurpose purpose, CancellationToken cancel)
    {
        var all = new List<(string, bool, IReadOnlyList<Hanging>)>();
        foreach (var kind in kinds.Where(kind => kind.Purpose == purpose))
        {
            all.Add((kind.Name, kind.Move is not null, await kind.Count(cancel)));
        }

        return all.Count == 0 ? null : all;
    }

    public void Dispose()
    {
        beginning.Dispose();
        turn.Dispose();
    }

    private async Task<bool> Finish(KeyPurpose purpose, CancellationToken cancel)
    {
        if (ring.Versions(purpose).Count > 1)
        {
            await ring.LetOthersFollow(ring.Newest(purpose), OthersFollow, cancel);
        }

        var moved = new Dictionary<int, long>();
        for (var pass = 1; ; pass++)
        {
            // Taken once a pass: a version that becomes old meanwhile still has its writers.
            var older = Older(purpose);
            foreach (var old in older)
            {
                moved[old.Version] = moved.GetValueOrDefault(old.Version) + await Move(old, cancel);
            }

            // After this, nobody has read or is about to store anything of an older version.
            if (!await ring.Drain(LongestDrain, cancel))
            {
                return false;
            }

            Step("drained");
            var movable = 0L;
            foreach (var old in older)
            {
                var (left, couldMove) = await Left(old, cancel);
                movable += couldMove;
                if (left == 0)
                {
                    Step("before retiring");
                    var words = string.Create(CultureInfo.InvariantCulture, $"version {old.Version} retired, 0 left under it, {moved[old.Version]} moved to version {ring.Newest(purpose).Version}");
                    await ring.Retire(old, () => log.Note(SystemActors.Keys, Act(RetireAction, purpose, words), cancel), cancel);
                    Step("retired");
                }
            }

            if (movable == 0)
            {
                return true;
            }

            if (pass == MostPasses)
            {
                return false;
            }
        }
    }

    private async Task<long> Move(PurposeKey old, CancellationToken cancel)
    {
        var (moved, shut) = (0L, 0L);
        foreach (var kind in kinds.Where(kind => kind.Purpose == old.Purpose && kind.Move is not null))
        {
            byte[]? after = null;
            do
            {
                Step("before a batch");
                var batch = await kind.Move!(old, after, cancel);
                moved += batch.Moved;
                shut += batch.Broken;
                after = batch.Next;
                Step("after a batch");

                // Work of the wards that waits for a core goes first.
                await Task.Yield();
            }
            while (after is not null);
        }

        if (shut > 0 && broken.TryAdd((old.Purpose, old.Version), true))
        {
            await log.Refuse(
                SystemActors.Keys,
                Act(RetireAction, old.Purpose, null),
                new Error("keys.unreadable", string.Create(CultureInfo.InvariantCulture, $"{shut} do not open under version {old.Version}; it is kept.")),
                cancel);
        }

        return moved;
    }

    private async Task<(long All, long Movable)> Left(PurposeKey old, CancellationToken cancel)
    {
        var (all, movable) = (0L, 0L);
        foreach (var kind in kinds.Where(kind => kind.Purpose == old.Purpose))
        {
            var count = (await kind.Count(cancel)).Where(one => one.Version == old.Version).Sum(one => one.Count);
            all += count;
            movable += kind.Move is null ? 0 : count;
        }

        return (all, movable);
    }

    private List<PurposeKey> Older(KeyPurpose purpose) => [.. ring.Versions(purpose).Skip(1).Reverse()];

    internal static Request Act(string action, KeyPurpose purpose, string? reason) =>
        new() { Action = action, Purpose = Access.Purpose.System, Resource = $"key:{KeyRing.Word(purpose)}", Reason = reason };

    private void Step(string name) => Between?.Invoke(name);
}
