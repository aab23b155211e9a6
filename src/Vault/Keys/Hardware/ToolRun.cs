using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Vault.Keys.Hardware;

/// <summary>What a tool came to. Its output may be a key: dispose of it.</summary>
/// <param name="Exit">Its exit code; 0 is success.</param>
/// <param name="Output">Its standard output, in pinned memory.</param>
/// <param name="Said">Its standard error, to find the reason of a failure in. Never logged and never shown.</param>
internal sealed record ToolAnswer(int Exit, byte[] Output, string Said) : IDisposable
{
    public bool Ok => Exit == 0;

    public void Dispose() => CryptographicOperations.ZeroMemory(Output);

    /// <summary>Nothing of what it wrote.</summary>
    public override string ToString() => nameof(ToolAnswer);
}

/// <summary>
/// The one place where the product starts a program of the system: tpm2-tools and pkcs11-tool, for the root key's
/// protectors. A program is found in the system's own folders and not by the path of whoever starts the server, runs
/// without a shell, in an environment made here, with a time limit and a limit to what it may write. A secret goes in by
/// standard input and comes out by standard output; arguments, which every process may read, carry none.
/// </summary>
internal static class ToolRun
{
    /// <summary>No answer of these tools is longer; what writes more is ended.</summary>
    private const int LongestOutput = 64 * 1024;

    // A TPM makes a key in up to a few seconds, and the slowest tokens answer within ten.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string[] Places = ["/usr/bin", "/usr/local/bin", "/bin", "/run/current-system/sw/bin", "/opt/homebrew/bin"];

    /// <summary>
    /// What is handed on of our own environment, where it is set: the address of the TPM, and where the modules of tokens
    /// look for their configuration. Everything else is left out, above all what changes how programs are loaded.
    /// </summary>
    private static readonly string[] HandedOn =
    [
        "HOME", TpmKey.AddressVariable,
        "SOFTHSM2_CONF", "YUBIHSM_PKCS11_CONF", "ChrystokiConfigurationPath", "CS_PKCS11_R3_CFG", "CS_PKCS11_R2_CFG", "OPENSC_CONF",
        "NFAST_HOME", "DPOD_CONFIG", "KMS_PKCS11_CONFIG", "AWS_CLOUDHSM_PKCS11_CONFIG",
    ];

    /// <summary>Runs a tool to its end.</summary>
    /// <param name="tool">Its file name.</param>
    /// <param name="arguments">No secret among them.</param>
    /// <param name="input">What it reads; the caller zeroes it.</param>
    /// <param name="folder">Where it runs; relative names of files are read there.</param>
    /// <param name="environment">What it finds in its environment besides.</param>
    /// <param name="cancel">Gives up, and ends it.</param>
    /// <exception cref="RefusedInput"><c>keys.tool-missing</c>, <c>keys.tool-slow</c>, <c>keys.tool-output</c>.</exception>
    public static async Task<ToolAnswer> Run(
        string tool, IReadOnlyList<string> arguments, ReadOnlyMemory<byte> input, string folder, IReadOnlyDictionary<string, string> environment, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        using var process = Start(tool, arguments, folder, environment);

        // Ending it also ends what reads and writes here: a pipe is no place to wait at for a tool that hangs.
        using var ending = limit.Token.Register(() => process.Kill(entireProcessTree: true));
        var output = GC.AllocateArray<byte>(LongestOutput, pinned: true);
        var said = new byte[LongestOutput];
        try
        {
            // All three at once: a tool that waits for its input to end, or for its output to be taken, would stand still.
            var reading = Fill(process.StandardOutput.BaseStream, output, limit.CancelAsync);
            var listening = Fill(process.StandardError.BaseStream, said, limit.CancelAsync);
            await Task.WhenAll(Feed(process, input), reading, listening);
            await process.WaitForExitAsync(CancellationToken.None);
            cancel.ThrowIfCancellationRequested();
            if (limit.IsCancellationRequested)
            {
                throw await reading < 0 || await listening < 0
                    ? new RefusedInput("keys.tool-output", $"{tool} wrote more than any answer is long, and was ended. Look whether the system's tpm2-tools and opensc are in order.")
                    : new RefusedInput("keys.tool-slow", $"{tool} did not answer within {(int)Patience.TotalSeconds} seconds. Look whether the TPM or token is in order, then try again.");
            }

            var answer = GC.AllocateArray<byte>(await reading, pinned: true);
            output.AsSpan(0, answer.Length).CopyTo(answer);
            return new ToolAnswer(process.ExitCode, answer, Encoding.UTF8.GetString(said, 0, await listening));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(output);
        }
    }

    private static Process Start(string tool, IReadOnlyList<string> arguments, string folder, IReadOnlyDictionary<string, string> environment)
    {
        var place = Places.Select(one => Path.Combine(one, tool)).FirstOrDefault(File.Exists) ?? throw Missing(tool);
        var start = new ProcessStartInfo(place)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/bin:/bin";
        start.Environment["LC_ALL"] = "C";
        foreach (var name in HandedOn)
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
            {
                start.Environment[name] = value;
            }
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            return Process.Start(start) ?? throw Missing(tool);
        }
        catch (Win32Exception)
        {
            throw Missing(tool);
        }
    }

    private static async Task Feed(Process process, ReadOnlyMemory<byte> input)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading: its exit code and its words say why, better than a broken pipe does.
        }
    }

    /// <returns>How much it wrote; -1 when that was too much, and it was ended.</returns>
    private static async Task<int> Fill(Stream stream, byte[] buffer, Func<Task> end)
    {
        var filled = 0;
        while (await stream.ReadAsync(buffer.AsMemory(filled)) is > 0 and var read)
        {
            filled += read;
            if (filled == buffer.Length)
            {
                await end();
                return -1;
            }
        }

        return filled;
    }

    private static RefusedInput Missing(string tool) => new(
        "keys.tool-missing",
        $"{tool} is not installed, or may not be run by this account. Install tpm2-tools for a TPM, opensc for a token, and try again.");
}
