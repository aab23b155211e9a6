using System.Diagnostics;
using System.Text.Json;
using Mangrove.Cli;

namespace Mangrove.Tests.Cli;

/// <summary>What one run of the executable came to.</summary>
internal sealed record Ran(int Exit, string Out, string Error)
{
    /// <summary>The one JSON value on standard output; anything more there fails the test.</summary>
    public JsonElement Json => JsonDocument.Parse(Out).RootElement.Clone();

    /// <summary>The stable code of a refusal.</summary>
    public string? Code => Out.Length > 0 && Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty("error", out var error) ? error.GetProperty("code").GetString() : null;
}

/// <summary>The real executable, as a process of its own.</summary>
internal static class Executable
{
    // A process that hangs is a failure of its own, not of the whole suite's time limit.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    // The product as it was built, with machine code where ./test had it made: our own copy of it has none, and a process of
    // it takes nearly twice the time.
    private static readonly string Product = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Cli", "release", "mangrove.dll"));

    private static string Assembly => File.Exists(Product) ? Product : typeof(Hospital).Assembly.Location;

    public static Task<Ran> Run(params string[] arguments) => Ended(Start(arguments));

    /// <summary>Waits for the end of a process that nobody asks anything, and disposes of it.</summary>
    public static async Task<Ran> Ended(Process started)
    {
        using var process = started;
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        return new Ran(process.ExitCode, await output, await error);
    }

    public static Process Start(params string[] arguments) => Process.Start(With(arguments))!;

    /// <summary>As <see cref="With"/>, with a limit to the size of each file that it writes; the signal of the limit is ignored, so that writing fails as on a full disk.</summary>
    public static ProcessStartInfo Within(long kibibytes, params string[] arguments)
    {
        var start = With(arguments);

        // The runtime would hold its machine code in a file of memory, which the limit hits too.
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        string[] command = [start.FileName, .. start.ArgumentList];
        start.FileName = "bash";
        start.ArgumentList.Clear();
        foreach (var argument in (string[])["-c", FormattableString.Invariant($"trap '' XFSZ; ulimit -f {kibibytes}; exec \"$@\""), "bash", .. command])
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    /// <summary>How a process of these arguments is started.</summary>
    public static ProcessStartInfo With(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(Assembly);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }
}

/// <summary>A server of a test's own, on a free port; ready when it exists.</summary>
public sealed class Served : IAsyncDisposable
{
    private const int Remembered = 200;

    private readonly Process process;
    private readonly Queue<string> last = new();

    private Served(Process process, Uri address)
    {
        this.process = process;
        Address = address;
    }

    public Uri Address { get; }

    public int Id => process.Id;

    /// <summary>The last lines that it wrote, for the message of a test that fails.</summary>
    public string Said
    {
        get
        {
            lock (last)
            {
                return string.Join('\n', last);
            }
        }
    }

    public static Task<Served> Start(string data, params string[] more) => Start(Executable.With(["serve", "--data", data, "--urls", "https://localhost:0", .. more]));

    /// <summary>As the other, with a start that a test has changed.</summary>
    public static async Task<Served> Start(ProcessStartInfo start)
    {
        var server = Process.Start(start)!;
        server.StandardInput.Close();
        var said = new List<string>();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await server.StandardError.ReadLineAsync(patience.Token) is { } line)
        {
            said.Add(line);
            if (line.StartsWith("ready ", StringComparison.Ordinal))
            {
                var served = new Served(server, new Uri(line["ready ".Length..]));
                served.Listen(server.StandardError);
                served.Listen(server.StandardOutput);
                return served;
            }
        }

        await server.WaitForExitAsync(patience.Token);
        throw new InvalidOperationException($"The server ended with {server.ExitCode}: {string.Join('\n', said)}");
    }

    /// <summary>Reads on to the end: a full pipe must not stop the server.</summary>
    private void Listen(StreamReader stream) => _ = Task.Run(async () =>
    {
        while (await stream.ReadLineAsync() is { } line)
        {
            lock (last)
            {
                last.Enqueue(line);
                if (last.Count > Remembered)
                {
                    last.Dequeue();
                }
            }
        }
    });

    public HttpClient Client() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
    })
    { BaseAddress = Address };

    /// <summary>Asks it to stop as a service manager does, and waits for the end.</summary>
    public async Task<int> Stop()
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    /// <summary>Ends it without a word, as a power cut does.</summary>
    public async Task Kill()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            await Kill();
        }

        process.Dispose();
    }
}
