namespace Mangrove.Cli.Upgrades;

/// <summary>Is told each point that an upgrade reaches, in order. What it throws there is a failure at that point.</summary>
public interface IUpgradeWatch
{
    /// <summary>A point was reached; what the name says has not happened yet.</summary>
    void Reached(string point);
}

/// <summary>What an upgrade came to.</summary>
/// <param name="From">The schema of before; 0 is one of before the stamps.</param>
/// <param name="To">The schema now.</param>
/// <param name="Done">False where there was nothing to do, or where it was tried only.</param>
/// <param name="Kept">The folder in the data folder that holds the databases of before; on PostgreSQL the target of the backup of before; null where there is none.</param>
/// <param name="Entries">Entries of the log that were verified.</param>
/// <param name="Patients">Patients that were opened.</param>
public sealed record UpgradeOutcome(int From, int To, bool Done, string? Kept, long Entries, int Patients);
