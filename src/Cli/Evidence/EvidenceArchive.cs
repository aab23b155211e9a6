using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Cli.Evidence;

/// <summary>
/// A zip archive for an auditor: files, a manifest with the SHA-256 of each, the manifest's signature by the log's key, and a
/// page that leads through them. It stands under its name only when it is whole.
/// </summary>
internal sealed class EvidenceArchive : IDisposable
{
    /// <summary>How a manifest begins: it is signed for being one, and is neither a checkpoint nor a file of entries.</summary>
    private const string Format = "mangrove-evidence-1";

    private static readonly JsonSerializerOptions Written = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) } };

    private readonly string path;
    private readonly string draft;
    private readonly FileStream stream;
    private readonly ZipArchive zip;
    private readonly DateTimeOffset made;
    private readonly List<Item> items = [];
    private bool kept;

    /// <exception cref="RefusedInput"><c>evidence.out-file</c>: it is there already, or cannot be written.</exception>
    public EvidenceArchive(string path, DateTimeOffset made)
    {
        this.path = path;
        this.made = made;
        draft = path + ".part";
        if (File.Exists(path))
        {
            throw Unwritable();
        }

        try
        {
            stream = Durable.NewFile(draft);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unwritable();
        }

        zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8);
    }

    public IReadOnlyList<Item> Items => items;

    /// <param name="Name">In the archive.</param>
    /// <param name="Title">What it is about, for the page.</param>
    /// <param name="Says">What it says in one sentence, or that it says nothing.</param>
    /// <param name="Bytes">Its size.</param>
    /// <param name="Sha256">Its hash, in hexadecimal.</param>
    internal sealed record Item(string Name, string Title, string Says, long Bytes, string Sha256);

    public void Add(string name, string title, string says, object value) => Add(name, title, says, JsonSerializer.SerializeToUtf8Bytes(value, Written));

    public void Add(string name, string title, string says, string text) => Add(name, title, says, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes page, manifest and signature, and puts the archive under its name.</summary>
    public void Finish(string hospital, Guid facility, string version, string by, AuditReview log)
    {
        Add("index.html", "This page", "leads through the archive", Page(hospital, version, by));
        var manifest = JsonSerializer.SerializeToUtf8Bytes(
            new { format = Format, hospital, facility, version, made = made.UtcDateTime, by, files = items.Select(item => new { name = item.Name, bytes = item.Bytes, sha256 = item.Sha256 }) },
            Written);
        Put("manifest.json", manifest);
        Put("manifest.json.sig", log.SignExport(manifest));
        Put("log.pem", Encoding.UTF8.GetBytes(log.PublicKeyPem));
        zip.Dispose();
        stream.Flush(flushToDisk: true);
        stream.Dispose();
        File.Move(draft, path, overwrite: false);
        Durable.FlushFolder(Path.GetDirectoryName(path)!);
        kept = true;
    }

    public void Dispose()
    {
        zip.Dispose();
        stream.Dispose();
        if (!kept)
        {
            File.Delete(draft);
        }
    }

    private static RefusedInput Unwritable() => new("evidence.out-file", "The archive could not be written, or is there already and is not replaced. Name another file with --out.");

    public void Add(string name, string title, string says, byte[] bytes)
    {
        items.Add(new Item(name, title, says, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))));
        Put(name, bytes);
    }

    private void Put(string name, byte[] bytes)
    {
        var entry = zip.CreateEntry(name, CompressionLevel.Optimal);
        entry.LastWriteTime = made;
        using var file = entry.Open();
        file.Write(bytes);
    }

    private string Page(string hospital, string version, string by)
    {
        static string Text(string text) => WebUtility.HtmlEncode(text);
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Evidence, {Text(hospital)}</title></head><body><h1>Evidence of {Text(hospital)}</h1>\n");
        page.Append(CultureInfo.InvariantCulture, $"<p>Made {made.UtcDateTime:yyyy-MM-dd HH:mm} UTC by {Text(by)} with Mangrove {Text(version)}. It holds staff, keys' versions, settings and what was done to them; nothing of a patient's record but numbers.</p>\n");
        page.Append("<p>To check it: compare each file's SHA-256 with manifest.json, and the manifest with its signature: <code>openssl dgst -sha256 -verify log.pem -signature manifest.json.sig manifest.json</code>. Compare log.pem with the key that the hospital gave you by another way.</p>\n<table border=\"1\" cellpadding=\"4\"><tr><th>File</th><th>About</th><th>Says</th></tr>\n");
        foreach (var item in items)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td><a href=\"{Text(item.Name)}\">{Text(item.Name)}</a></td><td>{Text(item.Title)}</td><td>{Text(item.Says)}</td></tr>\n");
        }

        return page.Append("</table></body></html>\n").ToString();
    }
}
