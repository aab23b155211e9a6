using System.Net;
using System.Text.RegularExpressions;
using Mangrove.Web;

namespace Mangrove.Tests.Acceptance.Look;

/// <summary>The rules around every answer: headers, caching, where requests may come from, and what refusals give away.</summary>
public sealed partial class AnswerTests(LookHost host)
{
    private const string Policy = "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    [Theory]
    [InlineData("/look/triage", 200)]
    [InlineData("/sign-in", 200)]
    [InlineData("/no-such-page", 404)]
    [InlineData("/look/broken", 500)]
    [InlineData("/look/refused", 400)]
    [InlineData("/assets/0000000000000000/mangrove.css", 404)]
    public async Task Every_answer_carries_the_strict_headers_and_is_not_stored(string path, int status)
    {
        using var client = host.Client();
        var answer = await client.GetAsync(path);
        Assert.Equal(status, (int)answer.StatusCode);
        string Header(string name) => string.Join(",", answer.Headers.GetValues(name));
        Assert.Equal(Policy, Header("Content-Security-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Opener-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Resource-Policy"));
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header("Referrer-Policy"));
        Assert.Equal("max-age=31536000", Header("Strict-Transport-Security"));
        Assert.Equal("no-store", Header("Cache-Control"));
        Assert.Contains("camera=()", Header("Permissions-Policy"), StringComparison.Ordinal);
        foreach (var cookie in answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : [])
        {
            Assert.StartsWith("__Host-", cookie, StringComparison.Ordinal);
            Assert.Contains("secure", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("path=/", cookie, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task A_page_has_no_inline_script_style_or_handler()
    {
        using var client = host.Client();
        foreach (var path in new[] { "/look/components", "/look/triage", "/look/consultation", "/look/trust", "/sign-in", "/locked", "/keys", "/no-such-page" })
        {
            var html = await client.GetStringOrBody(path);
            Assert.True(html.StartsWith("<!DOCTYPE html>", StringComparison.OrdinalIgnoreCase), $"{path} is no whole page: {html}");
            Assert.DoesNotMatch(Inline(), html);
        }
    }

    [Fact]
    public async Task Assets_are_kept_for_ever_under_their_hash_and_come_compressed()
    {
        using var client = host.Client();
        var plain = await client.GetAsync(WebAssets.Url("mangrove.css"));
        Assert.Equal("public, max-age=31536000, immutable", string.Join(",", plain.Headers.GetValues("Cache-Control")));
        Assert.Equal("text/css", plain.Content.Headers.ContentType!.MediaType);
        var body = await plain.Content.ReadAsByteArrayAsync();

        foreach (var coding in new[] { "br", "gzip" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, WebAssets.Url("mangrove.css"));
            request.Headers.Add("Accept-Encoding", coding);
            var packed = await client.SendAsync(request);
            Assert.Equal([coding], packed.Content.Headers.ContentEncoding);
            var small = await packed.Content.ReadAsStreamAsync();
            await using Stream opened = coding == "br" ? new System.IO.Compression.BrotliStream(small, System.IO.Compression.CompressionMode.Decompress) : new System.IO.Compression.GZipStream(small, System.IO.Compression.CompressionMode.Decompress);
            using var copy = new MemoryStream();
            await opened.CopyToAsync(copy);
            Assert.Equal(body, copy.ToArray());
        }

        using var again = new HttpRequestMessage(HttpMethod.Get, WebAssets.Url("mangrove.css"));
        again.Headers.IfNoneMatch.Add(plain.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await client.SendAsync(again)).StatusCode);
    }

    [Fact]
    public async Task Every_file_that_the_style_sheet_and_the_modules_name_is_there()
    {
        using var client = host.Client();
        var css = await client.GetStringAsync(WebAssets.Url("mangrove.css"));
        var names = Named().Matches(css).Select(m => m.Groups["it"].Value).ToList();
        Assert.True(names.Count >= 4);
        foreach (var name in names)
        {
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(WebAssets.Url(name))).StatusCode);
        }
    }

    [Fact]
    public async Task Forbidden_and_nonexistent_are_the_same_bytes_and_the_same_headers()
    {
        using var client = host.Client();
        var answers = new List<(string Body, string Headers)>();
        foreach (var path in new[] { "/look/forbidden", "/look/hidden", "/no/such/place", "/no-such-file.php", "/look/sign", "/MARKER-5550" })
        {
            var answer = await client.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            var headers = answer.Headers.Concat(answer.Content.Headers).Where(h => h.Key != "Date").Select(h => $"{h.Key}: {string.Join(",", h.Value)}").Order(StringComparer.Ordinal);
            answers.Add((await answer.Content.ReadAsStringAsync(), string.Join('\n', headers)));
        }

        Assert.Single(answers.Distinct());
        Assert.DoesNotContain("MARKER", answers[0].Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_component_that_fails_while_it_is_drawn_still_gives_a_whole_page()
    {
        using var client = host.Client();
        var answer = await client.GetAsync("/look/broken-late");
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Matches(Number(), await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_exception_is_a_number_to_the_person_and_its_text_is_nowhere()
    {
        using var client = host.Client();
        var answer = await client.GetAsync("/look/broken");
        var body = await answer.Content.ReadAsStringAsync();
        var id = Number().Match(body).Groups["it"].Value;
        Assert.Equal(12, id.Length);
        Assert.DoesNotContain("MARKER-8127", body, StringComparison.Ordinal);
        Assert.DoesNotContain(host.Log, line => line.Contains("MARKER-8127 ", StringComparison.Ordinal));
        Assert.Contains(host.Log, line => line.Contains(id, StringComparison.Ordinal) && line.Contains("System.InvalidOperationException", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, null, 403)]
    [InlineData("cross-site", "https://elsewhere.example", 403)]
    [InlineData("same-site", null, 403)]
    [InlineData("none", null, 403)]
    [InlineData("cross-site", "own", 403)]
    [InlineData("same-origin", "https://elsewhere.example", 403)]
    [InlineData(null, "null", 403)]
    [InlineData("same-origin", "null", 303)]
    [InlineData("same-origin", "own", 303)]
    [InlineData(null, "own", 303)]
    public async Task An_unsafe_verb_must_come_from_our_own_pages(string? site, string? origin, int status)
    {
        using var client = host.Client(asBrowser: false);
        var token = await client.Token("/look/consultation");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/look/sign") { Content = new FormUrlEncodedContent([new(FormToken.FieldName, token)]) };
        Add(request, site, origin);
        Assert.Equal(status, (int)(await client.SendAsync(request)).StatusCode);
    }

    [Theory]
    [InlineData("/look/sign")]
    [InlineData("/screen")]
    [InlineData("/no/such/place")]
    public async Task Every_unsafe_verb_without_its_token_is_refused(string path)
    {
        using var client = host.Client();
        foreach (var verb in new[] { "POST", "PUT", "PATCH", "DELETE" })
        {
            using var request = new HttpRequestMessage(new HttpMethod(verb), path) { Content = new FormUrlEncodedContent([new("a", "b")]) };
            Assert.Equal(HttpStatusCode.BadRequest, (await client.SendAsync(request)).StatusCode);
        }
    }

    [Theory]
    [InlineData("p=%00", "form.unreadable")]
    [InlineData("p=a&p=b", "form.doubled")]
    [InlineData("role=a&role=b", "web.stale-form")]
    [InlineData("p=a", "web.stale-form")]
    [InlineData("{}", "form.unreadable", "application/json", 415)]
    [InlineData("<a/>", "form.unreadable", "text/xml", 415)]
    public async Task A_form_that_reads_in_two_ways_or_in_none_is_refused_before_anything_else(string body, string problem, string type = "application/x-www-form-urlencoded", int status = 400)
    {
        using var client = host.Client();
        using var content = new StringContent(body, null, type);
        var answer = await client.PostAsync("/look/sign", content);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(problem, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/look/triage?x=1#here", "/look/triage?x=1#here")]
    [InlineData("//elsewhere.example/x", "/keys")]
    [InlineData("https://elsewhere.example/x", "/keys")]
    [InlineData("/\\elsewhere.example", "/keys")]
    [InlineData("/look/\u00bf", "/keys")]
    [InlineData("/look/a b", "/keys")]
    [InlineData("/look/\r\nX: y", "/keys")]
    public async Task A_way_back_leads_to_this_server_or_nowhere(string back, string leads)
    {
        using var client = host.Client();
        var page = await client.GetStringAsync("/keys");
        var token = Regex.Match(page, $"name=\"{FormToken.FieldName}\"[^>]*value=\"(?<token>[^\"]+)\"", RegexOptions.None, TimeSpan.FromSeconds(1)).Groups["token"].Value;
        using var form = new FormUrlEncodedContent([new(FormToken.FieldName, token), new("theme", "dark"), new("back", back)]);
        var answer = await client.PostAsync("/screen", form);
        Assert.Equal((HttpStatusCode.SeeOther, leads), (answer.StatusCode, answer.Headers.Location?.OriginalString));
    }

    [Fact]
    public async Task A_request_is_never_sent_back_as_it_came()
    {
        using var client = host.Client();
        using var request = new HttpRequestMessage(HttpMethod.Trace, "/sign-in");
        request.Headers.Add("X-Marker", "MARKER-6021");
        var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.DoesNotContain("MARKER-6021", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_for_tokens_alone_is_left_alone()
    {
        using var client = host.Client(asBrowser: false);
        Assert.Equal(HttpStatusCode.NoContent, (await client.PostAsync("/look/token-only", null)).StatusCode);
    }

    [Theory]
    [InlineData("same-origin", null, 200)]
    [InlineData("cross-site", null, 403)]
    [InlineData("same-site", "https://elsewhere.example", 403)]
    [InlineData(null, null, 403)]
    public async Task An_event_stream_must_be_opened_by_our_own_pages(string? site, string? origin, int status)
    {
        using var client = host.Client(asBrowser: false);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/events");
        request.Headers.Add("Accept", "text/event-stream");
        Add(request, site, origin);
        Assert.Equal(status, (int)(await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)).StatusCode);
    }

    [Theory]
    [InlineData("https://elsewhere.example/")]
    [InlineData("//elsewhere.example/")]
    [InlineData("/\\elsewhere.example/")]
    public async Task Saving_the_screen_never_leads_elsewhere(string back)
    {
        using var client = host.Client();
        var token = await client.Token("/look/consultation");
        var answer = await client.PostAsync("/screen", new FormUrlEncodedContent([new(FormToken.FieldName, token), new("theme", "dark"), new("back", back)]));
        Assert.Equal("/keys", answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public void Screen_settings_are_read_back_as_written_and_nonsense_is_the_default()
    {
        foreach (var theme in Enum.GetValues<Theme>())
        {
            var settings = new ScreenSettings(theme, RightToLeft: true, LetterKeys: false);
            Assert.Equal(settings, ScreenSettings.Parse(settings.ToString()));
        }

        Assert.Equal(ScreenSettings.Default, ScreenSettings.Parse("\"><script>"));
        Assert.Equal(ScreenSettings.Default, ScreenSettings.Parse(null));
    }

    private void Add(HttpRequestMessage request, string? site, string? origin)
    {
        if (site is not null)
        {
            request.Headers.Add("Sec-Fetch-Site", site);
        }

        if (origin is not null)
        {
            request.Headers.Add("Origin", origin == "own" ? host.Address : origin);
        }
    }

    [GeneratedRegex(@"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=", RegexOptions.IgnoreCase, 1000)]
    private static partial Regex Inline();

    [GeneratedRegex(@"url\((?<it>[^)""']+)\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Named();

    [GeneratedRegex(@"data-test=""error-id""[^>]*>(?<it>[0-9a-f]+)<", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Number();
}

internal static partial class Clients
{
    public static async Task<string> GetStringOrBody(this HttpClient client, string path) => await (await client.GetAsync(path)).Content.ReadAsStringAsync();

    /// <summary>A token from a page, as a person's browser would have it.</summary>
    public static async Task<string> Token(this HttpClient client, string path) =>
        WebUtility.HtmlDecode(Field().Match(await client.GetStringAsync(path)).Groups["it"].Value);

    [GeneratedRegex(@"name=""__RequestVerificationToken""[^>]*value=""(?<it>[^""]+)""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Field();
}
