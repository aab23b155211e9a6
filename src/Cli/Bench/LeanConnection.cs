using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Cli.Bench;

/// <summary>
/// One connection of HTTP/1.1 over TLS 1.3 that does as little as possible per answer: caller and server share the
/// machine, and what the caller spends is missing in the figure.
/// </summary>
internal sealed class LeanConnection : IAsyncDisposable
{
    private static readonly byte[] HeadEnd = "\r\n\r\n"u8.ToArray();
    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();
    private static readonly byte[] LengthHeader = "content-length:"u8.ToArray();

    private readonly TcpClient socket;
    private readonly SslStream secure;
    private byte[] buffer = new byte[32 * 1024];
    private int filled;

    private LeanConnection(TcpClient client, SslStream stream)
    {
        socket = client;
        secure = stream;
    }

    /// <summary>The answer's bytes without head, chunk sizes included; until the next request.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    public static async Task<LeanConnection> Open(Uri address, CancellationToken cancel)
    {
        var client = new TcpClient { NoDelay = true };
        SslStream? stream = null;
        try
        {
            await client.ConnectAsync(System.Net.IPAddress.Loopback, address.Port, cancel);
            stream = new SslStream(client.GetStream());
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = address.Host,
                    EnabledSslProtocols = SslProtocols.Tls13,

                    // The servers of a bench have certificates of their own making and are on this machine.
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
                },
                cancel);
            return new LeanConnection(client, stream);
        }
        catch
        {
            if (stream is not null)
            {
                await stream.DisposeAsync();
            }

            client.Dispose();
            throw;
        }
    }

    /// <summary>The bytes of a request for a page.</summary>
    public static byte[] Request(Uri address, string path, string accept, string? cookie) => Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: {address.Authority}\r\nAccept: {accept}\r\n{(cookie is null ? "" : $"Cookie: {cookie}\r\n")}\r\n");

    /// <summary>Sends a request, takes the whole answer and gives its status.</summary>
    public async ValueTask<int> Send(ReadOnlyMemory<byte> request, CancellationToken cancel)
    {
        await secure.WriteAsync(request, cancel);
        filled = 0;
        int head;
        while ((head = buffer.AsSpan(0, filled).IndexOf(HeadEnd)) < 0)
        {
            await More(cancel);
        }

        var status = ((buffer[9] - '0') * 100) + ((buffer[10] - '0') * 10) + (buffer[11] - '0');
        var body = head + HeadEnd.Length;
        var end = LengthIn(buffer.AsSpan(0, head)) is { } length ? body + length : await Chunks(body, cancel);
        while (filled < end)
        {
            await More(cancel);
        }

        Body = buffer.AsMemory(body, end - body);
        return status;
    }

    public async ValueTask DisposeAsync()
    {
        await secure.DisposeAsync();
        socket.Dispose();
    }

    /// <summary>Reads chunks until the empty one; gives the place behind it.</summary>
    private async ValueTask<int> Chunks(int at, CancellationToken cancel)
    {
        while (true)
        {
            int line;
            while ((line = buffer.AsSpan(at, filled - at).IndexOf(LineEnd)) < 0)
            {
                await More(cancel);
            }

            var size = 0;
            foreach (var digit in buffer.AsSpan(at, line))
            {
                size = (size * 16) + Convert.ToInt32(((char)digit).ToString(), 16);
            }

            at += line + LineEnd.Length + size + LineEnd.Length;
            while (filled < at)
            {
                await More(cancel);
            }

            if (size == 0)
            {
                return at;
            }
        }
    }

    private async ValueTask More(CancellationToken cancel)
    {
        if (filled == buffer.Length)
        {
            Array.Resize(ref buffer, buffer.Length * 2);
        }

        var read = await secure.ReadAsync(buffer.AsMemory(filled), cancel);
        filled += read > 0 ? read : throw new RefusedInput("bench.http", "The server closed a connection in the middle of an answer.");
    }

    private static int? LengthIn(ReadOnlySpan<byte> head)
    {
        while (!head.IsEmpty)
        {
            var end = head.IndexOf(LineEnd);
            var line = end < 0 ? head : head[..end];
            if (line.Length > LengthHeader.Length && Ascii.EqualsIgnoreCase(line[..LengthHeader.Length], LengthHeader))
            {
                var length = 0;
                foreach (var digit in line[LengthHeader.Length..])
                {
                    length = digit is >= (byte)'0' and <= (byte)'9' ? (length * 10) + (digit - '0') : length;
                }

                return length;
            }

            head = end < 0 ? [] : head[(end + LineEnd.Length)..];
        }

        return null;
    }
}
