using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Vault.Identity;
using Mangrove.Web.Shell;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Web.Session;

/// <summary>The frame of the signed-in person: their stations, and how much waits at each. Counts come from unsealed states.</summary>
internal sealed class StaffShell(IdentityDesk desk, ClinicContext clinic, TimeProvider clock) : IShellSource
{
    public async ValueTask<ShellModel> Read(HttpContext http, CancellationToken cancel)
    {
        var actor = http.Actor();
        var role = actor.Role ?? throw new InvalidOperationException("Only staff have a screen.");
        var stations = new List<Shell.Station>();
        foreach (var station in Stations.For(role))
        {
            stations.Add(station with { Count = await Waiting(station.Address, actor, cancel) });
        }

        return new ShellModel(
            actor.DisplayName,
            actor.Staff,
            role,
            actor.Device.StartsWith(SignInPages.AddressDevice, StringComparison.Ordinal) ? null : actor.Device,
            desk.Hospital,
            clock.GetLocalNow().DateTime,
            stations,
            (int)desk.Options.IdleLock.TotalSeconds);
    }

    private async Task<int> Waiting(string address, Actor actor, CancellationToken cancel) => address switch
    {
        "/triage" => await clinic.Visits.CountAsync(visit => visit.Status == VisitStatus.Arrived, cancel),
        "/consultation" => await clinic.Visits.CountAsync(visit => visit.Status == VisitStatus.Triaged || (visit.Status == VisitStatus.InConsultation && visit.Doctor == actor.Staff), cancel),
        "/results" => await clinic.LabOrders.CountAsync(order => order.Status == LabOrderStatus.Released && order.AcknowledgedAt == null && order.By == actor.Staff, cancel),
        "/laboratory" => await clinic.LabOrders.CountAsync(order => order.Status == LabOrderStatus.Ordered || order.Status == LabOrderStatus.Received, cancel),
        "/pharmacy" => await clinic.Prescriptions.CountAsync(line => line.Status == PrescriptionStatus.Ordered || line.Status == PrescriptionStatus.PartlyDispensed, cancel),
        "/cashier" => await clinic.Invoices.CountAsync(invoice => invoice.Status == InvoiceStatus.Open, cancel),
        _ => 0,
    };
}
