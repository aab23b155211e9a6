using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Clinic.Terminology;

/// <summary>
/// Takes in a full ICD-10-CM release: the zip that CMS publishes (its file <c>icd10cm_codes_YYYY.txt</c>: code, spaces,
/// description) or a comma-separated file with the columns Code and Description, plain or gzip. The file comes from
/// outside, so size, lines and every code are checked before anything is believed. The starter's everyday words are
/// kept: they go to the same code, or to the finer codes below it.
/// </summary>
public static class Icd10Loader
{
    /// <summary>Most bytes of the file as given. The 2019 release has 2.6 million.</summary>
    public const long MostBytes = 64L * 1024 * 1024;

    /// <summary>Most bytes of text after unpacking. The 2019 release has 6.2 million.</summary>
    public const long MostUnpackedBytes = 64L * 1024 * 1024;

    /// <summary>Most codes. The full order file of a release has about 95,000.</summary>
    public const int MostLines = 200_000;

    private static readonly SearchValues<char> CodeLetters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

    private const int LongestLine = 1_000;
    private const int MostEntries = 100;

    /// <summary>Reads a release. The stream must be seekable, as a file is.</summary>
    public static Result<Icd10Catalogue> Load(Stream stream)
    {
        if (stream.Length > MostBytes)
        {
            return new Error("icd10.too-large", string.Create(CultureInfo.InvariantCulture, $"The file is larger than {MostBytes / 1024 / 1024} MB. Give the ICD-10-CM code descriptions only."));
        }

        Span<byte> head = stackalloc byte[4];
        var read = stream.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        stream.Position = 0;
        if (read < 4)
        {
            return new Error("icd10.empty", "The file is empty. Download the release again.");
        }

        try
        {
            if (head is [0x50, 0x4B, 0x03, 0x04])
            {
                return FromZip(stream);
            }

            if (head is [0x1F, 0x8B, ..])
            {
                using var unpacked = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
                return FromCommaSeparated(unpacked);
            }

            return FromCommaSeparated(stream);
        }
        catch (InvalidDataException)
        {
            return new Error("icd10.damaged", "The file is damaged and cannot be unpacked. Download the release again.");
        }
        catch (DecoderFallbackException)
        {
            return new Error("icd10.not-text", "The file is not UTF-8 text. Give the release as it was published.");
        }
        catch (RefusedInput refused)
        {
            return refused.Error;
        }
    }

    private static Result<Icd10Catalogue> FromZip(Stream stream)
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
        if (zip.Entries.Count > MostEntries)
        {
            return new Error("icd10.too-many-files", "The zip holds more files than a release does. Give the release as it was published.");
        }

        var file = zip.Entries.FirstOrDefault(entry => IsCodeFile(entry.Name));
        if (file is null)
        {
            return new Error("icd10.no-code-file", "The zip holds no file icd10cm_codes_YYYY.txt. Give the \"code descriptions\" zip of the release.");
        }

        using var unpacked = file.Open();
        return FromLines(unpacked, file.Name, static (line, _) =>
        {
            // Positions 1 to 7 the code, from position 9 the description (icd10cmCodesFile.pdf of the release).
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            return space is >= 3 and <= 7 ? (line[..space], line[space..].Trim()) : null;
        });
    }

    private static bool IsCodeFile(string name) => name.StartsWith("icd10cm", StringComparison.OrdinalIgnoreCase)
        && name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase)
        && name.Contains("codes", StringComparison.OrdinalIgnoreCase)
        && !name.Contains("addenda", StringComparison.OrdinalIgnoreCase);

    private static Result<Icd10Catalogue> FromCommaSeparated(Stream stream) =>
        FromLines(stream, "the comma-separated file", static (line, number) =>
        {
            var cells = Cells(line);
            if (number != 1)
            {
                return cells.Count >= 2 ? (cells[0], cells[1]) : null;
            }

            return cells.Count >= 2 && cells[0] == "Code" && cells[1] == "Description"
                ? ("", "")
                : throw new RefusedInput("icd10.not-a-release", "The first line does not begin with Code,Description. Give the ICD-10-CM zip, or a file with these two columns first.");
        });

    private static Result<Icd10Catalogue> FromLines(Stream stream, string name, Func<string, int, (string Code, string Name)?> parse)
    {
        using var reader = new StreamReader(new CappedStream(stream, MostUnpackedBytes), new UTF8Encoding(false, throwOnInvalidBytes: true));
        var codes = new Dictionary<string, Icd10Code>(StringComparer.Ordinal);
        var everyday = Everyday();
        var number = 0;
        for (var line = reader.ReadLine(); line is not null; line = reader.ReadLine())
        {
            number++;
            if (number > MostLines)
            {
                return new Error("icd10.too-many-lines", string.Create(CultureInfo.InvariantCulture, $"The file has more than {MostLines:#,##0} lines. Give the release as it was published."));
            }

            if (line.Length == 0)
            {
                continue;
            }

            if (line.Length > LongestLine || parse(line, number) is not { } parsed)
            {
                return BadLine(number);
            }

            if (parsed.Code.Length == 0)
            {
                continue;
            }

            var plain = Icd10Catalogue.PlainCode(parsed.Code);
            if (!IsCode(plain) || parsed.Name.Length is 0 or > 400 || parsed.Name.Any(char.IsControl) || Icd10Chapters.Of(plain) is not { } chapter)
            {
                return BadLine(number);
            }

            var (words, common) = everyday(plain);
            var written = plain.Length == 3 ? plain : plain[..3] + "." + plain[3..];
            if (!codes.TryAdd(plain, new Icd10Code(written, parsed.Name, chapter.Number, words, common)))
            {
                return new Error("icd10.duplicate-code", string.Create(CultureInfo.InvariantCulture, $"Line {number} repeats a code. Give the release as it was published."));
            }
        }

        if (codes.Count == 0)
        {
            return new Error("icd10.empty", "The file holds no codes. Download the release again.");
        }

        return Icd10Catalogue.From(
            codes.Values,
            string.Create(CultureInfo.InvariantCulture, $"ICD-10-CM, {name}: {codes.Count:#,##0} codes (US National Center for Health Statistics and CMS, public domain), everyday words by this product. The hospital must review the table before clinical use."));
    }

    private static Error BadLine(int number) =>
        new("icd10.bad-line", string.Create(CultureInfo.InvariantCulture, $"Line {number} is not a code with its description. Give the release as it was published."));

    // ICD-10-CM: a letter, a digit, a digit or letter, then up to four letters or digits.
    private static bool IsCode(string plain) => plain.Length is >= 3 and <= 7 && char.IsAsciiLetterUpper(plain[0])
        && char.IsAsciiDigit(plain[1]) && plain.AsSpan(2).IndexOfAnyExcept(CodeLetters) < 0;

    /// <summary>The starter's words of the nearest code at or above the given one; <c>common</c> only for the code itself or its first "unspecified" child.</summary>
    private static Func<string, (IReadOnlyList<string> Words, bool Common)> Everyday()
    {
        var starter = Icd10Catalogue.Load().All.ToDictionary(code => Icd10Catalogue.PlainCode(code.Code), StringComparer.Ordinal);
        return plain =>
        {
            for (var length = plain.Length; length >= 3; length--)
            {
                if (starter.TryGetValue(plain[..length], out var code))
                {
                    return (code.Synonyms, code.Common && length == plain.Length);
                }
            }

            return ([], false);
        };
    }

    // RFC 4180: a cell with commas stands in quotes, a quote inside is doubled.
    private static List<string> Cells(string line)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        var quoted = false;
        for (var at = 0; at < line.Length; at++)
        {
            var letter = line[at];
            if (letter == '"' && quoted && at + 1 < line.Length && line[at + 1] == '"')
            {
                cell.Append('"');
                at++;
            }
            else if (letter == '"')
            {
                quoted = !quoted;
            }
            else if (letter == ',' && !quoted)
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
            else
            {
                cell.Append(letter);
            }
        }

        cells.Add(cell.ToString());
        return cells;
    }

    /// <summary>Stops a file that unpacks to more than it should (a bomb) while it is being read, not after.</summary>
    private sealed class CappedStream(Stream inner, long most) : Stream
    {
        private long left = most;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var read = inner.Read(buffer);
            left -= read;
            return left >= 0
                ? read
                : throw new RefusedInput("icd10.too-large", "The file unpacks to more than a release holds. Give the ICD-10-CM code descriptions only.");
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
