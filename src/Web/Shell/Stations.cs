using Mangrove.Kernel;

namespace Mangrove.Web.Shell;

/// <summary>Which stations each role has. The first is the role's home. Counts are put in with <c>station with { Count = n }</c>.</summary>
public static class Stations
{
    private static readonly Station Patients = new("address-book", "Patients", "/patients");
    private static readonly Station Paper = new("printer", "Paper", "/downtime");

    /// <summary>Emergency accesses: of administrators, and of whoever else is named as privacy officer.</summary>
    public static Station Privacy { get; } = new("shield-lock", "Privacy", "/privacy");

    /// <summary>Incidents: of administrators, and of whoever else is named as privacy officer.</summary>
    public static Station Incidents { get; } = new("alert-octagon", "Incidents", "/admin/incidents");

    private static readonly Station Board = new("device-tv", "Board", "/board");

    public static IReadOnlyList<Station> For(Role role) => role switch
    {
        Role.FrontDesk => [new("door-enter", "Arrivals", "/desk"), new("user-plus", "Register", "/desk/register"), new("list-numbers", "Queue", "/desk/queue"), Patients, Board, Paper],
        Role.Cashier => [new("cash", "Cashier", "/cashier"), new("receipt", "Receipts", "/cashier/receipts")],
        Role.Nurse => [new("heart-rate-monitor", "Triage", "/triage"), Patients, Board, Paper],
        Role.Doctor => [new("stethoscope", "Queue", "/consultation"), new("test-pipe", "Results", "/results"), new("alert-octagon", "Critical", "/results/critical"), Patients, Paper],
        Role.Pharmacist => [new("pill", "Dispense", "/pharmacy"), new("packages", "Stock", "/pharmacy/stock"), Paper],
        Role.LabTech => [new("test-pipe", "Orders", "/laboratory"), new("microscope", "Results", "/laboratory/results"), Paper],
        Role.Admin => [new("shield-check", "Trust", "/admin"), new("timeline-event", "Audit", "/admin/audit"), new("eye", "Watch", "/admin/watch"), Incidents, new("users", "People", "/admin/accounts"), new("key", "Keys", "/admin/keys"), new("database", "Backups", "/admin/backups"), new("devices", "Devices", "/admin/devices"), new("plug-connected", "Programs", "/admin/integrations"), new("receipt-2", "Prices", "/admin/prices"), Privacy, new("archive", "Retention", "/admin/retention")],
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };
}
