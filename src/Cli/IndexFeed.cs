using System.Runtime.CompilerServices;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Cli;

/// <summary>
/// Feeds every registered patient to the index, a page of rows at a time, along the hospital number, on every processor:
/// one page is read while others are opened and filed.
/// </summary>
internal static class IndexFeed
{
    private const int Page = 1_000;
    private const int Many = 20_000;

    private static readonly FieldUse[] Fields = [Patient.NameField, Patient.PersonField, Patient.ContactField];

    public static async Task Build(VaultRoom vault, IDbContextFactory<ClinicContext> clinics, CancellationToken cancel)
    {
        await vault.BuildIndex(Fields, (opening, token) => Feed(opening, clinics, token), cancel);
        if (vault.IndexedPatients > Many)
        {
            // The rows that passed by were many times what stays. The collector would keep their memory until somebody needs
            // it; the hospital's other programs need it now.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    private static Task Feed(Opening opening, IDbContextFactory<ClinicContext> clinics, CancellationToken cancel) =>
        Parallel.ForEachAsync(Pages(clinics, cancel), cancel, async (rows, token) =>
        {
            using var part = await opening.Part([.. rows.Select(row => row.PatientId)], token);
            foreach (var row in rows)
            {
                part.Index(
                    row.PatientId,
                    row.Mrn,
                    part.Read(row, Patient.NameField) ?? PersonName.Unnamed,
                    part.Read(row, Patient.PersonField) ?? new BirthAndSex(null, AdministrativeSex.Unknown),
                    part.Read(row, Patient.ContactField)?.Phones ?? []);
            }
        });

    private static async IAsyncEnumerable<List<Patient>> Pages(IDbContextFactory<ClinicContext> clinics, [EnumeratorCancellation] CancellationToken cancel)
    {
        // Keyset paging over the unique number: the next page costs the same at the end as at the beginning, and a patient
        // registered meanwhile indexes itself.
        var last = string.Empty;
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        while (true)
        {
#pragma warning disable CA1309 // The comparison happens in the database, which orders by the same collation.
            var rows = await clinic.Patients.AsNoTracking()
                .Where(patient => string.Compare(patient.Mrn, last) > 0)
                .OrderBy(patient => patient.Mrn)
                .Take(Page)
                .Select(patient => new Patient
                {
                    Id = patient.Id,
                    PatientId = patient.PatientId,
                    Mrn = patient.Mrn,
                    RowVersion = patient.RowVersion,
                    Name = patient.Name,
                    Person = patient.Person,
                    Contact = patient.Contact,
                })
                .ToListAsync(cancel);
#pragma warning restore CA1309
            if (rows.Count == 0)
            {
                yield break;
            }

            yield return rows;
            last = rows[^1].Mrn;
        }
    }
}
