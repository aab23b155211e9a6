using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Mangrove.Tests.Cli.Faults;

/// <summary>
/// The system's own tracer as a failing disk: it looks at the calls of a process and lets chosen ones fail. What it really
/// failed is read from its own lines, never from what was asked of it. It attaches to a running server, or starts a command.
/// </summary>
internal sealed partial class Strace : IAsyncDisposable
{
    // A process opens and closes much that is no disk, such as its pipes, so these are narrowed to the hospital's own files.
    private static readonly string[] Narrowed = ["close", "openat"];
    private static readonly string[] Calls = ["write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "rename", "renameat", "renameat2", "ftruncate", "fallocate", "unlink", "unlinkat", "rmdir", "link", .. Narrowed];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process process;
    private readonly string output;
    private readonly string[] places;
    private Task said = Task.CompletedTask;

    private Strace(Process process, string output, string[] places)
    {
        this.process = process;
        this.output = output;
        this.places = places;
    }

    public const string OnlyOnLinux = "Faults are injected by strace, which is Linux's own.";

    /// <summary>Whether this account may trace a process that it did not start by the tracer.</summary>
    public static bool MayAttach
    {
        get
        {
            const string Scope = "/proc/sys/kernel/yama/ptrace_scope";
            return Environment.IsPrivilegedProcess || !File.Exists(Scope) || File.ReadAllText(Scope).Trim() == "0";
        }
    }

    /// <summary>Attaches to every thread of a process; the calls fail, or are only looked at, from the moment this returns.</summary>
    /// <param name="server">Which process.</param>
    /// <param name="fault">What fails; null to look only.</param>
    /// <param name="folder">Where the tracer writes.</param>
    /// <param name="places">The folders whose calls count.</param>
    public static async Task<Strace> Attach(int server, Fault? fault, Folder folder, params string[] places)
    {
        var trace = folder["trace"];
        var start = new ProcessStartInfo("strace") { UseShellExecute = false, RedirectStandardError = true };
        foreach (var argument in (string[])[.. Options(fault, trace, places), "-p", server.ToString(CultureInfo.InvariantCulture)])
        {
            start.ArgumentList.Add(argument);
        }

        var tracing = new Strace(Process.Start(start)!, trace, places);
        using var patience = new CancellationTokenSource(Patience);
        while (await tracing.process.StandardError.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.Contains("attached", StringComparison.Ordinal))
            {
                // Read on: each further thread writes a line, and a full pipe would stop the tracer and the server with it.
                tracing.said = tracing.process.StandardError.ReadToEndAsync(CancellationToken.None);
                return tracing;
            }
        }

        throw new InvalidOperationException("strace did not attach to the server.");
    }

    /// <summary>Lets go of the server and says which calls on the folders it saw.</summary>
    public async Task<IReadOnlyList<Traced>> Detach()
    {
        using (var ask = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await ask.WaitForExitAsync();
        }

        using var patience = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(patience.Token);
        await said;
        return await Read(output, places);
    }

    /// <summary>Runs a command from its first call to its last.</summary>
    public static async Task<(Ran Ran, IReadOnlyList<Traced> Calls)> Run(Fault? fault, Folder folder, string[] places, params string[] arguments)
    {
        var trace = folder["trace"];
        var start = Executable.With(arguments);

        // The runtime would cut a file of memory to its size for its machine code, and a failed cut ends it.
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        string[] command = [start.FileName, .. start.ArgumentList];
        start.FileName = "strace";
        start.ArgumentList.Clear();
        foreach (var argument in (string[])["-qq", "--seccomp-bpf", .. Options(fault, trace, places), .. command])
        {
            start.ArgumentList.Add(argument);
        }

        var ran = await Executable.Ended(Process.Start(start)!);
        return (ran, await Read(trace, places));
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private static IEnumerable<string> Options(Fault? fault, string trace, string[] places)
    {
        string[] options = ["-f", "-y", "-s", "0", "-e", "signal=none", "-o", trace, "-e", "trace=" + (fault?.Call ?? string.Join(',', Calls))];
        var narrowed = fault is not null && Narrowed.Contains(fault.Call) ? Files(places).SelectMany(file => (string[])["-P", file]) : [];
        return [.. options, .. narrowed, .. fault is null ? [] : (string[])["-e", fault.Expression]];
    }

    /// <summary>The calls that concern the folders. A call that waited is two lines, and only the first names its file.</summary>
    private static async Task<IReadOnlyList<Traced>> Read(string trace, string[] places)
    {
        var files = Files(places).ToHashSet(StringComparer.Ordinal);
        var open = new Dictionary<string, Traced>(StringComparer.Ordinal);
        var calls = new List<Traced>();
        foreach (var line in await File.ReadAllLinesAsync(trace))
        {
            if (Begun().Match(line) is not { Success: true } begun)
            {
                if (Resumed().Match(line) is { Success: true } resumed && open.Remove(resumed.Groups["thread"].Value, out var waiting))
                {
                    calls.Add(waiting with { Line = waiting.Line + " " + resumed.Groups["rest"].Value });
                }

                continue;
            }

            var call = new Traced(begun.Groups["thread"].Value, begun.Groups["name"].Value, begun.Groups["rest"].Value);
            var ours = Narrowed.Contains(call.Name)
                ? Path().Matches(call.Line).Any(path => files.Contains(path.Groups["path"].Value))
                : places.Any(place => call.Line.Contains(place + "/", StringComparison.Ordinal) || call.Line.Contains(place + ">", StringComparison.Ordinal));
            if (!ours)
            {
                continue;
            }

            if (call.Line.EndsWith("<unfinished ...>", StringComparison.Ordinal))
            {
                open[call.Thread] = call;
            }
            else
            {
                calls.Add(call);
            }
        }

        return calls;
    }

    private static IEnumerable<string> Files(string[] places) => places.SelectMany(place => (string[])["audit.db", "clinic.db", "keys.db", "vault.db"], (place, name) => $"{place}/{name}")
        .SelectMany(file => (string[])[file, file + "-wal", file + "-shm"]);

    [GeneratedRegex("^(?<thread>[0-9]+) +(?<name>[a-z0-9]+)\\((?<rest>.*)$", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Begun();

    [GeneratedRegex("^(?<thread>[0-9]+) +<\\.\\.\\. [a-z0-9]+ resumed>(?<rest>.*)$", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Resumed();

    [GeneratedRegex("[<\"](?<path>/[^>\"]+)[>\"]", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Path();
}
