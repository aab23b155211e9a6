using Mangrove.Kernel;

namespace Mangrove.Cli.Serving;

/// <summary>Where the server listens: <c>https://HOST:PORT</c>, nothing else.</summary>
internal static class ServerAddress
{
    public const string Default = "https://localhost:8443";

    /// <summary>Reads an address.</summary>
    /// <exception cref="RefusedInput"><c>serve.address</c>: not https, or more than host and port.</exception>
    public static Uri Parse(string text)
    {
        // A host of * or + means every interface, as Kestrel writes it.
        var readable = text.Replace("://*", "://0.0.0.0", StringComparison.Ordinal).Replace("://+", "://0.0.0.0", StringComparison.Ordinal);
        return Uri.TryCreate(readable, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0
            ? uri
            : throw new RefusedInput("serve.address", "Give the address as https://HOST:PORT. Plain http is never served.");
    }
}
