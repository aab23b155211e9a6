using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mangrove.Cli.Serving;

/// <summary>How much one caller may ask of the server. An endpoint that takes more says so itself.</summary>
internal static class Limits
{
    private const int Kibibyte = 1024;
    private const int Mebibyte = 1024 * 1024;

    // A form with a note of some pages and every field of a chart stays far below; uploads have their own endpoints.
    private const int LongestBody = 4 * Mebibyte;
    private const int LongestField = 512 * Kibibyte;
    private const int MostFields = 1024;

    // A ward's browsers keep a stream and a few connections each; beyond this a caller waits for one to close.
    private const int MostConnections = 4096;

    /// <summary>Whoever has not shaken hands by then is let go.</summary>
    public static TimeSpan LongestHandshake { get; } = TimeSpan.FromSeconds(10);

    private static readonly MinDataRate SlowestCaller = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));

    public static void Apply(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Limits.MaxConcurrentUpgradedConnections = 0;
        kestrel.Limits.MaxRequestBodySize = LongestBody;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * Kibibyte;
        kestrel.Limits.MaxRequestHeaderCount = 64;
        kestrel.Limits.MaxRequestLineSize = 4 * Kibibyte;
        kestrel.Limits.MaxRequestBufferSize = Mebibyte;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(120);
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Limits.MinRequestBodyDataRate = SlowestCaller;
        kestrel.Limits.MinResponseDataRate = SlowestCaller;
        kestrel.Limits.Http2.MaxStreamsPerConnection = 100;
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = 8 * Kibibyte;
    }

    public static void Apply(FormOptions form)
    {
        form.BufferBody = false;
        form.ValueLengthLimit = LongestField;
        form.ValueCountLimit = MostFields;
        form.KeyLengthLimit = 256;
        form.MultipartBodyLengthLimit = LongestBody;
        form.MultipartHeadersCountLimit = 8;
        form.MultipartHeadersLengthLimit = 4 * Kibibyte;
    }
}
