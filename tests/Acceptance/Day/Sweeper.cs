using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>A marker that stood where it may not.</summary>
internal sealed record Leak(string Place, string Field, string Form)
{
    public override string ToString() => $"{Field} as {Form} in {Place}";
}

/// <summary>
/// Looks for markers in bytes, in every form in which text usually comes to lie in files: raw UTF-8 and UTF-16 in any
/// case, base64 at all three alignments, hex, percent-encoding and the escapes of JSON.
/// </summary>
internal sealed class Sweeper
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<(byte[] Bytes, string Field, string Form)> needles = [];

    // One pass tells whether any needle is there; only then each is looked for.
    private readonly SearchValues<string> any;

    public Sweeper(IReadOnlyDictionary<string, string> markers)
    {
        foreach (var (field, text) in markers)
        {
            var forms = FormsOf(text).DistinctBy(form => Convert.ToHexString(form.Bytes));
            needles.AddRange(forms.Select(form => (Fold(form.Bytes), field, form.Name)));
        }

        any = SearchValues.Create([.. needles.Select(needle => Encoding.Latin1.GetString(needle.Bytes))], StringComparison.Ordinal);
    }

    /// <summary>Every form in which a text is looked for.</summary>
    public static IEnumerable<(string Name, byte[] Bytes)> FormsOf(string text)
    {
        foreach (var (word, lower) in new[] { (text, ""), (text.ToLower(CultureInfo.InvariantCulture), ", lower case") })
        {
            var utf8 = Encoding.UTF8.GetBytes(word);
            var utf16 = Encoding.Unicode.GetBytes(word);
            yield return ("text" + lower, utf8);
            yield return ("UTF-16" + lower, utf16);
            yield return ("UTF-16 big-endian" + lower, Encoding.BigEndianUnicode.GetBytes(word));
            yield return ("hex" + lower, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(utf8)));
            yield return ("hex of UTF-16" + lower, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(utf16)));
            yield return ("percent" + lower, Encoding.ASCII.GetBytes(Uri.EscapeDataString(word)));
            yield return ("percent of every byte" + lower, Encoding.ASCII.GetBytes(string.Concat(utf8.Select(one => "%" + one.ToString("X2", CultureInfo.InvariantCulture)))));
            yield return ("JSON" + lower, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(word)[1..^1]));
            yield return ("JSON, relaxed" + lower, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(word, Relaxed)[1..^1]));
            yield return ("JSON, every letter escaped" + lower, Encoding.ASCII.GetBytes(string.Concat(word.Select(one => "\\u" + ((int)one).ToString("x4", CultureInfo.InvariantCulture)))));
            for (var before = 0; before < 3; before++)
            {
                yield return ($"base64 at {before}{lower}", Inside(utf8, before));
                yield return ($"base64 of UTF-16 at {before}{lower}", Inside(utf16, before));
            }
        }
    }

    public IEnumerable<Leak> Sweep(string place, byte[] bytes)
    {
        // ASCII letters count as one in both cases, so that capitals of hex, escapes or names hide nothing.
        var folded = Fold(bytes);
        if (!Encoding.Latin1.GetString(folded).AsSpan().ContainsAny(any))
        {
            yield break;
        }

        foreach (var (needle, field, form) in needles)
        {
            if (folded.AsSpan().IndexOf(needle) >= 0)
            {
                yield return new Leak(place, field, form);
            }
        }
    }

    /// <summary>Every file below a folder, and the names of files and folders themselves.</summary>
    public (int Files, IReadOnlyList<Leak> Leaks) SweepFolder(string folder)
    {
        var leaks = new List<Leak>();
        var files = 0;
        foreach (var path in Directory.EnumerateFileSystemEntries(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false }))
        {
            leaks.AddRange(Sweep("the name " + path, Encoding.UTF8.GetBytes(Path.GetFileName(path))));
            if (File.Exists(path) && Read(path) is { } bytes)
            {
                files++;
                leaks.AddRange(Sweep(path, bytes));
            }
        }

        return (files, leaks);
    }

    // The part of base64 that is the same whatever stands before and after: whole groups of six bits of the text itself.
    private static byte[] Inside(byte[] text, int before)
    {
        var padded = new byte[before + text.Length];
        text.CopyTo(padded, before);
        var all = Convert.ToBase64String(padded).TrimEnd('=');
        var first = before == 0 ? 0 : before + 1;
        var whole = padded.Length * 8 / 6;
        return Encoding.ASCII.GetBytes(all[first..whole]);
    }

    private static byte[]? Read(string path)
    {
        // A pipe, a socket and a link to nowhere have no bytes, and opening a pipe would wait for ever.
        if (File.ResolveLinkTarget(path, returnFinalTarget: true) is { Exists: false } || new FileInfo(path).Length == 0)
        {
            return null;
        }

        try
        {
            return File.ReadAllBytes(path);
        }
        catch (IOException)
        {
            // A running server locks files against programs of its own kind only.
            return Regardless(path);
        }
    }

    private static byte[]? Regardless(string path)
    {
        var start = new ProcessStartInfo("cat") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(path);
        using var cat = Process.Start(start) ?? throw new InvalidOperationException("cat did not start");
        using var copy = new MemoryStream();
        cat.StandardOutput.BaseStream.CopyTo(copy);
        cat.WaitForExit();
        if (cat.ExitCode == 0)
        {
            return copy.ToArray();
        }

        return Path.GetExtension(path) == ".sock" || Path.GetFileName(path).StartsWith("Singleton", StringComparison.Ordinal) ? null : throw new IOException("A file could not be swept: " + path);
    }

    private static byte[] Fold(byte[] bytes)
    {
        var folded = new byte[bytes.Length];
        for (var at = 0; at < bytes.Length; at++)
        {
            folded[at] = bytes[at] is >= (byte)'A' and <= (byte)'Z' ? (byte)(bytes[at] | 0x20) : bytes[at];
        }

        return folded;
    }
}
