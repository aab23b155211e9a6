using Mangrove.Clinic.Billing;
using Mangrove.Clinic.Find;
using Mangrove.Clinic.Queue;
using Mangrove.Clinic.Registration;
using Mangrove.Clinic.Triage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Mangrove.Clinic;

/// <summary>The clinic's public face: every use case, by name. Whoever writes one adds its line here.</summary>
public static class ClinicRoom
{
    /// <summary>
    /// Adds the use cases. The host registers beside them the door, <see cref="IDbContextFactory{TContext}"/> of
    /// <see cref="ClinicContext"/>, <see cref="StationEvents"/> and <see cref="TimeProvider"/>, once for the process.
    /// </summary>
    public static IServiceCollection AddMangroveClinic(this IServiceCollection services)
    {
        // One context a request: the use cases of one act share its changes.
        services.AddScoped(provider => provider.GetRequiredService<IDbContextFactory<ClinicContext>>().CreateDbContext());

        // Registration and queue
        services.AddScoped<RegisterPatient>();
        services.AddScoped<UpdateDemographics>();
        services.AddScoped<OpenVisit>();
        services.AddScoped<CloseVisit>();
        services.AddScoped<FindLike>();
        services.AddScoped<RegisterUnknown>();
        services.AddScoped<PrepareNewborn>();
        services.AddScoped<ViewDemographics>();
        services.AddScoped<ViewWristband>();
        services.AddScoped<ListArrivals>();
        services.AddScoped<ShowBoard>();

        // Billing
        services.AddScoped<ListOpenInvoices>();
        services.AddScoped<ViewInvoice>();
        services.AddScoped<TakePayment>();
        services.AddScoped<SettleInvoice>();
        services.AddScoped<ListReceipts>();
        services.AddScoped<Prices>();

        // Triage
        services.AddScoped<TriageQueue>();
        services.AddScoped<OpenTriage>();
        services.AddScoped<RecordTriage>();

        // Find
        services.AddScoped<FindPatients>();
        services.AddScoped<FindByNumber>();

        // Shared by the stations
        services.AddScoped<Charging>();
        services.AddScoped<DraftBox>();

        return services;
    }
}
