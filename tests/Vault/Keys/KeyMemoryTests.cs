using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Tests.Vault.Integrations;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Vault.Keys;

/// <summary>
/// The memory of this process, read as somebody with a dump of it would: a key is there while it is in use, and nowhere,
/// in no form, once the room is sealed (threats K10). Linux tells a process its own memory; elsewhere the zeroed arrays
/// of KeyTests are the proof.
/// </summary>
public sealed class KeyMemoryTests
{
    [Fact]
    public async Task Once_the_room_is_sealed_no_key_of_it_is_left_in_memory()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux shows a process its own memory as a file.");
        using var folder = new SqliteFolder();
        var secret = new RootSecret { KeyFile = Path.Combine(folder.Folder, "root.key"), AcceptSameVolume = true };
        (await RootProtector.Create(folder.Folder, secret, "Kivuko", default)).Dispose();
        var needles = await UseAndSeal(folder.Folder, secret);
        using (var file = File.OpenHandle(secret.KeyFile!))
        {
            var hex = new byte[64];
            var wide = new byte[128];
            RandomAccess.Read(file, hex, 0);
            for (var at = 0; at < hex.Length; at++)
            {
                wide[at * 2] = hex[at];
            }

            needles.Add(Masked.Take("the key file's text", hex));
            needles.Add(Masked.Take("the key file's text as a string", wide));
            CryptographicOperations.ZeroMemory(hex);
            CryptographicOperations.ZeroMemory(wide);
        }

        Assert.Equal([], Found(needles));
    }

    [Fact]
    public async Task Once_the_room_is_sealed_no_key_of_a_rotation_is_left_in_memory()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux shows a process its own memory as a file.");
        using var folder = new SqliteFolder();
        Assert.Equal([], Found(await RotateAndSeal(folder.Folder)));
    }

    /// <summary>Rotates every purpose key, the root and the keys of patients whose records are sealed anew, and stops.</summary>
    private static async Task<List<Masked>> RotateAndSeal(string folder)
    {
        var needles = new List<Masked>();
        var house = await IdentityHouse.Build(StorageOptions.Sqlite(folder));
        await using (house)
        {
            var shelf = new Shelf();
            house.Records = shelf;
            await house.Restart();
            var patients = Enumerable.Range(0, 3).Select(_ => PatientId.New()).ToArray();
            foreach (var patient in patients)
            {
                var row = new SealedRow { PatientId = patient };
                var write = new Request { Action = "TEST", Purpose = Purpose.Portability, Patients = [new PatientRef(patient, "P-1")], Writes = [SealedRow.Name], Creates = true };
                using var writing = await house.Door.Open(Actor.Maker.System(SystemWork.Sample), write, default);
                writing.Set(row, SealedRow.Name, "Amani Mushi");
                shelf.Add(row);
            }

            async Task Take(string when)
            {
                needles.AddRange(Enum.GetValues<KeyPurpose>().Select(purpose => Masked.Take($"{purpose} {when}", house.Ring.Newest(purpose).Key.Bytes)));
                foreach (var (patient, wrapped) in await house.Ring.Load(patients, remember: true, default))
                {
                    using var key = house.Ring.Unwrap(patient, wrapped);
                    needles.Add(Masked.Take($"patient {when}", key.Material.Bytes));
                }
            }

            await Take("before");
            foreach (var purpose in Enum.GetValues<KeyPurpose>())
            {
                (await house.Keys.Rotate(house.SetUp.Setup, KeyRing.Word(purpose), default)).ThrowIfRefused();
            }

            await house.Keys.RotatePatients(house.SetUp.Setup, default);
            while (!await house.Keys.Advance(default) || await house.Keys.PatientTurn(default) is not null)
            {
                // Goes on until nothing is left to move.
            }

            await Take("after");
            Assert.Contains("Data after", Found(needles));
        }

        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        return needles;
    }

    /// <summary>Opens the ring, seals with a patient's key, and shows that the scan finds what is in use.</summary>
    private static async Task<List<Masked>> UseAndSeal(string folder, RootSecret secret)
    {
        var store = new Store(StorageOptions.Sqlite(folder), "keys");
        var needles = new List<Masked>();
        using (var root = await RootProtector.Read(folder).Open(secret, default))
        {
            await KeyRing.Create(store, root, TimeProvider.System, default);
            using var ring = await KeyRing.Open(store, root, TimeProvider.System, default);
            needles.Add(Masked.Take("root", root.Bytes));
            needles.AddRange(Enum.GetValues<KeyPurpose>().Select(purpose => Masked.Take(purpose.ToString(), ring.Of(purpose).Bytes)));
            var patient = PatientId.New();
            await ring.CreateFor([patient], default);
            using (var key = ring.Unwrap(patient, (await ring.Load([patient], remember: true, default))[patient]))
            {
                needles.Add(Masked.Take("patient", key.Material.Bytes));
                var place = new CellAddress(Guid.Empty, "t", "c", Guid.Empty, patient.Value, 1);
                var envelope = Envelope.Seal("text"u8, key.Material, key.Id, key.Version, place, Padding.Padme);
                Assert.Equal("text"u8, Envelope.Open(envelope, key.Material, place));
            }

            Assert.Contains("root", Found(needles));
            Assert.Contains("Data", Found(needles));
            Assert.DoesNotContain("patient", Found(needles));
        }

        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        return needles;
    }

    private static SortedSet<string> Found(IReadOnlyList<Masked> needles)
    {
        const int Size = 1 << 20;
        var found = new SortedSet<string>(StringComparer.Ordinal);
        var buffer = GC.AllocateArray<byte>(Size + Masked.Length, pinned: true);
        var own = (long)Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0);
        var begins = new bool[ushort.MaxValue + 1];
        foreach (var needle in needles)
        {
            begins[needle.Beginning] = true;
        }

        using var memory = File.OpenHandle("/proc/self/mem");
        foreach (var line in File.ReadAllLines("/proc/self/maps").Where(line => line.Contains(" rw", StringComparison.Ordinal)))
        {
            var range = line.Split(' ')[0].Split('-');
            var end = long.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            for (var at = long.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture); at < end; at += Size)
            {
                var length = (int)Math.Min(buffer.Length, end - at);
                if (at < own + buffer.Length && at + length > own)
                {
                    // What the scan itself has just read is not the product's.
                    continue;
                }

                try
                {
                    var bytes = buffer.AsSpan(0, RandomAccess.Read(memory, buffer.AsSpan(0, length), at));
                    for (var start = 0; start + Masked.Length <= bytes.Length; start++)
                    {
                        if (begins[MemoryMarshal.Read<ushort>(bytes[start..])])
                        {
                            foreach (var needle in needles)
                            {
                                if (needle.Is(bytes.Slice(start, Masked.Length)))
                                {
                                    found.Add(needle.Name);
                                }
                            }
                        }
                    }
                }
                catch (IOException)
                {
                    // The region went while it was read.
                }
                finally
                {
                    Array.Clear(buffer);
                }
            }
        }

        return found;
    }

    /// <summary>What is looked for, kept under a mask so that the scan does not find the scan.</summary>
    private sealed class Masked
    {
        public const int Length = 32;

        private readonly byte[] masked = new byte[Length];
        private readonly byte[] mask = RandomNumberGenerator.GetBytes(Length);

        private Masked(string name, ReadOnlySpan<byte> plain)
        {
            Name = name;
            Beginning = MemoryMarshal.Read<ushort>(plain);
            for (var at = 0; at < Length; at++)
            {
                masked[at] = (byte)(plain[at] ^ mask[at]);
            }
        }

        public string Name { get; }

        public ushort Beginning { get; }

        public static Masked Take(string name, ReadOnlySpan<byte> plain) => new(name, plain);

        public bool Is(ReadOnlySpan<byte> bytes)
        {
            for (var at = 0; at < Length; at++)
            {
                if ((bytes[at] ^ mask[at]) != masked[at])
                {
                    return false;
                }
            }

            return true;
        }
    }
}
