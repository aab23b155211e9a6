using Mangrove.Clinic.Billing;
using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Consultation;
using Mangrove.Clinic.Downtime;
using Mangrove.Clinic.Laboratory;
using Mangrove.Clinic.Pharmacy;
using Mangrove.Clinic.Find;
using Mangrove.Clinic.Queue;
using Mangrove.Clinic.Registration;
using Mangrove.Clinic.Terminology;
using Mangrove.Clinic.Triage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Mangrove.Clinic;

/// <summary>The clinic's public face: every use case, by name. Whoever writes one adds its line here.</summary>
public static class ClinicRoom
{
    /// <summary>
    /// Adds the use cases. The host registers beside them the door, <see cref="IDbContextFactory{TContext}"/> of
    /// <see cref="ClinicContext"/>, <see cref="StationEvents"/>, <see cref="DiagnosisList"/> and <see cref="TimeProvider"/>, once for the process.
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

        // Downtime
        services.AddScoped<PaperLists>();

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

        // Consultation and chart
        services.AddScoped<DoctorQueue>();
        services.AddScoped<TakePatient>();
        services.AddScoped<OpenChart>();
        services.AddScoped<ConsultationDraft>();
        services.AddScoped<CheckPrescription>();
        services.AddScoped<OrderLaboratory>();
        services.AddScoped<SignConsultation>();
        services.AddScoped<AddAddendum>();
        services.AddScoped<AddProblem>();
        services.AddScoped<ResolveProblem>();
        services.AddScoped<RecordAllergy>();
        services.AddScoped<RecordNoAllergies>();
        services.AddScoped<WithdrawAllergy>();
        services.AddScoped<StopMedicine>();
        services.AddScoped<ResultsToSign>();
        services.AddScoped<AcknowledgeResults>();

        // Laboratory
        services.AddScoped<Bench>();
        services.AddScoped<ReleasedSpecimens>();
        services.AddScoped<OpenSpecimen>();
        services.AddScoped<FindSpecimen>();
        services.AddScoped<ReceiveSpecimen>();
        services.AddScoped<RejectSpecimen>();
        services.AddScoped<ReleaseResults>();
        services.AddScoped<CorrectResult>();

        // Pharmacy
        services.AddScoped<DispensingQueue>();
        services.AddScoped<OpenDispensing>();
        services.AddScoped<HandOver>();
        services.AddScoped<StockList>();
        services.AddScoped<ReceiveDelivery>();
        services.AddScoped<CorrectCount>();
        // Find
        services.AddScoped<FindPatients>();
        services.AddScoped<FindByNumber>();
        services.AddScoped<ClosedRecord>();
        services.AddScoped<ExplainAccess>();

        // Shared by the stations
        services.AddScoped<Charging>();
        services.AddScoped<DraftBox>();

        return services;
    }
}
