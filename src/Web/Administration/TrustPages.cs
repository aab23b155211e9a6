using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Health;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;
using Mangrove.Vault.Keys;
using Mangrove.Web.Parts;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>The administrator's home: the proofs that exist, what runs now, what was refused. No clinical data.</summary>
internal static class TrustPages
{
    private const int MostRefusals = 500;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/admin", Home);

    private static async Task<IResult> Home(
        HttpContext http,
        VaultRoom vault,
        AuditReview review,
        StaffDirectory staff,
        Sessions sessions,
        IntegrationDirectory integrations,
        LogCheck check,
        BackupDesk backups,
        IBackupWork work,
        HealthDesk health,
        GlassDesk glass,
        TimeProvider clock,
        CancellationToken cancel)
    {
        var refusals = await review.List(
            http.Actor(),
            new AuditFilter { Outcome = AuditOutcome.Refused, Since = clock.StartOfLocalDay(), Most = MostRefusals },
            null,
            cancel);
        var roster = await staff.Roster(cancel);
        var (live, locked) = sessions.Count();
        return Page.Show<TrustPage>(new
        {
            State = new TrustState(
                vault.FacilityName,
                ChainView.Of(review, check),
                vault.KeyStates(),
                vault.RootGuard,
                live,
                locked,
                refusals.Count,
                refusals.Count == MostRefusals,
                vault.Space.Volume,
                vault.IndexedPatients,
                vault.IndexReady,
                clock.GetLocalNow(),
                await integrations.Awaiting(cancel),
                await BackupPages.Read(backups, work, vault, clock, cancel),
                await vault.Recovery.State(cancel),
                await health.Alarms.Open(cancel),
                await glass.Told(cancel)),
            Refusals = new AuditView(new AuditQuestion(), null, [.. refusals.Take(8)], false, roster.ToDictionary(one => one.User, StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal), clock.LocalTimeZone, await integrations.Names(cancel)),
        });
    }
}

/// <summary>What the administrator's home shows.</summary>
public sealed record TrustState(
    string Hospital,
    ChainView Chain,
    IReadOnlyList<KeyState> Keys,
    RootGuard Guard,
    int SignedIn,
    int Locked,
    int RefusalsToday,
    bool RefusalsCut,
    (long Free, long Size) Volume,
    int Patients,
    bool IndexReady,
    DateTimeOffset Now,
    IReadOnlyList<Integration>? Awaiting = null,
    BackupState? Backups = null,
    RecoveryState? Recovery = null,
    IReadOnlyList<Alarm>? Alarms = null,
    GlassRecipients? Told = null)
{
    /// <summary>A key this old is to be replaced, and is, by the schedule: NIST SP 800-57 part 1 gives symmetric keys up to two years of use; half of it is our limit.</summary>
    public const int KeyLimitDays = Mangrove.Vault.KeyRotationDays.MostUsual;

    public bool Damaged => Chain.Last is { Whole: false };

    public bool LowDisk => Volume.Size > 0 && (double)Volume.Free / Volume.Size < SpaceWatch.LowBelow;

    /// <summary>Whether only work on patients is stored.</summary>
    public bool ScarceDisk => Volume.Size > 0 && SpaceWatch.IsScarce(Volume.Free, Volume.Size);

    public string Verdict => Chain switch
    {
        { Failure: not null } => "The log cannot be written. The door is shut.",
        { Last.Report.Ok: false } => "The audit log is damaged.",
        { Last.Failure: not null } => "The audit log could not be checked to its end.",
        { Last: null } => "The record is being checked.",
        _ when Backups is { LastBackup: null } => "The record is whole. There is no backup of it yet.",
        _ when Backups?.BackupProof().Stale == true => "The record is whole. Its backup is overdue.",
        _ when Backups?.DrillProof().Stale == true => "The record is whole. Recovery needs a fresh proof.",
        _ when Guard.BesideData => "The record is whole. The root key lies beside it.",
        _ => "The record is whole.",
    };

    public string Summary
    {
        get
        {
            var fresh = Proofs().Count(proof => !proof.Stale);
            return $"{fresh} of {Proofs().Count} proofs fresh · {(Backups?.LastDrill is { } drill ? $"last restore proven {BackupState.Ago(Now - drill.Started)}" : "no restore was proven yet")}, limit {(int)BackupState.DrillLimit.TotalDays} days";
        }
    }

    public int AgeOf(KeyState key) => Math.Max(0, (int)(Now - key.Created).TotalDays);

    public IReadOnlyList<Proof> Proofs()
    {
        var proofs = new List<Proof> { LogProof(), AnchorProof() };
        if (Backups is { } backups)
        {
            proofs.Add(backups.BackupProof() is { Stale: true, Act: null } late ? late with { Act = "Back up", ActAddress = "/admin/backups" } : backups.BackupProof());
            proofs.Add(backups.DrillProof() is { Stale: true } old && backups is { LastBackup: not null } ? old with { Act = backups.DrillsHere ? "Start a drill" : "What it needs", ActAddress = "/admin/backups" } : backups.DrillProof());
        }


        // The index key stays for good, so its age says nothing.
        if (Keys.Where(key => key.InUse).MinBy(key => key.Created) is { } oldest)
        {
            // One proof for both: how old the keys are, and who can bring them back.
            var old = AgeOf(oldest);
            var sheets = Recovery is null ? null : SheetsProof(Recovery);
            var (act, address) = old > KeyLimitDays ? ("See the keys", "/admin/keys") : sheets is { Stale: true } ? (sheets.Act, sheets.ActAddress) : (null, null);
            proofs.Add(new Proof(
                "key",
                "Oldest key",
                $"{oldest.Purpose}, {Days(old)}",
                $"limit {KeyLimitDays} · {(sheets is null ? $"root by {Guard.Name}" : sheets.Verdict)}",
                sheets?.Detail ?? $"version {oldest.Version}, made {ClinicalTime.Day(oldest.Created)}",
                old > KeyLimitDays || sheets is { Stale: true },
                act,
                address));
        }

        return proofs;
    }

    public static string Gigabytes(long bytes) => $"{(bytes / 1e9).ToString(bytes < 100_000_000_000 ? "0.0" : "#,##0", System.Globalization.CultureInfo.InvariantCulture)} GB";

    public static string Days(int days) => days == 1 ? "1 day" : $"{days} days";

    private Proof LogProof()
    {
        const string icon = "link";
        const string name = "Audit log";
        return Chain switch
        {
            { Last: null } => new Proof(icon, name, "Being verified", $"entry {ActWords.Count(Chain.Passed)} of {ActWords.Count(Chain.Newest?.Size ?? 0)}", "first pass since the start", Stale: true),
            { Last: { Report: { Ok: true } report } last } => new Proof(
                icon,
                name,
                "Verified, whole chain",
                $"{ActWords.Count(report.Entries)} entries, head {ActWords.Short(report.Head)}",
                $"full pass {ClinicalTime.Day(last.At)} {ClinicalTime.Minute(last.At)}, {Seconds(report.Seconds)} · none failed",
                Now - last.At > TimeSpan.FromDays(1),
                "Verify again",
                "/admin/audit"),
            { Last: { Report: { } report } last } => new Proof(
                icon,
                name,
                $"{ActWords.Count(report.Problems.Count)} {(report.Problems.Count == 1 ? "problem" : "problems")} found",
                $"first: {report.Problems[0].Code}{(report.Problems[0].Seq is { } seq ? $" at {ActWords.Count(seq)}" : "")}",
                $"full pass {ClinicalTime.Day(last.At)} {ClinicalTime.Minute(last.At)}",
                Stale: true,
                "See what is wrong",
                "/admin/audit"),
            { Last: { } last } => new Proof(icon, name, "Not proven", last.Failure!.Message, $"tried {ClinicalTime.Day(last.At)} {ClinicalTime.Minute(last.At)}", Stale: true, "Verify again", "/admin/audit"),
        };
    }

    private Proof SheetsProof(RecoveryState recovery)
    {
        const string icon = "file-description";
        const string name = "Recovery sheets";
        return recovery switch
        {
            { InForce: { Verified: { } tried } set } => new Proof(
                icon,
                name,
                $"{set.Threshold} of {set.Count} sheets",
                $"set {set.Name}, tried {ClinicalTime.Day(tried.ToLocalTime())}",
                $"last tried {ClinicalTime.Day(tried.ToLocalTime())} · limit {Days(SharesPages.DrillDays)}",
                Now - tried > TimeSpan.FromDays(SharesPages.DrillDays),
                "Sheets",
                SharesPages.Home),
            { Begun: not null } => new Proof(icon, name, "sheets begun", "they count when they are read back and tried", "no backup is sealed to it yet", Stale: true, "Go on", SharesPages.Home),
            _ => new Proof(icon, name, "no sheets", recovery.Protector is { } kind ? $"only the {RootGuard.NameOf(kind)} opens a backup" : "nothing opens a backup", "once it is lost, no backup can be restored", Stale: true, "Make sheets", SharesPages.Home),
        };
    }

    private Proof AnchorProof() => Chain.Anchored is { } anchored
        ? new Proof(
            "anchor",
            "Last checkpoint",
            $"#{ActWords.Count(anchored.Size)} anchored",
            $"{ClinicalTime.Day(anchored.Time.ToLocalTime())} {ClinicalTime.Minute(anchored.Time.ToLocalTime())}, in 1 of 1 place",
            $"among the clinic's records · {Since((Chain.Newest?.Size ?? anchored.Size) - anchored.Size)} since")
        : new Proof("anchor", "Last checkpoint", "None anchored yet", "The log stands alone", "comes with the first record saved", Stale: true);

    private static string Since(long entries) => entries switch
    {
        0 => "nothing",
        1 => "1 entry",
        _ => $"{ActWords.Count(entries)} entries",
    };

    private static string Seconds(double seconds) => $"{seconds.ToString(seconds < 10 ? "0.0" : "0", System.Globalization.CultureInfo.InvariantCulture)} s";
}
