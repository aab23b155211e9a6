using System.Text.Json;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Portability.Exchange;
using Mangrove.Tests.Clinic;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Portability.Exchange;

/// <summary>A hospital of several pages, which are read and composed at the same time.</summary>
public class ExportPagesTests
{
    private const int Page = 512;
    private const int People = (4 * Page) + 76;

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Pages_made_at_once_stand_in_the_order_of_the_numbers_and_a_broken_one_leaves_nothing(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        using var scratch = new Scratch();
        await Register(hospital);
        var export = new FhirExport(hospital.Clinics, hospital.Door, hospital.Vault.Facility);
        var admin = await hospital.As(Role.Admin);
        var folder = scratch.File("out");

        var report = await export.Run(folder, null, admin, null, default);

        Assert.Equal(People, report.Resources["Patient"]);
        await using var clinic = hospital.Clinic();
        var registered = await clinic.Patients.AsNoTracking().OrderBy(row => row.Mrn).Select(row => row.PatientId).ToListAsync();
        var expected = registered.Chunk(Page).SelectMany(page => page.Select(id => id.Value).Order()).Select(id => id.ToString("D"));
        Assert.Equal(expected, File.ReadLines(Path.Combine(folder, "Patient.ndjson")).Select(IdOf));

        var third = registered[(2 * Page) + 5];
        var row = await clinic.Patients.SingleAsync(one => one.PatientId == third);
        var damaged = row.Name.Envelope!.ToArray();
        damaged[^1] ^= 1;
        row.Name = new Sealed<PersonName>(damaged);
        await clinic.SaveChangesAsync();
        var second = scratch.File("again");
        var broken = await Assert.ThrowsAnyAsync<Exception>(() => export.Run(second, null, admin, null, default));
        Assert.Equal("SealBroken", broken.GetType().Name);
        Assert.False(Directory.Exists(second));
    }

    [Fact]
    public async Task A_part_of_an_act_ends_with_the_act_and_only_an_act_over_everybody_has_parts()
    {
        await using var hospital = await TestHospital.New(StorageKind.Sqlite);
        var (patient, _) = await hospital.Arrive();
        var admin = await hospital.As(Role.Admin);
        var everyone = new Request { Action = "EXPORT_TEST", Purpose = Purpose.Portability, Reads = [Patient.NameField], Everyone = true };
        await using var clinic = hospital.Clinic();
        var row = await clinic.Patients.AsNoTracking().SingleAsync(one => one.PatientId == patient.Id);

        using var whole = await hospital.Door.Open(admin, everyone, default);
        using var part = await whole.Part([patient.Id], default);
        using var empty = await whole.Part([], default);
        Assert.NotNull(part.Read(row, Patient.NameField));
        Assert.Throws<InvalidOperationException>(() => part.Read(row, Patient.PersonField));
        Assert.Throws<RefusedInput>(() => empty.Read(row, Patient.NameField));
        whole.Dispose();
        Assert.Throws<ObjectDisposedException>(() => part.Read(row, Patient.NameField));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => whole.Part([patient.Id], default));

        using var one = await hospital.Door.Open(admin, everyone with { Everyone = false, Patients = [patient] }, default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => one.Part([patient.Id], default));
    }

    private static string IdOf(string line)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty("id").GetString()!;
    }

    private static async Task Register(TestHospital hospital)
    {
        using var opening = await hospital.Door.Open(
            await hospital.As(Role.Admin),
            new Request { Action = "IMPORT_TEST", Purpose = Purpose.Portability, Writes = [Patient.NameField], Everyone = true },
            default);
        var people = Enumerable.Range(0, People).Select(_ => PatientId.New()).ToArray();
        await opening.Turn(people, create: true, default);
        await using var clinic = hospital.Clinic();
        var first = await clinic.Next("mrn", People, default);
        for (var at = 0; at < People; at++)
        {
            var row = Patient.New(people[at], Mrn.FromSequence(first + at).ToString(), hospital.Clock.GetUtcNow());
            opening.Set(row, Patient.NameField, new PersonName("Otieno", [$"Number {at}"]));
            clinic.Add(row);
        }

        await clinic.SaveChangesAsync();
    }
}
