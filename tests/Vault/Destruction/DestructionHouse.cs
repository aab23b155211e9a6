using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Destruction;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;

namespace Mangrove.Tests.Vault.Destruction;

/// <summary>Says what the test wants it to say.</summary>
internal sealed class Objection : IDestructionObjection
{
    /// <summary>Code of what stands against it; null for nothing.</summary>
    public string? Code { get; set; }

    public int Asked { get; private set; }

    public Task<IReadOnlyList<DestructionObstacle>> Against(IReadOnlyList<PatientRef> patients, CancellationToken cancel)
    {
        Asked++;
        return Task.FromResult<IReadOnlyList<DestructionObstacle>>(Code is null ? [] : [new DestructionObstacle(patients[0].Id, Code, "A hold is in force.")]);
    }
}

/// <summary>A house with twelve patients' keys, two administrators and backups' key bundles.</summary>
internal sealed class DestructionHouse : IAsyncDisposable
{
    private readonly StorageOptions storage;
    private readonly CheckpointSigner signer = CheckpointSigner.Generate();
    private readonly DirectoryInfo place = Directory.CreateTempSubdirectory("mangrove-destruction-");
    private readonly Guid facility = Ids.New();

    private DestructionHouse(StorageOptions storage, IdentityHouse house)
    {
        this.storage = storage;
        House = house;
    }

    public IdentityHouse House { get; }

    public DestructionDesk Desk { get; private set; } = null!;

    public Objection Objection { get; } = new();

    public IReadOnlyList<PatientRef> Patients { get; } = [.. Enumerable.Range(0, 12).Select(number => new PatientRef(PatientId.New(), Mrn.FromSequence(1_000_000 + number).ToString()))];

    public PatientRef Gone => Patients[3];

    public Actor One { get; private set; } = null!;

    public Actor Two { get; private set; } = null!;

    public byte[] PublicKey => signer.ExportPublicKey();

    public string Target => place.CreateSubdirectory("target").FullName;

    public string Scratch => place.CreateSubdirectory("scratch").FullName;

    public IReadOnlyList<string> Bundles => [.. Directory.EnumerateFiles(Target, "*.keys").Order(StringComparer.Ordinal)];

    private string Kept => place.CreateSubdirectory("kept").FullName;

    public IReadOnlyList<string> KeptBundles => [.. Directory.EnumerateFiles(Kept, "*.keys")];

    /// <summary>keys.db, on SQLite.</summary>
    public string KeyFile => Path.Combine(storage.Folder, "keys.db");

    public List<KeyPicture> Pictures { get; } = [];

    public static async Task<DestructionHouse> Build(StorageOptions storage, bool objection = true)
    {
        var house = await IdentityHouse.Build(storage);
        await BackupStore.Create(house.Store, house.KeyStore, default);
        await Mangrove.Vault.Watching.WatchStore.Create(house.Store, default);
        var made = new DestructionHouse(storage, house);
        made.Open(objection);
        await house.Ring.CreateFor([.. made.Patients.Select(patient => patient.Id)], default);
        await house.Member("one", Role.Admin);
        await house.Member("two", Role.Admin);
        made.One = (await house.Enter("one")).Actor;
        made.Two = (await house.Enter("two", "Ward-4-Tablet")).Actor;
        return made;
    }

    /// <summary>The desk of another start of the process.</summary>
    public void Open(bool objection = true)
    {
        var rotations = House.Rotations;
        var keys = new BackupKeys(House.KeyStore, House.Ring, House.Clock);
        foreach (var kind in keys.Kinds())
        {
            rotations.Register(kind);
        }

        Desk = new DestructionDesk(storage, House.Store, House.Ring, rotations, House.Desk, House.Door, new Receipt.Log(House.Audit, new Standings()), House.Audit, signer, new PatientIndex(), facility, IdentityHouse.Hospital, House.Clock);
        if (objection)
        {
            Desk.Ask(Objection);
        }
    }

    public FactorProof Proof(string user)
    {
        House.Clock.Pass(TimeSpan.FromSeconds(Totp.StepSeconds));
        return new FactorProof(House.Code(user));
    }

    public Task<Result<DestructionOrder>> Propose(params PatientRef[] patients) =>
        Desk.Propose(One, patients.Length == 0 ? [Gone] : patients, DestructionReason.RetentionOver, "Kept for eleven years, last contact long ago.", Proof("one"), default);

    public async Task<Guid> Approved()
    {
        var order = (await Propose()).Value;
        return (await Desk.Approve(Two, order.Id, Proof("two"), default)).Value.Id;
    }

    /// <summary>Writes a key bundle as a backup does; the attacker keeps it, and a picture of keys.db.</summary>
    public async Task Backup()
    {
        var number = Bundles.Count + 1;
        var name = $"{number:000000}.keys";
        var crypt = new BackupCrypt(storage, House.Ring, new BackupKeys(House.KeyStore, House.Ring, House.Clock), facility, IdentityHouse.Hospital, House.Clock);
        var copies = place.CreateSubdirectory($"copies-{Pictures.Count}-{number}").FullName;
        using (var maker = await crypt.Seal(copies, default))
        await using (var file = File.Create(Path.Combine(Target, name)))
        {
            maker.WriteKeys(file, []);
        }

        Directory.Delete(copies, recursive: true);
        File.Copy(Path.Combine(Target, name), Path.Combine(Kept, $"{Pictures.Count}-{name}"));
        await Photograph();
    }

    public async Task Photograph() => Pictures.Add(await KeyPicture.Of(House.KeyStore));

    /// <summary>Does the steps as what carries an order out does them.</summary>
    /// <param name="id">The order.</param>
    /// <param name="between">After each step.</param>
    /// <param name="outstanding">Targets that are not there.</param>
    public async Task<Result<DestructionOrder>> Carry(Guid id, Func<string, Task>? between = null, params string[] outstanding)
    {
        var begun = await Desk.DestroyKeys(id, default);
        if (!begun.Ok)
        {
            return begun;
        }

        await (between?.Invoke("keys") ?? Task.CompletedTask);
        _ = (await Desk.EraseRows(id, (_, _) => Task.FromResult<IReadOnlyDictionary<string, long>>(new Dictionary<string, long> { ["clinic.patient"] = 1 }), default)).Value;
        await (between?.Invoke("rows") ?? Task.CompletedTask);
        var order = await Desk.TryBundlesAgain(id, default);
        if (order.Step < DestructionStep.BundlesRewritten)
        {
            if (outstanding.Length == 0)
            {
                await Desk.RewriteBundles(id, Target, Bundles, Scratch, default);
                await (between?.Invoke("bundles") ?? Task.CompletedTask);
            }

            await Desk.FinishBundles(id, outstanding, [], default);
        }

        await (between?.Invoke("epochs") ?? Task.CompletedTask);
        _ = (await Desk.RotateKeys(id, default)).Value;
        await (between?.Invoke("rotated") ?? Task.CompletedTask);
        await Desk.RootSettled(id, false, default);
        await Desk.Purge(id, default);
        await (between?.Invoke("purged") ?? Task.CompletedTask);
        var verified = await Desk.Verify(id, (_, _) => Task.FromResult(0L), outstanding.Length == 0 ? Bundles : [], Scratch, default);
        if (!verified.Ok)
        {
            return verified;
        }

        await (between?.Invoke("verified") ?? Task.CompletedTask);
        return await Desk.Certify(id, default);
    }

    public async ValueTask DisposeAsync()
    {
        signer.Dispose();
        await House.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        place.Delete(recursive: true);
    }
}
