using System.Globalization;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Web.Parts;

namespace Mangrove.Web.Administration;

/// <summary>The acts, fields and reasons of the log in words. Whatever has no words yet is shown by its own name, never left out.</summary>
internal static class ActWords
{
    /// <summary>Acts that the filter offers: icon and words by the name in the log.</summary>
    private static readonly SortedDictionary<string, (string Icon, string Words)> Known = new(StringComparer.Ordinal)
    {
        ["ACKNOWLEDGE_RESULTS"] = ("checks", "Acknowledged results"),
        ["ADD_ADDENDUM"] = ("pencil-plus", "Added to a note"),
        ["ADD_PRICE"] = ("receipt-2", "Added a price"),
        ["ADD_PROBLEM"] = ("circle-plus", "Added a problem"),
        ["AGREEMENT_LAPSED"] = ("file-certificate", "An agreement ran out"),
        ["ALARM_BEGAN"] = ("alert-octagon", "An alarm began"),
        ["ALARM_ENDED"] = ("check", "An alarm ended"),
        ["SEE_ALARM"] = ("eye", "Saw to an alarm"),
        ["CHANGE_MAIL"] = ("adjustments", "Changed where letters go"),
        ["TEST_MAIL"] = ("adjustments", "Sent a test letter"),
        ["VIEW_HEALTH"] = ("heart-rate-monitor", "Looked at the health of the server"),
        ["VIEW_MAIL"] = ("adjustments", "Looked at the settings of mail"),
        ["APPROVE_INTEGRATION"] = ("shield-check", "Approved an integration"),
        ["BREAK_GLASS"] = ("shield-lock", "Opened a closed record in an emergency"),
        ["CLOSE_GLASS"] = ("lock", "An emergency access ended"),
        ["GLASS_OVERDUE"] = ("alert-triangle", "No justification of an emergency access came in time"),
        ["JUSTIFY_GLASS"] = ("pencil", "Justified an emergency access"),
        ["LIFT_GLASS_SUSPENSION"] = ("lock-open", "Lifted a suspension of emergency access"),
        ["LIST_GLASS"] = ("shield-lock", "Looked at the emergency accesses"),
        ["NAME_PRIVACY_OFFICERS"] = ("users", "Named the privacy officers"),
        ["REVIEW_GLASS"] = ("eye", "Reviewed an emergency access"),
        ["SEE_GLASS_NOTICES"] = ("eye", "Saw the notices of emergency accesses"),
        ["VIEW_GLASS"] = ("shield-lock", "Looked at an emergency access"),
        ["PROPOSE_DESTRUCTION"] = ("file-x", "Proposed the destruction of records"),
        ["APPROVE_DESTRUCTION"] = ("file-x", "Approved the destruction of records"),
        ["REFUSE_DESTRUCTION"] = ("x", "Refused the destruction of records"),
        ["WITHDRAW_DESTRUCTION"] = ("x", "Withdrew an order of destruction"),
        ["LAPSE_DESTRUCTION"] = ("x", "An order of destruction lapsed"),
        ["BEGIN_DESTRUCTION"] = ("file-x", "Began to carry out an order of destruction"),
        ["DESTROY_PATIENTS"] = ("file-x", "Destroyed the keys of records"),
        ["DESTROY_BACKUP_EPOCHS"] = ("file-x", "Destroyed the keys of earlier key bundles of backups"),
        ["VERIFY_DESTRUCTION"] = ("search", "Looked for destroyed records"),
        ["CERTIFY_DESTRUCTION"] = ("file-certificate", "Certified a destruction"),
        ["APPLY_TOMBSTONES"] = ("file-x", "Removed destroyed records that came back"),
        ["LIST_DESTRUCTIONS"] = ("file-x", "Looked at the orders of destruction"),
        ["VIEW_DESTRUCTION"] = ("file-x", "Looked at an order of destruction"),
        ["VIEW_DESTRUCTION_CERTIFICATE"] = ("file-certificate", "Took a certificate of destruction"),
        ["BUILD_INDEX"] = ("search", "Built the patient index"),
        ["CHANGE_DEPARTMENT"] = ("building-hospital", "Changed a department"),
        ["CHANGE_PASSWORD"] = ("key", "Changed their password"),
        ["CHANGE_POLICY"] = ("adjustments", "Changed the policy"),
        ["CHANGE_PRICE"] = ("receipt-2", "Changed a price"),
        ["CHANGE_ROLE"] = ("user-edit", "Changed a role"),
        ["CHECK_DUPLICATE"] = ("users", "Looked for duplicates"),
        ["CHECK_PRESCRIPTION"] = ("shield-check", "Checked a prescription"),
        ["CLOSE_VISIT"] = ("door-exit", "Closed a visit"),
        ["CORRECT_RESULT"] = ("pencil", "Corrected a result"),
        ["CORRECT_STOCK"] = ("packages", "Corrected a count of stock"),
        ["CREATE_STAFF"] = ("user-plus", "Made an account"),
        ["END_SERVICE_TOKENS"] = ("plug-connected-x", "Ended a program's tokens"),
        ["END_SESSIONS"] = ("logout", "Ended sessions"),
        ["EXPLAIN_POLICY"] = ("help", "Asked what the policy says"),
        ["EXPORT_EVIDENCE"] = ("upload", "Took an archive for an auditor"),
        ["EXPORT_FHIR"] = ("upload", "Exported records"),
        ["FHIR_READ"] = ("download", "Read by FHIR"),
        ["FHIR_SEARCH"] = ("search", "Searched by FHIR"),
        ["FILE_AGREEMENT"] = ("file-certificate", "Put an agreement on file"),
        ["FIND_SPECIMEN"] = ("search", "Looked for a specimen"),
        ["FOUND_HOSPITAL"] = ("building-hospital", "Set up the hospital"),
        ["HAND_OVER"] = ("pill", "Dispensed"),
        ["IMPORT_FHIR"] = ("download", "Imported records"),
        ["IMPORT_FHIR_DRY_RUN"] = ("download", "Tried an import"),
        ["ISSUE_SERVICE_TOKEN"] = ("key", "Asked for a token"),
        ["JUDGE_RESULT"] = ("test-pipe", "Judged a typed result"),
        ["LIST_INTEGRATIONS"] = ("plug-connected", "Looked at the integrations"),
        ["LIST_STAFF"] = ("users", "Looked at the staff list"),
        ["LOCK"] = ("lock", "Screen locked"),
        ["MAKE_RECOVERY_KEY"] = ("key", "Made the recovery key of the protector"),
        ["MAKE_SHARES"] = ("key", "Made recovery sheets"),
        ["OPEN_CONSULTATION"] = ("stethoscope", "Opened a consultation"),
        ["OPEN_DISPENSING"] = ("pill", "Opened dispensing"),
        ["OPEN_DRAFT"] = ("pencil", "Opened a draft"),
        ["OPEN_SPECIMEN"] = ("test-pipe", "Opened a specimen"),
        ["OPEN_TRIAGE"] = ("heart-rate-monitor", "Opened triage"),
        ["OPEN_VISIT"] = ("door-enter", "Opened a visit"),
        ["ORDER_LABORATORY"] = ("test-pipe", "Ordered tests"),
        ["POST_CHARGES"] = ("receipt", "Posted charges"),
        ["PREPARE_NEWBORN"] = ("baby-carriage", "Prepared a newborn's record"),
        ["PRINT_LABELS"] = ("printer", "Printed labels"),
        ["PRINT_WRISTBAND"] = ("printer", "Printed a wristband"),
        ["READ_BACK_SHARES"] = ("checks", "Read recovery sheets back"),
        ["RECEIVE_SPECIMEN"] = ("test-pipe", "Received a specimen"),
        ["RECEIVE_STOCK"] = ("packages", "Received a delivery"),
        ["RECORD_ALLERGY"] = ("alert-triangle", "Recorded an allergy"),
        ["RECORD_NO_ALLERGIES"] = ("check", "Recorded that no allergy is known"),
        ["RECORD_TRIAGE"] = ("heart-rate-monitor", "Recorded triage"),
        ["REFRESH_WORKLIST"] = ("refresh", "Worklist refreshed itself"),
        ["REGISTER_INTEGRATION"] = ("plug-connected", "Registered an integration"),
        ["REGISTER_PATIENT"] = ("user-plus", "Registered a patient"),
        ["REJECT_SPECIMEN"] = ("test-pipe-off", "Rejected a specimen"),
        ["RELEASE_RESULTS"] = ("checks", "Released results"),
        ["RESET_PASSWORD"] = ("key", "Reset a password"),
        ["RESOLVE_PROBLEM"] = ("check", "Resolved a problem"),
        ["RESTORE_STAFF"] = ("user-check", "Restored an account"),
        ["RESUME_INTEGRATION"] = ("plug-connected", "Resumed an integration"),
        ["REVOKE_INTEGRATION"] = ("plug-connected-x", "Ended an integration"),
        ["REVOKE_STAFF"] = ("user-x", "Closed an account"),
        ["ALLOW_OLDER_BACKUP"] = ("database", "Allowed an older backup to be restored"),
        ["BACKUP_CREATED"] = ("database", "Backup made and read back"),
        ["BACKUP_FAILED"] = ("database", "Backup failed"),
        ["CREATE_BACKUP"] = ("database", "Began a backup"),
        ["PRINT_DOWNTIME_LISTS"] = ("printer", "Printed the lists for a downtime"),
        ["REMOVE_BACKUPS"] = ("database", "Removed old backups"),
        ["REMOVE_BACKUP_TARGET"] = ("database", "Took a target of backups away"),
        ["CHANGE_IN_COPY"] = ("shield-x", "Wanted to change something in a read-only copy"),
        ["HAND_IN_DOWNTIME"] = ("database", "Handed in the log of a read-only copy"),
        ["OPEN_DOWNTIME_COPY"] = ("database", "Opened a read-only copy"),
        ["RESTORE_BACKUP"] = ("database", "Hospital restored from a backup"),
        ["RESTORE_DRILL_FAILED"] = ("database", "Restore could not be proven"),
        ["RESTORE_PROVEN"] = ("database", "Restore proven"),
        ["SET_BACKUP_TARGET"] = ("database", "Set where backups go"),
        ["START_RESTORE_DRILL"] = ("database", "Began a restore drill"),
        ["UPGRADE"] = ("database", "The program was upgraded"),
        ["REMOVE_FILES_OF_BEFORE"] = ("database", "Removed the files kept from before an upgrade"),
        ["UPGRADE_FAILED"] = ("database", "An upgrade failed and was undone"),
        ["VIEW_BACKUPS"] = ("database", "Looked at the backups"),
        ["CHANGE_KEY_ROTATION"] = ("key", "Changed how often keys are rotated"),
        ["CHANGE_PROTECTOR"] = ("key", "Changed what opens the root key"),
        ["WATCH_ACCESS"] = ("eye", "Began to watch the log"),
        ["WATCH_FINDING"] = ("alert-triangle", "A rule of the watch found an access"),
        ["PLACE_HOLD"] = ("lock", "Placed a legal hold"),
        ["RELEASE_HOLD"] = ("lock-open", "Released a legal hold"),
        ["LIST_HOLDS"] = ("archive", "Looked at the legal holds"),
        ["CHANGE_RETENTION"] = ("archive", "Changed the rules of retention"),
        ["VIEW_RETENTION"] = ("archive", "Looked at the rules of retention"),
        ["VIEW_DUE"] = ("archive", "Looked at the records that are due"),
        ["ASK_RETENTION_COUNT"] = ("archive", "Had the records that are due counted"),
        ["COUNT_RETENTION"] = ("archive", "Counted the records that are due"),
        ["CHECK_RETENTION"] = ("archive", "Checked whether records must stay"),
        ["VIEW_WATCH"] = ("eye", "Looked at the watch"),
        ["JUDGE_ACCESS"] = ("checks", "Judged an access that the watch found"),
        ["GUARD_RECORD"] = ("shield-check", "Guarded a record"),
        ["OPEN_INCIDENT"] = ("alert-octagon", "Opened an incident"),
        ["LIST_INCIDENTS"] = ("eye", "Looked at the incidents"),
        ["VIEW_INCIDENT"] = ("eye", "Looked at an incident"),
        ["REMARK_INCIDENT"] = ("pencil", "Wrote a remark on an incident"),
        ["SEE_INCIDENT"] = ("eye", "Said that they have seen an incident"),
        ["CONTAIN_INCIDENT"] = ("lock", "Contained an incident"),
        ["KEEP_INCIDENT_LOG"] = ("database", "Kept a verified copy of the log for an incident"),
        ["END_INCIDENT_ROTATION"] = ("key", "A rotation that an incident asked for has ended"),
        ["EXAMINE_INCIDENT"] = ("eye", "Asked the log whom an incident touches"),
        ["VIEW_INCIDENT_IMPACT"] = ("eye", "Looked at whom an incident touches"),
        ["EXPORT_INCIDENT_IMPACT"] = ("file-export", "Took the list of whom an incident touches"),
        ["ASSESS_INCIDENT"] = ("checks", "Judged the four factors of an incident"),
        ["CONFIRM_INCIDENT_RISK"] = ("checks", "Confirmed that an incident harmed nobody"),
        ["RECORD_INCIDENT_NOTICE"] = ("mail", "Recorded a notice of a breach"),
        ["ADD_INCIDENT_ACTION"] = ("pencil", "Added something to be done after an incident"),
        ["END_INCIDENT_ACTION"] = ("check", "Did what was to be done after an incident"),
        ["REVIEW_INCIDENT"] = ("checks", "Reviewed an incident"),
        ["WAIVE_INCIDENT_STEP"] = ("pencil", "Waived a step of an incident"),
        ["CLOSE_INCIDENT"] = ("check", "Closed an incident"),
        ["END_GUARD"] = ("shield-x", "Ended the guarding of a record"),
        ["RENEW_MARKS"] = ("key", "Made the marks of imported records anew under the new index key"),
        ["RENEW_SEALS"] = ("key", "Sealed records anew under patients' new keys"),
        ["RETIRE_KEY"] = ("key", "An old key was taken away"),
        ["ROTATE_KEY"] = ("key", "Began a new version of a key"),
        ["SAVE_DRAFT"] = ("pencil", "Saved a draft"),
        ["NOTHING_RECORDED"] = ("alert-triangle", "No record followed an act"),
        ["SEAL_BROKEN"] = ("alert-triangle", "A sealed value did not open"),
        ["SEARCH_PATIENT"] = ("search", "Searched for patients"),
        ["SESSION_ENDED"] = ("logout", "Session ended"),
        ["SETTLE_INVOICE"] = ("receipt", "Settled an invoice"),
        ["SET_PASSWORD"] = ("key", "Chose a password"),
        ["SIGN_CONSULTATION"] = ("lock", "Signed a consultation"),
        ["SIGN_IN"] = ("login", "Signed in"),
        ["SIGN_IN_REFUSED"] = ("login", "Sign in"),
        ["CHOOSE_PIN"] = ("password", "Chose a PIN"),
        ["ENROL_SECOND_FACTOR"] = ("device-mobile", "Set up a second factor"),
        ["REMOVE_SECOND_FACTOR"] = ("device-mobile-off", "Took their second factor away"),
        ["RESET_SECOND_FACTOR"] = ("device-mobile-off", "Took a second factor away"),
        ["ADD_PASSKEY"] = ("fingerprint", "Added a passkey"),
        ["REMOVE_PASSKEY"] = ("fingerprint-off", "Took a passkey of theirs away"),
        ["NEW_RECOVERY_CODES"] = ("key", "Made new recovery codes"),
        ["CHANGE_DEPARTMENT_ROLES"] = ("building-hospital", "Said who works at a department's devices"),
        ["CHANGE_SESSION_TIMES"] = ("clock", "Changed the times of sessions"),
        ["REQUIRE_SECOND_FACTOR"] = ("shield-lock", "Said who needs a second factor"),
        ["SIGN_IN_PASSWORD"] = ("login", "Password right, second factor asked"),
        ["REGISTER_DEVICE"] = ("device-desktop", "Named a device"),
        ["RENEW_DEVICE"] = ("device-desktop", "Made a new code for a device"),
        ["REVOKE_DEVICE"] = ("device-desktop-off", "Revoked a device"),
        ["ENROL_DEVICE"] = ("device-desktop", "Registered a device"),
        ["LIST_DEVICES"] = ("device-desktop", "Looked at the devices"),
        ["ISSUE_CERTIFICATE"] = ("certificate", "Signed a certificate of a client"),
        ["REVOKE_CERTIFICATE"] = ("certificate-off", "Revoked a certificate of a client"),
        ["LIST_CERTIFICATES"] = ("certificate", "Looked at certificates of clients"),
        ["REQUIRE_CERTIFICATE"] = ("certificate", "Said whether a program needs a certificate"),
        ["SHOW_CERTIFICATE"] = ("certificate", "Showed a certificate"),
        ["REQUIRE_DEVICES"] = ("shield-lock", "Said which devices are let in"),
        ["SIGN_OUT"] = ("logout", "Signed out"),
        ["STOP_MEDICINE"] = ("circle-minus", "Stopped a medicine"),
        ["SUSPEND_INTEGRATION"] = ("plug-connected-x", "Stopped an integration"),
        ["SUSPEND_STAFF"] = ("user-pause", "Suspended an account"),
        ["TAKE_PATIENT"] = ("stethoscope", "Took a patient"),
        ["TAKE_PAYMENT"] = ("cash", "Took a payment"),
        ["UNLOCK"] = ("lock-open", "Screen unlocked"),
        ["UPDATE_DEMOGRAPHICS"] = ("address-book", "Changed demographics"),
        ["EXPORT_AUDIT_LOG"] = ("upload", "Exported entries of the log"),
        ["ACCOUNT_DISCLOSURES"] = ("printer", "Printed an accounting of disclosures"),
        ["PRINT_LOG_ROOT"] = ("printer", "Printed the root of the log"),
        ["PROVE_AUDIT_ENTRY"] = ("certificate", "Took a proof of an entry of the log"),
        ["COPY_AUDIT_LOG"] = ("copy", "Took a copy of the audit log"),
        ["VERIFY_AUDIT_LOG"] = ("shield-check", "Verified the audit log"),
        ["VERIFY_SHARES"] = ("shield-check", "Tried recovery sheets"),
        ["VIEW_AUDIT_LOG"] = ("timeline-event", "Looked at the audit log"),
        ["VIEW_CHART"] = ("stethoscope", "Opened chart"),
        ["VIEW_DEMOGRAPHICS"] = ("address-book", "Looked at demographics"),
        ["VIEW_INVOICE"] = ("receipt", "Looked at an invoice"),
        ["VIEW_KEYS"] = ("key", "Looked at the keys"),
        ["VIEW_POLICY"] = ("adjustments", "Looked at the policy"),
        ["VIEW_PRICE_LIST"] = ("receipt-2", "Looked at the price list"),
        ["VIEW_RECEIPTS"] = ("receipt", "Looked at receipts"),
        ["VIEW_RECOVERY"] = ("key", "Looked at the recovery sheets' dates"),
        ["VIEW_STOCK"] = ("packages", "Looked at the stock"),
        ["VIEW_WORKLIST"] = ("list-details", "Looked at a worklist"),
        ["WITHDRAW_ALLERGY"] = ("x", "Withdrew an allergy"),
        ["WRITE_SAMPLE_DAY"] = ("flask", "Wrote the sample day"),
        ["WRITE_SAMPLE_HISTORIES"] = ("flask", "Wrote sample histories"),
        ["WRITE_SAMPLE_PATIENTS"] = ("flask", "Wrote sample patients"),
        ["WRITE_SAMPLE_STOCK"] = ("flask", "Wrote sample stock"),
    };

    /// <summary>The system's own work, by the user name in the log.</summary>
    private static readonly Dictionary<string, string> Works = new(StringComparer.Ordinal)
    {
        ["system:charging"] = "Mangrove, charging",
        ["system:watch"] = "Mangrove, health",
        ["system:retention"] = "Mangrove, retention",
        ["system:glass"] = "Mangrove, emergency access",
        ["system:destruction"] = "Mangrove, destruction",
        ["system:index"] = "Mangrove, patient index",
        ["system:backup"] = "Mangrove, backups",
        ["system:incidents"] = "Mangrove, incidents",
        ["system:watching"] = "Mangrove, watch over accesses",
        ["system:recognition"] = "Mangrove, imported records",
        ["system:keys"] = "Mangrove, keys",
        ["system:settlement"] = "Mangrove, comparison of acts and records",
        ["system:sample"] = "Mangrove, sample data",
        ["system:setup"] = "Mangrove, set-up",
    };

    public static IReadOnlyDictionary<string, string> SystemActors => Works;

    public static IEnumerable<KeyValuePair<string, string>> Acts => Known.Select(act => KeyValuePair.Create(act.Key, act.Value.Words)).OrderBy(act => act.Value, StringComparer.Ordinal);

    /// <summary>An act by its name in the log, in words.</summary>
    public static string Named(string action) => Known.TryGetValue(action, out var known) ? known.Words : action;

    public static bool IsProgram(AuditEntry entry) => entry.Actor.StartsWith("service:", StringComparison.Ordinal);

    public static string Icon(AuditEntry entry) => entry.Outcome switch
    {
        AuditOutcome.BreakGlass => "shield-lock",
        AuditOutcome.Refused => "shield-x",
        _ => Known.TryGetValue(entry.Action, out var known) ? known.Icon : "eye",
    };

    public static ActKind Kind(AuditEntry entry) => entry.Outcome switch
    {
        AuditOutcome.BreakGlass => ActKind.BreakGlass,
        AuditOutcome.Refused => ActKind.Refused,
        _ => ActKind.Ordinary,
    };

    public static string Act(AuditEntry entry)
    {
        var words = entry.Action.StartsWith(CopyLog.Prefix, StringComparison.Ordinal) ? $"At a read-only copy: {Lower(Of(entry.Action[CopyLog.Prefix.Length..]))}" : Of(entry.Action);
        return entry.Outcome switch
        {
            AuditOutcome.Refused => $"Refused: {Lower(words)}",
            AuditOutcome.BreakGlass => $"Break-glass: {Lower(words)}",
            _ => words,
        };
    }

    private static string Of(string action) => Known.TryGetValue(action, out var known) ? known.Words : Plain(action.ToLowerInvariant());

    /// <summary>On what, which kinds of field, and why; never a value.</summary>
    public static string About(AuditEntry entry)
    {
        var parts = new List<string>();
        if (Resource(entry) is { Length: > 0 } on)
        {
            parts.Add(on);
        }

        if (entry.FieldsAccessed.Count > 0)
        {
            parts.Add(string.Join(", ", entry.FieldsAccessed.Select(field => field.Replace('_', ' '))));
        }

        // What an act gave as its own reason may be about the patient; by which emergency access it was done is not.
        if (entry.Outcome == AuditOutcome.BreakGlass)
        {
            parts.Add($"emergency access {Without("glass:", entry.Reason.Split(' ')[0])}");
        }
        else if (entry.Reason.Length > 0)
        {
            parts.Add(Reason(entry));
        }

        return string.Join(" · ", parts);
    }

    public static string Purpose(AuditEntry entry) => entry.Purpose == "System" ? "System work" : entry.Purpose;

    /// <summary>A device by its name in the log, without what kind of name it is.</summary>
    public static string Place(string device) => Without("address:", Without("integration:", device));

    public static string Device(AuditEntry entry) => Place(entry.Device) + (entry.Department.Length > 0 ? $", {entry.Department}" : null);

    /// <summary>Where a program called from: what follows its name.</summary>
    public static string Caller(AuditEntry entry) => Device(entry) is var device && device.LastIndexOf(", ", StringComparison.Ordinal) is >= 0 and var at ? device[(at + 2)..] : device;

    /// <summary>First and last four digits of the entry's hash.</summary>
    public static string Hash(AuditEntry entry) => Short(Convert.ToHexStringLower(entry.EntryHash.Span));

    public static string Short(string hex) => hex.Length > 8 ? $"{hex[..4]}…{hex[^4..]}" : hex;

    public static string Count(long number) => number.ToString("#,##0", CultureInfo.InvariantCulture);

    private static string Resource(AuditEntry entry)
    {
        var (kind, name) = entry.Resource.Split(':', 2) is [var first, var rest] ? (first, rest) : (entry.Resource, string.Empty);
        return (kind, name) switch
        {
            ("search", _) => entry.Patients.Count switch { 0 => "nobody shown", 1 => "1 patient shown", var many => $"{many} patients shown" },
            ("patients", "all") => "every patient",
            ("patients", "0") => string.Empty,
            ("patients", var many) => $"{many} patients",
            ("patient", var number) => number,
            ("audit", "") => string.Empty,
            ("audit", var of) => $"entries of {of.Replace("patient:", string.Empty, StringComparison.Ordinal)}",
            ("worklist", var station) => entry.Patients.Count == 1 ? $"{station}, 1 patient" : $"{station}, {entry.Patients.Count} patients",
            ("staff", "") or ("sign-in", _) or ("facility", _) or ("integration", "") or ("integrations", _) or ("policy", "") or ("keys", _) => string.Empty,
            ("staff", var number) => number,
            ("integration", var client) => client,
            ("policy", var setting) => setting,
            ("backup", "targets" or "hospital") or ("backup-targets", _) => string.Empty,
            ("backup", var target) => target,
            ("recovery-sheets", "") => string.Empty,
            ("recovery-sheets", var set) => $"set {set}",
            _ when kind.StartsWith("sess_", StringComparison.Ordinal) => string.Empty,
            _ => Plain(entry.Resource.Replace(':', ' ')),
        };
    }

    private static string Reason(AuditEntry entry) => entry.Outcome != AuditOutcome.Refused ? entry.Reason.Replace("->", "→", StringComparison.Ordinal) : entry.Reason switch
    {
        "access.role" => "outside this role's part of the record · nothing was shown",
        "access.purpose" => "not a purpose of this role · nothing was shown",
        "glass.suspended" => "the right is suspended · nothing was shown",
        "glass.factor-missing" => "no second factor · nothing was shown",
        "glass.not-needed" => "the record is open already",
        "glass.role" => "not for this role · nothing was shown",
        "glass.own" => "one's own emergency access",
        "factor.code" => "wrong code, or none",
        "access.not-in-care" => "patient not in care here · nothing was shown",
        "access.everyone" => "an act over every patient · nothing was shown",
        "seal.broken" => "the database was changed beside the door, or is damaged · nothing was shown",
        "signin.refused" => "wrong user name or password",
        "unlock.refused" => "wrong password",
        "service.assertion-replayed" => "the same assertion a second time",
        "service.assertion-signature" => "not signed by the registered key",
        "service.agreement-expired" => "the agreement has run out · nothing was shown",
        "service.revoked" or "service.suspended" or "service.not-active" => "the integration is not active · nothing was shown",
        "service.not-approved" or "service.no-agreement" => "not agreed and approved by two · nothing was shown",
        "service.withdrawn" => "its token was withdrawn · nothing was shown",
        "service.scope" => "a scope that was not approved",
        "service.unknown" => "no such program",
        "shares.read-back" => "a group that is not on the sheet",
        "shares.mistyped" => "a mistyped sheet",
        "shares.too-few" => "too few sheets",
        "shares.doubled" => "one sheet twice",
        "shares.other-set" => "sheets of another set",
        "shares.wrong" => "sheets that do not give the key",
        "passkey.refused" => "wrong passkey",
        "passkey.count" => "a passkey counted backwards: it may be a copy",
        "passkey.expired" => "a passkey's answer too late, or a second time",
        "staff.last-admin" => "the last active administrator",
        var code => code,
    };

    private static string Without(string start, string text) => text.StartsWith(start, StringComparison.Ordinal) ? text[start.Length..] : text;

    private static string Plain(string text)
    {
        var words = text.Replace('_', ' ').Replace('-', ' ');
        return words.Length == 0 ? words : char.ToUpperInvariant(words[0]) + words[1..];
    }

    private static string Lower(string words) => words.Length == 0 ? words : char.ToLowerInvariant(words[0]) + words[1..];
}
