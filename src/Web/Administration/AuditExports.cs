using System.Security.Cryptography;

namespace Mangrove.Web.Administration;

/// <summary>
/// Exported entries between the act that made them and the downloads of its files: in memory only, for ten minutes, for whoever
/// made them, under an id that nobody guesses and that names nothing.
/// </summary>
internal sealed class AuditExports(TimeProvider clock) : IDisposable
{
    private const int MostKept = 2;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);
    private readonly Lock gate = new();
    private readonly List<AuditExport> kept = [];
    private ITimer? forgetting;

    public AuditExport Keep(string user, int entries, IReadOnlyDictionary<string, (byte[] Bytes, string Type)> files)
    {
        var made = new AuditExport(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), user, entries, files, clock.GetUtcNow());
        lock (gate)
        {
            Forget();
            kept.RemoveRange(0, Math.Max(0, kept.Count - MostKept + 1));
            kept.Add(made);

            // Gone when the time is over, also when nobody asks again.
            forgetting ??= clock.CreateTimer(_ => ForgetNow(), null, Kept, Kept);
        }

        return made;
    }

    /// <summary>The export, if this person made it and it is still there.</summary>
    public AuditExport? Find(string id, string user)
    {
        lock (gate)
        {
            Forget();
            return kept.Find(one => one.Id == id && one.User == user);
        }
    }

    public void Dispose() => forgetting?.Dispose();

    private void ForgetNow()
    {
        lock (gate)
        {
            Forget();
        }
    }

    private void Forget() => kept.RemoveAll(one => clock.GetUtcNow() - one.At >= Kept);
}

/// <summary>The files of one export by their names.</summary>
public sealed record AuditExport(string Id, string User, int Entries, IReadOnlyDictionary<string, (byte[] Bytes, string Type)> Files, DateTimeOffset At)
{
    /// <summary>Nothing: it names people.</summary>
    public override string ToString() => nameof(AuditExport);
}
