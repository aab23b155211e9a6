using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Verbs;
using Mangrove.Vault.Clients;

namespace Mangrove.Cli;

/// <summary>The one executable. Each verb is a file under Verbs.</summary>
internal static class Program
{
    /// <summary>Every verb, in the order of the help.</summary>
    internal static Verb[] Verbs() =>
    [
        new InitVerb(),
        new DemoVerb(),
        new ServeVerb(),
        new ImportFhirVerb(),
        new TerminologyLoadVerb(),
        new AuditVerifyVerb(),
        new AuditListVerb(),
        new AuditKeyVerb(),
        new AuditAnchorVerb(),
        new AuditCopyVerb(),
        new AuditProveVerb(),
        new AuditCheckProofVerb(),
        new AuditWitnessVerb(),
        new PolicyExplainVerb(),
        new IntegrationListVerb(),
        new CertificateIssueVerb(ClientKind.Program),
        new CertificateListVerb(ClientKind.Program),
        new CertificateRevokeVerb(ClientKind.Program),
        new CertificateRequireVerb(),
        new KeysStatusVerb(),
        new KeysRotateVerb(),
        new KeysProtectorVerb(),
        new SharesCreateVerb(),
        new SharesVerifyVerb(),
        new SharesStatusVerb(),
        new AuthorityVerb(),
        new DeviceCodeVerb(),
        new DeviceListVerb(),
        new DeviceRevokeVerb(),
        new CertificateIssueVerb(ClientKind.Device),
        new CertificateListVerb(ClientKind.Device),
        new CertificateRevokeVerb(ClientKind.Device),
        new DowntimeHandInVerb(),
        new PatientDestroyVerb(),
        new PatientCheckCertificateVerb(),
        new BackupCreateVerb(),
        new BackupListVerb(),
        new BackupVerifyVerb(),
        new BackupRestoreVerb(),
        new BackupDrillVerb(),
        new BackupTargetVerb(),
        new MailShowVerb(),
        new MailSetVerb(),
        new MailTestVerb(),
        new IncidentListVerb(),
        new IncidentShowVerb(),
        new HoldAddVerb(),
        new HoldListVerb(),
        new HoldReleaseVerb(),
        new RetentionDueVerb(),
        new RetentionRulesVerb(),
        new UpgradeVerb(),
        new InstallVerb(),
        new UninstallVerb(),
        new DoctorVerb(),
        new EvidenceVerb(),
        new HelpPageVerb(),
        new AccessPageVerb(),
        new ExportFhirVerb(),
        new BenchVerb(),
    ];

    private static async Task<int> Main(string[] arguments)
    {
        Hardening.Apply();
        return await new CommandShell(Verbs(), TimeProvider.System).Run(arguments);
    }
}
