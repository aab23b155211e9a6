using System.Text;
using Mangrove.Sealing;

namespace Mangrove.Vault.Identity;

/// <summary>
/// The only way to the password hasher: as many computations at once as there are cores, a bounded queue behind them,
/// and a plain no beyond that, so that a flood of sign-ins cannot take the machine from the wards (threats S11).
/// </summary>
internal sealed class PasswordGate(Peppers pepper, PasswordHasher hasher, int atOnce, int queue) : IDisposable
{
    /// <summary>The longest password taken, in bytes of UTF-8.</summary>
    public const int LongestPassword = 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly SemaphoreSlim cores = new(atOnce, atOnce);
    private int inside;
    private long computations;

    /// <summary>How often a password was hashed, for a real account or for nobody.</summary>
    public long Computations => Interlocked.Read(ref computations);

    /// <summary>Whether a text can be a password at all: whole UTF-16, not empty, at most 1,024 bytes.</summary>
    public static bool IsPassword(string? text)
    {
        if (string.IsNullOrEmpty(text) || text.Length > LongestPassword)
        {
            return false;
        }

        try
        {
            return Strict.GetByteCount(text) <= LongestPassword;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    /// <summary>A place in the queue, or null when it is full.</summary>
    public Place? TryEnter()
    {
        if (Interlocked.Increment(ref inside) > atOnce + queue)
        {
            Interlocked.Decrement(ref inside);
            return null;
        }

        return new Place(this);
    }

    public void Dispose() => cores.Dispose();

    private async Task<T> Compute<T>(Func<T> work, CancellationToken cancel)
    {
        await cores.WaitAsync(cancel);
        try
        {
            Interlocked.Increment(ref computations);
            return await Task.Run(work, CancellationToken.None);
        }
        finally
        {
            cores.Release();
        }
    }

    /// <summary>A caller's place at the gate, and a hold on the pepper: a hash that is read and stored meanwhile keeps its version. Dispose gives both back.</summary>
    internal sealed class Place(PasswordGate gate) : IDisposable
    {
        private readonly Keys.KeyHolds.Hold held = gate.Pepper.Hold();
        private bool left;

        /// <summary>Checks a password against a hash, or for as long against nobody's when there is none.</summary>
        public Task<PasswordCheck> Verify(string password, string? hash, CancellationToken cancel) => gate.Compute(
            () => hash is null ? gate.Hasher.VerifyNobody(password) : gate.Hasher.Verify(password, hash),
            cancel);

        public Task<string> Hash(string password, CancellationToken cancel) => gate.Compute(() => gate.Hasher.Hash(password), cancel);

        public void Dispose()
        {
            if (!left)
            {
                left = true;
                held.Dispose();
                Interlocked.Decrement(ref gate.inside);
            }
        }
    }

    private PasswordHasher Hasher => hasher;

    private Peppers Pepper => pepper;
}
