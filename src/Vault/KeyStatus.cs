namespace Mangrove.Vault;

/// <summary>One purpose of the hospital's keys, as pages and commands show it. No key material, nobody is named.</summary>
/// <param name="Purpose">In lower case: <c>data</c>, <c>index</c>, <c>audit</c>, <c>backup</c>, <c>sync</c>, <c>pepper</c>, <c>ring</c>.</param>
/// <param name="Versions">Every version that still opens something, newest first. More than one: a rotation has not ended.</param>
/// <param name="Due">When the schedule rotates it next.</param>
public sealed record KeyPurposeStatus(string Purpose, IReadOnlyList<KeyVersionStatus> Versions, DateTimeOffset Due)
{
    /// <summary>Things under older versions that the system moves by itself; 0 when it has nothing left to do.</summary>
    public long ToMove => Versions.Skip(1).Sum(version => version.Kinds.Where(kind => kind.Moves).Sum(kind => kind.Count));

    /// <summary>Things under older versions, those that wait for their owners too.</summary>
    public long UnderOlder => Versions.Skip(1).Sum(version => version.Ciphertexts ?? 0);

    /// <summary>Everything that hangs from the purpose; null where nobody counts it.</summary>
    public long? Ciphertexts => Versions.Any(version => version.Ciphertexts is null) ? null : Versions.Sum(version => version.Ciphertexts);

    /// <summary>
    /// When the oldest version was made that still has something under it: no ciphertext of the purpose is older. Null where
    /// nothing is, or nobody counts it.
    /// </summary>
    public DateTimeOffset? Oldest => Versions.LastOrDefault(version => version.Ciphertexts > 0)?.Created;
}

/// <summary>One version of a purpose's key.</summary>
/// <param name="Id">Random; stands for the key where it has to be named.</param>
/// <param name="Version">From 1.</param>
/// <param name="Created">When it was made.</param>
/// <param name="InUse">Whether new things are made under it; else it opens what is older.</param>
/// <param name="Ciphertexts">How much hangs from it; null where nobody counts it.</param>
/// <param name="Kinds">The same by kind, without those of which there is none.</param>
public sealed record KeyVersionStatus(Guid Id, int Version, DateTimeOffset Created, bool InUse, long? Ciphertexts, IReadOnlyList<KeyKindCount> Kinds);

/// <summary>How many of one kind hang from a version.</summary>
/// <param name="Kind">In the plural: <c>patients' keys</c>.</param>
/// <param name="Count">At least 1.</param>
/// <param name="Moves">Whether a rotation moves them by itself; else each waits for its owner.</param>
public sealed record KeyKindCount(string Kind, long Count, bool Moves);
