using System.Diagnostics;
using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Cli.Bench;

/// <summary>The server as its users start it: a process of its own, timed from its start to its first page.</summary>
internal sealed class ChildServer : IAsyncDisposable
{
    private const string Ready = "ready ";

    private readonly Process child;

    private ChildServer(Process process, Uri address, TimeSpan firstPage)
    {
        child = process;
        Address = address;
        FirstPage = firstPage;
    }

    public Uri Address { get; }

    /// <summary>From the start of the process to the whole sign-in page.</summary>
    public TimeSpan FirstPage { get; }

    /// <summary>Resident memory now, in MiB.</summary>
    public double Resident
    {
        get
        {
            child.Refresh();
            return child.WorkingSet64 / (double)(1 << 20);
        }
    }

    public static async Task<ChildServer> Start(string folder, CancellationToken cancel)
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };

        // Run by the .NET host, the program is the host's first argument.
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(typeof(ChildServer).Assembly.Location);
        }

        foreach (var argument in new[] { "serve", "--data", folder, "--urls", "https://localhost:0" })
        {
            start.ArgumentList.Add(argument);
        }

        var began = Stopwatch.GetTimestamp();
        var process = Process.Start(start)!;
        try
        {
            process.StandardInput.Close();
            while (await process.StandardError.ReadLineAsync(cancel) is { } line)
            {
                if (line.StartsWith(Ready, StringComparison.Ordinal))
                {
                    // Nobody reads on; a full pipe must not stop the server.
                    _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                    _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                    var address = new Uri(line[Ready.Length..]);
                    await Get(address, "/sign-in", "text/html", cancel);
                    return new ChildServer(process, address, Stopwatch.GetElapsedTime(began));
                }
            }

            await process.WaitForExitAsync(cancel);
            throw new RefusedInput("bench.serve", $"The server ended with {process.ExitCode} before its first page.");
        }
        catch
        {
            await End(process);
            throw;
        }
    }

    /// <summary>The body of a page that needs no sign-in.</summary>
    public Task<string> Get(string path, CancellationToken cancel) => Get(Address, path, "*/*", cancel);

    /// <summary>Asks it to stop as a service manager does.</summary>
    public async ValueTask DisposeAsync() => await End(child);

    private static async Task<string> Get(Uri address, string path, string accept, CancellationToken cancel)
    {
        await using var connection = await LeanConnection.Open(address, cancel);
        var status = await connection.Send(LeanConnection.Request(address, path, accept, null), cancel);
        return status == 200 ? System.Text.Encoding.UTF8.GetString(connection.Body.Span) : throw new RefusedInput("bench.serve", $"The server answered {status} where it should have answered 200.");
    }

    private static async Task End(Process process)
    {
        using (process)
        {
            if (!process.HasExited && !OperatingSystem.IsWindows())
            {
                using var terminate = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
                await terminate.WaitForExitAsync();
            }
            else if (!process.HasExited)
            {
                process.Kill();
            }

            await process.WaitForExitAsync();
        }
    }
}
