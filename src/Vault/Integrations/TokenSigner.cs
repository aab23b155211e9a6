using System.Security.Cryptography;
using Mangrove.Sealing;

namespace Mangrove.Vault.Integrations;

/// <summary>
/// The hospital's key for tokens (ECDSA P-256), made when the first token is given out and kept sealed among the system's
/// secrets. It signs nothing else.
/// </summary>
internal sealed class TokenSigner(SystemSecrets secrets) : IDisposable
{
    private const string Secret = "service-token-signer";

    // RFC 9068, 2.1: what is no access token is not taken for one.
    private const string Type = "at+jwt";

    private readonly SemaphoreSlim turn = new(1, 1);
    private volatile Pair? pair;

    public async Task<string> Write(object claims, CancellationToken cancel)
    {
        var held = await Load(make: true, cancel) ?? throw new InvalidOperationException("A key was just made.");
        return SignedToken.Write(new { alg = SignedToken.Algorithm, typ = Type, kid = held.Name }, claims, bytes => held.Signer.Sign(bytes));
    }

    /// <summary>Whether a token carries this hospital's signature.</summary>
    public async Task<bool> Signed(SignedToken token, CancellationToken cancel) =>
        await Load(make: false, cancel) is { } held && token.Header("typ") == Type && token.Header("kid") == held.Name && token.Fits(held.Verifier.Verify);

    public void Dispose()
    {
        pair?.Signer.Dispose();
        pair?.Verifier.Dispose();
        turn.Dispose();
    }

    private async Task<Pair?> Load(bool make, CancellationToken cancel)
    {
        if (pair is { } held)
        {
            return held;
        }

        await turn.WaitAsync(cancel);
        try
        {
            if (pair is null)
            {
                if (await secrets.Get(Secret, cancel) is { } stored)
                {
                    pair = Pair.Of(CheckpointSigner.Import(stored));
                    CryptographicOperations.ZeroMemory(stored);
                }
                else if (make)
                {
                    var signer = CheckpointSigner.Generate();
                    var scalar = signer.ExportPrivateKey();
                    await secrets.Put(Secret, scalar, cancel);
                    CryptographicOperations.ZeroMemory(scalar);
                    pair = Pair.Of(signer);
                }
            }

            return pair;
        }
        finally
        {
            turn.Release();
        }
    }

    private sealed record Pair(CheckpointSigner Signer, CheckpointVerifier Verifier, string Name)
    {
        public static Pair Of(CheckpointSigner signer)
        {
            var info = signer.ExportPublicKey();
            return new Pair(signer, CheckpointVerifier.From(info), Convert.ToHexStringLower(SHA256.HashData(info).AsSpan(0, 8)));
        }
    }
}
