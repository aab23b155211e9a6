using System.Net;
using System.Security.Cryptography;
using Mangrove.Kernel;

namespace Mangrove.Tests.Cli;

/// <summary>Keys rotated by commands and on the pages, with a server running, without one, and with either of them killed.</summary>
public abstract class KeysVerbTests(SampleHospital sample)
{
    private static readonly string[] Moved = ["data", "audit", "ring"];

    private static readonly bool Full = string.Equals(Environment.GetEnvironmentVariable("MANGROVE_FULL"), "1", StringComparison.Ordinal);

    [Fact]
    public async Task Killed_in_the_middle_again_and_again_the_hospital_opens_and_the_next_server_ends_what_was_begun()
    {
        using var folder = new Folder();
        var before = await Export(folder["before"]);
        for (var round = 0; round < (Full ? 100 : 12); round++)
        {
            var purpose = ((string[])[.. Moved, "pepper", "root"])[RandomNumberGenerator.GetInt32(5)];
            using var command = Executable.Start([.. Arguments("keys", "rotate", purpose)]);
            command.StandardInput.Close();
            var said = command.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await Task.WhenAny(command.WaitForExitAsync(TestContext.Current.CancellationToken), Task.Delay(RandomNumberGenerator.GetInt32(300, 2500), TestContext.Current.CancellationToken));
            command.Kill();
            await command.WaitForExitAsync(TestContext.Current.CancellationToken);
            await said;
        }

        await using (var server = await Served.Start(sample.Data, [.. sample.StorageArguments]))
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (await Older(Moved) > 0)
            {
                await Task.Delay(100, patience.Token);
            }

            Assert.Equal(0, await server.Stop());
        }

        Assert.Equal(before, await Export(folder["after"]));
        Assert.Equal(0, (await Executable.Run([.. Arguments("audit", "verify")[..2], "--data", sample.Data, "--json", .. sample.StorageArguments])).Exit);
    }

    [Fact]
    public async Task By_commands_keys_root_and_protector_change_while_the_server_runs()
    {
        using var folder = new Folder();
        var before = await Export(folder["before"]);
        var passphrase = folder.Secret("passphrase", "a new and long passphrase");
        await using (var server = await Served.Start(sample.Data, [.. sample.StorageArguments]))
        {
            foreach (var purpose in Moved)
            {
                var rotated = await Executable.Run([.. Arguments("keys", "rotate", purpose)]);
                Assert.True(rotated.Exit == 0, rotated.Error);
                Assert.True(rotated.Json.GetProperty("finished").GetBoolean());
                var state = Assert.Single(rotated.Json.GetProperty("purposes").EnumerateArray());
                Assert.Equal((purpose, "in-use"), (state.GetProperty("name").GetString(), state.GetProperty("state").GetString()));
                Assert.True(state.GetProperty("ciphertexts").GetInt64() > 0);
                Assert.Contains("is in use. Moving what is under older versions.", rotated.Error, StringComparison.Ordinal);
            }

            var marks = await Executable.Run([.. Arguments("keys", "rotate", "index")]);
            Assert.True(marks.Exit == 0, marks.Error);
            Assert.True(marks.Json.GetProperty("finished").GetBoolean());
            Assert.Equal("keys.purpose-unknown", (await Executable.Run([.. Arguments("keys", "rotate", "doors")])).Code);
            Assert.Equal("access.role", (await Executable.Run([.. Arguments("nurse", "keys", "rotate", "data")])).Code);
            Assert.Equal(0, (await Executable.Run([.. Arguments("keys", "rotate", "root")])).Exit);

            Assert.Equal("keys.protector", (await Executable.Run([.. Arguments("keys", "protector", "--protector", "paper")])).Code);
            Assert.Equal("keys.no-secret", (await Executable.Run([.. Arguments("keys", "protector", "--protector", "passphrase")])).Code);
            Assert.Equal("access.role", (await Executable.Run([.. Arguments("nurse", "keys", "protector", "--protector", "passphrase", "--new-passphrase-file", passphrase)])).Code);
            var changed = await Executable.Run([.. Arguments("keys", "protector", "--protector", "passphrase", "--new-passphrase-file", passphrase)]);
            Assert.True(changed.Exit == 0, changed.Error);
            Assert.Equal("passphrase", changed.Json.GetProperty("protector").GetString());
            Assert.Equal(0, await server.Stop());
        }

        // Nothing opens without the new secret.
        Assert.Equal("keys.passphrase-needed", (await Executable.Run(["keys", "status", "--data", sample.Data, "--json", .. sample.StorageArguments])).Code);
        Assert.Equal("keys.passphrase-wrong", (await Executable.Run(["keys", "status", "--data", sample.Data, "--json", "--passphrase-file", folder.Secret("other", "another long passphrase"), .. sample.StorageArguments])).Code);
        var back = Path.Combine(folder.Path, "back.key");
        Assert.Equal(0, (await Executable.Run([.. Arguments("keys", "protector", "--protector", "keyfile:" + back, "--accept-same-volume", "--passphrase-file", passphrase)])).Exit);
        Assert.Equal(before, await Export(folder["after"], "--key-file", back));
        File.Copy(back, Path.Combine(sample.Data, "demo.key"), overwrite: true);
        var again = Path.Combine(sample.Data, "again.key");
        Assert.Equal(0, (await Executable.Run([.. Arguments("keys", "protector", "--protector", "keyfile:" + again, "--accept-same-volume", "--key-file", back)])).Exit);
    }

    /// <summary>What every field of every patient says, so that it can be told whether it still does.</summary>
    private async Task<string> Export(string to, params string[] more)
    {
        // A command that was killed while it compared a password has left a wrong try behind, after which the next waits a second.
        Ran ran;
        do
        {
            ran = await Executable.Run([.. Arguments("export", "fhir", "--out", to), .. more]);
        }
        while (ran.Exit != 0 && ran.Code == "signin.wait");

        Assert.True(ran.Exit == 0, ran.Error);
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Directory.GetFiles(to, "*.ndjson").Order(StringComparer.Ordinal))
        {
            all.AppendData(await File.ReadAllBytesAsync(file));
        }

        return $"{ran.Json.GetProperty("resources")} {Convert.ToHexStringLower(all.GetHashAndReset())}";
    }

    private async Task<int> Older(string[] purposes) => (await Executable.Run(["keys", "status", "--data", sample.Data, "--json", .. sample.StorageArguments])).Json.GetProperty("purposes").EnumerateArray()
        .Count(one => one.GetProperty("state").GetString() == "opens-older" && purposes.Contains(one.GetProperty("name").GetString()));

    private string[] Arguments(params string[] words)
    {
        var role = words[0] == "nurse" ? "nurse" : "admin";
        var (user, password) = sample.Account(role);
        return [.. words.SkipWhile(word => word == "nurse"), "--data", sample.Data, "--as", user, "--password-file", password, "--json", .. sample.StorageArguments];
    }
}

public sealed class KeysVerbOnSqliteTests(SampleHospital sample) : KeysVerbTests(sample), IClassFixture<SampleHospital>;

public sealed class KeysVerbOnPostgresTests(SampleOnPostgres sample) : KeysVerbTests(sample), IClassFixture<SampleOnPostgres>;

/// <summary>The administrator's page of keys.</summary>
public sealed class KeyPageTests(SampleHospital sample) : IClassFixture<SampleHospital>
{
    [Fact]
    public async Task On_the_page_a_key_is_rotated_after_a_question_and_the_schedule_is_changed()
    {
        using var folder = new Folder();
        await using var hosted = await HostedHospital.Open(sample, await sample.CopyTo(Path.Combine(folder.Path, "copy")), TimeProvider.System, Ids.New);
        using var browser = await hosted.SignIn(Role.Admin);

        Assert.Contains("ciphertexts under old versions: 0", (await browser.Send("GET", "/admin/keys")).Text, StringComparison.Ordinal);
        Assert.Contains("20 patients&#x27; keys are wrapped anew", (await browser.Send("GET", "/admin/keys/rotate?purpose=data")).Text, StringComparison.Ordinal);
        Assert.Contains("imported records are opened one after another", (await browser.Send("GET", "/admin/keys/rotate?purpose=index")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.Send("GET", "/admin/keys/rotate?purpose=doors")).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.Send("POST", "/admin/keys/rotate", new(StringComparer.Ordinal) { ["purpose"] = "data" })).Status);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (hosted.Hospital.Vault.KeyStates().Count(key => key.Purpose == "data") > 1)
        {
            await Task.Delay(50, patience.Token);
        }

        var table = (await browser.Send("GET", "/admin/keys/table")).Text;
        Assert.Contains("data-test=\"key-data-2\"", table, StringComparison.Ordinal);
        Assert.DoesNotContain("data-test=\"key-data-1\"", table, StringComparison.Ordinal);
        Assert.DoesNotContain("hx-trigger", table, StringComparison.Ordinal);
        var wrong = await browser.Send("POST", "/admin/keys/rotate", new(StringComparer.Ordinal) { ["purpose"] = "doors" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.Status);
        Assert.Contains("keys.purpose-unknown", wrong.Text, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await browser.Send("POST", "/admin/keys/schedule", new(StringComparer.Ordinal) { ["usual"] = "many", ["outside"] = "60" })).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.Send("POST", "/admin/keys/schedule", new(StringComparer.Ordinal) { ["usual"] = "90", ["outside"] = "60" })).Status);
        var loosened = await browser.Send("POST", "/admin/keys/schedule", new(StringComparer.Ordinal) { ["usual"] = "91", ["outside"] = "60" });
        Assert.Contains("factor.code", loosened.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"91\"", loosened.Text, StringComparison.Ordinal);
        Assert.Equal(90, hosted.Hospital.Vault.Keys.Days.Usual);
        Assert.Equal(["ROTATE_KEY", "RETIRE_KEY", "ROTATE_KEY"], (await hosted.Log()).Select(entry => entry.Action).Where(action => action is "ROTATE_KEY" or "RETIRE_KEY"));

        using var nurse = await hosted.SignIn(Role.Nurse);
        Assert.All(
            new[] { await nurse.Send("GET", "/admin/keys"), await nurse.Send("GET", "/admin/keys/table"), await nurse.Send("POST", "/admin/keys/rotate", new(StringComparer.Ordinal) { ["purpose"] = "data" }) },
            answer => Assert.Equal(HttpStatusCode.NotFound, answer.Status));
    }
}
