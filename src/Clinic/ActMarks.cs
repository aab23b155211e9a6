using Mangrove.Vault.Audit;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic;

/// <summary>
/// Which entries of the log have their records (threat A6). <see cref="ClinicContext"/> keeps a mark in the transaction of
/// the records; here they are read and, once all is decided, forgotten.
/// </summary>
public sealed class ActMarks(IClinicDatabase clinics) : IActMarks
{
    public async Task<long> Settled(CancellationToken cancel)
    {
        await using var clinic = clinics.CreateDbContext();
        return (await clinic.ActSettlements.AsNoTracking().SingleAsync(cancel)).UpTo;
    }

    public async Task<IReadOnlySet<long>> Committed(long after, CancellationToken cancel)
    {
        await using var clinic = clinics.CreateDbContext();
        return (await clinic.ActMarks.Where(mark => mark.EntrySeq > after).Select(mark => mark.EntrySeq).ToListAsync(cancel)).ToHashSet();
    }

    public async Task Settle(long upTo, CancellationToken cancel)
    {
        await using var clinic = clinics.CreateDbContext();
        await using var transaction = await clinic.Database.BeginTransactionAsync(cancel);
        await clinic.ActSettlements.ExecuteUpdateAsync(row => row.SetProperty(settled => settled.UpTo, upTo), cancel);
        await clinic.ActMarks.Where(mark => mark.EntrySeq <= upTo).ExecuteDeleteAsync(cancel);
        await transaction.CommitAsync(cancel);
    }
}
