using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic;

/// <summary>A visit that is opened, by the desk for somebody known or together with a registration.</summary>
internal static class NewVisit
{
    /// <summary>Who sees that somebody came.</summary>
    public static readonly Station[] Stations = [Station.Arrivals, Station.Triage, Station.Doctor];

    /// <summary>Why the desk may not open a visit of this kind; null when it may.</summary>
    public static Error? Check(VisitKind kind) =>
        kind is VisitKind.Outpatient or VisitKind.Emergency ? null : new Error("visit.kind", "Choose outpatient or emergency.");

    /// <summary>The entry of the log.</summary>
    public static Request Of(Patient patient) => new() { Action = "OPEN_VISIT", Purpose = Purpose.Registration, Patients = [patient.Ref] };

    /// <summary>The row, with the next token of the day; the caller stores it.</summary>
    public static async Task<Visit> Make(ClinicContext clinic, PatientId patient, VisitKind kind, TimeProvider clock, CancellationToken cancel)
    {
        var day = clock.GetLocalNow().ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        return new Visit
        {
            PatientId = patient,
            Kind = kind,
            Token = checked((int)await clinic.Next("token:" + day, cancel)),
            ArrivedAt = clock.GetUtcNow(),
        };
    }
}
