using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Tests.Cli;

/// <summary>The archive for an auditor: whole, signed by the log's key, with everything that the verb promises and nothing of a record.</summary>
public abstract class EvidenceTests(SampleHospital sample)
{
    [Fact]
    public async Task An_administrator_takes_a_signed_archive_and_nobody_else_does()
    {
        using var folder = new Folder();
        var path = folder["evidence.zip"];
        Assert.Equal((2, "access.role"), Came(await Do(folder, Role.Doctor, path)));
        Assert.False(File.Exists(path));
        var made = await Do(folder, Role.Admin, path);
        Assert.True(made.Exit == 0, made.Out + made.Error);
        Assert.Equal(path, made.Json.GetProperty("path").GetString());
        Assert.True(made.Json.GetProperty("seconds").GetDouble() > 0);
        Assert.Equal((2, "evidence.out-file"), Came(await Do(folder, Role.Admin, path)));
        Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!, "evidence*"));

        await using var file = File.OpenRead(path);
        await using var zip = new ZipArchive(file);
        var manifest = Bytes(zip, "manifest.json");
        using var key = ECDsa.Create();
        key.ImportFromPem(Encoding.UTF8.GetString(Bytes(zip, "log.pem")));
        Assert.True(key.VerifyData(manifest, Bytes(zip, "manifest.json.sig"), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        using var said = JsonDocument.Parse(manifest);
        var files = said.RootElement.GetProperty("files").EnumerateArray().ToDictionary(one => one.GetProperty("name").GetString()!, one => one.GetProperty("sha256").GetString());
        Assert.Equal(zip.Entries.Select(entry => entry.Name).Except(["manifest.json", "manifest.json.sig", "log.pem"]).Order(StringComparer.Ordinal), files.Keys.Order(StringComparer.Ordinal));
        Assert.All(files, one => Assert.Equal(one.Value, Convert.ToHexStringLower(SHA256.HashData(Bytes(zip, one.Key)))));
        manifest[^3] ^= 1;
        Assert.False(key.VerifyData(manifest, Bytes(zip, "manifest.json.sig"), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

        Assert.True(Json(zip, "log.json").GetProperty("ok").GetBoolean());
        Assert.Equal(7, Json(zip, "accounts.json").GetArrayLength());
        Assert.Equal(7, Json(zip, "keys.json").GetArrayLength());
        Assert.Equal("not-assessed", Json(zip, "vulnerabilities.json").GetProperty("state").GetString());
        Assert.Contains(Json(zip, "acts.json").EnumerateArray(), act => act.GetProperty("action").GetString() == "EXPORT_EVIDENCE");
        var bill = Json(zip, "components.cdx.json");
        Assert.Equal(("CycloneDX", "1.6"), (bill.GetProperty("bomFormat").GetString(), bill.GetProperty("specVersion").GetString()));
        var components = bill.GetProperty("components").EnumerateArray().ToList();
        Assert.Contains(components, one => one.GetProperty("purl").GetString()!.StartsWith("pkg:nuget/Microsoft.Data.Sqlite.Core@", StringComparison.Ordinal) && one.GetProperty("hashes")[0].GetProperty("content").GetString()!.Length == 128);
        Assert.Contains(components, one => one.GetProperty("purl").GetString()!.StartsWith("pkg:npm/htmx.org@", StringComparison.Ordinal));
        Assert.Equal(components.Count, components.Select(one => one.GetProperty("bom-ref").GetString()).Distinct(StringComparer.Ordinal).Count());
        Assert.All(files.Keys.Where(name => name != "index.html"), name => Assert.Contains($"href=\"{name}\"", Encoding.UTF8.GetString(Bytes(zip, "index.html")), StringComparison.Ordinal));
    }

    private static (int Exit, string? Code) Came(Ran ran) => (ran.Exit, ran.Code);

    private static JsonElement Json(ZipArchive zip, string name) => JsonDocument.Parse(Bytes(zip, name)).RootElement;

    private static byte[] Bytes(ZipArchive zip, string name)
    {
        using var from = zip.GetEntry(name)!.Open();
        using var to = new MemoryStream();
        from.CopyTo(to);
        return to.ToArray();
    }

    private Task<Ran> Do(Folder folder, Role role, string path)
    {
        var (user, password) = sample.Login(role);
        return Executable.Run(["evidence", "--out", path, "--data", sample.Data, "--as", user, "--password-file", folder.Secret(role.Slug(), password), "--json", .. sample.StorageArguments]);
    }
}

public sealed class EvidenceOnSqliteTests(SampleHospital sample) : EvidenceTests(sample), IClassFixture<SampleHospital>;

public sealed class EvidenceOnPostgresTests(SampleOnPostgres sample) : EvidenceTests(sample), IClassFixture<SampleOnPostgres>;
