using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Identity;
using Mangrove.Web.Glass;
using Mangrove.Web.Shell;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Web.Session;

/// <summary>The frame of the signed-in person: their stations, and how much waits at each. Counts come from unsealed states.</summary>
internal sealed class StaffShell(IdentityDesk desk, GlassDesk glass, ClinicContext clinic, TimeProvider clock) : IShellSource
{
    private static readonly RowQuery<StaffId, Visit> ForDoctor = new((clinic, me) =>
        clinic.Visits.Where(visit => visit.Status == VisitStatus.Triaged || (visit.Status == VisitStatus.InConsultation && visit.Doctor == me)));

    private static readonly RowQuery<StaffId, LabOrder> Unsigned = new((clinic, me) =>
        clinic.LabOrders.Where(order => order.Status == LabOrderStatus.Released && order.AcknowledgedAt == null && order.By == me));

    private static readonly Translated<Func<ClinicContext, CancellationToken, Task<int>>> Untriaged =
        new(() => EF.CompileAsyncQuery((ClinicContext clinic, CancellationToken cancel) => clinic.Visits.Count(visit => visit.Status == VisitStatus.Arrived)));

    private static readonly Translated<Func<ClinicContext, CancellationToken, Task<int>>> AtLaboratory =
        new(() => EF.CompileAsyncQuery((ClinicContext clinic, CancellationToken cancel) => clinic.LabOrders.Count(order => order.Status == LabOrderStatus.Ordered || order.Status == LabOrderStatus.Received)));

    private static readonly Translated<Func<ClinicContext, CancellationToken, Task<int>>> AtPharmacy =
        new(() => EF.CompileAsyncQuery((ClinicContext clinic, CancellationToken cancel) => clinic.Prescriptions.Count(line => line.Status == PrescriptionStatus.Ordered || line.Status == PrescriptionStatus.PartlyDispensed)));

    private static readonly Translated<Func<ClinicContext, CancellationToken, Task<int>>> AtCashier =
        new(() => EF.CompileAsyncQuery((ClinicContext clinic, CancellationToken cancel) => clinic.Invoices.Count(invoice => invoice.Status == InvoiceStatus.Open)));

    public async ValueTask<ShellModel> Read(HttpContext http, CancellationToken cancel)
    {
        var actor = http.Actor();
        var role = actor.Role ?? throw new InvalidOperationException("Only staff have a screen.");
        var stations = new List<Shell.Station>();
        foreach (var station in Stations.For(role))
        {
            stations.Add(station with { Count = await Waiting(station.Address, actor, cancel) });
        }

        int? unseen = glass.IsTold(actor) ? await glass.Unseen(actor, cancel) : null;
        if (unseen is not null && role != Role.Admin)
        {
            stations.Add(Stations.Privacy);
            stations.Add(Stations.Incidents);
        }

        return new ShellModel(
            actor.DisplayName,
            actor.Staff,
            role,
            SignInPages.NameOf(actor.Device),
            desk.Hospital,
            clock.GetLocalNow().DateTime,
            stations,
            (int)desk.Options.IdleLock.TotalSeconds,
            desk.SignIn.TakeTrace(actor),
            Open(http, actor),
            unseen,
            await glass.Owes(actor, cancel));
    }

    private GlassShown? Open(HttpContext http, Actor actor) =>
        http.Request.RouteValues.TryGetValue("patient", out var named) && Guid.TryParse(named as string, out var id) && glass.LiveOn(actor, new PatientId(id)) is { } live
            ? new GlassShown($"/patients/{new PatientId(id)}", live, clock.GetUtcNow() + live.Left)
            : null;

    private async Task<int> Waiting(string address, Actor actor, CancellationToken cancel) => address switch
    {
        "/triage" => await Untriaged.On(clinic)(clinic, cancel),
        "/consultation" => await ForDoctor.CountOn(clinic, actor.Staff, cancel),
        "/results" => await Unsigned.CountOn(clinic, actor.Staff, cancel),
        "/laboratory" => await AtLaboratory.On(clinic)(clinic, cancel),
        "/pharmacy" => await AtPharmacy.On(clinic)(clinic, cancel),
        "/cashier" => await AtCashier.On(clinic)(clinic, cancel),
        _ => 0,
    };
}
