using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Destruction;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Vault.Destruction;

/// <summary>
/// Somebody who kept every artefact there ever was and has the whole state of the server afterwards. Every key that is reached opens
/// whatever it opens in every artefact, over and over, until nothing new is reached (threat D1).
/// </summary>
internal sealed class Attacker : IDisposable
{
    private readonly Dictionary<KeyPurpose, List<KeyMaterial>> purposes = [];
    private readonly List<KeyMaterial> epochs = [];
    private readonly List<KeyPicture> pictures = [];
    private readonly List<string> bundles = [];
    private readonly HashSet<string> known = new(StringComparer.Ordinal);
    private readonly List<KeyMaterial> roots = [];

    /// <summary>Patients whose own key was reached.</summary>
    public HashSet<Guid> Patients { get; } = [];

    /// <summary>Bundles that opened.</summary>
    public HashSet<string> Opened { get; } = new(StringComparer.Ordinal);

    public void Takes(KeyPicture picture) => pictures.Add(picture);

    public void TakesBundle(string path) => bundles.Add(path);

    public void TakesRoot(KeyMaterial root) => Learn(roots, root);

    public void TakesMemory(KeyRing ring)
    {
        foreach (var purpose in Enum.GetValues<KeyPurpose>())
        {
            foreach (var key in ring.Versions(purpose))
            {
                Learn(Of(purpose), key.Key);
            }
        }
    }

    /// <summary>Opens what opens until nothing new does.</summary>
    public async Task Try()
    {
        for (var before = -1; before != known.Count;)
        {
            before = known.Count;
            foreach (var picture in pictures.ToList())
            {
                foreach (var (purpose, version, wrapped) in picture.Purposes)
                {
                    Open(roots, wrapped, System.Text.Encoding.UTF8.GetBytes($"purpose:{(int)purpose}:{version}"), key => Learn(Of(purpose), key));
                }

                foreach (var (id, wrapped) in picture.Epochs)
                {
                    Open(Of(KeyPurpose.Backup), wrapped, System.Text.Encoding.UTF8.GetBytes($"backup_epoch:{id:N}"), key => Learn(epochs, key));
                }
            }

            foreach (var bundle in bundles.Where(one => !Opened.Contains(one)).ToList())
            {
                foreach (var epoch in epochs.ToList())
                {
                    if (await Inside(bundle, epoch))
                    {
                        break;
                    }
                }
            }
        }

        foreach (var (patient, wrapped) in pictures.SelectMany(picture => picture.Patients))
        {
            Open(Of(KeyPurpose.Data), wrapped, [.. "patient:"u8, .. patient.ToByteArray(bigEndian: true)], _ => Patients.Add(patient));
        }
    }

    public void Dispose()
    {
        foreach (var key in purposes.Values.SelectMany(keys => keys).Concat(epochs).Concat(roots))
        {
            key.Dispose();
        }
    }

    private async Task<bool> Inside(string path, KeyMaterial epoch)
    {
        var place = Directory.CreateTempSubdirectory("mangrove-attacker-");
        try
        {
            using var bundle = OpenedBundle.Open(path, _ => KeyMaterial.From(epoch.Bytes));
            foreach (var (purpose, _, key) in bundle.Keys.Purposes)
            {
                Learn(Of(purpose), key);
            }

            pictures.Add(await KeyPicture.Of(bundle.Extract(place.FullName)));
            Opened.Add(path);
            return true;
        }
        catch (RefusedInput)
        {
            return false;
        }
        finally
        {
            place.Delete(recursive: true);
        }
    }

    private List<KeyMaterial> Of(KeyPurpose purpose) => purposes.TryGetValue(purpose, out var keys) ? keys : purposes[purpose] = [];

    private void Learn(List<KeyMaterial> among, KeyMaterial key)
    {
        if (known.Add($"{among.GetHashCode()}:{Convert.ToHexString(key.Bytes)}"))
        {
            among.Add(KeyMaterial.From(key.Bytes));
        }
    }

    private static void Open(List<KeyMaterial> with, byte[] wrapped, byte[] context, Action<KeyMaterial> reached)
    {
        foreach (var key in with.ToList())
        {
            try
            {
                using var inside = KeyWrap.UnwrapBound(key, wrapped, context);
                reached(inside);
                return;
            }
            catch (SealBroken)
            {
                // Not this one.
            }
        }
    }
}

/// <summary>What one copy of keys.db has.</summary>
internal sealed record KeyPicture(IReadOnlyList<(KeyPurpose Purpose, int Version, byte[] Wrapped)> Purposes, IReadOnlyList<(Guid Patient, byte[] Wrapped)> Patients, IReadOnlyList<(Guid Id, byte[] Wrapped)> Epochs)
{
    public static async Task<KeyPicture> Of(Store store)
    {
        await using var connection = await store.Open(default);
        return new KeyPicture(
            await connection.Query("SELECT purpose, version, wrapped FROM purpose_key", row => ((KeyPurpose)row.GetInt64(0), (int)row.GetInt64(1), row.Bytes(2)), default),
            await connection.Query("SELECT patient, wrapped FROM patient_key UNION ALL SELECT patient, wrapped FROM patient_key_before", row => (row.Guid(0), row.Bytes(1)), default),
            await connection.Query("SELECT id, wrapped FROM backup_epoch", row => (row.Guid(0), row.Bytes(1)), default));
    }

    /// <summary>Of the copies in a key bundle.</summary>
    public static async Task<KeyPicture> Of(IReadOnlyList<SnapshotPart> parts)
    {
        if (parts is [{ Name: "keys.db" } file])
        {
            var picture = await Of(new Store(StorageOptions.Sqlite(Path.GetDirectoryName(file.Path)!), "keys"));
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            return picture;
        }

        List<Dictionary<string, byte[]?>> Rows(string table)
        {
            var bytes = File.ReadAllBytes(parts.Single(part => part.Name == $"keys/{table}").Path);
            var line = Array.IndexOf(bytes, (byte)'\n');
            var columns = System.Text.Json.JsonSerializer.Deserialize<string[]>(bytes.AsSpan(0, line))!;
            return [.. CopiedRows.Read(bytes.AsSpan(line + 1)).Select(row => columns.Zip(row).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal))];
        }

        static Guid Id(byte[]? value) => new(value!, bigEndian: true);
        static int Number(byte[]? value) => (int)System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(value);
        return new KeyPicture(
            [.. Rows("purpose_key").Select(row => ((KeyPurpose)Number(row["purpose"]), Number(row["version"]), row["wrapped"]!))],
            [.. Rows("patient_key").Concat(Rows("patient_key_before")).Select(row => (Id(row["patient"]), row["wrapped"]!))],
            [.. Rows("backup_epoch").Select(row => (Id(row["id"]), row["wrapped"]!))]);
    }
}
