using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mangrove.Kernel;

namespace Mangrove.Tests.Cli;

/// <summary>Recovery sheets by commands and on the pages of the real server.</summary>
public sealed partial class SharesTests(SampleHospital sample) : IClassFixture<SampleHospital>
{
    private const string Place = "/admin/keys/shares";

    [Fact]
    public async Task By_commands_sheets_are_shown_on_a_terminal_alone_and_tried_from_files()
    {
        using var folder = new Folder();
        var data = Path.Combine(folder.Path, "copy");
        _ = await sample.CopyTo(data);
        await using var server = await Served.Start(data);
        var (admin, password) = sample.Login(Role.Admin);
        var secret = Path.Combine(folder.Path, "admin.password");
        await File.WriteAllTextAsync(secret, password);
        string[] acting = ["--data", data, "--as", admin, "--password-file", secret];

        // Nothing but a terminal is shown a sheet, and nothing is made for it.
        foreach (var json in new[] { Array.Empty<string>(), ["--json"] })
        {
            var refused = await Executable.Run(["keys", "shares", "create", "--threshold", "2", "--holders", "3", .. acting, .. json]);
            Assert.Equal(2, refused.Exit);
            Assert.Contains("shares.terminal", refused.Error, StringComparison.Ordinal);
        }

        async Task<JsonElement> Status() => (await Executable.Run("keys", "shares", "status", "--data", data, "--json")).Json;
        Assert.Equal(JsonValueKind.Null, (await Status()).GetProperty("begun").ValueKind);
        Assert.Equal("secret.needed", (await Executable.Run(["keys", "shares", "verify", .. acting, "--json"])).Code);

        // As from a terminal, where the shell has asked for the code: what it sends to the server that runs.
        Task<JsonElement> Create(string code) => Ask(data, new { args = (string[])["keys", "shares", "create", "--threshold", "2", "--holders", "3", .. acting], cwd = folder.Path, password, typed = (string[])[code] });
        Assert.Equal("factor.code", (await Create("000000")).GetProperty("code").GetString());
        var shown = await Create(sample.Code(Role.Admin));
        var sheets = Lines().Matches(shown.GetProperty("text").GetString()!).Select(match => match.Groups["letters"].Value).Chunk(5).Select(lines => string.Join('\n', lines)).ToList();
        Assert.Equal(3, sheets.Count);
        Assert.All(sheets, sheet => Assert.DoesNotContain(sheet[..9], shown.GetProperty("json").GetRawText(), StringComparison.Ordinal));
        Assert.Equal(JsonValueKind.Object, (await Status()).GetProperty("begun").ValueKind);

        var files = new List<string>();
        foreach (var sheet in sheets)
        {
            files.Add(Path.Combine(folder.Path, $"sheet-{files.Count}"));
            await File.WriteAllTextAsync(files[^1], sheet.ToLowerInvariant());
        }

        Task<Ran> Verify(params string[] named) => Executable.Run(["keys", "shares", "verify", .. named.SelectMany(name => new[] { "--share-file", name }), .. acting, "--json"]);
        Assert.Equal("shares.too-few", (await Verify(files[0])).Code);
        Assert.Equal("shares.file", (await Verify(files[0], files[1] + ".none")).Code);
        Assert.False((await Verify(files[2], files[0])).Json.GetProperty("inForce").GetBoolean());
        Assert.Equal("warn", await Doctor(data));
        var whole = await Verify([.. files]);
        Assert.True(whole.Exit == 0, whole.Error);
        Assert.True(whole.Json.GetProperty("inForce").GetBoolean());
        Assert.Equal("ok", await Doctor(data));

        var status = await Status();
        Assert.Equal("key-file", status.GetProperty("protector").GetString());
        Assert.Equal((2, 3), (status.GetProperty("inForce").GetProperty("threshold").GetInt32(), status.GetProperty("inForce").GetProperty("holders").GetInt32()));
        Assert.Equal(JsonValueKind.Null, status.GetProperty("begun").ValueKind);
        var (nurse, theirs) = sample.Login(Role.Nurse);
        await File.WriteAllTextAsync(secret, theirs);
        Assert.Equal("access.role", (await Executable.Run("keys", "shares", "verify", "--share-file", files[0], "--data", data, "--as", nurse, "--password-file", secret, "--json")).Code);
        Assert.Equal(0, await server.Stop());
        Assert.All(sheets.SelectMany(sheet => sheet.Split('\n')), line => Assert.DoesNotContain(line[..9], server.Said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task On_the_page_sheets_are_shown_once_read_back_and_tried()
    {
        using var folder = new Folder();
        await using var hosted = await HostedHospital.Open(sample, await sample.CopyTo(Path.Combine(folder.Path, "copy")), TimeProvider.System, Ids.New);
        using var browser = await hosted.SignIn(Role.Admin);
        Assert.Contains("No sheets are in force", (await browser.Send("GET", Place)).Text, StringComparison.Ordinal);

        var refused = await browser.Send("POST", Place, new(StringComparer.Ordinal) { ["needed"] = "2", ["holders"] = "3", ["code"] = "000000" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("factor.code", refused.Text, StringComparison.Ordinal);
        var made = await browser.Send("POST", Place, new(StringComparer.Ordinal) { ["needed"] = "2", ["holders"] = "3", ["code"] = sample.Code(Role.Admin) });
        Assert.Equal(HttpStatusCode.OK, made.Status);
        Assert.Contains("Cache-Control: no-store", made.Headers, StringComparison.Ordinal);
        var sheets = Shown().Matches(made.Text).Select(match => Tags().Replace(match.Groups["line"].Value, " ").Trim()).Select(line => Spaces().Replace(line, " ")).Chunk(5).ToList();
        Assert.Equal(3, sheets.Count);
        Assert.All(sheets.SelectMany(sheet => sheet), line => Assert.Matches("^([A-Z2-7]{4} ){3}[A-Z2-7]{4}$", line));

        // They are in no later answer of the page.
        var after = await browser.Send("GET", Place);
        Assert.All(sheets.SelectMany(sheet => sheet), line => Assert.DoesNotContain(line[..9], after.Text, StringComparison.Ordinal));
        var asked = (await hosted.Hospital.Vault.Recovery.State(default)).Asked;
        var answers = asked.ToDictionary(one => $"group-{one.Sheet}", one => sheets[one.Sheet - 1][one.Line - 1].Split(' ')[one.Group - 1], StringComparer.Ordinal);
        var wrong = await browser.Send("POST", Place + "/read-back", new(answers, StringComparer.Ordinal) { ["group-2"] = "AAAA" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.Status);
        Assert.Contains("shares.read-back", wrong.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.Send("POST", Place + "/read-back", answers)).Status);

        var slip = await browser.Send("POST", Place + "/verify", new(StringComparer.Ordinal) { ["sheet-1"] = string.Join('\n', sheets[0]), ["sheet-2"] = string.Join('\n', [.. sheets[1][..4], "AAAA AAAA AAAA AAAA"]) });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, slip.Status);
        Assert.Contains("Line 5 of sheet 2 ", slip.Text, StringComparison.Ordinal);
        var tried = await browser.Send("POST", Place + "/verify", new(StringComparer.Ordinal) { ["sheet-1"] = string.Join('\n', sheets[2]), ["sheet-2"] = string.Join(' ', sheets[1]) });
        Assert.Equal(HttpStatusCode.SeeOther, tried.Status);
        Assert.True((await hosted.Hospital.Vault.Recovery.State(default)).InForce is { Threshold: 2, Count: 3 });
        Assert.Contains("any 2 of 3 sheets", (await browser.Send("GET", Place)).Text, StringComparison.Ordinal);
        Assert.Contains("2 of 3 sheets", (await browser.Send("GET", "/admin")).Text, StringComparison.Ordinal);
    }

    /// <summary>One line of JSON over the socket in the folder, and the line that answers it.</summary>
    private static async Task<JsonElement> Ask(string data, object line)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(data, "mangrove.sock")));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(line), (byte)'\n']);
        using var reader = new StreamReader(stream);
        return JsonDocument.Parse((await reader.ReadLineAsync())!).RootElement.Clone();
    }

    private static async Task<string?> Doctor(string data) =>
        (await Executable.Run("doctor", "--data", data, "--json")).Json.GetProperty("checks").EnumerateArray().Single(check => check.GetProperty("name").GetString() == "recovery").GetProperty("status").GetString();

    [GeneratedRegex(@"^ +[1-5]  (?<letters>([A-Z2-7]{4} ){3}[A-Z2-7]{4})$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Lines();

    [GeneratedRegex(@"<li data-test=""line"">(?<line>.*?)</li>", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Shown();

    [GeneratedRegex("<[^>]*>", RegexOptions.None, 10_000)]
    private static partial Regex Tags();

    [GeneratedRegex(@"\s+", RegexOptions.None, 10_000)]
    private static partial Regex Spaces();
}
