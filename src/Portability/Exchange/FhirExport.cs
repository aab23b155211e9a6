using System.Buffers;
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Portability.Fhir;
using Mangrove.Portability.Fhir.Definitions;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Portability.Exchange;

/// <summary>
/// Gives the hospital's records as FHIR R4: what came by import and was not changed since as it came, everything else
/// made from the records. One entry in the log for the whole export. Rows are streamed patient by patient, so a large
/// hospital needs no more memory than a small one.
/// </summary>
/// <param name="clinics">The clinic's database.</param>
/// <param name="door">The only way to the content.</param>
/// <param name="facility">The hospital's own id.</param>
public sealed class FhirExport(IDbContextFactory<ClinicContext> clinics, Door door, Guid facility)
{
    // Patients whose keys are held at once.
    private const int Page = 512;

    private static IReadOnlyList<FieldUse> Reads { get; } =
    [
        Patient.NameField, Patient.PersonField, Patient.ContactField, Visit.EncounterField, Problem.RecordField,
        Observation.Vitals, Observation.BodyMeasures, Observation.LabResults, Observation.Others, Allergy.RecordField,
        Prescription.LineField, Prescription.MedicineField, Immunization.RecordField, Procedure.RecordField, DiagnosticReport.RecordField,
        .. R4.ResourceNames().Select(FhirRecord.CategoryOf).Distinct().Select(category => FhirRecord.OriginalField.As(category)),
    ];

    /// <summary>Writes the export. When it fails, what it had written is removed again: no plaintext stays behind.</summary>
    /// <param name="path">A new or empty folder.</param>
    /// <param name="mrn">One patient's hospital number; null for everybody.</param>
    /// <param name="actor">An administrator.</param>
    /// <param name="progress">Patients done so far.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput"><c>export.not-empty</c>, <c>export.no-folder</c>, <c>patient.number</c>, <c>not-found</c>, or an <c>access.</c> code.</exception>
    public async Task<ExportReport> Run(string path, string? mrn, Actor actor, IProgress<int>? progress, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        var one = mrn is null ? (PatientRef?)null : await Find(mrn, cancel);
        using var folder = new ExportFolder(path);
        try
        {
            using var opening = await door.Open(
                actor,
                one is { } patient
                    ? new Request { Action = "EXPORT_FHIR", Purpose = Purpose.Portability, Patients = [patient], Reads = Reads }
                    : new Request { Action = "EXPORT_FHIR", Purpose = Purpose.Portability, Reads = Reads, Everyone = true },
                cancel);
            if (one is { } only)
            {
                await Write([only.Id], opening, folder, cancel);
                progress?.Report(1);
            }
            else
            {
                await Everybody(opening, folder, progress, cancel);
            }

            var manifest = folder.Finish();
            return new ExportReport(
                manifest.Files.ToDictionary(file => file.Type, file => file.Resources, StringComparer.Ordinal),
                manifest.Files.Count,
                manifest.Files.Sum(file => file.Bytes),
                Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        catch
        {
            folder.Abandon();
            throw;
        }
    }

    private async Task<PatientRef> Find(string typed, CancellationToken cancel)
    {
        if (!Mrn.TryParse(typed, out var parsed))
        {
            throw new RefusedInput("patient.number", "This is not a hospital number: its check digit does not fit. Type it again.");
        }

        var number = parsed.ToString();
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        return await clinic.Patients.AsNoTracking().FirstOrDefaultAsync(row => row.Mrn == number, cancel) is { } found
            ? found.Ref
            : throw new RefusedInput(Missing.Patient);
    }

    private async Task Everybody(Opening opening, ExportFolder folder, IProgress<int>? progress, CancellationToken cancel)
    {
        // First what belongs to no patient: the practitioners and places that the patients' resources point to.
        await opening.Turn([FhirRecord.Facility], create: false, cancel);
        await Write([FhirRecord.Facility], opening, folder, cancel);
        var last = string.Empty;
        var done = 0;
        while (true)
        {
            List<(PatientId Id, string Mrn)> page;
            await using (var clinic = await clinics.CreateDbContextAsync(cancel))
            {
#pragma warning disable CA1309 // The comparison happens in the database, which orders by the same collation.
                page = [.. (await clinic.Patients.AsNoTracking()
                    .Where(patient => string.Compare(patient.Mrn, last) > 0)
                    .OrderBy(patient => patient.Mrn)
                    .Take(Page)
                    .Select(patient => new { patient.PatientId, patient.Mrn })
                    .ToListAsync(cancel)).Select(patient => (patient.PatientId, patient.Mrn))];
#pragma warning restore CA1309
            }

            if (page.Count == 0)
            {
                return;
            }

            PatientId[] patients = [.. page.Select(patient => patient.Id)];
            await opening.Turn(patients, create: false, cancel);
            await Write(patients, opening, folder, cancel);
            last = page[^1].Mrn;
            done += page.Count;
            progress?.Report(done);
        }
    }

    /// <summary>Everything of some patients: a fixed number of queries, each streamed.</summary>
    private async Task Write(PatientId[] patients, Opening opening, ExportFolder folder, CancellationToken cancel)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        var versions = await Versions(clinic, patients, cancel);

        // The ids under which imported rows are known outside, and which of them went out as they came.
        var names = new Dictionary<Guid, string>();
        var unchanged = new HashSet<Guid>();
        await foreach (var record in Stream(clinic.FhirRecords, patients).OrderBy(row => row.PatientId).ThenBy(row => row.Order).AsAsyncEnumerable().WithCancellation(cancel))
        {
            var original = OriginalCodec.Unpack(opening.Read(record, FhirRecord.OriginalField) ?? throw new InvalidOperationException("A kept resource has no content."));
            var id = IdIn(original);
            if (id is null)
            {
                id = ResourceComposer.OwnId(record.MappedRow ?? record.Id);
                original = WithId(original, id);
            }

            if (record.MappedRow is { } row)
            {
                names[row] = id;
                if (versions.TryGetValue(row, out var version) && version != record.MappedVersion)
                {
                    continue;
                }

                unchanged.Add(row);
            }

            folder.Add(record.ResourceType, original);
        }

        var compose = new ResourceComposer(facility, row => names.TryGetValue(row, out var name) ? name : ResourceComposer.OwnId(row));
        async Task Add<TRow>(string type, IQueryable<TRow> rows, Func<TRow, byte[]?> make)
            where TRow : SealedRow
        {
            await foreach (var row in Stream(rows, patients).OrderBy(row => row.PatientId).ThenBy(row => row.Id).AsAsyncEnumerable().WithCancellation(cancel))
            {
                if (!unchanged.Contains(row.Id) && make(row) is { } resource)
                {
                    folder.Add(type, resource);
                }
            }
        }

        await Add("Patient", clinic.Patients, row => compose.Patient(row, opening.Read(row, Patient.NameField), opening.Read(row, Patient.PersonField), opening.Read(row, Patient.ContactField)));
        await Add("Encounter", clinic.Visits, row => compose.Encounter(row, opening.Read(row, Visit.EncounterField)));
        await Add("Condition", clinic.Problems, row => opening.Read(row, Problem.RecordField) is { } record ? compose.Condition(row, record) : null);
        await Add("Observation", clinic.Observations, row => opening.Read(row, Observation.ValueField) is { } value ? compose.Observation(row, value) : null);
        await Add("AllergyIntolerance", clinic.Allergies, row => opening.Read(row, Allergy.RecordField) is { } record ? compose.AllergyIntolerance(row, record) : null);
        await Add("MedicationRequest", clinic.Prescriptions, row => opening.Read(row, Prescription.LineField) is { } line ? compose.MedicationRequest(row, line, opening.Read(row, Prescription.MedicineField)) : null);
        await Add("DiagnosticReport", clinic.Reports, row => opening.Read(row, DiagnosticReport.RecordField) is { } record ? compose.DiagnosticReport(row, record) : null);
        await Add("Immunization", clinic.Immunizations, row => opening.Read(row, Immunization.RecordField) is { } record ? compose.Immunization(row, record) : null);
        await Add("Procedure", clinic.Procedures, row => opening.Read(row, Procedure.RecordField) is { } record ? compose.Procedure(row, record) : null);
    }

    /// <summary>The version of every row that may have come by import; a state that changed without a sealing counts as another version.</summary>
    private static async Task<Dictionary<Guid, int>> Versions(ClinicContext clinic, PatientId[] patients, CancellationToken cancel)
    {
        var versions = new Dictionary<Guid, int>();
        async Task Take(IQueryable<RowState> rows)
        {
            await foreach (var row in rows.AsAsyncEnumerable().WithCancellation(cancel))
            {
                versions[row.Id] = row.Changed ? -1 : row.Version;
            }
        }

        Task Plain<TRow>(IQueryable<TRow> rows)
            where TRow : SealedRow => Take(Stream(rows, patients).Select(row => new RowState { Id = row.Id, Version = row.RowVersion }));

        await Plain(clinic.Patients);
        await Plain(clinic.Visits);
        await Plain(clinic.Problems);
        await Take(Stream(clinic.Observations, patients).Select(row => new RowState { Id = row.Id, Version = row.RowVersion, Changed = row.ReplacedBy != null }));
        await Plain(clinic.Allergies);
        await Take(Stream(clinic.Prescriptions, patients).Select(row => new RowState { Id = row.Id, Version = row.RowVersion, Changed = row.Status != PrescriptionStatus.Imported }));
        await Plain(clinic.Reports);
        await Plain(clinic.Immunizations);
        await Plain(clinic.Procedures);
        return versions;
    }

    private static IQueryable<TRow> Stream<TRow>(IQueryable<TRow> rows, PatientId[] patients)
        where TRow : SealedRow => rows.AsNoTracking().Where(row => patients.Contains(row.PatientId));

    /// <summary>The id of a kept resource, read no further than needed.</summary>
    private static string? IdIn(ReadOnlySpan<byte> resource)
    {
        var json = new Utf8JsonReader(resource);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var found = json.ValueTextEquals("id"u8);
            json.Read();
            if (found)
            {
                return json.GetString();
            }

            json.Skip();
        }

        return null;
    }

    /// <summary>A resource that came without an id gets one, because in a file of lines nothing else names it.</summary>
    private static byte[] WithId(byte[] resource, string id)
    {
        using var document = JsonDocument.Parse(resource);
        var buffer = new ArrayBufferWriter<byte>(resource.Length + 64);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                property.WriteTo(json);
                if (property.NameEquals("resourceType"u8))
                {
                    json.WriteString("id", id);
                }
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private sealed class RowState
    {
        public Guid Id { get; init; }

        public int Version { get; init; }

        public bool Changed { get; init; }
    }
}
