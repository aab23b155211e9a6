using Mangrove.Clinic;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Session;

/// <summary>
/// The live stream of one page: the names of worklists that changed, and the end of the session. Nothing protected
/// travels here. It closes as soon as the session is locked or ended, and within a second of the end of the certificate that
/// its connection showed: a request is asked anew each time, and this is one that goes on for hours.
/// </summary>
internal static class EventStream
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // So that a proxy on the way does not take a quiet stream for a dead one.
    private const int LooksOfSilence = 15;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/events", Listen);

    private static async Task Listen(HttpContext http, StationEvents stations, Sessions sessions, ClientCertificates clients, TimeProvider clock, CancellationToken cancel)
    {
        var handle = http.Actor().SessionId;
        var shown = http.Features.Get<ShownClient>();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        void Ended(object? sender, SessionChangedEventArgs change)
        {
            if (change.SessionId == handle && change.Turn != SessionTurn.Unlocked)
            {
                over.Cancel();
            }
        }

        // The event is at once; the look finds what has none: a certificate that ran out, and a session that ended between
        // the question of who is there and the listening for its end.
        bool Holds() => sessions.IsOpen(handle) && (shown is null || clients.Stands(shown));

        sessions.SessionChanged += Ended;
        using var listener = stations.Listen();
        try
        {
            http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            http.Response.ContentType = "text/event-stream";
            await http.Response.WriteAsync("retry: 2000\n: hello\n\n", over.Token);
            await http.Response.Body.FlushAsync(over.Token);
            var next = listener.Reader.WaitToReadAsync(over.Token).AsTask();
            var silent = 0;
            while (Holds())
            {
                var look = Task.Delay(Look, clock, over.Token);
                if (await Task.WhenAny(next, look) == next)
                {
                    // The wait ends false only when the queue closes, which this listener never does.
                    await next;
                    while (listener.Reader.TryRead(out var station))
                    {
                        await http.Response.WriteAsync($"data: {station.ToString().ToLowerInvariant()}\n\n", over.Token);
                    }

                    next = listener.Reader.WaitToReadAsync(over.Token).AsTask();
                    silent = 0;
                }
                else
                {
                    await look;
                    if (++silent < LooksOfSilence)
                    {
                        continue;
                    }

                    await http.Response.WriteAsync(": still here\n\n", over.Token);
                    silent = 0;
                }

                await http.Response.Body.FlushAsync(over.Token);
            }

            await http.Response.WriteAsync("data: lock\n\n", cancel);
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
            await over.CancelAsync();
        }
    }
}
