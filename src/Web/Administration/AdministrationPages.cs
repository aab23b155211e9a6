using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>The administrator's room: trust, audit, people, integrations. It never shows a clinical value or a patient's name.</summary>
internal static class AdministrationPages
{
    public static void Map(IEndpointRouteBuilder app)
    {
        TrustPages.Map(app);
        AuditPages.Map(app);
        AccountPages.Map(app);
        RulesPages.Map(app);
        DeviceAdministration.Map(app);
        AccessPages.Map(app);
        IntegrationPages.Map(app);
        CertificatePages.Map(app);
        KeyPages.Map(app);
        BackupPages.Map(app);
        HealthPages.Map(app);
        WatchPages.Map(app);
        Incidents.IncidentPages.Map(app);
        SharesPages.Map(app);
        RetentionPages.Map(app);
    }
}
