using Mangrove.Governance.Retention;
using Microsoft.Extensions.DependencyInjection;

namespace Mangrove.Governance;

/// <summary>The public face of the room: what a hospital answers for.</summary>
public static class GovernanceRoom
{
    /// <summary>Adds the services of the room. The host registers beside them the vault's desks, the clinic's contexts and the clock.</summary>
    public static IServiceCollection AddMangroveGovernance(this IServiceCollection services)
    {
        services.AddSingleton<DueList>();
        services.AddSingleton<RetentionObjections>();
        services.AddSingleton<PlaceHold>();
        return services;
    }
}
