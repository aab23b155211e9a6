using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Integrations;

/// <summary>What an actor of a program stands on: the row and the generation that were true when the actor was made.</summary>
/// <param name="Id">The integration's row.</param>
/// <param name="Generation">Counts up when everything given out has to stop.</param>
/// <param name="Reads">What its token was given, at most what was approved.</param>
/// <param name="Purpose">What the hospital lets it act for.</param>
/// <param name="Certificate">Fingerprint of the certificate that its token is bound to; null for none.</param>
internal sealed record ServiceStanding(Guid Id, long Generation, IReadOnlyCollection<Category> Reads, Purpose Purpose, string? Certificate)
{
    public RoleRights Rights { get; } = new(Reads, [], Access.Rights.None, [Purpose], NeedsCareRelationship: false);
}

/// <summary>
/// Asks at every call whether a program may act: the row is read anew each time, so that a withdrawal, a suspension and an
/// agreement that ran out count from the next call on, on every server of the hospital. Nothing is remembered in between.
/// </summary>
internal sealed class IntegrationGate(Store store, Receipt.Log log, TimeProvider clock)
{
    public const string LapsedAction = "AGREEMENT_LAPSED";

    private DateOnly Today => DateOnly.FromDateTime(clock.GetLocalNow().DateTime);

    private static Error CertificateNeeded { get; } = new("service.certificate-needed", "This program is let in by its certificate alone. It calls the address for clients and shows it.");

    private static Error CertificateEnded { get; } = new("service.certificate-ended", "The certificate was taken back, has run out or is another client's. An administrator signs a new one.");

    private static Error Withdrawn { get; } = new("service.withdrawn", "Everything that was given to this program before was withdrawn. It asks for a new token.");

    /// <summary>What the actor may do now: what its token was given, as far as it is still approved.</summary>
    /// <returns>The rights, or a <c>service.</c> code.</returns>
    public async Task<Result<RoleRights>> Pass(ServiceStanding standing, CancellationToken cancel)
    {
        var now = await Standing(standing.Id, standing.Generation, standing.Certificate, cancel);
        if (now.Error is { } missing)
        {
            return missing;
        }

        var integration = now.Value;
        var approved = integration.Scopes.Select(scope => scope.Category).ToHashSet();
        return new RoleRights([.. standing.Reads.Where(approved.Contains)], [], Rights.None, [integration.Purpose], NeedsCareRelationship: false);
    }

    /// <summary>The integration when all three facts are true at this moment and nothing was withdrawn since <paramref name="generation"/>.</summary>
    /// <param name="id">Its row.</param>
    /// <param name="generation">What a token carries; null where none was given yet.</param>
    /// <param name="certificate">Fingerprint of the certificate by which it calls; null for none. It is asked of the list too.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The integration, or a <c>service.</c> code.</returns>
    public async Task<Result<Integration>> Standing(Guid id, long? generation, string? certificate, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await Judge(connection, await connection.Query($"SELECT {Integration.Columns} FROM integration WHERE id = @id", Integration.Read, cancel, ("@id", id)), generation, certificate, cancel);
    }

    /// <inheritdoc cref="Standing(Guid, long?, string?, CancellationToken)"/>
    public async Task<Result<Integration>> Standing(string client, long? generation, string? certificate, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await Judge(connection, await connection.Query($"SELECT {Integration.Columns} FROM integration WHERE client = @client", Integration.Read, cancel, ("@client", client)), generation, certificate, cancel);
    }

    public static string Resource(Integration integration) => $"integration:{integration.Client}";

    private async Task<Result<Integration>> Judge(System.Data.Common.DbConnection connection, List<Integration> rows, long? generation, string? certificate, CancellationToken cancel)
    {
        if (rows is not [var integration])
        {
            return new Error("service.unknown", "There is no such integration.");
        }

        if (integration is { Agreement: not null, Lapsed: null } && integration.HasLapsed(Today))
        {
            await Lapse(connection, integration, cancel);
        }

        if (integration.Missing(Today) is { } missing)
        {
            return missing;
        }

        if (generation is { } given && given != integration.Generation)
        {
            return Withdrawn;
        }

        if (certificate is null)
        {
            return integration.CertificateOnly ? CertificateNeeded : integration;
        }

        return await CertificateRegister.Good(connection, certificate, clock.GetUtcNow(), cancel) is { Kind: ClientKind.Program } shown && shown.Holder == integration.Id
            ? integration
            : CertificateEnded;
    }

    /// <summary>
    /// An agreement that has run out is written down as such the first time that anybody meets it. A clock set back later
    /// does not bring it to life again.
    /// </summary>
    private async Task Lapse(System.Data.Common.DbConnection connection, Integration integration, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        if (await connection.Run(
            "UPDATE integration SET lapsed = @now, generation = generation + 1 WHERE id = @id AND filing = @filing AND lapsed IS NULL",
            cancel,
            ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()),
            ("@id", integration.Id),
            ("@filing", integration.Filing)) == 1)
        {
            await log.Note(
                Actor.Maker.Service(integration, [], "server", Actor.Maker.NoSession, null),
                Sessions.Act(LapsedAction, Resource(integration), $"agreement held until {integration.Agreement!.Expires:yyyy-MM-dd}"),
                cancel);
            await transaction.CommitAsync(CancellationToken.None);
        }
    }
}
