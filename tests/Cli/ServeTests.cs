using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Mangrove.Tests.Cli;

public sealed class ServeTests(SampleHospital hospital) : IClassFixture<SampleHospital>
{
    [Fact]
    public async Task The_first_page_can_be_fetched_when_ready_is_said_and_only_by_tls_1_3()
    {
        await using var server = await Served.Start(hospital.Data);
        using var client = server.Client();
        using var page = await client.GetAsync("/sign-in");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.False(page.Headers.Contains("Server"));
        Assert.Equal("no-store", page.Headers.CacheControl!.ToString());
        Assert.Equal("ok\n", await client.GetStringAsync("/healthz"));

        using var older = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { EnabledSslProtocols = SslProtocols.Tls12, RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        });
        await Assert.ThrowsAsync<HttpRequestException>(() => older.GetAsync(new Uri(server.Address, "/healthz")));
        Assert.Equal(0, await server.Stop());
        Assert.False(File.Exists(Path.Combine(hospital.Data, "mangrove.sock")));
    }

    [Fact]
    public async Task Figures_carry_no_names_and_a_foreign_host_is_refused()
    {
        await using var server = await Served.Start(hospital.Data);
        using var client = server.Client();
        var figures = await client.GetStringAsync("/metrics");
        Assert.Contains("mangrove_audit_writable 1", figures, StringComparison.Ordinal);
        Assert.DoesNotContain("P-", figures, StringComparison.Ordinal);
        using var foreign = new HttpRequestMessage(HttpMethod.Get, "/sign-in") { Headers = { Host = "evil.example" } };
        using var refused = await client.SendAsync(foreign);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task A_second_server_on_the_folder_is_told_so()
    {
        await using var server = await Served.Start(hospital.Data);
        var second = await Executable.Run("serve", "--data", hospital.Data, "--urls", "https://localhost:0", "--json");
        Assert.Equal((2, "data.in-use"), (second.Exit, second.Code));
        var init = await Executable.Run("demo", "--data", hospital.Data, "--json");
        Assert.Equal((2, "data.in-use"), (init.Exit, init.Code));
        using var client = server.Client();
        Assert.Equal("ok\n", await client.GetStringAsync("/healthz"));
    }

    [Fact]
    public async Task The_system_writes_no_core_of_it_when_it_dies()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit is read where Linux shows it.");
        await using var server = await Served.Start(hospital.Data);
        var limit = (await File.ReadAllLinesAsync($"/proc/{server.Id}/limits")).Single(line => line.StartsWith("Max core file size", StringComparison.Ordinal));
        Assert.Equal(["0", "0"], limit["Max core file size".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2));
    }

    [Fact]
    public async Task A_port_in_use_is_said_by_its_code()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var refused = await Executable.Run("serve", "--data", hospital.Data, "--urls", $"https://127.0.0.1:{port}", "--json");
        Assert.Equal((2, "serve.port-in-use"), (refused.Exit, refused.Code));
    }

    [Fact]
    public async Task After_a_power_cut_it_starts_again_with_a_whole_log_and_the_same_certificate()
    {
        string first;
        await using (var server = await Served.Start(hospital.Data))
        {
            first = await Fingerprint(server.Address);
            await server.Kill();
        }

        await using var again = await Served.Start(hospital.Data);
        Assert.Equal(first, await Fingerprint(again.Address));
        var log = await Executable.Run("audit", "verify", "--data", hospital.Data, "--json");
        Assert.True(log.Json.GetProperty("ok").GetBoolean(), log.Out);
    }

    [Fact]
    public async Task Private_keys_and_the_form_ring_stand_in_no_file()
    {
        await using (var server = await Served.Start(hospital.Data))
        {
            using var client = server.Client();
            await client.GetStringAsync("/sign-in");
            await server.Stop();
        }

        foreach (var file in Directory.EnumerateFiles(hospital.Data))
        {
            var text = System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            Assert.DoesNotContain("PRIVATE KEY", text, StringComparison.Ordinal);
            Assert.DoesNotContain("<key", text, StringComparison.Ordinal);
            Assert.DoesNotContain("<value>", text, StringComparison.Ordinal);
        }
    }

    private static async Task<string> Fingerprint(Uri address)
    {
        var seen = "";
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions =
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    // The hospital's own certificate has no public root; the test compares its hash instead.
                    seen = certificate!.GetCertHashString();
                    return seen.Length > 0;
                },
            },
        });
        await client.GetStringAsync(new Uri(address, "/healthz"));
        return seen;
    }
}
