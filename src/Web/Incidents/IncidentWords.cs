using System.Globalization;
using Mangrove.Governance.Incidents;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Incidents;

namespace Mangrove.Web.Incidents;

/// <summary>Incidents in the words of the hospital.</summary>
internal static class IncidentWords
{
    public static IReadOnlyList<KeyValuePair<string, string>> Kinds { get; } = [KeyValuePair.Create("", "choose"), .. Enum.GetValues<IncidentKind>().Where(kind => kind != IncidentKind.Unchosen).Select(kind => Option(kind, kind.InWords()))];

    public static IReadOnlyList<KeyValuePair<string, string>> Recipients { get; } = [KeyValuePair.Create("", "choose"), Option(NoticeTo.Patients, "patients"), Option(NoticeTo.Authority, "Secretary or authority"), Option(NoticeTo.Media, "media"), Option(NoticeTo.Associate, "another organisation")];

    public static IReadOnlyList<KeyValuePair<string, string>> Ways { get; } = [KeyValuePair.Create("", "choose"), Option(NoticeWay.Post, "by post"), Option(NoticeWay.Mail, "by mail"), Option(NoticeWay.Telephone, "by telephone"), Option(NoticeWay.Portal, "on their portal"), Option(NoticeWay.Handed, "handed over"), Option(NoticeWay.Public, "in public")];

    public static IReadOnlyList<KeyValuePair<string, string>> Risks { get; } = [KeyValuePair.Create("", "choose"), Option(RiskFound.Breach, "a breach: those affected are told"), Option(RiskFound.Low, "a low probability: a second person confirms it")];

    public static IReadOnlyList<(IncidentWriting Kind, string Name, string Label)> Factors { get; } =
    [
        (IncidentWriting.Nature, "nature", "1. Nature and extent: what kind of information, how identifying"),
        (IncidentWriting.Person, "person", "2. Who it came to, and what they are bound to"),
        (IncidentWriting.Acquired, "acquired", "3. Whether it was really acquired or viewed"),
        (IncidentWriting.Mitigation, "mitigation", "4. How far the risk was mitigated"),
    ];

    public static string InWords(this IncidentKind kind) => kind switch
    {
        IncidentKind.StolenDevice => "A device was stolen or lost",
        IncidentKind.StolenCredential => "Somebody else has an account",
        IncidentKind.StaffMisuse => "Staff misused their access",
        IncidentKind.LostPaper => "Paper was lost",
        IncidentKind.Malware => "Malware",
        IncidentKind.ForeignProgram => "A program of somebody else",
        _ => "Something else",
    };

    public static (string Tone, string Words) InWords(this IncidentState state) => state switch
    {
        IncidentState.Open => ("red", "open"),
        IncidentState.Contained => ("orange", "contained"),
        IncidentState.Assessed => ("orange", "assessed"),
        IncidentState.Notified => ("", "notified"),
        IncidentState.Reviewed => ("brand", "ready to close"),
        _ => ("brand", "closed"),
    };

    public static string InWords(this IncidentStep step) => step switch
    {
        IncidentStep.Tell => "Tell the privacy officer",
        IncidentStep.Contain => "Contain: end sessions, revoke tokens and devices, freeze accounts",
        IncidentStep.RotateKeys => "Rotate keys where feasible",
        IncidentStep.KeepLog => "Preserve and secure the audit log",
        IncidentStep.Impact => "Find whom it touches",
        IncidentStep.Risk => "Judge the four factors",
        IncidentStep.Notify => "Tell those affected, and the authority",
        _ => "Review, and do what follows from it",
    };

    public static string InWords(this NoticeDuty duty) => duty switch
    {
        NoticeDuty.Individuals => "Each patient",
        NoticeDuty.Secretary => "The Secretary, with the patients",
        NoticeDuty.YearlyLog => "The Secretary, in the log of the year",
        NoticeDuty.Media => "Media of the state",
        _ => "The supervisory authority",
    };

    public static string InWords(this IncidentWriting kind) => kind switch
    {
        IncidentWriting.Remark => "Remark",
        IncidentWriting.Waiver => "Why a step is not done",
        IncidentWriting.Nature => "Nature and extent",
        IncidentWriting.Person => "Who it came to",
        IncidentWriting.Acquired => "Acquired or viewed",
        IncidentWriting.Mitigation => "Mitigation",
        IncidentWriting.Review => "Review",
        _ => "To be done",
    };

    public static string Of<T>(IReadOnlyList<KeyValuePair<string, string>> words, T value)
        where T : struct, Enum => words.FirstOrDefault(one => one.Key == value.ToString()).Value ?? "";

    public static string Name(IReadOnlyDictionary<int, Colleague> staff, StaffId one) => staff.GetValueOrDefault(one.Number)?.DisplayName ?? one.ToString();

    public static string When(DateTimeOffset at, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(at, zone).ToString("d MMM yyyy HH:mm", CultureInfo.InvariantCulture);

    public static string Day(DateOnly day) => day.ToString("d MMM yyyy", CultureInfo.InvariantCulture);

    /// <summary>How long is left: in days, or in hours where it is few.</summary>
    public static string Left(TimeSpan left) => left < TimeSpan.Zero ? "late" : left.TotalDays >= 3 ? string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalDays} days left") : string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalHours} h left");

    private static KeyValuePair<string, string> Option<T>(T value, string words)
        where T : struct, Enum => KeyValuePair.Create(value.ToString(), words);
}
