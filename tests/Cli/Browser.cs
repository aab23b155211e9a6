using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace Mangrove.Tests.Cli;

/// <summary>One answer, with what of its headers says something.</summary>
internal sealed record Seen(HttpStatusCode Status, string Headers, byte[] Body)
{
    public string Text => System.Text.Encoding.UTF8.GetString(Body);

    /// <summary>The same with the numbers that were asked for left out: an answer that only says them back tells nothing.</summary>
    public Seen Without(Marked asked)
    {
        var (text, headers) = (Text, Headers);
        foreach (var (name, value) in asked.Values.Where(one => one.Value.Length >= 8))
        {
            text = text.Replace(value, name, StringComparison.OrdinalIgnoreCase);
            headers = headers.Replace(value, name, StringComparison.OrdinalIgnoreCase);
        }

        return this with { Headers = headers, Body = System.Text.Encoding.UTF8.GetBytes(text) };
    }

    public bool Is(Seen other) => Status == other.Status && Headers == other.Headers && Body.AsSpan().SequenceEqual(other.Body);
}

/// <summary>A signed-in person's requests, as a page would send them.</summary>
internal sealed partial class Browser : IDisposable
{
    private readonly HttpClient http;
    private string cookies = "";
    private string token = "";

    private Browser(Uri address, X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null },
        };
        if (certificate is not null)
        {
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        http = new HttpClient(handler) { BaseAddress = address };
    }

    /// <summary>The cookies of the session, as somebody would copy them.</summary>
    public string Cookies => cookies;

    /// <param name="address">The server.</param>
    /// <param name="user">Who.</param>
    /// <param name="password">Theirs.</param>
    /// <param name="code">A code of theirs that has not been used; asked for only where the account has a second factor.</param>
    /// <param name="certificate">What its connections show; null for an ordinary browser.</param>
    public static async Task<Browser> SignIn(Uri address, string user, string password, Func<string>? code = null, X509Certificate2? certificate = null)
    {
        var browser = await AtTheDoor(address, certificate);
        var entered = await browser.Step("/sign-in", new(StringComparer.Ordinal) { ["username"] = user, ["password"] = password });
        if (entered.StartsWith("__Host-mangrove-step=", StringComparison.Ordinal))
        {
            var before = browser.cookies;
            browser.cookies += "; " + entered;
            entered = await browser.Step("/sign-in/code", new(StringComparer.Ordinal) { ["code"] = code!() });
            browser.cookies = before;
        }

        Assert.StartsWith("__Host-mangrove=", entered, StringComparison.Ordinal);
        browser.cookies += "; " + entered;
        return browser;
    }

    /// <summary>Before the page of the sign-in, with nobody's session yet.</summary>
    public static async Task<Browser> AtTheDoor(Uri address, X509Certificate2? certificate = null)
    {
        var browser = new Browser(address, certificate);
        using var page = await browser.http.GetAsync(new Uri("/sign-in", UriKind.Relative));
        browser.cookies = page.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("__Host-mangrove-form=", StringComparison.Ordinal)).Split(';')[0];
        browser.token = Token().Match(await page.Content.ReadAsStringAsync()).Groups["token"].Value;
        return browser;
    }

    /// <summary>Takes the session that an answer gives; false when it gives none.</summary>
    public bool Enter(Seen answer)
    {
        if (Session().Match(answer.Headers) is not { Success: true } session)
        {
            return false;
        }

        cookies += "; " + session.Value;
        return true;
    }

    /// <summary>Posts a step of the sign-in and gives the cookie that it came to.</summary>
    private async Task<string> Step(string address, Dictionary<string, string> form)
    {
        using var request = Request("POST", address, form);
        using var answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return answer.Headers.GetValues("Set-Cookie").Last(cookie => !cookie.Contains("expires=Thu, 01 Jan 1970", StringComparison.Ordinal)).Split(';')[0];
    }

    public async Task<Seen> Send(string method, string path, Dictionary<string, string>? form = null)
    {
        using var request = Request(method, path, form ?? []);
        using var answer = await http.SendAsync(request);
        var headers = answer.Headers.Concat(answer.Content.Headers).Where(header => header.Key != "Date").OrderBy(header => header.Key, StringComparer.Ordinal);
        return new Seen(answer.StatusCode, string.Join('\n', headers.Select(header => $"{header.Key}: {string.Join(", ", header.Value)}")), await answer.Content.ReadAsByteArrayAsync());
    }

    /// <summary>The beginning of a stream that does not end by itself.</summary>
    public async Task<Seen> Begin(string path)
    {
        using var request = Request("GET", path, []);
        request.Headers.Accept.Clear();
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[512];
        var read = await stream.ReadAsync(buffer);
        return new Seen(answer.StatusCode, "", buffer[..read]);
    }

    public void Dispose() => http.Dispose();

    private HttpRequestMessage Request(string method, string path, Dictionary<string, string> form)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path) { Headers = { { "Cookie", cookies }, { "Sec-Fetch-Site", "same-origin" }, { "Accept", "text/html" } } };
        if (method != "GET")
        {
            request.Content = new FormUrlEncodedContent(form.Append(new("__RequestVerificationToken", token)));
        }

        return request;
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"(?<token>[^\"]+)\"", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Token();

    [GeneratedRegex("__Host-mangrove=[^;,\\s]+", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Session();
}
