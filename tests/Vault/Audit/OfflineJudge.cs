using System.Text;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Storage;
using Mangrove.Verifier;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>
/// The stand-alone verifier over a log that a test holds in memory: the log is written into a file as it stands and judged
/// there, with the public key and an anchor as text, as an auditor has them.
/// </summary>
internal sealed class OfflineJudge(SqliteHome home, AuditLog log) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("mangrove-offline-").FullName;

    public IReadOnlyList<NoteKey> Keys { get; } = NoteKey.ReadAll(log.PublicKey);

    /// <summary>What was kept elsewhere; the newest root of the log when the judge was made.</summary>
    public IReadOnlyList<Anchor> Anchors { get; set; } = Anchor.ReadAll(Encoding.UTF8.GetBytes(log.Note().Note));

    public IReadOnlyList<NoteKey> Witnesses { get; set; } = [];

    public string File => Path.Combine(folder, "log.db");

    public Task<Verdict> Run(string path) => LogVerification.Run(path, Keys, Anchors, Witnesses, LogVerification.SignaturesByDefault, TimeProvider.System, null, default);

    /// <summary>The codes of what is found in the log's own file, with its write-ahead log beside it.</summary>
    public async Task<IReadOnlyList<string>> JudgeOwn() => [.. (await Run(home.File)).Findings.Select(finding => finding.Code)];

    public async Task<IReadOnlyList<string>> Judge(RawSqlite copy)
    {
        System.IO.File.Delete(File);
        using (var file = RawSqlite.Open(File, readOnly: false, create: true, TimeSpan.Zero))
        {
            file.Execute("PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF");
            copy.CopyTo(file);
        }

        return [.. (await Run(File)).Findings.Select(finding => finding.Code)];
    }

    public void Dispose()
    {
        foreach (var key in Keys.Concat(Witnesses))
        {
            key.Dispose();
        }

        Directory.Delete(folder, recursive: true);
    }
}
