using Mangrove.Kernel;

namespace Mangrove.Vault.Access;

/// <summary>
/// Says which patients are in this hospital's care: an open visit, appointment, order or admission, or one within the
/// window (default 30 days, policy setting). The clinic implements it over its unsealed dates; nothing is opened.
/// </summary>
public interface ICareRelationships
{
    /// <summary>The patients among <paramref name="patients"/> that are in care at <paramref name="now"/> or were within <paramref name="window"/>.</summary>
    Task<IReadOnlySet<PatientId>> InCare(IReadOnlyCollection<PatientId> patients, TimeSpan window, DateTimeOffset now, CancellationToken cancel);
}
