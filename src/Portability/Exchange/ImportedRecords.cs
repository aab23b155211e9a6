using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Portability.Exchange;

/// <summary>
/// Imported records and the marks by which they are known again. A mark under a new index key is made from the original, which
/// is opened for it by the door: one entry for each batch.
/// </summary>
public sealed class ImportedRecords(IDbContextFactory<ClinicContext> clinics, Door door, Fingerprints fingerprints) : IFingerprintedRecords
{
    private static readonly IReadOnlyList<FieldUse> Reads = [.. Enum.GetValues<Category>().Select(category => FhirRecord.OriginalField.As(category))];

    // What the pass in hand found to do; passes follow one another.
    private List<Guid> left = [];

    public string Kind => "imported records";

    public async Task<IReadOnlyList<FingerprintCount>> Count(CancellationToken cancel)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        return await clinic.FhirRecords.AsNoTracking()
            .GroupBy(row => row.IndexVersion)
            .Select(group => new FingerprintCount(group.Key, group.LongCount()))
            .ToListAsync(cancel);
    }

    public async Task<FingerprintBatch> Move(Actor recognition, int version, byte[]? after, int most, CancellationToken cancel)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        if (after is null)
        {
            left = await clinic.FhirRecords.AsNoTracking().Where(row => row.IndexVersion == version).Select(row => row.Id).ToListAsync(cancel);
        }

        var from = after is null ? 0 : BitConverter.ToInt32(after, 0);
        Guid[] some = [.. left.Skip(from).Take(most)];
        if (some.Length == 0)
        {
            return default;
        }

        var next = from + some.Length < left.Count ? BitConverter.GetBytes(from + some.Length) : null;
        using var opening = await door.Open(recognition, new Request { Action = "RENEW_MARKS", Purpose = Purpose.System, Reads = Reads, Everyone = true }, cancel);
        var keys = fingerprints.Now();
        var rows = await clinic.FhirRecords.Where(row => some.Contains(row.Id) && row.IndexVersion == version).ToListAsync(cancel);
        await opening.Turn([.. rows.Select(row => row.PatientId).Distinct()], create: false, cancel);
        var broken = 0;
        var changed = new List<FhirRecord>(rows.Count);
        foreach (var row in rows)
        {
            if (opening.TryRead(row, FhirRecord.OriginalField, out var packed) && packed is not null)
            {
                (row.Source, row.Content) = Anew(row, OriginalCodec.Unpack(packed), keys);
                changed.Add(row);
            }
            else
            {
                broken++;
            }
        }

        await Part(clinic, changed, cancel);
        foreach (var row in changed)
        {
            row.IndexVersion = keys.Newest;
        }

        await clinic.SaveChangesAsync(cancel);
        return new FingerprintBatch(changed.Count, broken, next);
    }

    private static (byte[] Source, byte[] Content) Anew(FhirRecord row, byte[] original, FingerprintKeys keys)
    {
        var (old, now, type) = (row.IndexVersion, keys.Newest, row.ResourceType);
        var content = RecordMarks.ContentUnder(keys, now, original);
        if (OriginalCodec.IdIn(original) is not { } id)
        {
            // The address under which it came is not in it: from now on its content is its name.
            return (RecordMarks.NamelessUnder(keys, now, type, original), content);
        }

        var several = row.Source.AsSpan().SequenceEqual(RecordMarks.VariantUnder(keys, old, type, id, original));
        return (several ? RecordMarks.VariantUnder(keys, now, type, id, original) : RecordMarks.SourceUnder(keys, now, type, id), content);
    }

    /// <summary>Records without an id that say the same came under several addresses: one of them keeps the name of the content, the others get one that nothing meets.</summary>
    private static async Task Part(ClinicContext clinic, List<FhirRecord> changed, CancellationToken cancel)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var some in changed.Chunk(400))
        {
            byte[][] wanted = [.. some.Select(row => row.Source)];
            taken.UnionWith((await clinic.FhirRecords.AsNoTracking().Where(row => wanted.Contains(row.Source)).Select(row => row.Source).ToListAsync(cancel)).Select(Convert.ToHexString));
        }

        foreach (var row in changed.Where(row => !taken.Add(Convert.ToHexString(row.Source))))
        {
            row.Source = row.Id.ToByteArray();
        }
    }
}
