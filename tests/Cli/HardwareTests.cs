using System.Diagnostics;
using Mangrove.Cli;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Cli;

/// <summary>A hospital whose root key is under a TPM or a token, as an administrator makes, starts, loses and restores it (threat K11).</summary>
public sealed class HardwareTests : IDisposable
{
    private const string ForBackups = "seven brown herons wade slowly";

    private readonly Folder folder = new();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(TestTpm.Variable, null);
        folder.Dispose();
    }

    [Fact]
    public async Task With_a_TPM_it_starts_unattended_here_and_nowhere_else_and_a_backup_brings_it_back_under_another_TPM()
    {
        using var tpm = await TestTpm.Start();
        using var other = await TestTpm.Start();
        string[] init = ["init", "--data", folder.Data, "--facility", "Kivuko Hospital", "--protector", "tpm", "--json"];
        var alone = await Run(tpm, init);
        Assert.Equal((2, "keys.no-recovery"), (alone.Exit, alone.Code));
        var pass = folder.Secret("pass", ForBackups);
        var made = await Run(tpm, [.. init, "--passphrase-file", pass]);
        Assert.True(made.Exit == 0, made.Out + made.Error);

        // Nobody is there when the machine starts.
        await using (var server = await Served.Start(With(tpm, "serve", "--data", folder.Data, "--urls", "https://localhost:0")))
        {
            using var client = server.Client();
            Assert.True((await client.GetAsync(new Uri("/healthz", UriKind.Relative), TestContext.Current.CancellationToken)).IsSuccessStatusCode);
            var doctor = await Run(tpm, "doctor", "--data", folder.Data);
            Assert.Contains("The root key is protected by the TPM of this machine. A stolen disk reveals nothing. A stolen machine opens by itself", doctor.Out, StringComparison.Ordinal);
            Assert.Contains("only the passphrase opens a backup", doctor.Out, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(0, await server.Stop());
        }

        // A thief has the disk, and knows even the passphrase of the backups.
        foreach (var address in new[] { other.Address, "swtpm:path=/nowhere/at/all" })
        {
            foreach (var way in new string[][] { [], ["--passphrase-file", pass], ["--pin-file", folder.Secret("pin", "0000")], ["--key-file", folder.Secret("key", new string('a', 64))] })
            {
                var stolen = await Executable.Ended(Process.Start(At(address, ["keys", "status", "--data", folder.Data, "--json", .. way]))!);
                Assert.Equal((2, address == other.Address ? "tpm.foreign" : "tpm.missing"), (stolen.Exit, stolen.Code));
            }
        }

        Environment.SetEnvironmentVariable(TestTpm.Variable, tpm.Address);
        await using (var hospital = await Hospital.Open(StorageOptions.Sqlite(folder.Data), new RootSecret(), TimeProvider.System, default))
        {
            await hospital.Backups.Make(SystemActors.Backup, folder["target"], complete: false, null, static _ => { }, default);
        }

        var wrong = await Run(other, "backup", "restore", folder["target"], "--data", folder["new"], "--passphrase-file", folder.Secret("wrong", "seven brown herons wade quickly"), "--protector", "tpm", "--json");
        Assert.Equal((2, "keys.passphrase-wrong"), (wrong.Exit, wrong.Code));
        var restored = await Run(other, "backup", "restore", folder["target"], "--data", folder["new"], "--passphrase-file", pass, "--protector", "tpm", "--json");
        Assert.True(restored.Exit == 0, restored.Out + restored.Error);
        var log = await Run(other, "audit", "verify", "--data", folder["new"], "--json");
        Assert.True(log.Json.GetProperty("ok").GetBoolean(), log.Out);
        Assert.Equal("tpm.foreign", (await Run(tpm, "keys", "status", "--data", folder["new"], "--json")).Code);

        // The restored hospital's backups open by the same passphrase.
        var shares = await Run(other, "keys", "shares", "status", "--data", folder["new"], "--json");
        Assert.Equal("passphrase", shares.Json.GetProperty("protector").GetString());
    }

    [Fact]
    public async Task With_a_token_it_starts_by_the_PIN_of_a_file_and_not_without_it()
    {
        using var tpm = await TestTpm.Start();
        using var token = await TestToken.Make("hospital");
        Environment.SetEnvironmentVariable(TestToken.Variable, token.Configuration);
        try
        {
            var pin = folder.Secret("pin", TestToken.Pin);
            var pass = folder.Secret("pass", ForBackups);
            string[] init = ["init", "--data", folder.Data, "--facility", "Kivuko Hospital", "--protector", "pkcs11:hospital", "--module", TestToken.Module!, "--passphrase-file", pass, "--json"];
            Assert.Equal("token.pin-needed", (await Run(tpm, init)).Code);
            Assert.Equal("token.pin-wrong", (await Run(tpm, [.. init, "--pin-file", folder.Secret("wrong", "111111")])).Code);
            Assert.False(Directory.Exists(folder.Data));
            Assert.Equal(0, await token.Keys("hospital"));
            var made = await Run(tpm, [.. init, "--pin-file", pin]);
            Assert.True(made.Exit == 0, made.Out + made.Error);
            Assert.Equal(1, await token.Keys("hospital"));

            Assert.Equal("token.pin-needed", (await Run(tpm, "keys", "status", "--data", folder.Data, "--json")).Code);
            await using (var server = await Served.Start(With(tpm, "serve", "--data", folder.Data, "--urls", "https://localhost:0", "--pin-file", pin)))
            {
                var doctor = await Run(tpm, "doctor", "--data", folder.Data);
                Assert.Contains("The root key is protected by a token, with its PIN. A stolen disk reveals nothing without the token and its PIN.", doctor.Out, StringComparison.Ordinal);
                Assert.Equal(0, await server.Stop());
            }

            // No line of any file says the PIN or the passphrase.
            foreach (var file in Directory.GetFiles(folder.Data, "*", SearchOption.AllDirectories))
            {
                var text = System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
                Assert.DoesNotContain(ForBackups, text, StringComparison.Ordinal);
                Assert.False(Path.GetExtension(file) == ".json" && text.Contains(TestToken.Pin, StringComparison.Ordinal), file);
            }
        }
        finally
        {
            Environment.SetEnvironmentVariable(TestToken.Variable, null);
        }
    }

    [Fact]
    public async Task What_a_failed_or_killed_set_up_made_in_a_token_is_removed_and_named_until_then()
    {
        using var tpm = await TestTpm.Start();
        using var token = await TestToken.Make("hospital");
        Environment.SetEnvironmentVariable(TestToken.Variable, token.Configuration);
        try
        {
            var plan = new FoundingPlan
            {
                Storage = StorageOptions.Sqlite(folder["failed"]),
                Secret = new RootSecret { Token = new TokenWanted(TestToken.Module!, "hospital"), Pin = TestToken.Pin.ToCharArray(), ForBackups = ForBackups.ToCharArray() },
                FacilityName = "Kivuko Hospital",
            };
            var there = 0;
            await Assert.ThrowsAsync<IOException>(() => Founding.Make<int>(
                plan,
                async (_, _, _) =>
                {
                    there = await token.Keys("hospital");
                    throw new IOException("The power is gone.");
                },
                TimeProvider.System,
                default));
            Assert.Equal((1, 0), (there, await token.Keys("hospital")));
            Assert.False(Directory.Exists(folder["failed"]));

            var pin = folder.Secret("pin", TestToken.Pin);
            string[] init = ["init", "--data", folder.Data, "--facility", "Kivuko Hospital", "--passphrase-file", folder.Secret("pass", ForBackups), "--json"];
            string[] toToken = [.. init, "--protector", "pkcs11:hospital", "--module", TestToken.Module!, "--pin-file", pin];
            using (var process = Process.Start(With(tpm, toToken))!)
            {
                process.StandardInput.Close();
                while (!process.HasExited && !token.Making)
                {
                    await Task.Delay(5, TestContext.Current.CancellationToken);
                }

                process.Kill();
                await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            }

            Assert.True(File.Exists(Path.Combine(folder.Data, "founding.json")), "The set-up had ended before it was killed.");
            var elsewise = await Run(tpm, init);
            Assert.Equal((2, "init.token-left"), (elsewise.Exit, elsewise.Code));
            Assert.Matches("mangrove-[0-9a-f]{8}", elsewise.Out);
            Assert.Equal(1, await token.Keys("hospital"));
            var wrong = await Run(tpm, [.. init, "--protector", "pkcs11:hospital", "--module", TestToken.Module!, "--pin-file", folder.Secret("wrong", "111111")]);
            Assert.Equal((2, "token.pin-wrong"), (wrong.Exit, wrong.Code));
            var made = await Run(tpm, toToken);
            Assert.True(made.Exit == 0, made.Out + made.Error);
            Assert.Equal(1, await token.Keys("hospital"));
            Assert.Equal(0, (await Run(tpm, "audit", "verify", "--data", folder.Data, "--pin-file", pin, "--json")).Exit);
        }
        finally
        {
            Environment.SetEnvironmentVariable(TestToken.Variable, null);
        }
    }

    [Fact]
    public async Task With_a_PIN_and_bound_to_the_boot_a_hospital_is_made_and_the_doctor_says_both()
    {
        using var tpm = await TestTpm.Start();
        var pin = folder.Secret("pin", "4711-0815");
        var made = await Run(tpm, "init", "--data", folder.Data, "--facility", "Kivuko Hospital", "--protector", "tpm:pcrs=16", "--pin-file", pin, "--passphrase-file", folder.Secret("pass", ForBackups), "--json");
        Assert.True(made.Exit == 0, made.Out + made.Error);
        var doctor = await Run(tpm, "doctor", "--data", folder.Data, "--pin-file", pin);
        Assert.Contains("The root key is protected by the TPM of this machine, with a PIN and bound to how it starts. A stolen disk reveals nothing. A stolen machine asks for the PIN when it is started as it is here", doctor.Out, StringComparison.Ordinal);
        Assert.Equal("tpm.pin-wrong", (await Run(tpm, "keys", "status", "--data", folder.Data, "--pin-file", folder.Secret("wrong", "4711-0816"), "--json")).Code);
        await tpm.Tool("tpm2_pcrextend", "16:sha256=" + new string('a', 64));
        Assert.Equal("tpm.boot-differs", (await Run(tpm, "keys", "status", "--data", folder.Data, "--pin-file", pin, "--json")).Code);
        Assert.Equal("tpm.boot-differs", (await Run(tpm, "keys", "status", "--data", folder.Data, "--pin-file", folder["wrong"], "--json")).Code);
        await tpm.Tool("tpm2_pcrreset", "16");
        Assert.Equal(0, (await Run(tpm, "keys", "status", "--data", folder.Data, "--pin-file", pin, "--json")).Exit);
    }

    private static ProcessStartInfo At(string address, params string[] arguments)
    {
        var start = Executable.With(arguments);
        start.Environment[TestTpm.Variable] = address;
        return start;
    }

    private static ProcessStartInfo With(TestTpm tpm, params string[] arguments) => At(tpm.Address, arguments);

    private static Task<Ran> Run(TestTpm tpm, params string[] arguments) => Executable.Ended(Process.Start(With(tpm, arguments))!);
}

/// <summary>The change of protector on a hospital with an administrator, while its server runs.</summary>
public sealed class HardwareChangeTests(SampleHospital sample) : IClassFixture<SampleHospital>
{
    [Fact]
    public async Task An_administrator_puts_a_running_hospital_under_a_TPM_and_it_starts_again_by_itself()
    {
        using var folder = new Folder();
        using var tpm = await TestTpm.Start();
        var (user, password) = sample.Login(Role.Admin);
        string[] acting = ["--data", sample.Data, "--as", user, "--password-file", folder.Secret("pw", password), "--json", .. sample.StorageArguments];
        string[] toTpm = ["keys", "protector", "--protector", "tpm", "--new-pin-file", folder.Secret("pin", "4711-0815"), "--new-passphrase-file", folder.Secret("pass", "seven brown herons wade slowly"), .. acting];
        await using (var server = await Served.Start(With(["serve", "--data", sample.Data, "--urls", "https://localhost:0", .. sample.StorageArguments])))
        {
            Assert.Equal("keys.protector", (await Run(["keys", "protector", "--protector", "tpm:pcrs=seven", .. acting])).Code);
            Assert.Equal("token.module-bad", (await Run(["keys", "protector", "--protector", "pkcs11:hospital", .. acting])).Code);
            var changed = await Run(toTpm);
            Assert.True(changed.Exit == 0, changed.Out + changed.Error);
            Assert.Equal("tpm", changed.Json.GetProperty("protector").GetString());
            Assert.StartsWith("A stolen disk reveals nothing. A stolen machine asks for the PIN", changed.Json.GetProperty("reveals").GetString(), StringComparison.Ordinal);
            Assert.Equal(0, await server.Stop());
        }

        Assert.Equal("tpm.pin-needed", (await Run(["keys", "status", "--data", sample.Data, "--json", .. sample.StorageArguments])).Code);
        await using (var server = await Served.Start(With(["serve", "--data", sample.Data, "--urls", "https://localhost:0", "--pin-file", folder["pin"], .. sample.StorageArguments])))
        {
            Assert.Equal(0, await server.Stop());
        }

        var log = await Run(["audit", "list", "--action", "CHANGE_PROTECTOR", "--pin-file", folder["pin"], .. acting]);
        Assert.Equal(["token.module-bad", "key file -> TPM, with a PIN"], log.Json.EnumerateArray().Select(entry => entry.GetProperty("reason").GetString()));

        ProcessStartInfo With(params string[] arguments)
        {
            var start = Executable.With(arguments);
            start.Environment[TestTpm.Variable] = tpm.Address;
            return start;
        }

        Task<Ran> Run(params string[] arguments) => Executable.Ended(Process.Start(With(arguments))!);
    }
}
