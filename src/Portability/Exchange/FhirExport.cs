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
    // Patients whose keys are held at once. Within a page resources stand by patient id: another length is another order.
    private const int Page = 512;

    // Pages made at once, each by one thread: one for each processor and one to go on with while a done one waits for its
    // turn. More than a few would only wait for the same disk.
    private static readonly int AtOnce = Math.Clamp(Environment.ProcessorCount + 1, 2, 5);

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
                    ? new Request { Action = "EXPORT_FHIR", Purpose = Purpose.Portability, Patients = [patient], Reads = Reads, Leaves = true }
                    : new Request { Action = "EXPORT_FHIR", Purpose = Purpose.Portability, Reads = Reads, Everyone = true, Leaves = true },
                cancel);
            if (one is { } only)
            {
                using var lines = new ExportLines();
                await Write(await One(only.Id, cancel), opening, new ExportPage(folder, lines, Task.CompletedTask), cancel);
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
        var rooms = Enumerable.Range(0, AtOnce).Select(static _ => new ExportLines()).ToArray();

        // First what belongs to no patient: the practitioners and places that the patients' resources point to.
        await opening.Turn([FhirRecord.Facility], create: false, cancel);
        await Write(ExportRows.Of(FhirRecord.Facility, []), opening, new ExportPage(folder, rooms[0], Task.CompletedTask), cancel);

        // Several pages are made at once; each is written when those before it have been, and leaves its room to a later one.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var making = new Queue<(Task Page, int Patients)>();
        var before = Task.CompletedTask;
        var last = string.Empty;
        var done = 0;
        var number = 0;
        try
        {
            for (var page = await Next(last, cancel); page.Patients.Count > 0; page = await Next(last, cancel))
            {
                var rows = page;
                var turn = before;
                var place = new ExportPage(folder, rooms[number++ % AtOnce], turn);
                before = Task.Run(() => InPart(rows, opening, place, stop.Token), stop.Token);
                making.Enqueue((before, page.Patients.Count));
                last = page.Upto;
                while (making.Count >= AtOnce)
                {
                    await Finished();
                }
            }

            while (making.Count > 0)
            {
                await Finished();
            }
        }
        finally
        {
            // Nothing goes on behind an act that has ended. What the others say after the first failure is that they were stopped.
            await stop.CancelAsync();
            await Task.WhenAll(making.Select(static page => page.Page)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Array.ForEach(rooms, static room => room.Dispose());
        }

        async Task Finished()
        {
            var (page, patients) = making.Peek();
            await page;
            making.Dequeue();
            progress?.Report(done += patients);
        }
    }

    private async Task InPart(ExportRows rows, Opening opening, ExportPage page, CancellationToken cancel)
    {
        using var part = await opening.Part(rows.Whose, cancel);
        await Write(rows, part, page, cancel);
    }

    /// <summary>The next patients by their numbers.</summary>
    private async Task<ExportRows> Next(string last, CancellationToken cancel)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
#pragma warning disable CA1309 // The comparison happens in the database, which orders by the same collation.
        var patients = await clinic.Patients.AsNoTracking()
            .Where(patient => string.Compare(patient.Mrn, last) > 0)
            .OrderBy(patient => patient.Mrn)
            .Take(Page)
            .ToListAsync(cancel);
#pragma warning restore CA1309
        return ExportRows.After(last, patients);
    }

    private async Task<ExportRows> One(PatientId patient, CancellationToken cancel)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        return ExportRows.Of(patient, await clinic.Patients.AsNoTracking().Where(row => row.PatientId == patient).ToListAsync(cancel));
    }

    /// <summary>Everything of some patients: a fixed number of queries, each streamed.</summary>
    private async Task Write(ExportRows rows, Opening opening, ExportPage page, CancellationToken cancel)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancel);

        // The ids under which imported rows are known outside, and which of them went out as they came.
        var names = new Dictionary<Guid, string>();
        var unchanged = new HashSet<Guid>();
        if (await rows.In(clinic, clinic.FhirRecords).AnyAsync(cancel))
        {
            var versions = await Versions(clinic, rows, cancel);
            await foreach (var record in rows.In(clinic, clinic.FhirRecords).OrderBy(row => row.PatientId).ThenBy(row => row.Order).AsAsyncEnumerable().WithCancellation(cancel))
            {
                if (!rows.Has(record))
                {
                    continue;
                }

                var original = OriginalCodec.Unpack(opening.Read(record, FhirRecord.OriginalField) ?? throw new InvalidOperationException("A kept resource has no content."));
                var id = OriginalCodec.IdIn(original);
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

                await page.Add(record.ResourceType, original);
            }
        }

        var compose = new ResourceComposer(facility, row => names.TryGetValue(row, out var name) ? name : ResourceComposer.OwnId(row));
        foreach (var row in rows.Patients)
        {
            if (!unchanged.Contains(row.Id))
            {
                await page.Add("Patient", compose.Patient(row, opening.Read(row, Patient.NameField), opening.Read(row, Patient.PersonField), opening.Read(row, Patient.ContactField)));
            }
        }

        async Task Add<TRow>(string type, IQueryable<TRow> all, Func<TRow, byte[]?> make)
            where TRow : SealedRow
        {
            await foreach (var row in rows.In(clinic, all).OrderBy(row => row.PatientId).ThenBy(row => row.Id).AsAsyncEnumerable().WithCancellation(cancel))
            {
                if (rows.Has(row) && !unchanged.Contains(row.Id) && make(row) is { } resource)
                {
                    await page.Add(type, resource);
                }
            }
        }

        await Add("Encounter", clinic.Visits, row => compose.Encounter(row, opening.Read(row, Visit.EncounterField)));
        await Add("Condition", clinic.Problems, row => opening.Read(row, Problem.RecordField) is { } record ? compose.Condition(row, record) : null);
        await Add("Observation", clinic.Observations, row => opening.Read(row, Observation.ValueField) is { } value ? compose.Observation(row, value) : null);
        await Add("AllergyIntolerance", clinic.Allergies, row => opening.Read(row, Allergy.RecordField) is { } record ? compose.AllergyIntolerance(row, record) : null);
        await Add("MedicationRequest", clinic.Prescriptions, row => opening.Read(row, Prescription.LineField) is { } line ? compose.MedicationRequest(row, line, opening.Read(row, Prescription.MedicineField)) : null);
        await Add("DiagnosticReport", clinic.Reports, row => opening.Read(row, DiagnosticReport.RecordField) is { } record ? compose.DiagnosticReport(row, record) : null);
        await Add("Immunization", clinic.Immunizations, row => opening.Read(row, Immunization.RecordField) is { } record ? compose.Immunization(row, record) : null);
        await Add("Procedure", clinic.Procedures, row => opening.Read(row, Procedure.RecordField) is { } record ? compose.Procedure(row, record) : null);
        await page.Finish();
    }

    /// <summary>The version of every row that may have come by import; a state that changed without a sealing counts as another version.</summary>
    private static async Task<Dictionary<Guid, int>> Versions(ClinicContext clinic, ExportRows rows, CancellationToken cancel)
    {
        var versions = rows.Patients.ToDictionary(row => row.Id, row => row.RowVersion);
        async Task Take(IQueryable<RowState> states)
        {
            await foreach (var row in states.AsAsyncEnumerable().WithCancellation(cancel))
            {
                versions[row.Id] = row.Changed ? -1 : row.Version;
            }
        }

        Task Plain<TRow>(IQueryable<TRow> all)
            where TRow : SealedRow => Take(rows.In(clinic, all).Select(row => new RowState { Id = row.Id, Version = row.RowVersion }));

        await Plain(clinic.Visits);
        await Plain(clinic.Problems);
        await Take(rows.In(clinic, clinic.Observations).Select(row => new RowState { Id = row.Id, Version = row.RowVersion, Changed = row.ReplacedBy != null }));
        await Plain(clinic.Allergies);
        await Take(rows.In(clinic, clinic.Prescriptions).Select(row => new RowState { Id = row.Id, Version = row.RowVersion, Changed = row.Status != PrescriptionStatus.Imported }));
        await Plain(clinic.Reports);
        await Plain(clinic.Immunizations);
        await Plain(clinic.Procedures);
        return versions;
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
