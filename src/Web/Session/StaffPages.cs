using Mangrove.Web.Administration;
using Mangrove.Web.Cashier;
using Mangrove.Web.Chart;
using Mangrove.Web.Consultation;
using Mangrove.Web.Desk;
using Mangrove.Web.Downtime;
using Mangrove.Web.Find;
using Mangrove.Web.Glass;
using Mangrove.Web.Laboratory;
using Mangrove.Web.Pharmacy;
using Mangrove.Web.Triage;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Session;

/// <summary>Every page of the signed-in, room by room.</summary>
internal static class StaffPages
{
    public static void Map(IEndpointRouteBuilder app)
    {
        SignInPages.Map(app);
        AccountPages.Map(app);
        PasskeyPages.Map(app);
        DevicePages.Map(app);
        AuthorityPages.Map(app);
        EventStream.Map(app);
        FindPages.Map(app);
        DowntimePages.Map(app);
        DeskPages.Map(app);
        TriagePages.Map(app);
        ConsultationPages.Map(app);
        ResultPages.Map(app);
        ChartPages.Map(app);
        GlassPages.Map(app);
        PrivacyPages.Map(app);
        LaboratoryPages.Map(app);
        PharmacyPages.Map(app);
        CashierPages.Map(app);
        AdministrationPages.Map(app);
    }
}
