using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Keys;

/// <summary>
/// Who can open a backup when the hospital's own keys are gone: the protector of the root key, and holders of printed
/// sheets. The server knows their public keys alone; it seals to them and cannot open (docs/operations/recovery.md).
/// </summary>
/// <remarks>
/// The recipients are one sealed secret of the key store, not rows of a table: whoever can write into keys.db without the
/// root key must not be able to add a recipient of their own, to whom every later backup would be sealed.
/// </remarks>
public sealed partial class RecoveryRecipients : IDisposable
{
    /// <summary>The fewest sheets that can be asked for.</summary>
    public const int LeastThreshold = SecretShares.LowestThreshold;

    /// <summary>The most sheets of a set.</summary>
    public const int MostHolders = SecretShares.MostShares;

    private const string Stored = "recovery-recipients";
    private const string Sheets = "recovery-sheets";
    private const int MostEarlier = 50;

    // Long enough to print, to sign and to put into envelopes; whoever takes longer types the whole sheets instead.
    private static readonly TimeSpan ReadBackTime = TimeSpan.FromHours(2);

    private readonly KeyRing keys;
    private readonly IdentityDesk identity;
    private readonly Door door;
    private readonly Receipt.Log log;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim turn = new(1, 1);
    private volatile Questions? questions;

    internal RecoveryRecipients(KeyRing keys, IdentityDesk identity, Door door, Receipt.Log log, TimeProvider clock)
    {
        this.keys = keys;
        this.identity = identity;
        this.door = door;
        this.log = log;
        this.clock = clock;
    }

    private static Error NotBegun { get; } = new("shares.not-begun", "There is nothing to read back: no set was begun, or it was more than two hours ago. Type whole sheets below, all of them, or make a new set.");

    private static Error Numbers { get; } = new("shares.numbers", "Choose 2 to 16 sheets, and of these 2 or more that are needed together.");

    private static Error Wrong { get; } = new("shares.wrong", "The sheets are read well but do not give the key of this set. One of them is not what was printed: make a new set.");

    /// <summary>What recovery rests on now. No entry: nothing of it is anybody's data.</summary>
    public async Task<RecoveryState> State(CancellationToken cancel)
    {
        var all = await Read(cancel);
        var sets = all.Where(one => one.IsShares).OrderByDescending(one => one.Created).ToList();
        var begun = sets.Find(one => one.Retired is null && !one.Shown().InForce);
        return new RecoveryState(
            all.Find(one => !one.IsShares && one.Retired is null) is { } protector ? protector.Rounds > 0 ? ProtectorKind.Passphrase : ProtectorKind.KeyFile : null,
            sets.Find(one => one.Shown().InForce)?.Shown(),
            begun?.Shown(),
            begun is { ReadBack: null } ? QuestionsOf(begun.Id)?.Asked ?? [] : [],
            [.. sets.Where(one => one.Retired is not null).Select(one => one.Shown())]);
    }

    /// <summary>As <see cref="State"/>, for a page: looking is an entry.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<RecoveryState> Look(Actor admin, CancellationToken cancel)
    {
        await door.Record(admin, Rights.Administration, Sessions.Act("VIEW_RECOVERY", Sheets, null), cancel);
        return await State(cancel);
    }

    /// <summary>
    /// Makes a key and splits it. The sheets are given out this once and kept nowhere; the set of before counts until this
    /// one was read back and verified.
    /// </summary>
    /// <param name="admin">Who holds the ceremony.</param>
    /// <param name="threshold">How many sheets are needed.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="proof">The administrator's own second factor.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The sheets, or <c>shares.numbers</c>, <c>factor.code</c>, <c>factor.too-many</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<ShareCeremony>> BeginShares(Actor admin, int threshold, int count, FactorProof proof, CancellationToken cancel)
    {
        const string Action = "MAKE_SHARES";
        await Ask(admin, Action, cancel);
        var refusal = threshold < LeastThreshold || count < threshold || count > MostHolders
            ? Numbers
            : await identity.Sessions.Change(
                async change =>
                {
                    var wrong = await identity.SecondFactor.Ask(change, admin, proof, FactorActs.Sheets, cancel);
                    change.Keep = wrong is null;
                    return wrong;
                },
                cancel);
        if (refusal is not null)
        {
            return await Refuse(admin, Action, refusal, cancel);
        }

        using var key = RecoveryKey.Generate();
        var made = new Recipient
        {
            Id = Ids.New(),
            Kind = RecoverySlot.SharesKindName,
            Public = key.PublicKey,
            Threshold = threshold,
            Count = count,
            Created = clock.GetUtcNow(),
        };
        var shares = RecoveryShare.Split(key.Private, made.Set, threshold, count);
        try
        {
            // Of paper nobody can say afterwards whether it was ever right.
            if (!Fits([.. shares.TakeLast(threshold)], made))
            {
                throw new CryptographicException("The shares of a new recovery key do not combine to it.");
            }

            ShareSheet[] sheets = [.. shares.Select(share => new ShareSheet(share.Number, share.Text()))];
            return await Alone<Result<ShareCeremony>>(
                async () =>
                {
                    var all = await Read(cancel);
                    var now = clock.GetUtcNow();
                    List<Recipient> after = [.. all.Select(one => one is { IsShares: true, Retired: null } && !one.Shown().InForce ? one.RetiredAt(now) : one), made];
                    await door.Record(admin, Rights.Administration, Act(Action, made, Numbered($"{threshold} of {count}")), cancel);
                    await Write(after, cancel);
                    questions = new Questions(made.Id, sheets, clock);
                    return new ShareCeremony(made.Shown(), sheets);
                },
                cancel);
        }
        finally
        {
            Forget(shares);
        }
    }

    /// <summary>Takes what the holders read back: one group of each sheet, in the order of <see cref="RecoveryState.Asked"/>.</summary>
    /// <returns>The set, or <c>shares.not-begun</c>, <c>shares.read-back</c> (names the sheets that were read wrong).</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<ShareSet>> ConfirmShares(Actor admin, IReadOnlyList<string> groups, CancellationToken cancel)
    {
        const string Action = "READ_BACK_SHARES";
        await Ask(admin, Action, cancel);
        return await Alone(
            async () =>
            {
                var all = await Read(cancel);
                if (questions is not { } open || all.Find(one => one.Id == open.Recipient && one.Retired is null) is not { } set || QuestionsOf(set.Id) is null)
                {
                    return await Refuse(admin, Action, NotBegun, cancel);
                }

                var wrong = open.Asked.Where((_, index) => index >= groups.Count || !RecoveryShare.SameGroup(open.Groups[index], groups[index])).Select(one => Numbered($"{one.Sheet}")).ToList();
                if (wrong.Count > 0)
                {
                    return await Refuse(
                        admin,
                        Action,
                        new Error("shares.read-back", $"What was read from {(wrong.Count == 1 ? "sheet" : "sheets")} {string.Join(", ", wrong)} is not what was printed. Look at the line and group that are asked for; if the paper is spoilt, make a new set."),
                        cancel);
                }

                var kept = await Keep(admin, Action, all, set with { ReadBack = clock.GetUtcNow() }, Numbered($"{set.Count} of {set.Count} sheets"), cancel);
                questions = null;
                return kept;
            },
            cancel);
    }

    /// <summary>
    /// The drill: sheets are typed whole, and must give the key of a set that lives. They are forgotten at once. All sheets of
    /// a new set, typed whole, are as good as read back.
    /// </summary>
    /// <param name="admin">Who holds the drill.</param>
    /// <param name="sheets">One text each; empty ones are left out.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The set, or <c>shares.mistyped</c>, <c>shares.version</c>, <c>shares.other-set</c>, <c>shares.doubled</c>,
    /// <c>shares.too-few</c>, <c>shares.wrong</c>.
    /// </returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<ShareSet>> VerifyShares(Actor admin, IReadOnlyList<string> sheets, CancellationToken cancel)
    {
        const string Action = "VERIFY_SHARES";
        await Ask(admin, Action, cancel);
        var read = ShareSheets.Read(sheets);
        if (read.Error is { } unread)
        {
            return await Refuse(admin, Action, unread, cancel);
        }

        try
        {
            return await Alone(
                async () =>
                {
                    var shares = read.Value;
                    var all = await Read(cancel);
                    if (all.Find(one => one is { IsShares: true, Retired: null } && one.Set == shares[0].Set) is not { } set)
                    {
                        return await Refuse(admin, Action, OtherSet(shares[0].Set, all), cancel);
                    }

                    if (RecoveryShare.Combine(shares) is { Error: { } together })
                    {
                        return await Refuse(admin, Action, together, cancel);
                    }

                    if (shares[0].Threshold != set.Threshold || shares[0].Count != set.Count || !Fits(shares, set))
                    {
                        return await Refuse(admin, Action, Wrong, cancel);
                    }

                    var now = clock.GetUtcNow();
                    var whole = shares.Count == set.Count;
                    var kept = await Keep(
                        admin,
                        Action,
                        all,
                        set with { Verified = now, ReadBack = set.ReadBack ?? (whole ? now : null) },
                        Numbered($"{shares.Count} of {set.Count} sheets"),
                        cancel);
                    if (kept is { Ok: true, Value.ReadBack: not null })
                    {
                        questions = null;
                    }

                    return kept;
                },
                cancel);
        }
        finally
        {
            Forget(read.Value);
        }
    }

    public void Dispose() => turn.Dispose();

    /// <summary>
    /// Makes the recipient that goes with the protector of the root key, where there is none for the one in force. Called
    /// whenever the secret is at hand: at an unsealing, and after the protector was changed. With a TPM or token it is opened
    /// by the passphrase chosen beside it, and where none was, by what opened it before.
    /// </summary>
    internal Task FollowProtector(RootProtector protector, RootSecret secret, CancellationToken cancel) => Alone(
        async () =>
        {
            var follows = SHA256.HashData(protector.Salt);
            var all = await Read(cancel);
            var hardware = protector.Kind is ProtectorKind.Tpm or ProtectorKind.Token;
            if (all.Exists(one => one is { IsShares: false, Retired: null } && one.Follows.AsSpan().SequenceEqual(follows))
                || (hardware && secret.ForBackups is null))
            {
                // A TPM or token goes with the machine: backups stay with the passphrase or key file that they open by.
                return false;
            }

            var opening = hardware ? new RootSecret { Passphrase = secret.ForBackups } : secret;

            using var key = RecoveryKey.Generate();
            var rounds = hardware || protector.Kind == ProtectorKind.Passphrase ? KeyDerivation.FewestIterations : 0;
            var salt = RandomNumberGenerator.GetBytes(SaltSize);
            var made = new Recipient
            {
                Id = Ids.New(),
                Kind = RecoverySlot.ProtectorKindName,
                Public = key.PublicKey,
                Salt = salt,
                Rounds = rounds,
                Follows = follows,
                Created = clock.GetUtcNow(),
            };
            using (var wrapping = WrappingKey(rounds > 0 ? opening : new RootSecret { KeyFile = secret.KeyFile ?? protector.KeyFile }, salt, rounds))
            {
                made = made with { WrappedPrivate = KeyWrap.WrapBound(wrapping, key.Private, WrapContext(made.Id, rounds)) };
            }

            var now = clock.GetUtcNow();
            await log.Note(
                Actor.Maker.System(SystemWork.Setup),
                Sessions.Act("MAKE_RECOVERY_KEY", "recovery-key", rounds > 0 ? "for the passphrase" : "for the key file"),
                cancel);
            await Write([.. all.Select(one => one is { IsShares: false, Retired: null } ? one.RetiredAt(now) : one), made], cancel);
            return true;
        },
        cancel);

    private static Request Act(string action, Recipient set, string? reason) => Sessions.Act(action, $"{Sheets}:{RecoveryShare.NameOf(set.Set)}", reason);

    private static string Numbered(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static Error OtherSet(long typed, List<Recipient> all)
    {
        var living = all.Where(one => one is { IsShares: true, Retired: null }).Select(one => RecoveryShare.NameOf(one.Set)).ToList();
        return new Error("shares.other-set", living.Count == 0
            ? $"The sheets are of set {RecoveryShare.NameOf(typed)}, and this hospital has none. Make a set."
            : $"The sheets are of set {RecoveryShare.NameOf(typed)}, which is not in use here. Take those of set {string.Join(" or ", living)}; keep old ones as long as there are backups of their time.");
    }

    private static bool Fits(IReadOnlyList<RecoveryShare> shares, Recipient set)
    {
        if (RecoveryShare.Combine(shares) is not { Ok: true } combined)
        {
            return false;
        }

        using var scalar = combined.Value;
        try
        {
            using var key = RecoveryKey.FromPrivate(scalar.Bytes);
            return key.PublicKey.AsSpan().SequenceEqual(set.Public);
        }
        catch (SealBroken)
        {
            return false;
        }
    }

    private static void Forget(IReadOnlyList<RecoveryShare> shares)
    {
        foreach (var share in shares)
        {
            share.Dispose();
        }
    }

    /// <summary>Writes the changed set with its entry. One that counts from now on takes the place of every other.</summary>
    private async Task<Result<ShareSet>> Keep(Actor admin, string action, List<Recipient> all, Recipient changed, string reason, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var begins = changed.Shown().InForce && !all.Single(one => one.Id == changed.Id).Shown().InForce;
        await door.Record(admin, Rights.Administration, Act(action, changed, begins ? $"{reason} -> in force" : reason), cancel);
        await Write(
            [.. all.Select(one => one.Id == changed.Id ? changed : begins && one is { IsShares: true, Retired: null } ? one.RetiredAt(now) : one)],
            cancel);
        return changed.Shown();
    }

    private Questions? QuestionsOf(Guid recipient) =>
        questions is { } open && open.Recipient == recipient && open.Made.Elapsed(clock) < ReadBackTime ? open : null;

    /// <summary>Says no, writes the refusal and throws, unless an administrator asks.</summary>
    private async Task Ask(Actor admin, string action, CancellationToken cancel)
    {
        if (!admin.May(Rights.Administration))
        {
            await door.Record(admin, Rights.Administration, Sessions.Act(action, Sheets, null), cancel);
        }
    }

    private async Task<Error> Refuse(Actor admin, string action, Error refusal, CancellationToken cancel)
    {
        await log.Refuse(admin, Sessions.Act(action, Sheets, null), refusal, cancel);
        return refusal;
    }

    private async Task<T> Alone<T>(Func<Task<T>> act, CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            return await act();
        }
        finally
        {
            turn.Release();
        }
    }

    private Task<List<Recipient>> Read(CancellationToken cancel) => Read(keys, cancel);

    private static async Task<List<Recipient>> Read(KeyRing keys, CancellationToken cancel) =>
        await keys.Secret(KeyPurpose.Ring, Stored, cancel) is { } stored
            ? JsonSerializer.Deserialize(stored, RecipientJson.Default.ListRecipient) ?? []
            : [];

    private Task Write(List<Recipient> all, CancellationToken cancel)
    {
        var earlier = all.Where(one => one.Retired is not null).OrderByDescending(one => one.Retired).Skip(MostEarlier).Select(one => one.Id).ToHashSet();
        List<Recipient> kept = [.. all.Where(one => !earlier.Contains(one.Id))];
        return keys.PutSecret(KeyPurpose.Ring, Stored, JsonSerializer.SerializeToUtf8Bytes(kept, RecipientJson.Default.ListRecipient), cancel);
    }

    /// <summary>
    /// What holders are asked to read back, and the answers: four letters of each sheet, in memory, until they were read.
    /// They are 20 bits of a share's 256, and none of the first line, which all sheets have nearly alike.
    /// </summary>
    private sealed class Questions
    {
        public Questions(Guid recipient, IReadOnlyList<ShareSheet> sheets, TimeProvider clock)
        {
            Recipient = recipient;
            Made = Since.Now(clock);
            Asked = [.. sheets.Select(sheet => new GroupAsked(sheet.Number, RandomNumberGenerator.GetInt32(2, RecoveryShare.Lines + 1), RandomNumberGenerator.GetInt32(1, RecoveryShare.Groups + 1)))];
            Groups = [.. sheets.Zip(Asked, (sheet, asked) => sheet.Lines[asked.Line - 1].Split(' ')[asked.Group - 1])];
        }

        public Guid Recipient { get; }

        public Since Made { get; }

        public IReadOnlyList<GroupAsked> Asked { get; }

        public IReadOnlyList<string> Groups { get; }
    }
}
