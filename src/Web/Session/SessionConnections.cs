using System.Collections.Concurrent;
using Mangrove.Vault.Identity;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web.Session;

/// <summary>
/// Which connections carried a session. They are closed when it is locked or ended: the library that secures a connection
/// keeps what it last deciphered for as long as the connection lives, and a dark screen holds one open for hours (threat
/// S8). The browser opens another without anybody noticing; the answers under way are finished first.
/// </summary>
public sealed class SessionConnections : IDisposable
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, IConnectionLifetimeNotificationFeature>> carried = new(StringComparer.Ordinal);
    private readonly Sessions sessions;

    public SessionConnections(Sessions sessions)
    {
        this.sessions = sessions;
        sessions.SessionChanged += Changed;
    }

    /// <summary>Remembers that an answer of this session goes out by the connection of <paramref name="http"/>.</summary>
    internal void Carries(HttpContext http, string session)
    {
        var connections = carried.GetOrAdd(session, static _ => new ConcurrentDictionary<string, IConnectionLifetimeNotificationFeature>(StringComparer.Ordinal));
        var id = http.Connection.Id;
        if (connections.ContainsKey(id)
            || http.Features.Get<IConnectionLifetimeNotificationFeature>() is not { } connection
            || !connections.TryAdd(id, connection))
        {
            return;
        }

        http.Features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed.UnsafeRegister(_ => connections.TryRemove(id, out var _), null);
        if (!sessions.IsOpen(session))
        {
            // Locked between the question and the remembering: the event has come and gone.
            Close(session);
        }
    }

    public void Dispose() => sessions.SessionChanged -= Changed;

    private void Changed(object? sender, SessionChangedEventArgs change)
    {
        if (change.Turn != SessionTurn.Unlocked)
        {
            // Closing runs what hangs on the connection, and whoever raises this holds the turn of the sessions.
            ThreadPool.UnsafeQueueUserWorkItem(static of => of.Self.Close(of.Session), (Self: this, Session: change.SessionId), preferLocal: false);
        }
    }

    private void Close(string session)
    {
        if (carried.TryRemove(session, out var connections))
        {
            foreach (var connection in connections.Values)
            {
                connection.RequestClose();
            }
        }
    }
}
