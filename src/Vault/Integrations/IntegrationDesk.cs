using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Integrations;

/// <summary>Programs of others that call here: who they are, their tokens, and the policy under which they are let in.</summary>
public sealed class IntegrationDesk : IDisposable
{
    private readonly TokenSigner signer;

    internal IntegrationDesk(Store store, IntegrationGate gate, IdentityDesk identity, Door door, Receipt.Log log, SystemSecrets secrets, Guid facility, TimeProvider clock)
    {
        var acts = new AdministratorAct(identity.Sessions, door, log);
        signer = new TokenSigner(secrets);
        Directory = new IntegrationDirectory(store, acts, identity.Certificates, door, clock);
        Tokens = new ServiceTokens(store, gate, signer, log, facility, clock);
        Policy = new PolicySettings(store, acts, door, clock);
    }

    public IntegrationDirectory Directory { get; }

    public ServiceTokens Tokens { get; }

    public PolicySettings Policy { get; }

    public void Dispose() => signer.Dispose();

    /// <summary>Creates the tables where they are missing.</summary>
    internal static Task Create(Store store, CancellationToken cancel) => IntegrationStore.Create(store, cancel);
}
