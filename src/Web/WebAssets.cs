using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Mangrove.Web;

/// <summary>
/// The files that the browser may keep: style sheets, scripts, fonts and icons, embedded in this assembly with their
/// compressed forms. Their addresses carry one hash over all of them, so modules and fonts find each other by relative
/// names and an address never changes its content. Nothing else that this product serves may be cached.
/// </summary>
public static class WebAssets
{
    private const string Prefix = "assets/";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".txt"] = "text/plain; charset=utf-8",
        [".woff2"] = "font/woff2",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, Asset> All = Load();

    private static readonly FrozenSet<string> Icons = ReadIcons();

    /// <summary>First 16 hex digits of the SHA-256 over every asset; part of every address.</summary>
    public static string Version { get; } = HashAll();

    /// <summary>Names of the icons in the sprite.</summary>
    public static IReadOnlySet<string> IconNames => Icons;

    /// <summary>The address of an asset such as <c>mangrove.css</c> or <c>js/keys.js</c>.</summary>
    /// <exception cref="ArgumentException">There is no such asset: a misspelt name is found by the first look at the page.</exception>
    public static string Url(string name) => All.ContainsKey(name)
        ? $"/assets/{Version}/{name}"
        : throw new ArgumentException($"No asset is called '{name}'.", nameof(name));

    /// <summary>The address of an icon in the sprite.</summary>
    /// <exception cref="ArgumentException">No page names that icon as a plain string, so the sprite lacks it.</exception>
    public static string IconUrl(string icon) => Icons.Contains(icon)
        ? $"/assets/{Version}/sprite.svg#{icon}"
        : throw new ArgumentException($"The sprite has no icon '{icon}'. Name it as a plain string in a .razor or .cs file of the web room.", nameof(icon));

    internal static void Map(IEndpointRouteBuilder routes) =>
        routes.MapMethods("/assets/{version}/{**name}", [HttpMethods.Get, HttpMethods.Head], Serve).AllowAnonymous();

    private static async Task Serve(HttpContext http, string version, string name)
    {
        if (version != Version || !All.TryGetValue(name, out var asset))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var headers = http.Response.Headers;
        headers.CacheControl = "public, max-age=31536000, immutable";
        headers.ETag = asset.Tag;
        if (asset.Brotli is not null)
        {
            headers.Vary = HeaderNames.AcceptEncoding;
        }

        if (http.Request.Headers.IfNoneMatch.Contains(asset.Tag))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var (body, encoding) = asset.For(http.Request.GetTypedHeaders().AcceptEncoding);
        if (encoding is not null)
        {
            headers.ContentEncoding = encoding;
        }

        http.Response.ContentType = asset.Type;
        http.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await http.Response.Body.WriteAsync(body, http.RequestAborted);
        }
    }

    private static FrozenDictionary<string, Asset> Load()
    {
        var all = new Dictionary<string, Asset>(StringComparer.Ordinal);
        foreach (var resource in typeof(WebAssets).Assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(Prefix, StringComparison.Ordinal) || !Types.TryGetValue(Path.GetExtension(resource), out var type))
            {
                continue;
            }

            var body = Read(resource) ?? [];
            var hash = SHA256.HashData(body);
            all.Add(resource[Prefix.Length..], new Asset(type, body, Read(resource + ".br"), Read(resource + ".gz"), hash, $"\"{Convert.ToHexStringLower(hash.AsSpan(0, 12))}\""));
        }

        return all.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static byte[]? Read(string resource)
    {
        using var stream = typeof(WebAssets).Assembly.GetManifestResourceStream(resource);
        if (stream is null)
        {
            return null;
        }

        var body = new byte[stream.Length];
        stream.ReadExactly(body);
        return body;
    }

    private static string HashAll()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, asset) in All.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(name + "\n"));
            hash.AppendData(asset.Hash);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static FrozenSet<string> ReadIcons()
    {
        using var stream = new MemoryStream(All["sprite.svg"].Body);
        return XDocument.Load(stream).Root!.Elements().Select(s => (string)s.Attribute("id")!).ToFrozenSet(StringComparer.Ordinal);
    }

    private sealed record Asset(string Type, byte[] Body, byte[]? Brotli, byte[]? Gzip, byte[] Hash, string Tag)
    {
        public (byte[] Body, string? Encoding) For(IList<StringWithQualityHeaderValue> accepted)
        {
            bool Takes(string coding) => accepted.Any(a => a.Value.Equals(coding, StringComparison.OrdinalIgnoreCase) && a.Quality is not 0);
            return Brotli is not null && Takes("br") ? (Brotli, "br")
                : Gzip is not null && Takes("gzip") ? (Gzip, "gzip")
                : (Body, null);
        }
    }
}
