using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Mangrove.Tests.Cli;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>The built executable as processes of its own, with a temporary folder of its own and every word it says kept.</summary>
internal sealed class Product(string temporary) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly StringBuilder said = new();
    private readonly Lock guard = new();
    private Process? server;

    /// <summary>Everything that any process said, to prove what was not said.</summary>
    public string Said
    {
        get
        {
            lock (guard)
            {
                return said.ToString();
            }
        }
    }

    /// <summary>The number of the server's process.</summary>
    public int Id => server?.Id ?? throw new InvalidOperationException("The server has not been started.");

    /// <summary>Runs a command to its end; what it printed is its one JSON value.</summary>
    public async Task<JsonElement> Run(params string[] arguments)
    {
        var ran = await Executable.Ended(Start(arguments));
        Hear(ran.Error);
        Assert.True(ran.Exit == 0, $"mangrove {arguments[0]} ended with {ran.Exit}: {ran.Out} {ran.Error}");
        return ran.Json;
    }

    /// <summary>Starts the server on a free port; its address when it is ready.</summary>
    public async Task<Uri> Serve(string[] hospital, string host = "127.0.0.1")
    {
        server = Start(["serve", .. hospital, "--urls", $"https://{host}:0"]);
        server.StandardInput.Close();
        var ready = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        server.OutputDataReceived += (_, line) => Hear(line.Data);
        server.ErrorDataReceived += (_, line) =>
        {
            Hear(line.Data);
            if (line.Data is { } text && text.StartsWith("ready ", StringComparison.Ordinal))
            {
                ready.TrySetResult(new Uri(text["ready ".Length..]));
            }
            else if (line.Data is null)
            {
                ready.TrySetException(new InvalidOperationException("The server ended before it was ready: " + Said));
            }
        };
        server.BeginOutputReadLine();
        server.BeginErrorReadLine();
        return await ready.Task.WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is { HasExited: false })
        {
            server.Kill();
            await server.WaitForExitAsync();
        }

        server?.Dispose();
    }

    private Process Start(params string[] arguments)
    {
        var start = Executable.With(arguments);
        start.Environment["TMPDIR"] = temporary;
        return Process.Start(start) ?? throw new InvalidOperationException("The executable did not start.");
    }

    private void Hear(string? line)
    {
        lock (guard)
        {
            said.AppendLine(line);
        }
    }
}
