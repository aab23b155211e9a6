using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Cli.Serving;

/// <summary>
/// How a command reaches the hospital while the server owns its folder: a socket in the folder that only the account of
/// the server may open (0600). One JSON line asks, lines of progress follow, one line answers. The server runs the same
/// verb that the command would have run by itself.
/// </summary>
internal sealed partial class LocalSocket(Hospital hospital, CommandShell shell, ILogger<LocalSocket> log) : BackgroundService
{
    private const string Name = "mangrove.sock";

    // sockaddr_un holds 108 bytes with the zero at its end.
    private const int LongestPath = 107;
    private const int MostAtOnce = 8;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly SemaphoreSlim places = new(MostAtOnce);

    /// <summary>Has the server that owns the folder run a command line.</summary>
    /// <exception cref="RefusedInput">What the verb was refused with there, or <c>data.in-use</c> when the owner does not answer.</exception>
    public static async Task<Answer> Ask(string folder, string[] arguments, Call call, CancellationToken cancel)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(In(folder), cancel);
        }
        catch (SocketException)
        {
            throw new RefusedInput("data.in-use", "Another Mangrove process is using this data folder and takes no commands: it may still be starting, or be another command. Try again when it is ready.");
        }

        await using var stream = new NetworkStream(socket);
        await Write(stream, new Line { Args = arguments, Cwd = call.Directory, Password = call.Password, Typed = call.Typed }, cancel);
        using var reader = new LineReader(stream);
        while (await reader.Next(cancel) is { } line)
        {
            if (line.Progress is { } progress)
            {
                call.Say(progress);
            }
            else if (line.Code is { } code)
            {
                throw new RefusedInput(code, line.Text ?? string.Empty);
            }
            else if (line.Exit is { } exit && line.Json is { } json)
            {
                return new Answer(json, line.Text ?? string.Empty, exit);
            }
        }

        throw new RefusedInput("data.server-gone", "The server ended before it answered. What the command did is in the audit log; look there before you repeat it.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var path = PathIn(hospital.Storage.Folder);
        File.Delete(path);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(In(hospital.Storage.Folder));
        if (!OperatingSystem.IsWindows())
        {
            // Before Listen nobody can connect, so there is no moment with wider rights.
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        listener.Listen(MostAtOnce);
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var caller = await listener.AcceptAsync(stoppingToken);
                await places.WaitAsync(stoppingToken);
                _ = Task.Run(() => Attend(caller, stoppingToken), CancellationToken.None);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
        finally
        {
            File.Delete(path);
        }
    }

    public override void Dispose()
    {
        places.Dispose();
        base.Dispose();
    }

    private async Task Attend(Socket caller, CancellationToken stopping)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            await using var stream = new NetworkStream(caller, ownsSocket: true);
            using var reader = new LineReader(stream);
            if (await reader.Next(gone.Token) is not { Args: { } arguments, Cwd: { } directory } asked)
            {
                return;
            }

            var said = Task.CompletedTask;
            var call = new Call(directory, asked.Password, line => said = Say(said, stream, line, gone.Token)) { Typed = asked.Typed ?? [] };
            Line answer;
            try
            {
                var result = await shell.Serve(hospital, arguments, call, gone.Token);
                answer = new Line { Exit = result.Exit, Json = result.Json, Text = result.Text };
            }
            catch (Exception error) when (CommandShell.Explain(error) is not null)
            {
                var reason = CommandShell.Explain(error)!;
                answer = new Line { Code = reason.Code, Text = reason.Message };
            }

            await said;
            await Write(stream, answer, gone.Token);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or JsonException)
        {
            LogGone(log, error.GetType().Name);
        }
        catch (Exception error)
        {
            LogBroken(log, error);
        }
        finally
        {
            places.Release();
        }
    }

    private static async Task Say(Task before, Stream stream, string text, CancellationToken cancel)
    {
        await before;
        await Write(stream, new Line { Progress = text }, cancel);
    }

    private static Task Write(Stream stream, Line line, CancellationToken cancel) =>
        stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(line, Json), (byte)'\n'], cancel).AsTask();

    /// <summary>The socket's address. A path too long for one is named from inside the folder, where this process then stays.</summary>
    private static UnixDomainSocketEndPoint In(string folder)
    {
        var path = PathIn(folder);
        if (Encoding.UTF8.GetByteCount(path) <= LongestPath)
        {
            return new UnixDomainSocketEndPoint(path);
        }

        Environment.CurrentDirectory = folder;
        return new UnixDomainSocketEndPoint(Name);
    }

    private static string PathIn(string folder) => Path.Combine(folder, Name);

    [LoggerMessage(1, LogLevel.Information, "A command left before its answer: {Fault}.")]
    private static partial void LogGone(ILogger logger, string fault);

    [LoggerMessage(2, LogLevel.Error, "A command failed.")]
    private static partial void LogBroken(ILogger logger, Exception error);

    /// <summary>A line of either direction; which parts are set says what it is.</summary>
    private sealed record Line
    {
        public string[]? Args { get; init; }

        public string? Cwd { get; init; }

        public string? Password { get; init; }

        public IReadOnlyList<string>? Typed { get; init; }

        public string? Progress { get; init; }

        public string? Code { get; init; }

        public string? Text { get; init; }

        public int? Exit { get; init; }

        public JsonElement? Json { get; init; }

        /// <summary>Nothing: it may carry a password, or sheets.</summary>
        public override string ToString() => nameof(Line);
    }

    /// <summary>Reads lines of any length: both ends run under one account, and an answer may be a whole log.</summary>
    private sealed class LineReader(Stream stream) : IDisposable
    {
        private readonly StreamReader reader = new(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, leaveOpen: true);

        public async Task<Line?> Next(CancellationToken cancel) => await reader.ReadLineAsync(cancel) is { } text
            ? JsonSerializer.Deserialize<Line>(text, Json)
            : null;

        public void Dispose() => reader.Dispose();
    }
}
