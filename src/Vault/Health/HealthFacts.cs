namespace Mangrove.Vault.Health;

/// <summary>A certificate and the day it ends.</summary>
/// <param name="Name">Whose, in words: <c>server</c>, <c>authority</c>, or the name of a client.</param>
/// <param name="Ends">When it runs out.</param>
/// <param name="Soon">How long before that it is an alarm.</param>
public sealed record CertificateDate(string Name, DateTimeOffset Ends, TimeSpan Soon);

/// <summary>What was measured at one moment. Figures of the machine and of our own tables; nothing of a patient.</summary>
public sealed record HealthFacts
{
    public required DateTimeOffset At { get; init; }

    /// <summary>What this account may still write on the volume of the data, in bytes, and the volume's size.</summary>
    public long Free { get; init; }

    /// <inheritdoc cref="Free"/>
    public long Size { get; init; }

    /// <summary>Entries of the log.</summary>
    public long LogEntries { get; init; }

    /// <summary>Stable code of why no entry can be made; null while they can.</summary>
    public string? LogFailure { get; init; }

    /// <summary>Since the last backup began that was read back whole; null where there is none.</summary>
    public TimeSpan? BackupAge { get; init; }

    /// <summary>Whether a target has waited for its backup for twice its time, or there is none at all.</summary>
    public bool BackupOverdue { get; init; }

    /// <summary>Since a restore was last proven; null where none was.</summary>
    public TimeSpan? DrillAge { get; init; }

    /// <summary>Days since the oldest key in use was made, of those that are rotated.</summary>
    public int OldestKeyDays { get; init; }

    /// <summary>Purposes whose rotation is overdue by more than a day.</summary>
    public IReadOnlyList<string> KeysOverdue { get; init; } = [];

    public IReadOnlyList<CertificateDate> Certificates { get; init; } = [];

    /// <summary>How far the clock stands before the newest entry of the log, or was set since the last look; zero where neither.</summary>
    public TimeSpan ClockOff { get; init; }

    /// <summary>Half of the answers since the last sample took no longer, in microseconds; null where there was none.</summary>
    public long? Median { get; init; }

    /// <summary>95 of 100 took no longer; likewise.</summary>
    public long? Slowest { get; init; }

    /// <summary>Wrong sign-ins of those who tried within the last hour.</summary>
    public long WrongSignIns { get; init; }

    /// <summary>Accesses that a rule found and nobody has judged.</summary>
    public long FindingsWaiting { get; init; }

    /// <summary>Letters that wait for more than an hour.</summary>
    public long LettersLate { get; init; }

    /// <summary>People whose right to open records in an emergency is suspended, because a justification did not come in time.</summary>
    public long GlassSuspended { get; init; }

    /// <summary>How often the one who does it most opened records in an emergency within 30 days.</summary>
    public long GlassMost { get; init; }

    /// <summary>Open incidents of which a notice is due within a week, or the authority's within a day, or is late.</summary>
    public long IncidentsDue { get; init; }

    public double FreePart => Size <= 0 ? 0 : Free / (double)Size;
}

/// <summary>Who measures, asked by pages.</summary>
public interface IHealthSource
{
    /// <summary>Measures now.</summary>
    Task<HealthFacts> Look(CancellationToken cancel);

    /// <summary>Sends what waits without delay.</summary>
    void SendNow();
}

/// <summary>Carries a letter to a server of mail.</summary>
public interface ILetterCarrier
{
    /// <summary>Hands a letter over.</summary>
    /// <returns>What the server said when it took it.</returns>
    /// <exception cref="Mangrove.Kernel.RefusedInput">A <c>mail.</c> code: it was not taken.</exception>
    Task<string> Carry(MailServer server, string? password, Letter letter, CancellationToken cancel);
}
