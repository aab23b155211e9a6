using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Vault.Destruction;

/// <summary>How far an order has come.</summary>
public enum DestructionState
{
    /// <summary>Waits for another administrator.</summary>
    Proposed = 1,

    /// <summary>May be carried out.</summary>
    Approved = 2,

    /// <summary>Is being carried out; goes on at the next start if the machine stops.</summary>
    Running = 3,

    /// <summary>Carried out everywhere but at targets of backups that could not be reached.</summary>
    Outstanding = 4,

    /// <summary>Carried out and certified.</summary>
    Done = 5,

    /// <summary>The other administrator said no.</summary>
    Refused = 6,

    /// <summary>Taken back by an administrator.</summary>
    Withdrawn = 7,

    /// <summary>Not carried out within <see cref="DestructionDesk.Lifetime"/>.</summary>
    Lapsed = 8,

    /// <summary>Something stood against it when it was to be carried out; no key had gone.</summary>
    Stopped = 9,
}

/// <summary>Why records are to be destroyed.</summary>
public enum DestructionReason
{
    /// <summary>The time for which they have to be kept is over.</summary>
    RetentionOver = 1,

    /// <summary>The patient asked for it, and the law of the country gives that right.</summary>
    Asked = 2,

    /// <summary>A court or an authority ordered it.</summary>
    Ordered = 3,

    /// <summary>A record that should never have been made.</summary>
    MadeInError = 4,
}

/// <summary>The steps of an order, in their order. Each may be done again without harm.</summary>
public enum DestructionStep
{
    /// <summary>Nothing was done.</summary>
    None = 0,

    /// <summary>The intent stands in the log.</summary>
    Announced = 1,

    /// <summary>The patients' keys are out of keys.db, tombstones in it.</summary>
    KeysGone = 2,

    /// <summary>Every row is out of the clinic's and the vault's tables, and the patients out of the index.</summary>
    RowsGone = 3,

    /// <summary>Key bundles in every target that could be reached are rewritten under a new epoch.</summary>
    BundlesRewritten = 4,

    /// <summary>The keys under which patients' keys and those of backups hung are changed, the old versions retired.</summary>
    KeysRotated = 5,

    /// <summary>The root key is changed, where that was asked for and possible.</summary>
    RootSettled = 6,

    /// <summary>What was overwritten is out of free pages and write-ahead logs.</summary>
    Purged = 7,

    /// <summary>Nothing of the patients was found anywhere that can be reached.</summary>
    Verified = 8,

    /// <summary>The certificate is signed.</summary>
    Certified = 9,
}

/// <summary>A patient of an order.</summary>
/// <param name="Id">The record's id, which certificates carry.</param>
/// <param name="Mrn">The hospital number; null once the order was carried out.</param>
/// <param name="Salt">Random bytes before the number in <paramref name="MrnHash"/>.</param>
/// <param name="MrnHash">SHA-256 of salt and number: who holds the number can check that the certificate means it.</param>
public sealed record DestructionPatient(PatientId Id, string? Mrn, ReadOnlyMemory<byte> Salt, ReadOnlyMemory<byte> MrnHash)
{
    /// <summary>SHA-256 of the salt and the number in ASCII.</summary>
    public static byte[] HashOf(ReadOnlySpan<byte> salt, string mrn) => SHA256.HashData([.. salt, .. Encoding.ASCII.GetBytes(mrn)]);
}

/// <summary>An order to destroy the records of patients.</summary>
public sealed record DestructionOrder(
    Guid Id,
    long Number,
    DestructionState State,
    DestructionStep Step,
    DestructionReason Reason,
    DateTimeOffset Proposed,
    StaffId ProposedBy,
    DateTimeOffset? Decided,
    StaffId? DecidedBy,
    DateTimeOffset? Started,
    DateTimeOffset? Ended,
    string? Failure,
    DestructionFacts Facts,
    bool Certified,
    IReadOnlyList<DestructionPatient> Patients)
{
    /// <summary>As people name it: <c>D-0007</c>.</summary>
    public string Name => NameOf(Number);

    /// <summary>When it lapses unless it was carried out.</summary>
    public DateTimeOffset Lapses => Proposed + DestructionDesk.Lifetime;

    internal static string NameOf(long number) => string.Create(CultureInfo.InvariantCulture, $"D-{number:0000}");

    /// <summary>The number in a name; null for what is none.</summary>
    public static long? NumberIn(string? name) =>
        name is not null && name.StartsWith("D-", StringComparison.OrdinalIgnoreCase) && long.TryParse(name.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <summary>Something that stands against the destruction of a patient's record.</summary>
/// <param name="Patient">Whose.</param>
/// <param name="Code">Stable, such as <c>hold.in-force</c>.</param>
/// <param name="Words">Why, and what to do about it, without protected information.</param>
public sealed record DestructionObstacle(PatientId Patient, string Code, string Words);

/// <summary>
/// Who is asked before anything is destroyed: retention periods, legal holds. Asked when an order is proposed and again immediately
/// before the keys go. What it throws stops the act: nothing is destroyed that could not be checked.
/// </summary>
public interface IDestructionObjection
{
    /// <summary>Says which of these patients must not be destroyed, and why; empty when nothing stands against any of them.</summary>
    /// <param name="patients">Of the order.</param>
    /// <param name="cancel">Gives up.</param>
    Task<IReadOnlyList<DestructionObstacle>> Against(IReadOnlyList<PatientRef> patients, CancellationToken cancel);
}
