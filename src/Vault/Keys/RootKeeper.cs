using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>The root key's protector while the system is unsealed, and the two ways in which it changes. One at a time.</summary>
internal sealed class RootKeeper(string folder, RootProtector protector, KeyRing ring) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);

    private volatile RootProtector now = protector;

    /// <summary>As root.json says it now. It holds no secret.</summary>
    public RootProtector Protector => now;

    /// <summary>Called between any two steps, with the step's name. Tests stop the work there, as a power cut would.</summary>
    public Action<string>? Between { get; init; }

    /// <summary>Puts the root key under another secret. The one of before opens root.json no longer.</summary>
    /// <param name="old">What opens it now: who only has a session cannot lock the hospital's owner out.</param>
    /// <param name="wanted">What is to open it.</param>
    /// <param name="note">Writes the entry, before anything is replaced.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput">A <c>keys.</c> code of either secret.</exception>
    public async Task Change(RootSecret old, RootSecret wanted, Func<RootProtector, Task> note, CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            var before = Settled();
            using var root = await before.Open(old, cancel);
            ring.RequireRoot(root);
            var after = await before.Under(folder, root, wanted, cancel);
            try
            {
                await note(after);
                Between?.Invoke("before root.json");
                after.Save(folder);
            }
            catch
            {
                // Nothing names the new key file, or the new key of a token; whoever tries again begins anew.
                if (!RootProtector.Read(folder).Salt.AsSpan().SequenceEqual(after.Salt))
                {
                    await after.Abandon(wanted);
                }

                throw;
            }

            now = after;
            Between?.Invoke("after root.json");
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Makes a new root key and wraps every purpose key anew under it. What the old one wrapped, in old copies, stays under the old one.</summary>
    /// <param name="secret">What opens the root key; it opens the new one too.</param>
    /// <param name="note">Writes the entry, inside the transaction of keys.db.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput">A <c>keys.</c> code of the secret.</exception>
    public async Task Rotate(RootSecret secret, Func<int, Task> note, CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            var before = Settled();
            using (var root = await before.Open(secret, cancel))
            {
                ring.RequireRoot(root);
            }

            using var next = KeyMaterial.Generate();
            var both = await before.WithNext(secret, next, cancel);
            Between?.Invoke("before both roots");
            both.Save(folder);
            now = both;
            Between?.Invoke("after both roots");
            await ring.ChangeRoot(next, note, cancel);
            Between?.Invoke("after keys.db");
            var after = both with { Wrapped = both.Next!, Next = null };
            after.Save(folder);
            now = after;
            Between?.Invoke("after the new root");
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    // A change that failed half-way left both roots in the file. The next start finds out which one keys.db is under.
    private RootProtector Settled() => now.Next is null
        ? now
        : throw new RefusedInput("keys.root-unsettled", "The last change of the root key did not end. Stop the server and start it again; it then settles which one is in use.");
}
