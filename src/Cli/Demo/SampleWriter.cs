using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Demo;

/// <summary>
/// Writes made-up patients through the door, as one act of the system over every patient: a batch of keys, a batch of
/// sealed rows, one commit. The next batch is sealed while the last one is committed.
/// </summary>
public sealed class SampleWriter(Hospital hospital, FirstSetUp setUp)
{
    private const int Batch = 1_000;

    private static readonly FieldUse[] PatientFields = [Patient.NameField, Patient.PersonField, Patient.ContactField, Patient.PayerField];

    /// <summary>Registers the people, without histories.</summary>
    /// <returns>Everybody with the number that they were given, in order.</returns>
    public async Task<long> Register(IEnumerable<SamplePatient> people, Action<SamplePatient, PatientRef>? registered, CancellationToken cancel)
    {
        using var opening = await Open(hospital, setUp, "WRITE_SAMPLE_PATIENTS", PatientFields, cancel);
        var now = hospital.Clock.GetUtcNow();
        long written = 0;
        var saving = Task.CompletedTask;
        using var batches = people.Chunk(Batch).GetEnumerator();
        var more = batches.MoveNext();
        try
        {
            var first = more ? await Numbers(batches.Current.Length, cancel) : 0;
            while (more)
            {
                var batch = batches.Current;
                await opening.Turn([.. batch.Select(person => person.Id)], create: true, cancel);
                var rows = new List<Patient>(batch.Length);
                foreach (var person in batch)
                {
                    var row = Patient.New(person.Id, Mrn.FromSequence(first + rows.Count).ToString(), RegisteredAt(person, now));
                    opening.Set(row, Patient.NameField, person.Name);
                    opening.Set(row, Patient.PersonField, person.Person);
                    opening.Set(row, Patient.ContactField, person.Contact);
                    opening.Set(row, Patient.PayerField, person.Payer);
                    rows.Add(row);
                }

                written += batch.Length;
                more = batches.MoveNext();
                await saving;

                // Between two commits: while one is under way, drawing numbers would wait for its end.
                first = more ? await Numbers(batches.Current.Length, cancel) : 0;
                saving = Task.Run(() => Save(opening, batch, rows, registered, cancel), cancel);
            }
        }
        finally
        {
            // Also when the drawing or sealing fails: nothing goes on behind an act that has ended.
            await saving;
        }

        return written;
    }

    private async Task<long> Numbers(int count, CancellationToken cancel)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        return await clinic.Next("mrn", count, cancel);
    }

    internal static Task<Opening> Open(Hospital hospital, FirstSetUp setUp, string action, IReadOnlyList<FieldUse> writes, CancellationToken cancel) =>
        hospital.Vault.Door.Open(setUp.Sample, new Request { Action = action, Purpose = Purpose.Portability, Writes = writes, Everyone = true }, cancel);

    private async Task Save(Opening opening, SamplePatient[] people, List<Patient> rows, Action<SamplePatient, PatientRef>? registered, CancellationToken cancel)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        await RowWriter.Insert(clinic, rows, cancel);
        for (var at = 0; at < rows.Count; at++)
        {
            opening.Index(rows[at].PatientId, rows[at].Mrn, people[at].Name, people[at].Person, people[at].Contact.Phones);
            registered?.Invoke(people[at], rows[at].Ref);
        }
    }

    // Spread over three years, so that lists by date have something to sort.
    private static DateTimeOffset RegisteredAt(SamplePatient person, DateTimeOffset now) => now.AddDays(-(person.Number * 7919 % 1095)).AddMinutes(-(person.Number % 600));
}
