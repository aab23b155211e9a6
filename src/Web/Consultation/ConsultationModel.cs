using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Consultation;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Chart;

namespace Mangrove.Web.Consultation;

/// <summary>What the consultation page shows: the chart, what is being written, and how the lines stand.</summary>
public sealed record ConsultationModel(
    PatientChart Chart,
    Guid VisitId,
    ConsultationForm Form,
    DateTimeOffset? SavedAt,
    IReadOnlyList<CheckedLine> Lines,
    Actor Doctor,
    TimeProvider Clock,
    Error? Error = null)
{
    public string Address => Base(Chart.Header.Patient.Id, VisitId);

    public string Whole => ChartText.Whole(Chart.Header);

    public static string Base(PatientId patient, Guid visit) => $"/patients/{patient}/consultation/{visit:N}";
}

/// <summary>What keeps a prescription from being signed, in the words of the save bar.</summary>
internal static class Gate
{
    public static string? Open(IReadOnlyList<CheckedLine> lines)
    {
        var blocked = lines.Count(line => line.Blocked);
        var warnings = lines.Sum(line => line.ReasonsNeeded);
        var incomplete = lines.Count(line => line.Errors.Count > 0);
        string?[] parts =
        [
            Count(blocked, "medicine blocked", "medicines blocked"),
            Count(warnings, "warning to decide", "warnings to decide"),
            Count(incomplete, "line to complete", "lines to complete"),
        ];
        var open = parts.Where(part => part is not null).ToArray();
        return open.Length == 0 ? null : string.Join(", ", open);
    }

    private static string? Count(int count, string one, string many) => count switch
    {
        0 => null,
        1 => $"1 {one}",
        _ => FormattableString.Invariant($"{count} {many}"),
    };
}
