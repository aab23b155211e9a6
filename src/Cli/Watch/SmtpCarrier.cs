using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Health;

namespace Mangrove.Cli.Watch;

/// <summary>
/// Hands letters to the hospital's server of mail by SMTP (RFC 5321), the one place where the product calls out. It speaks
/// TLS, checks the server's name and chain, and sends neither letter nor password otherwise; only to a server on this very
/// machine it may speak without. What the server says is read with limits, and kept as printable ASCII.
/// </summary>
public sealed class SmtpCarrier(TimeProvider clock) : ILetterCarrier
{
    private const int LongestLine = 2_000;
    private const int MostLines = 100;

    /// <summary>One letter takes no longer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    public async Task<string> Carry(MailServer server, string? password, Letter letter, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            return await Send(server, password, letter, limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new RefusedInput("mail.slow", "The mail server did not answer in time. Look whether it works; the letter is tried again.");
        }
        catch (AuthenticationException)
        {
            throw new RefusedInput("mail.certificate", "The mail server's certificate is not of the name that was given, has run out, or comes from an authority that is not trusted here. Give that authority's certificate on the page Mail.");
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            throw new RefusedInput("mail.unreachable", "The mail server cannot be reached, or hung up. Look at its name, port and security; the letter is tried again.");
        }
    }

    private async Task<string> Send(MailServer server, string? password, Letter letter, CancellationToken cancel)
    {
        using var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(server.Host, server.Port, cancel);
        if (server.Security == MailSecurity.None && (socket.Client.RemoteEndPoint is not IPEndPoint there || !IPAddress.IsLoopback(there.Address)))
        {
            // Its name is that of this machine, and it leads elsewhere.
            throw new RefusedInput("mail.needs-tls", "Letters leave this machine by TLS only. Choose TLS or STARTTLS.");
        }

        var talk = new Talk(socket.GetStream());
        try
        {
            if (server.Security == MailSecurity.Tls)
            {
                await talk.Secure(server, cancel);
            }

            await talk.Expect(220, "mail.refused", cancel);
            var offered = await Hello(talk, cancel);
            if (server.Security == MailSecurity.StartTls)
            {
                if (!offered.Contains("STARTTLS", StringComparer.OrdinalIgnoreCase))
                {
                    throw new RefusedInput("mail.no-starttls", "The mail server offers no STARTTLS, so nothing was sent. Choose TLS, usually on port 465, or look who answers there.");
                }

                await talk.Say("STARTTLS", cancel);
                await talk.Expect(220, "mail.refused", cancel);
                await talk.Secure(server, cancel);

                // What was offered in the clear may have been offered by anybody (RFC 3207, 4.2).
                offered = await Hello(talk, cancel);
            }

            if (server.Login.Length > 0)
            {
                await SignIn(talk, server, password, offered, cancel);
            }

            await talk.Say($"MAIL FROM:<{server.Sender}>", cancel);
            await talk.Expect(250, "mail.refused", cancel);
            await talk.Say($"RCPT TO:<{letter.Address}>", cancel);
            await talk.Expect(250, "mail.recipient-refused", cancel);
            await talk.Say("DATA", cancel);
            await talk.Expect(354, "mail.refused", cancel);
            await talk.Write(Text(server, letter), cancel);
            var receipt = await talk.Expect(250, "mail.refused", cancel);
            await Quit(talk, cancel);
            return receipt;
        }
        finally
        {
            await talk.DisposeAsync();
        }
    }

    // The letter has been taken: how the server takes its leave is not the letter's matter.
    private static async Task Quit(Talk talk, CancellationToken cancel)
    {
        try
        {
            await talk.Say("QUIT", cancel);
            await talk.Expect(221, "mail.refused", cancel);
        }
        catch (Exception error) when (error is IOException or RefusedInput or OperationCanceledException)
        {
            // It hung up first.
        }
    }

    private static async Task<IReadOnlyList<string>> Hello(Talk talk, CancellationToken cancel)
    {
        // An address literal of nobody: the name of this machine is not the mail server's to know.
        await talk.Say("EHLO [127.0.0.1]", cancel);
        return [.. (await talk.Lines(250, "mail.refused", cancel)).Skip(1)];
    }

    private static async Task SignIn(Talk talk, MailServer server, string? password, IReadOnlyList<string> offered, CancellationToken cancel)
    {
        if (server.Security == MailSecurity.None || string.IsNullOrEmpty(password))
        {
            throw new RefusedInput("mail.password-needed", "A user name is set for the mail server and no password. Save the password on the page Mail.");
        }

        var ways = offered.Where(one => one.StartsWith("AUTH ", StringComparison.OrdinalIgnoreCase)).SelectMany(one => one.Split(' ')[1..]).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var secret = Encoding.UTF8.GetBytes($"\0{server.Login}\0{password}");
        try
        {
            if (ways.Contains("PLAIN"))
            {
                await talk.Say($"AUTH PLAIN {Convert.ToBase64String(secret)}", cancel);
            }
            else if (ways.Contains("LOGIN"))
            {
                await talk.Say("AUTH LOGIN", cancel);
                await talk.Expect(334, "mail.login-refused", cancel);
                await talk.Say(Convert.ToBase64String(Encoding.UTF8.GetBytes(server.Login)), cancel);
                await talk.Expect(334, "mail.login-refused", cancel);
                await talk.Say(Convert.ToBase64String(secret.AsSpan(Encoding.UTF8.GetByteCount(server.Login) + 2)), cancel);
            }
            else
            {
                throw new RefusedInput("mail.login-unknown", "The mail server takes a password in none of the ways that are spoken here (PLAIN, LOGIN). Ask its administrator for one of them.");
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }

        await talk.Expect(235, "mail.login-refused", cancel);
    }

    /// <summary>The letter as it travels: ASCII alone, the text in Base64, so that no line of it begins with a point or is too long.</summary>
    private byte[] Text(MailServer server, Letter letter)
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append("\r\n");
        Line($"From: Mangrove <{server.Sender}>");
        Line($"To: <{letter.Address}>");
        Line($"Subject: {letter.Subject}");
        Line($"Date: {clock.GetUtcNow().ToString("ddd, dd MMM yyyy HH:mm:ss", CultureInfo.InvariantCulture)} +0000");
        Line($"Message-ID: <{letter.Id:N}@{server.Sender[(server.Sender.IndexOf('@', StringComparison.Ordinal) + 1)..]}>");
        Line($"Auto-Submitted: auto-generated");
        Line($"MIME-Version: 1.0");
        Line($"Content-Type: text/plain; charset=utf-8");
        Line($"Content-Transfer-Encoding: base64");
        Line($"");
        Line($"{Convert.ToBase64String(Encoding.UTF8.GetBytes(letter.Body.ReplaceLineEndings("\r\n")), Base64FormattingOptions.InsertLineBreaks)}");
        Line($".");
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    /// <summary>Lines to and from the server.</summary>
    private sealed class Talk(Stream plain) : IAsyncDisposable
    {
        private readonly byte[] buffer = new byte[4_096];
        private Stream stream = plain;
        private int start;
        private int end;

        public async Task Secure(MailServer server, CancellationToken cancel)
        {
            if (start < end)
            {
                // Said in the clear and behind the answer: it would count as said inside (RFC 3207, CVE-2011-0411).
                throw new RefusedInput("mail.refused", "The mail server said more than it should before TLS began, so nothing was sent. Look who answers there.");
            }

            var secured = new SslStream(stream, leaveInnerStreamOpen: false);
            stream = secured;
            var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
            using var authority = server.Authority.Length == 0 ? null : X509Certificate2.CreateFromPem(server.Authority);
            if (authority is not null)
            {
                policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                policy.CustomTrustStore.Add(authority);
            }

            await secured.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = server.Host, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, CertificateChainPolicy = policy },
                cancel);
        }

        public async Task Say(string line, CancellationToken cancel) => await Write(Encoding.ASCII.GetBytes(line + "\r\n"), cancel);

        public async Task Write(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
        {
            await stream.WriteAsync(bytes, cancel);
            await stream.FlushAsync(cancel);
        }

        /// <returns>What it said behind the number, in printable ASCII.</returns>
        public async Task<string> Expect(int wanted, string problem, CancellationToken cancel) => (await Lines(wanted, problem, cancel))[^1];

        public async Task<IReadOnlyList<string>> Lines(int wanted, string problem, CancellationToken cancel)
        {
            var lines = new List<string>();
            string line;
            do
            {
                line = await Line(cancel);
                if (lines.Count == MostLines || line.Length < 3 || !int.TryParse(line.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    throw new RefusedInput("mail.not-smtp", "What answers there is no mail server. Look at its name, port and security.");
                }

                if (number != wanted)
                {
                    throw new RefusedInput(problem, Meaning(number));
                }

                lines.Add(line.Length > 4 ? line[4..] : "");
            }
            while (line.Length > 3 && line[3] == '-');
            return lines;
        }

        public ValueTask DisposeAsync() => stream.DisposeAsync();

        private static string Meaning(int number) => string.Create(
            CultureInfo.InvariantCulture,
            $"The mail server answered with {number}{(number is >= 400 and < 500 ? ", for now" : "")}. Its own log says why; the letter is tried again.");

        private async Task<string> Line(CancellationToken cancel)
        {
            var line = new StringBuilder();
            while (true)
            {
                while (start < end)
                {
                    var one = buffer[start++];
                    if (one == (byte)'\n')
                    {
                        return line.ToString();
                    }

                    if (one != (byte)'\r')
                    {
                        line.Append(one is >= 0x20 and < 0x7F ? (char)one : '?');
                    }

                    if (line.Length > LongestLine)
                    {
                        throw new RefusedInput("mail.not-smtp", "What answers there is no mail server. Look at its name, port and security.");
                    }
                }

                start = 0;
                end = await stream.ReadAsync(buffer, cancel);
                if (end == 0)
                {
                    throw new IOException("The mail server hung up.");
                }
            }
        }
    }
}
