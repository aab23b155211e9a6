namespace Mangrove.Vault.Keys;

/// <summary>
/// Who is working with keys at this moment. An act takes a hold before it reads or makes anything that hangs from a purpose
/// key and gives it back when that is stored or opened; a version is zeroed only after everybody who came before has
/// gone. So no act finds a key retired between reading a row and opening it (threat K7).
/// </summary>
internal sealed class KeyHolds
{
    private readonly Lock gate = new();
    private readonly List<Crowd> leaving = [];
    private Crowd now = new();

    /// <summary>Takes a hold, to be disposed once.</summary>
    public Hold Take()
    {
        lock (gate)
        {
            now.Count++;
            return new Hold(this, now);
        }
    }

    /// <summary>Waits for everybody who holds keys now; who comes later is not waited for. False when some still do at the end of the time.</summary>
    public async Task<bool> Drain(TimeSpan longest, TimeProvider clock, CancellationToken cancel)
    {
        Task[] before;
        lock (gate)
        {
            if (now.Count > 0)
            {
                leaving.Add(now);
                now = new Crowd();
            }

            before = [.. leaving.Select(crowd => crowd.Gone.Task)];
        }

        try
        {
            await Task.WhenAll(before).WaitAsync(longest, clock, cancel);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Give(Crowd crowd)
    {
        lock (gate)
        {
            if (--crowd.Count == 0 && leaving.Remove(crowd))
            {
                crowd.Gone.SetResult();
            }
        }
    }

    /// <summary>One act's hold. Dispose gives it back; a second time does nothing.</summary>
    internal sealed class Hold(KeyHolds holds, Crowd crowd) : IDisposable
    {
        private int given;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref given, 1) == 0)
            {
                holds.Give(crowd);
            }
        }
    }

    /// <summary>Those who came between two looks.</summary>
    internal sealed class Crowd
    {
        public int Count { get; set; }

        public TaskCompletionSource Gone { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
