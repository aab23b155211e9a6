using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Portability.Exchange;
using Mangrove.Tests.Clinic;
using Mangrove.Tests.Shared;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Portability.Exchange;

/// <summary>
/// The histories of 97 people that nobody here wrote, in, again, out and in elsewhere. On SQLite all 98 bundles, on
/// PostgreSQL the sixteen smallest; with MANGROVE_FULL=1 all on both.
/// </summary>
public class SyntheaRoundTripTests
{
    private const string Archive = "data/fhir-synthea/smart-synthea-r4-100.tar.gz";
    private const int Share = 16;

    // They say how far the log and the running numbers are, not what is in the record.
    private static readonly string[] NotRecords = ["log_anchor"];

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task The_real_archive_is_taken_whole_once_and_comes_out_and_in_again_as_it_was(StorageKind kind)
    {
        using var scratch = new Scratch();
        var whole = kind == StorageKind.Sqlite || SharedData.Full;
        var path = whole ? SharedData.Require(Archive) : Some(SharedData.Require(Archive), scratch.File("bundles"));
        await using var first = await TestHospital.New(kind);

        var taken = await Import(first, path);
        Assert.Empty(taken.Rejected);
        Assert.Equal(whole ? 98 : Share, taken.Files);
        Assert.Equal(taken.Resources.Values.Sum(), taken.Stored.Values.Sum() + taken.Kept.Values.Sum());
        Assert.Equal(0, taken.Unchanged.Count(type => type.Key is not ("Organization" or "Practitioner")));
        if (whole)
        {
            Assert.Equal(31_210, taken.Resources.Values.Sum());
            Assert.Equal(97, taken.Stored["Patient"]);
            Assert.Equal(13_736, taken.Stored["Observation"]);
        }

        var before = await Tables(first);
        var again = await Import(first, path);
        Assert.Empty(again.Rejected);
        Assert.Equal(taken.Resources, again.Unchanged);
        Assert.Equal(taken.Stored, again.Stored);
        Assert.Equal(taken.Kept, again.Kept);
        Assert.Equal(before, await Tables(first));

        var came = Read(path);
        var folder = scratch.File("export");
        var report = await Export(first, folder);
        Assert.Equal(came.Count, report.Resources.Values.Sum());
        Assert.Equal(came, Read(folder));

        await using var second = await TestHospital.New(kind);
        var moved = await Import(second, folder);
        Assert.Empty(moved.Rejected);
        Assert.Equal(came.Count, moved.Stored.Values.Sum() + moved.Kept.Values.Sum());
        await Export(second, scratch.File("second"));
        Assert.Equal(came, Read(scratch.File("second")));
        Assert.Equal(await Links(first), await Links(second));
        TestContext.Current.SendDiagnosticMessage($"{kind}: {taken.Resources.Values.Sum()} in {taken.Seconds:0.0} s, again {again.Seconds:0.0} s, out {report.Seconds:0.0} s, moved {moved.Seconds:0.0} s");
    }

    [Fact]
    public async Task What_the_archive_became_leaves_as_valid_R4()
    {
        using var scratch = new Scratch();
        var archive = SharedData.Require(Archive);
        await using var hospital = await TestHospital.New(StorageKind.Sqlite);
        Assert.Empty((await Import(hospital, SharedData.Full ? archive : Some(archive, scratch.File("bundles")))).Rejected);
        var report = await Export(hospital, scratch.File("export"));
        var lines = scratch.File("all.ndjson");
        await using (var all = File.Create(lines))
        {
            foreach (var file in Directory.GetFiles(scratch.File("export"), "*.ndjson"))
            {
                await using var part = File.OpenRead(file);
                await part.CopyToAsync(all, TestContext.Current.CancellationToken);
            }
        }

        var verdict = FhirCheck.Validate(lines);
        Assert.Equal(report.Resources.Values.Sum(), verdict.Resources);
        Assert.Empty(verdict.Problems);
    }

    private static async Task<ImportReport> Import(TestHospital hospital, string path) =>
        await new FhirImport(hospital.Clinics, hospital.Door, hospital.Vault.Fingerprints, hospital.Events, hospital.Clock)
            .Run([path], dryRun: false, await hospital.As(Role.Admin), null, TestContext.Current.CancellationToken);

    private static async Task<ExportReport> Export(TestHospital hospital, string folder) =>
        await new FhirExport(hospital.Clinics, hospital.Door, hospital.Vault.Facility).Run(folder, null, await hospital.As(Role.Admin), null, TestContext.Current.CancellationToken);

    /// <summary>The smallest bundles and the one of the practitioners, unpacked into a folder.</summary>
    private static string Some(string archive, string folder)
    {
        Directory.CreateDirectory(folder);
        using (var packed = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress))
        using (var tar = new TarReader(packed))
        {
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                {
                    entry.ExtractToFile(Path.Combine(folder, Path.GetFileName(entry.Name)), overwrite: false);
                }
            }
        }

        foreach (var larger in new DirectoryInfo(folder).GetFiles().OrderBy(file => file.Length).Skip(Share))
        {
            larger.Delete();
        }

        return folder;
    }

    /// <summary>Every different resource, as its type, its id and a hash over its content whatever the order of its keys.</summary>
    private static SortedSet<string> Read(string path)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        using var read = new Reading(path);
        Assert.Empty(read.Rejections);
        foreach (var resource in read.Resources)
        {
            var text = new StringBuilder();
            Write(resource.Json, text);
            found.Add($"{resource.Type}/{resource.Id} {Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))}");
        }

        return found;
    }

    private static void Write(JsonElement value, StringBuilder text)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                foreach (var property in value.EnumerateObject().OrderBy(property => property.Name, StringComparer.Ordinal))
                {
                    text.Append(JsonSerializer.Serialize(property.Name)).Append(':');
                    Write(property.Value, text);
                    text.Append(',');
                }

                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (var item in value.EnumerateArray())
                {
                    Write(item, text);
                    text.Append(',');
                }

                text.Append(']');
                break;
            case JsonValueKind.String:
                text.Append(JsonSerializer.Serialize(value.GetString()));
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    /// <summary>Every table with the number of its rows and a hash over what they hold, as it lies in the database.</summary>
    private static async Task<SortedDictionary<string, string>> Tables(TestHospital hospital)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await using var clinic = hospital.Clinic();
        await clinic.Database.OpenConnectionAsync();
        foreach (var entity in clinic.Model.GetEntityTypes().Where(entity => !NotRecords.Contains(entity.GetTableName(), StringComparer.Ordinal)))
        {
            await using var command = clinic.Database.GetDbConnection().CreateCommand();
            command.CommandText = $"SELECT * FROM {(entity.GetSchema() is { } schema ? $"\"{schema}\"." : "")}\"{entity.GetTableName()}\"";
            await using var rows = await command.ExecuteReaderAsync();
            var hashes = new List<string>();
            while (await rows.ReadAsync())
            {
                var cells = Enumerable.Range(0, rows.FieldCount).Select(i => rows.GetValue(i) is byte[] bytes ? Convert.ToHexString(bytes) : Convert.ToString(rows.GetValue(i), System.Globalization.CultureInfo.InvariantCulture));
                hashes.Add(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('|', cells)))));
            }

            hashes.Sort(StringComparer.Ordinal);
            found.Add(entity.GetTableName()!, $"{hashes.Count} {Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(hashes))))}");
        }

        return found;
    }

    /// <summary>How many rows there are of each kind, and how many of them know their visit.</summary>
    private static async Task<Dictionary<string, int>> Links(TestHospital hospital)
    {
        await using var clinic = hospital.Clinic();
        return new Dictionary<string, int>(StringComparer.Ordinal)
        {
            ["patients"] = await clinic.Patients.CountAsync(),
            ["visits"] = await clinic.Visits.CountAsync(),
            ["problems of a visit"] = await clinic.Problems.CountAsync(row => row.VisitId != null),
            ["problems"] = await clinic.Problems.CountAsync(),
            ["observations of a visit"] = await clinic.Observations.CountAsync(row => row.VisitId != null),
            ["observations"] = await clinic.Observations.CountAsync(),
            ["allergies"] = await clinic.Allergies.CountAsync(),
            ["prescriptions of a visit"] = await clinic.Prescriptions.CountAsync(row => row.VisitId != null),
            ["procedures of a visit"] = await clinic.Procedures.CountAsync(row => row.VisitId != null),
            ["immunizations of a visit"] = await clinic.Immunizations.CountAsync(row => row.VisitId != null),
            ["reports of a visit"] = await clinic.Reports.CountAsync(row => row.VisitId != null),
            ["kept of the house"] = await clinic.FhirRecords.CountAsync(row => row.PatientId == Mangrove.Clinic.Records.FhirRecord.Facility),
            ["kept"] = await clinic.FhirRecords.CountAsync(),
        };
    }
}
