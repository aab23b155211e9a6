using Mangrove.Clinic.Records;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Cli.Bench;

/// <summary>Made-up patients registered: drawn, keys made, four fields sealed, stored, indexed. Against the raw insert of the same bytes.</summary>
internal sealed class BulkBench : IBench
{
    // As many as the writer commits at once.
    private const int InTransaction = 1_000;

    public string Name => "bulk";

    public string Work => "generated patients are registered";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var bench = await ground.Sample(ground.Sizes.Largest);
        var best = bench.Slices.Max(slice => slice.Patients / slice.Took.TotalSeconds);
        var hospital = await bench.OpenWhole(cancel);
        List<Patient> patients;
        await using (var clinic = await hospital.Clinics.CreateDbContextAsync(cancel))
        {
            patients = await clinic.Patients.AsNoTracking().OrderBy(row => row.Mrn).Take(ground.Sizes.Sample).ToListAsync(cancel);
        }

        byte[]?[][] rows =
        [
            .. patients.Select(patient => new[]
            {
                patient.Id.ToByteArray(), System.Text.Encoding.UTF8.GetBytes(patient.Mrn), patient.Name.Envelope, patient.Person.Envelope, patient.Contact.Envelope, patient.Payer.Envelope,
            }),
        ];
        var raw = 0.0;
        for (var round = 0; round < ground.Sizes.Rounds; round++)
        {
            raw = Math.Max(raw, RawSqlite.Insert(ground.Place($"bulk-{round}.db"), rows, InTransaction));
        }

        return [BenchRow.ByRatio(Name, best, "patients/s", raw, 0.4, bench.Patients, "n patients, the best quarter: drawn, keyed, sealed, stored and indexed; reference: raw SQLite, synchronous FULL, ids, number and envelopes in one plain table, 1,000 rows a transaction")];
    }
}
