using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Mangrove.Tests.Shared;

/// <summary>
/// A TPM 2.0 of a test's own: swtpm with a new state in a temporary folder, reached by a socket in it. It goes with the
/// test, and also when the test process is killed. Where it is not installed the test is skipped by name, and with CI=true it fails.
/// </summary>
internal sealed class TestTpm : IDisposable
{
    /// <summary>Names the TPM to the tools, as the product hands it on.</summary>
    public const string Variable = "TPM2TOOLS_TCTI";

    private const string Program = "/usr/bin/swtpm";
    private readonly string folder;

    private TestTpm(string folder) => this.folder = folder;

    public string Address => $"swtpm:path={folder}/s";

    public static async Task<TestTpm> Start()
    {
        Installed.Require(File.Exists(Program) && File.Exists("/usr/bin/tpm2_unseal"), "swtpm and tpm2-tools are not installed here.");

        // The path of a socket has 107 characters.
        var tpm = new TestTpm(Path.Combine(Path.GetTempPath(), "mtpm-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(5))));
        Directory.CreateDirectory(tpm.folder);
        var swtpm = $"{Program} socket --tpm2 --tpmstate dir={tpm.folder} --server type=unixio,path={tpm.folder}/s --ctrl type=unixio,path={tpm.folder}/s.ctrl --pid file={tpm.folder}/pid --flags not-need-init,startup-clear";
        var script = string.Create(CultureInfo.InvariantCulture, $"{swtpm} & tpm=$!; while kill -0 {Environment.ProcessId} 2>/dev/null && kill -0 $tpm 2>/dev/null; do sleep 1; done; kill $tpm 2>/dev/null; rm -rf {tpm.folder}");
        var start = new ProcessStartInfo("setsid") { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["sh", "-c", $"({script}) >/dev/null 2>&1 </dev/null &"])
        {
            start.ArgumentList.Add(argument);
        }

        using var watcher = Process.Start(start) ?? throw new InvalidOperationException("the watcher did not start");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!File.Exists(Path.Combine(tpm.folder, "s")) || !File.Exists(Path.Combine(tpm.folder, "pid")))
        {
            await Task.Delay(20, patience.Token);
        }

        return tpm;
    }

    /// <summary>Runs one of the tools against it, as somebody at the machine would.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> Tool(string tool, params string[] arguments) => await Installed.Run(tool, arguments, (Variable, Address));

    public void Dispose()
    {
        using var kill = Process.Start("kill", ["-9", File.ReadAllText(Path.Combine(folder, "pid")).Trim()]);
        kill.WaitForExit();
    }
}

/// <summary>A PKCS#11 token of a test's own: SoftHSM with a store in a temporary folder.</summary>
internal sealed class TestToken : IDisposable
{
    /// <summary>Names SoftHSM's configuration, as the product hands it on.</summary>
    public const string Variable = "SOFTHSM2_CONF";

    public const string Pin = "204866";

    private readonly string folder = Directory.CreateTempSubdirectory("mangrove-token-").FullName;

    private TestToken()
    {
        Directory.CreateDirectory(Path.Combine(folder, "tokens"));
        File.WriteAllText(Configuration, $"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n");
    }

    public static string? Module { get; } = new[] { "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so" }.FirstOrDefault(File.Exists);

    public string Configuration => Path.Combine(folder, "softhsm2.conf");

    /// <param name="label">Of the token; null where no token is plugged in.</param>
    public static async Task<TestToken> Make(string? label)
    {
        Installed.Require(Module is not null && File.Exists("/usr/bin/pkcs11-tool"), "softhsm2 and opensc are not installed here.");
        var token = new TestToken();
        if (label is not null)
        {
            await Installed.Run("softhsm2-util", ["--init-token", "--free", "--label", label, "--so-pin", "73519284", "--pin", Pin], (Variable, token.Configuration));
        }

        return token;
    }

    /// <summary>How many keys are in it.</summary>
    public async Task<int> Keys(string label) =>
        (await Installed.Run("pkcs11-tool", ["--module", Module!, "--token-label", label, "--login", "--pin", Pin, "--list-objects"], (Variable, Configuration))).Split("Secret Key Object").Length - 1;

    /// <summary>
    /// Whether a key is in it or being made, by the files of its store. Asking the token itself while another program makes
    /// a key there can cost that key its label and its id: SoftHSM's reader and writer are not safe from each other.
    /// </summary>
    public bool Making => Directory.EnumerateFiles(folder, "*.object", SearchOption.AllDirectories).Any(static file => Path.GetFileName(file) != "token.object");

    public void Dispose() => Directory.Delete(folder, recursive: true);
}

/// <summary>Programs of this machine that tests stand on.</summary>
internal static class Installed
{
    /// <summary>Skips by name what cannot run here; with CI=true that is a failure.</summary>
    public static void Require(bool there, string missing)
    {
        if (!there)
        {
            if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
            {
                Assert.Fail(missing);
            }

            Assert.Skip(missing);
        }
    }

    public static async Task<string> Run(string program, string[] arguments, (string Name, string Value) environment)
    {
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[environment.Name] = environment.Value;
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        var said = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program}: {await said}");
    }
}
