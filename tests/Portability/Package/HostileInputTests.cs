using System.Buffers.Binary;
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Mangrove.Portability.Package;

namespace Mangrove.Tests.Portability.Package;

/// <summary>Each attack of the threat table (P3, P6, B4, B5) is refused with its code, in bounded memory, and harms nothing beside it.</summary>
public sealed class HostileInputTests
{
    private const string Good = """{"resourceType":"Patient","id":"good"}""";

    private static readonly int[] CutAt = [1, 10, 100, 511, 512, 513, 700];

    [Theory]
    [InlineData("", "import.empty")]
    [InlineData("this is not json", "import.not-json")]
    [InlineData("{\"resourceType\":\"Patient\"", "import.not-json")]
    [InlineData("{\"resourceType\":\"Patient\"}{}", "import.not-json")]
    [InlineData("{\"resourceType\":\"Patient\",}", "import.not-json")]
    [InlineData("{/*x*/\"resourceType\":\"Patient\"}", "import.not-json")]
    [InlineData("{\"resourceType\":\"Patient\",\"id\":\"a\",\"id\":\"b\"}", "import.duplicate-key")]
    [InlineData("{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"a\",\"f\\u0061mily\":\"b\"}]}", "import.duplicate-key")]
    [InlineData("[]", "fhir.wrong-type")]
    [InlineData("null", "fhir.wrong-type")]
    [InlineData("{}", "fhir.missing-element")]
    [InlineData("{\"resourceType\":5}", "fhir.missing-element")]
    [InlineData("{\"resourceType\":\"Invented\"}", "fhir.unknown-type")]
    [InlineData("{\"resourceType\":\"Patient\",\"role\":\"admin\"}", "fhir.unknown-element")]
    [InlineData("{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"\\ud800\"}]}", "fhir.bad-text")]
    [InlineData("{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"a\\u0000b\"}]}", "fhir.bad-text")]
    [InlineData("{\"resourceType\":\"Patient\",\"\\ud800\":1}", "import.not-json")]
    [InlineData("{\"resourceType\":\"Patient\",\"name\":[]}", "fhir.empty")]
    [InlineData("{\"resourceType\":\"Patient\",\"name\":[null]}", "fhir.empty")]
    [InlineData("{\"resourceType\":\"Patient\",\"name\":null}", "fhir.wrong-type")]
    [InlineData("{\"resourceType\":\"Patient\",\"name\":{}}", "fhir.wrong-type")]
    [InlineData("{\"resourceType\":\"Patient\",\"birthDate\":\"2023-02-29\"}", "fhir.bad-format")]
    [InlineData("{\"resourceType\":\"Patient\",\"id\":\"a/b\"}", "fhir.bad-format")]
    [InlineData("{\"resourceType\":\"Patient\",\"deceasedBoolean\":true,\"deceasedDateTime\":\"2020\"}", "fhir.two-values")]
    [InlineData("{\"resourceType\":\"Patient\",\"deceasedBoolean\":\"true\"}", "fhir.wrong-type")]
    [InlineData("{\"resourceType\":\"Patient\",\"multipleBirthInteger\":1.5}", "fhir.bad-format")]
    [InlineData("{\"resourceType\":\"Patient\",\"text\":{\"status\":\"generated\",\"div\":\"<!DOCTYPE x [<!ENTITY a 'b'>]><div>&a;</div>\"}}", "fhir.bad-narrative")]
    [InlineData("{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"},\"valueString\":\"a\",\"valueBoolean\":true}", "fhir.two-values")]
    [InlineData("{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"},\"valueString\":\"a\",\"dataAbsentReason\":{\"text\":\"x\"}}", "fhir.obs-6")]
    [InlineData("{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"s\",\"code\":\"c\"}]},\"valueString\":\"a\",\"component\":[{\"code\":{\"coding\":[{\"system\":\"s\",\"code\":\"c\"}]}}]}", "fhir.obs-7")]
    [InlineData("{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"},\"referenceRange\":[{\"type\":{\"text\":\"x\"}}]}", "fhir.obs-3")]
    [InlineData("{\"resourceType\":\"AllergyIntolerance\",\"patient\":{\"reference\":\"Patient/1\"}}", "fhir.ait-1")]
    [InlineData("{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"},\"contained\":[{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"},\"contained\":[]}]}", "fhir.dom-2")]
    [InlineData("{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"DELETE\",\"url\":\"Patient/1\"}}]}", "fhir.delete-refused")]
    [InlineData("{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"POST\",\"url\":\"Observation\"}}]}", "fhir.request-mismatch")]
    [InlineData("{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"a\"},\"request\":{\"method\":\"PUT\",\"url\":\"Patient/b\"}}]}", "fhir.request-mismatch")]
    [InlineData("{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\"}}]}", "fhir.no-request")]
    [InlineData("{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"_method\":{\"id\":\"x\"},\"_url\":{\"id\":\"x\"}}}]}", "fhir.request-without-data")]
    [InlineData("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":{}}", "fhir.wrong-type")]
    [InlineData("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[5]}", "fhir.wrong-type")]
    [InlineData("{\"resourceType\":\"Bundle\",\"type\":\"heap\"}", "fhir.unknown-code")]
    [InlineData("{\"resourceType\":\"Bundle\"}", "fhir.missing-element")]
    [InlineData("{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[{\"fullUrl\":\"urn:a\",\"resource\":{\"resourceType\":\"Patient\"}},{\"fullUrl\":\"urn:a\",\"resource\":{\"resourceType\":\"Patient\"}}]}", "fhir.ambiguous-history")]
    public void A_text_that_is_not_a_resource_of_R4_is_refused_with_its_code(string text, string code)
    {
        using var read = Reading.Of(text);
        Assert.Empty(read.Resources);
        Assert.Equal(code, read.Code);
    }

    [Fact]
    public void Text_that_is_not_utf8_is_refused()
    {
        using var scratch = new Scratch();
        using var read = new Reading(scratch.Write("a.json", [.. "{\"resourceType\":\"Patient\",\"id\":\""u8, 0xC3, 0x28, .. "\"}"u8]));
        Assert.Equal("import.not-utf8", read.Code);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(5_000_000)]
    public void Deep_nesting_is_refused_as_such(int depth)
    {
        using var read = Reading.Of("{\"resourceType\":\"Patient\",\"extension\":" + new string('[', depth));
        Assert.Equal("import.too-deep", read.Code);
    }

    [Fact]
    public void A_bundle_of_one_entry_too_many_is_refused_and_one_of_just_enough_is_read()
    {
        static string Bundle(int entries) => "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
            + string.Join(',', Enumerable.Repeat("{\"resource\":{\"resourceType\":\"Patient\"}}", entries)) + "]}";

        using var most = Reading.Of(Bundle(10_000));
        using var more = Reading.Of(Bundle(10_001));
        Assert.Equal(10_000, most.Resources.Count);
        Assert.Equal("import.too-many", more.Code);
    }

    [Fact]
    public void A_huge_attachment_is_refused_by_its_size_or_the_size_of_the_file()
    {
        static string Binary(int bytes) => "{\"resourceType\":\"Binary\",\"contentType\":\"text/plain\",\"data\":\"" + new string('A', bytes) + "\"}";

        using var value = Reading.Of(Binary((16 << 20) + 4));
        using var file = Reading.Of(Binary(31 << 20));
        using var line = Reading.Of(Binary(31 << 20) + "\n" + Good, "lines.ndjson");
        Assert.Equal("import.value-too-large", value.Code);
        Assert.Equal("import.too-large", file.Code);
        Assert.Equal("import.too-large", line.Code);
        Assert.Equal("good", Assert.Single(line.Resources).Id);
    }

    [Fact]
    public void A_bad_line_does_not_hold_up_the_good_lines_around_it()
    {
        using var read = Reading.Of(Good + "\n\nnot json\r\n" + Good + "\r\n" + Good, "lines.ndjson");
        Assert.Equal([1, 4, 5], read.Resources.Select(static r => r.Entry));
        Assert.Equal(("import.not-json", 3), (read.Code, read.Rejections[0].Entry));
    }

    [Theory]
    [InlineData(".tar.gz")]
    [InlineData(".zip")]
    public void Gigabytes_of_zeros_are_refused_at_once_and_in_little_memory(string kind)
    {
        using var scratch = new Scratch();
        var path = scratch.File("bomb" + kind);
        const long size = 10L << 30;
        WriteZeros(path, kind, size);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var watch = Stopwatch.StartNew();
        using var read = new Reading(new InputLimits { EntryBytes = 8 << 20 }, path);
        Assert.Equal("import.bomb", read.Code);
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < 64 << 20);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), "The bomb was read to its end.");
    }

    [Fact]
    public void A_bomb_that_is_skipped_is_counted_too()
    {
        using var scratch = new Scratch();
        var path = scratch.File("skipped.tgz");
        using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            Header(gzip, "readme.txt", 256L << 20, '0');
            Zeros(gzip, 256L << 20);
            Header(gzip, "a.json", Good.Length, '0');
            Padded(gzip, Encoding.UTF8.GetBytes(Good));
        }

        using var read = new Reading(path);
        Assert.Equal(["import.unsupported-file", "import.bomb"], read.Rejections.Select(static r => r.Code));
        Assert.Empty(read.Resources);
    }

    [Fact]
    public void Archives_in_archives_are_not_opened()
    {
        using var scratch = new Scratch();
        var path = scratch.File("nested.zip");
        using (var zip = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            foreach (var name in new[] { "a.zip", "b.tar.gz", "c.json.gz", "d.tgz" })
            {
                zip.CreateEntry(name).Open().Dispose();
            }

            // Named as JSON, packed all the same.
            using var disguised = new GZipStream(zip.CreateEntry("e.json").Open(), CompressionLevel.Fastest);
            disguised.Write(Encoding.UTF8.GetBytes(Good));
        }

        using var read = new Reading(path);
        Assert.Equal(
            ["import.nested-archive", "import.nested-archive", "import.nested-archive", "import.nested-archive", "import.not-utf8"],
            read.Rejections.Select(static r => r.Code));
    }

    [Theory]
    [InlineData("../a.json")]
    [InlineData("x/../../a.json")]
    [InlineData("/etc/a.json")]
    [InlineData("\\a.json")]
    [InlineData("x\\..\\a.json")]
    [InlineData("C:a.json")]
    [InlineData("NUL.json")]
    [InlineData("x/com1.json")]
    [InlineData("x/.. /a.json")]
    [InlineData("a\u001b[31m.json")]
    public void A_name_that_leads_away_is_refused_in_tar_and_zip_and_nothing_is_written(string name)
    {
        using var scratch = new Scratch();
        var tar = scratch.File("a.tar");
        using (var file = File.Create(tar))
        {
            Header(file, name, Good.Length, '0');
            Padded(file, Encoding.UTF8.GetBytes(Good));
            Header(file, "good.json", Good.Length, '0');
            Padded(file, Encoding.UTF8.GetBytes(Good));
        }

        var zip = scratch.File("a.zip");
        using (var archive = ZipFile.Open(zip, ZipArchiveMode.Create))
        {
            using var entry = archive.CreateEntry(name).Open();
            entry.Write(Encoding.UTF8.GetBytes(Good));
        }

        using var read = new Reading(tar, zip);
        Assert.Equal(["import.unsafe-name", "import.unsafe-name"], read.Rejections.Select(static r => r.Code));
        Assert.Equal("good", Assert.Single(read.Resources).Id);
        Assert.Equal(2, Directory.GetFileSystemEntries(scratch.Folder).Length);
        Assert.All(read.Rejections, static r => Assert.DoesNotContain("\u001b", r.File + r.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Links_and_devices_are_not_followed_in_archives_or_folders()
    {
        using var scratch = new Scratch();
        var tar = scratch.File("links.tar");
        using (var writer = new TarWriter(File.Create(tar)))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "a.json") { LinkName = "/etc/passwd" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "b.json") { LinkName = "a.json" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.CharacterDevice, "c.json"));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Fifo, "d.json"));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, new string('n', 180) + ".json") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(Good)) });
        }

        var zip = scratch.File("links.zip");
        using (var archive = ZipFile.Open(zip, ZipArchiveMode.Create))
        {
            var entry = archive.CreateEntry("a.json");
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
            using var body = entry.Open();
            body.Write("/etc/passwd"u8);
        }

        var outside = scratch.Write("outside/secret.json", Good);
        Directory.CreateDirectory(scratch.File("folder"));
        File.CreateSymbolicLink(scratch.File("folder/link.json"), outside);
        Directory.CreateSymbolicLink(scratch.File("folder/more"), scratch.File("outside"));
        using var read = new Reading(tar, zip, scratch.File("folder"), "/dev/zero", "/dev/null", scratch.File("absent.json"));
        Assert.Equal(
            [
                .. Enumerable.Repeat("import.not-a-file", 7), "import.empty", "import.empty", "import.not-found",
            ],
            read.Rejections.Select(static r => r.Code));
        Assert.Equal("good", Assert.Single(read.Resources).Id);
    }

    [Fact]
    public void An_archive_header_that_declares_gigabytes_costs_nothing()
    {
        using var scratch = new Scratch();
        foreach (var type in "xgLK")
        {
            var path = scratch.File($"{type}.tar");
            using (var file = File.Create(path))
            {
                Header(file, "x", 2_000_000_000, type);
            }

            var before = GC.GetTotalAllocatedBytes(precise: true);
            using var read = new Reading(path);
            Assert.Equal("import.bad-archive", read.Code);
            Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < 8 << 20);
        }
    }

    [Fact]
    public void A_cut_archive_is_refused_and_what_came_before_the_cut_is_read()
    {
        using var scratch = new Scratch();
        var whole = scratch.File("whole.tar");
        using (var file = File.Create(whole))
        {
            Header(file, "a.json", Good.Length, '0');
            Padded(file, Encoding.UTF8.GetBytes(Good));
            Header(file, "b.json", Good.Length, '0');
            Padded(file, Encoding.UTF8.GetBytes(Good));
        }

        var bytes = File.ReadAllBytes(whole);
        foreach (var cut in CutAt)
        {
            using var read = new Reading(scratch.Write($"{cut}.tar", bytes[..^cut]), scratch.Write($"{cut}.zip", bytes[..^cut]), scratch.Write($"{cut}.tgz", bytes[..^cut]));
            Assert.All(read.Rejections, static r => Assert.Equal("import.bad-archive", r.Code));
            Assert.True(read.Resources.Count >= 1);
            Assert.True(read.Rejections.Count >= 2);
        }
    }

    [Fact]
    public void A_zip_of_more_entries_than_allowed_is_refused_before_it_is_opened()
    {
        using var scratch = new Scratch();
        var path = scratch.File("many.zip");
        using (var archive = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            for (var i = 0; i < 200; i++)
            {
                archive.CreateEntry($"{i}.json");
            }
        }

        // The trailer lies about the number.
        var bytes = File.ReadAllBytes(path);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(bytes.Length - 14), 1);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(bytes.Length - 12), 1);
        using var read = new Reading(new InputLimits { Files = 100 }, scratch.Write("lying.zip", bytes));
        Assert.Equal("import.too-many", read.Code);
    }

    [Fact]
    public void The_total_of_one_import_is_limited_over_all_files()
    {
        using var scratch = new Scratch();
        string[] paths = [.. Enumerable.Range(0, 10).Select(i => scratch.Write($"{i}.json", Good))];
        using var bytes = new Reading(new InputLimits { TotalBytes = Good.Length * 5 }, paths);
        using var files = new Reading(new InputLimits { Files = 5 }, paths);
        Assert.Equal((5, "import.too-much"), (bytes.Resources.Count, bytes.Code));
        Assert.Equal((5, "import.too-many"), (files.Resources.Count, files.Code));
    }

    [Fact]
    public void A_refusal_never_repeats_what_the_file_said()
    {
        const string canary = "Zanzibar4711";
        string[] texts =
        [
            canary, $$"""{"resourceType":"{{canary}}"}""", $$"""{"resourceType":"Patient","{{canary}}":1}""", $$"""{"resourceType":"Patient","gender":"{{canary}}"}""",
            $$"""{"resourceType":"Patient","name":[{"family":"{{canary}}","{{canary}}":1}]}""", $$"""{"resourceType":"Patient","birthDate":"{{canary}}"}""",
            $$"""{"{{canary}}":1,"{{canary}}":2}""", $$"""{"resourceType":"Bundle","type":"{{canary}}"}""",
        ];
        foreach (var text in texts)
        {
            using var read = Reading.Of(text);
            Assert.DoesNotContain(canary, Assert.Single(read.Rejections).Message + read.Code, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static void WriteZeros(string path, string kind, long size)
    {
        if (kind == ".zip")
        {
            using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
            using var entry = archive.CreateEntry("zeros.ndjson", CompressionLevel.Fastest).Open();
            Zeros(entry, size / 40);
            return;
        }

        // Compress a piece once and repeat it: gzip members may follow each other.
        using var piece = new MemoryStream();
        using (var gzip = new GZipStream(piece, CompressionLevel.Optimal, leaveOpen: true))
        {
            Zeros(gzip, 64L << 20);
        }

        using var file = File.Create(path);
        using (var first = new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true))
        {
            Header(first, "zeros.ndjson", size, '0');
        }

        for (var written = 0L; written < size; written += 64L << 20)
        {
            piece.WriteTo(file);
        }
    }

    private static void Zeros(Stream stream, long size)
    {
        var block = new byte[1 << 20];
        for (var written = 0L; written < size; written += block.Length)
        {
            stream.Write(block, 0, (int)Math.Min(block.Length, size - written));
        }
    }

    private static void Padded(Stream stream, byte[] body)
    {
        stream.Write(body);
        stream.Write(new byte[(512 - (body.Length % 512)) % 512]);
    }

    private static void Header(Stream stream, string name, long size, char type)
    {
        var header = new byte[512];
        Encoding.UTF8.GetBytes(name, header);
        Encoding.ASCII.GetBytes("0000644\0", header.AsSpan(100));
        var octal = Convert.ToString(size, 8).PadLeft(11, '0');
        if (octal.Length <= 11)
        {
            Encoding.ASCII.GetBytes(octal, header.AsSpan(124));
        }
        else
        {
            header[124] = 0x80;
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(128), size);
        }

        header[156] = (byte)type;
        Encoding.ASCII.GetBytes("ustar\000", header.AsSpan(257));
        header.AsSpan(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var b in header)
        {
            sum += b;
        }

        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ", header.AsSpan(148));
        stream.Write(header);
    }
}
