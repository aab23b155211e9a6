using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Cli;

/// <summary>
/// Feeds every registered patient to the index, a page of rows at a time, along the hospital number. One page is read and
/// opened while the page before it is filed.
/// </summary>
internal static class IndexFeed
{
    private const int Page = 2_000;

    private static readonly FieldUse[] Fields = [Patient.NameField, Patient.PersonField, Patient.ContactField];

    public static Task Build(VaultRoom vault, IDbContextFactory<ClinicContext> clinics, CancellationToken cancel) =>
        vault.BuildIndex(Fields, (opening, token) => Feed(opening, clinics, token), cancel);

    private static async Task Feed(Opening opening, IDbContextFactory<ClinicContext> clinics, CancellationToken cancel)
    {
        // Keyset paging over the unique number: the next page costs the same at the end as at the beginning, and a patient
        // registered meanwhile indexes itself.
        var last = string.Empty;
        var filing = Task.CompletedTask;
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        try
        {
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
                    return;
                }

                await opening.Turn([.. rows.Select(row => row.PatientId)], create: false, cancel);
                var entries = new (Patient Row, PersonName Name, BirthAndSex Person, IReadOnlyList<string> Phones)[rows.Count];
                for (var at = 0; at < entries.Length; at++)
                {
                    var row = rows[at];
                    entries[at] = (
                        row,
                        opening.Read(row, Patient.NameField) ?? PersonName.Unnamed,
                        opening.Read(row, Patient.PersonField) ?? new BirthAndSex(null, AdministrativeSex.Unknown),
                        opening.Read(row, Patient.ContactField)?.Phones ?? []);
                }

                await filing;
                filing = Task.Run(
                    () =>
                    {
                        foreach (var (row, name, person, phones) in entries)
                        {
                            opening.Index(row.PatientId, row.Mrn, name, person, phones);
                        }
                    },
                    cancel);
                last = rows[^1].Mrn;
            }
        }
        finally
        {
            // Also when the reading fails: nothing goes on behind an act that has ended.
            await filing;
        }
    }
}
