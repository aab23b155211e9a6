using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Mangrove.Kernel;
using Mangrove.Tests.Vault.Integrations;
using Mangrove.Vault;

namespace Mangrove.Tests.Vault.Keys;

/// <summary>Rows as a table would hold them: what is stored stays through every restart.</summary>
internal sealed class Shelf : ISealedRecords
{
    private readonly ConcurrentDictionary<Guid, SealedRow> rows = new();

    public int Count => rows.Count;

    public IReadOnlyList<Type> Rows { get; } = [typeof(SealedRow)];

    public void Add(SealedRow row) => rows[row.Id] = row;

    public List<SealedRow> All() => [.. rows.Values];

    public byte[] Damage(PatientId patient)
    {
        var row = rows.Values.Single(one => one.PatientId == patient);
        var whole = row.NameText.Envelope!;
        row.NameText = new Sealed<string>([.. whole[..^1], (byte)(whole[^1] ^ 1)]);
        return whole;
    }

    public void PutBack(PatientId patient, byte[] envelope) => rows.Values.Single(one => one.PatientId == patient).NameText = new Sealed<string>(envelope);

    public async IAsyncEnumerable<IReadOnlyList<StoredCells>> Read(Type row, int most, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.Yield();
        foreach (var some in rows.Values.OrderBy(one => one.Id).Chunk(most))
        {
            yield return [.. some.Select(one => new StoredCells(one.Id, one.PatientId, one.RowVersion, [one.NameText.Envelope, one.ResultText.Envelope]))];
        }
    }

    public Task<int> Replace(Type row, IReadOnlyList<StoredCells> cells, CancellationToken cancel)
    {
        var changed = 0;
        foreach (var cell in cells.Where(cell => rows[cell.Id].RowVersion == cell.RowVersion))
        {
            rows[cell.Id].NameText = new Sealed<string>(cell.Envelopes[0]);
            changed++;
        }

        return Task.FromResult(changed);
    }
}
