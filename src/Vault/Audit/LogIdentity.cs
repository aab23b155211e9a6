namespace Mangrove.Vault.Audit;

/// <summary>
/// Whose log this is: the hospital and the one log of one node. Every entry and checkpoint carries both, so a row spliced
/// in from another hospital or node is foreign wherever it stands.
/// </summary>
internal readonly record struct LogIdentity(Guid Facility, Guid Log);
