using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Mangrove.Cli.Backups;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Evidence;
using Mangrove.Kernel;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Incidents;

namespace Mangrove.Cli.Verbs;

/// <summary>Puts together what an auditor asks for: one signed archive, and one entry that says who took it.</summary>
internal sealed class EvidenceVerb : HospitalVerb
{
    private const int MostFindings = 10_000;
    private const int MostRuns = 1_000;

    private readonly Option<string> output = new("--out") { Description = "The archive to write (.zip); it must not be there yet. It names staff: hand it to the auditor alone.", HelpName = "FILE", Required = true };

    public EvidenceVerb()
        : base("evidence", "Write a signed archive for an auditor: policy, accounts, keys, log, backups, drills, emergency accesses, incidents, components.", actsAsSomebody: true) => Add(output);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        var by = await Actor(hospital, arguments, call, cancel);
        var vault = hospital.Vault;
        var acts = await vault.Review.Evidence(by, cancel);
        var made = hospital.Clock.GetUtcNow();
        var path = call.Full(arguments.GetValue(output)!);
        using var archive = new EvidenceArchive(path, made);
        archive.Add("access.md", "Role matrix", "who may read and write what, from the policy that decides", AccessPageVerb.Page());
        await Settings(hospital, by, archive, cancel);
        await People(hospital, by, archive, cancel);

        call.Say("Verifying the log ...");
        var report = await vault.Review.Verify(null, await hospital.Backups.KeptRoots(cancel), cancel);
        archive.Add("log.json", "Audit log", report.Problems.Count == 0 ? string.Create(CultureInfo.InvariantCulture, $"whole: {report.Entries:#,##0} entries from the first") : "NOT WHOLE", new { ok = report.Problems.Count == 0, report.Entries, report.Head, report.Size, report.Root, report.Checkpoints, report.Anchors, report.Seconds, problems = report.Problems });
        archive.Add("anchor.note", "Root of the log", "signed; an anchor for 'mangrove audit verify --offline'", vault.Review.Note().Note);
        archive.Add("acts.json", "Acts on keys, policy, accounts, backups and upgrades", string.Create(CultureInfo.InvariantCulture, $"{acts.Count:#,##0} entries of the log"), acts.Select(entry => new { entry.Seq, entry.Timestamp, entry.Actor, entry.StaffId, entry.Action, entry.Resource, outcome = entry.Outcome, entry.Reason, entry.Device }));

        var keys = await vault.Keys.Status(cancel);
        archive.Add("keys.json", "Keys", "every version of every purpose's key, its age, and what is under it", keys);
        var runs = await vault.Backups.Runs(MostRuns, cancel);
        archive.Add("backups.json", "Backups and restore drills", runs.Count == 0 ? "none was made" : string.Create(CultureInfo.InvariantCulture, $"{runs.Count(run => run.Failure is null):#,##0} of the last {runs.Count:#,##0} ended well"), runs);
        archive.Add("emergency.json", "Emergency access", "each access with reason, justification, review and outcome; the words are not in it", (await vault.Glass.List(by, cancel)).Select(Of));
        archive.Add("watch.json", "Watch over accesses", "what rules found, and who judged it", await vault.Watch.Findings(by, all: true, MostFindings, cancel));
        archive.Add("incidents.json", "Incidents", "each with its steps, what was contained and what was sent; the words are not in it", (await vault.Incidents.List(by, cancel)).Select(Of));
        await Destructions(hospital, by, archive, cancel);
        archive.Add("components.cdx.json", "Components (CycloneDX 1.6)", "from the lock files of the build", Components.Bill(HospitalBackups.Version, made, Ids.New()));
        archive.Add("vulnerabilities.json", "Known vulnerabilities", "NOT ASSESSED: this server reaches no source of advisories", new { state = "not-assessed", reason = "This server opens no connection to the outside. Assess components.cdx.json with a scanner elsewhere." });
        archive.Add("tests.json", "Test results", "not in an installation: they belong to the version", new { version = HospitalBackups.Version, state = "not-included", advice = "Ask for the results of the version's own build, or run ./test of its sources." });
        archive.Finish(vault.FacilityName, vault.Facility, HospitalBackups.Version, by.User, vault.Review);

        var seconds = Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 3);
        return Answer.Of(
            new { files = archive.Items.Select(item => new { name = item.Name, bytes = item.Bytes, sha256 = item.Sha256 }).ToArray(), path, seconds, ok = report.Problems.Count == 0 },
            string.Create(CultureInfo.InvariantCulture, $"{archive.Items.Count} files in {path}. Open index.html in it first."));
    }

    private static async Task Settings(Hospital hospital, Actor by, EvidenceArchive archive, CancellationToken cancel)
    {
        var vault = hospital.Vault;
        var guard = vault.RootGuard;
        archive.Add(
            "settings.json",
            "Settings",
            guard.BesideData ? "THE ROOT KEY LIES BESIDE THE DATA" : "as they stand now",
            new
            {
                storage = hospital.Storage.Kind,
                rootKeyBesideData = guard.BesideData,
                sessions = vault.Identity.SessionPolicy.Times,
                secondFactorFor = await vault.Identity.SecondFactor.RequiredRoles(cancel),
                keyRotationDays = vault.Keys.Days,
                retention = await vault.Integrations.Policy.Read(by, cancel),
                backupTargets = (await vault.Backups.Targets.All(cancel)).Select(target => target.Schedule),
                programs = (await vault.Integrations.Directory.List(by, cancel)).Select(one => new { one.Client, one.Name, one.State }),
            });
    }

    private static async Task Destructions(Hospital hospital, Actor by, EvidenceArchive archive, CancellationToken cancel)
    {
        var desk = hospital.Vault.Destruction;
        var orders = await desk.List(by, int.MaxValue, cancel);
        foreach (var order in orders.Where(order => order.Certified))
        {
            archive.Add($"destruction-{order.Name}.certificate", $"Certificate of destruction {order.Name}", "signed; check it with 'mangrove patient check-certificate'", (await desk.Certificate(by, order.Id, cancel)).Value);
        }

        archive.Add(
            "destruction.json",
            "Orders of destruction",
            string.Create(CultureInfo.InvariantCulture, $"{orders.Count:#,##0} orders, {orders.Count(order => order.Certified):#,##0} certificates"),
            orders.Select(order => new { order.Name, order.State, order.Reason, records = order.Patients.Count, order.Proposed, proposedBy = order.ProposedBy.ToString(), decidedBy = order.DecidedBy?.ToString(), order.Started, order.Ended }));
    }

    private static async Task People(Hospital hospital, Actor by, EvidenceArchive archive, CancellationToken cancel)
    {
        var staff = await hospital.Vault.Identity.Staff.List(by, cancel);
        archive.Add(
            "accounts.json",
            "Accounts for the review of access",
            string.Create(CultureInfo.InvariantCulture, $"{staff.Count:#,##0} accounts, {staff.Count(one => one.State == AccountState.Active):#,##0} active"),
            staff.Select(one => new { staffId = one.Staff.ToString(), one.User, one.DisplayName, role = one.Role.Slug(), one.Department, one.State, one.Created, one.SignedIn, one.PasswordChanged, one.SecondFactor }));
    }

    private static object Of(IncidentFile one) => new
    {
        one.Incident.Number,
        one.Incident.Kind,
        one.State,
        one.Incident.Known,
        one.Incident.AgentKnew,
        one.Incident.Opened,
        lead = one.Incident.Lead.ToString(),
        one.Incident.Contained,
        one.Incident.LogHash,
        one.Incident.Risk,
        one.Incident.Affected,
        one.Incident.Closed,
        steps = one.Steps.Select(step => new { step.Step, step.Done, step.Figures, waivedBy = step.WaivedBy?.ToString() }),
        contained = one.Targets.Select(target => new { target.Kind, target.Name, target.At, target.Outcome }),
        impacts = one.Impacts.Select(impact => new { impact.Made, impact.Patients, impact.Acts, impact.Everybody, impact.LogSize, impact.Hash }),
        sent = one.Sent.Select(sent => new { sent.To, sent.People, sent.Day, sent.Way, by = sent.By.ToString() }),
    };

    private static object Of(GlassGrant one) => new
    {
        one.Number,
        staffId = one.Staff.ToString(),
        patient = one.Patient.Mrn,
        one.Reason,
        one.Opened,
        one.Ended,
        one.EndedBy,
        one.Justified,
        one.Overdue,
        one.Outcome,
        one.Standing,
    };
}
