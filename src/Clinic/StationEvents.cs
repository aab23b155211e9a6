using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Mangrove.Clinic;

/// <summary>The worklists that pages listen to.</summary>
public enum Station
{
    Arrivals = 1,
    Triage = 2,
    Doctor = 3,
    Laboratory = 4,
    Pharmacy = 5,
    Cashier = 6,
    Administration = 7,

    /// <summary>Emergency accesses, and the notices about them.</summary>
    Privacy = 8,
}

/// <summary>
/// Tells every open worklist that something changed. A message names a station only: whoever listens asks again through
/// the door, so nothing protected travels here.
/// </summary>
public sealed class StationEvents
{
    private readonly ConcurrentDictionary<Guid, Channel<Station>> listeners = new();

    /// <summary>Call after the commit.</summary>
    public void Changed(params ReadOnlySpan<Station> stations)
    {
        foreach (var station in stations)
        {
            foreach (var listener in listeners.Values)
            {
                // A full queue already holds a message for its reader, who will ask for everything anew.
                listener.Writer.TryWrite(station);
            }
        }
    }

    /// <summary>Listens until disposed.</summary>
    public Listener Listen()
    {
        var id = Kernel.Ids.New();
        var channel = Channel.CreateBounded<Station>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
        listeners[id] = channel;
        return new Listener(channel.Reader, () => listeners.TryRemove(id, out _));
    }

    /// <summary>One listener's queue.</summary>
    public sealed class Listener(ChannelReader<Station> reader, Action end) : IDisposable
    {
        public ChannelReader<Station> Reader => reader;

        public void Dispose() => end();
    }
}
