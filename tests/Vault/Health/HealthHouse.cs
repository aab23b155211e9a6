using Mangrove.Vault.Health;

namespace Mangrove.Tests.Vault.Health;

/// <summary>A server of mail that never leaves this process: takes, refuses, or fails in the middle.</summary>
internal sealed class PaperCarrier : ILetterCarrier
{
    public List<(string Address, string Subject, string Body, string? Password)> Carried { get; } = [];

    /// <summary>What it answers from now on; null to take everything.</summary>
    public Exception? Trouble { get; set; }

    public Task<string> Carry(MailServer server, string? password, Letter letter, CancellationToken cancel)
    {
        if (Trouble is { } trouble)
        {
            throw trouble;
        }

        Carried.Add((letter.Address, letter.Subject, letter.Body, password));
        return Task.FromResult("2.0.0 queued as 4F2");
    }
}

/// <summary>The facts of a hospital that is well.</summary>
internal static class Well
{
    public static HealthFacts At(DateTimeOffset now) => new()
    {
        At = now,
        Free = 60,
        Size = 100,
        LogEntries = 1_000,
        BackupAge = TimeSpan.FromHours(2),
        DrillAge = TimeSpan.FromDays(3),
        OldestKeyDays = 40,
        Certificates = [new CertificateDate("server", now + TimeSpan.FromDays(200), TimeSpan.FromDays(14))],
        Median = 4_000,
        Slowest = 20_000,
    };
}
