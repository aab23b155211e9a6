using Mangrove.Clinic;
using Mangrove.Vault.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Session;

/// <summary>
/// The live stream of one page: the names of worklists that changed, and the end of the session. Nothing protected
/// travels here. It closes as soon as the session is locked or ended.
/// </summary>
internal static class EventStream
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/events", Listen);

    private static async Task Listen(HttpContext http, StationEvents stations, Sessions sessions, TimeProvider clock, CancellationToken cancel)
    {
        var handle = http.Actor().SessionId;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        void Ended(object? sender, SessionChangedEventArgs change)
        {
            if (change.SessionId == handle && change.Turn != SessionTurn.Unlocked)
            {
                over.Cancel();
            }
        }

        sessions.SessionChanged += Ended;
        using var listener = stations.Listen();
        try
        {
            http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            http.Response.ContentType = "text/event-stream";
            await http.Response.WriteAsync("retry: 2000\n: hello\n\n", over.Token);
            await http.Response.Body.FlushAsync(over.Token);
            var next = listener.Reader.WaitToReadAsync(over.Token).AsTask();
            while (true)
            {
                var beat = Task.Delay(Heartbeat, clock, over.Token);
                if (await Task.WhenAny(next, beat) == next)
                {
                    // The wait ends false only when the queue closes, which this listener never does.
                    await next;
                    while (listener.Reader.TryRead(out var station))
                    {
                        await http.Response.WriteAsync($"data: {station.ToString().ToLowerInvariant()}\n\n", over.Token);
                    }

                    next = listener.Reader.WaitToReadAsync(over.Token).AsTask();
                }
                else
                {
                    await beat;
                    await http.Response.WriteAsync(": still here\n\n", over.Token);
                }

                await http.Response.Body.FlushAsync(over.Token);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            if (!cancel.IsCancellationRequested)
            {
                await http.Response.WriteAsync("data: lock\n\n", cancel);
            }
        }
        finally
        {
            sessions.SessionChanged -= Ended;
        }
    }
}
