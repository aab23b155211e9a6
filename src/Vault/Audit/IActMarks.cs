namespace Mangrove.Vault.Audit;

/// <summary>
/// The clinic's side of threat A6. Whatever commits records that name an entry of the log keeps the entry's number in the
/// same transaction, so that afterwards nobody has to guess whether the record of an act exists.
/// </summary>
public interface IActMarks
{
    /// <summary>Up to which entry it was decided what became of each, or announced nothing.</summary>
    Task<long> Settled(CancellationToken cancel);

    /// <summary>The entries above <paramref name="after"/> whose records were committed.</summary>
    Task<IReadOnlySet<long>> Committed(long after, CancellationToken cancel);

    /// <summary>Forgets the marks up to an entry for which all is decided. Durable when it returns.</summary>
    Task Settle(long upTo, CancellationToken cancel);
}
