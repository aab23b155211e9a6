using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Mangrove.Cli;
using Mangrove.Vault;
using Mangrove.Vault.Keys;
using Microsoft.Data.Sqlite;

namespace Mangrove.Tests.Cli.Upgrades;

/// <summary>A hospital as an earlier version made it: a fixture, unpacked (README.md beside this file).</summary>
internal sealed class OldHospital : IDisposable
{
    private readonly Folder folder = new();

    public OldHospital(string fixture)
    {
        Unpack(fixture, folder.Data);
        Original = folder["original"];
        Unpack(fixture, Original);
    }

    /// <summary>Every fixture's name, oldest first.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Directory.EnumerateFiles(Place, "*.tar.gz").Select(path => Path.GetFileName(path)[..^".tar.gz".Length]).Order(StringComparer.Ordinal)];

    public static string Place => Path.Combine(AppContext.BaseDirectory, "Upgrades", "fixtures");

    public string Data => folder.Data;

    /// <summary>The same once more, which nobody touches.</summary>
    public string Original { get; }

    public StorageOptions Storage => StorageOptions.Sqlite(Data);

    public string Key => Path.Combine(Data, "demo.key");

    public string this[string name] => folder[name];

    public static RootSecret SecretOf(string data) => new() { KeyFile = Path.Combine(data, "demo.key") };

    public RootSecret Secret => SecretOf(Data);

    public Task<Ran> Run(params string[] arguments) => Executable.Run([.. arguments, "--data", Data, "--key-file", Key, "--json"]);

    /// <summary>The administrator of the sample and a file with the password.</summary>
    public (string User, string PasswordFile) Administrator()
    {
        using var accounts = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Data, "demo-accounts.json")));
        var one = accounts.RootElement.EnumerateArray().Single(account => account.GetProperty("role").GetString() == "admin");
        return (one.GetProperty("user").GetString()!, folder.Secret("password", one.GetProperty("password").GetString()!));
    }

    /// <summary>Fails unless the databases of a folder are, to the byte, those of the fixture.</summary>
    public void IsAsBefore(string data)
    {
        foreach (var name in (string[])["root.json", "clinic.db", "vault.db", "keys.db", "audit.db"])
        {
            Assert.True(
                File.ReadAllBytes(Path.Combine(Original, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(data, name))),
                $"{name} is not what it was.");
            Assert.False(new FileInfo(Path.Combine(data, name + "-wal")) is { Exists: true, Length: > 0 }, $"Something was written to {name}.");
        }
    }

    /// <summary>Fails unless a folder holds the hospital upgraded and whole, with so many entries that say so.</summary>
    public static async Task IsUpgraded(string data, int undone = 0)
    {
        var storage = StorageOptions.Sqlite(data);
        Assert.All((await SchemaStamp.Read(storage, default)).Values, stamp => Assert.Equal(SchemaStamp.Newest, stamp));
        await using (var hospital = await Hospital.Open(storage, SecretOf(data), TimeProvider.System, default))
        {
            await hospital.Indexing;
            Assert.Equal(3, hospital.Vault.IndexedPatients);
            Assert.True((await hospital.Vault.Review.Verify(null, default)).Ok);
        }

        Assert.Equal((1, undone), (Entries(data, "UPGRADE"), Entries(data, "UPGRADE_FAILED")));
    }

    /// <summary>How often an act stands in the log.</summary>
    public static int Entries(string data, string action)
    {
        using var log = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(data, "audit.db"), Pooling = false }.ToString());
        log.Open();
        using var count = log.CreateCommand();
        count.CommandText = "SELECT COUNT(*) FROM entry WHERE action = $action";
        count.Parameters.AddWithValue("$action", action);
        return Convert.ToInt32(count.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Copies everything in a folder as it is on the disk now: what a power cut would leave.</summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from).Where(file => Path.GetFileName(file) != "lock"))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var inner in Directory.EnumerateDirectories(from))
        {
            Copy(inner, Path.Combine(to, Path.GetFileName(inner)));
        }
    }

    public void Dispose() => folder.Dispose();

    private static void Unpack(string fixture, string to)
    {
        Directory.CreateDirectory(to);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        using var packed = new GZipStream(File.OpenRead(Path.Combine(Place, fixture + ".tar.gz")), CompressionMode.Decompress);
        TarFile.ExtractToDirectory(packed, to, overwriteFiles: false);
    }
}
