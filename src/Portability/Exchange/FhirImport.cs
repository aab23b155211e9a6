using System.Diagnostics;
using System.Text.Json;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Portability.Fhir;
using Mangrove.Portability.Package;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;
using Model = Mangrove.Portability.Fhir.Model;

namespace Mangrove.Portability.Exchange;

/// <summary>
/// Takes FHIR R4 into the hospital: what the clinic has a place for is mapped, everything is kept sealed as it came.
/// One entry in the log for the whole import, one transaction for each bundle; a second import of the same files
/// changes nothing, so an interrupted one is simply run again.
/// </summary>
public sealed class FhirImport(IDbContextFactory<ClinicContext> clinics, Door door, Fingerprints fingerprints, StationEvents events, TimeProvider clock)
{
    // Resources whose patient has not come yet wait in memory for the end of the import, within this bound.
    private const long MostWaiting = 256L * 1024 * 1024;

    // What waited is taken in transactions of this many resources.
    private const int WaitingTogether = 500;

    private static readonly string[] Kinds = ["Patient", "Encounter", "Condition", "AllergyIntolerance", "MedicationRequest", "Immunization", "Procedure", "DiagnosticReport", "Claim", "Basic"];

    private static IReadOnlyList<FieldUse> Writes { get; } =
    [
        Clinic.Records.Patient.NameField, Clinic.Records.Patient.PersonField, Clinic.Records.Patient.ContactField, Visit.EncounterField, Problem.RecordField,
        Observation.Vitals, Observation.BodyMeasures, Observation.LabResults, Observation.Others, Allergy.RecordField, Prescription.LineField,
        Prescription.MedicineField, Immunization.RecordField, Procedure.RecordField, DiagnosticReport.RecordField,
        .. Kinds.Select(FhirRecord.CategoryOf).Distinct().Select(category => FhirRecord.OriginalField.As(category)),
    ];

    /// <param name="paths">Files, folders and archives.</param>
    /// <param name="dryRun">True to say what would happen and write nothing.</param>
    /// <param name="actor">An administrator.</param>
    /// <param name="progress">Resources done so far.</param>
    /// <param name="cancel">Stops after the bundle in hand.</param>
    public async Task<ImportReport> Run(IReadOnlyList<string> paths, bool dryRun, Actor actor, IProgress<int>? progress, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        using var opening = await door.Open(
            actor,
            new Request { Action = dryRun ? "IMPORT_FHIR_DRY_RUN" : "IMPORT_FHIR", Purpose = Purpose.Portability, Writes = Writes, Everyone = true, DryRun = dryRun },
            cancel);
        var keys = fingerprints.Now();
        var tally = new Tally();
        var waiting = new List<byte[]>();
        var waitingFrom = new List<(string File, int Entry, string Type)>();
        var waitingBytes = 0L;
        await foreach (var batch in ReadyBatch.Ahead(new ResourceReader().ReadAll(new InputFiles().Open(paths)), Ready))
        {
            using (batch)
            {
                cancel.ThrowIfCancellationRequested();
                tally.File(batch.Batch);
                await Take(batch, opening, tally, dryRun, last: false, Wait, cancel);
                progress?.Report(tally.Done);

                void Wait(IncomingResource resource, byte[] original)
                {
                    waitingBytes += original.Length;
                    if (waitingBytes > MostWaiting)
                    {
                        tally.Reject(resource, new Error("import.patient-missing", "The patient of this resource has not come with this import. Import the patient first."));
                        return;
                    }

                    waiting.Add(original);
                    waitingFrom.Add((resource.File, resource.Entry, resource.Type));
                }
            }
        }

        foreach (var some in Enumerable.Range(0, waiting.Count).OrderBy(i => Rank(waitingFrom[i].Type)).ThenBy(i => i).Chunk(WaitingTogether))
        {
            using var batch = Ready(Waited(some.Select(i => (waitingFrom[i].File, waitingFrom[i].Entry, waiting[i]))));
            await Take(
                batch,
                opening,
                tally,
                dryRun,
                last: true,
                (late, _) => tally.Reject(late, new Error("import.patient-missing", "The patient of this resource is not known here and has not come with this import. Import the patient first.")),
                cancel);
            progress?.Report(tally.Done);
        }

        events.Changed(Station.Arrivals, Station.Administration);
        return tally.Report(Stopwatch.GetElapsedTime(started).TotalSeconds);

        ReadyBatch Ready(IncomingBatch batch) => new(batch, keys);
    }

    private static IncomingBatch Waited(IEnumerable<(string File, int Entry, byte[] Original)> some)
    {
        var resources = new List<IncomingResource>(WaitingTogether);
        var documents = new List<JsonDocument>(WaitingTogether);
        foreach (var (file, entry, original) in some)
        {
            var document = JsonDocument.Parse(original);
            documents.Add(document);
            var json = document.RootElement;
            var id = json.TryGetProperty("id", out var text) ? text.GetString() : null;
            resources.Add(new IncomingResource(file, entry, null, json.GetProperty("resourceType").GetString()!, id, json, RequestIntent.None, null));
        }

        return IncomingBatch.Of(resources, documents);
    }

    private async Task Take(ReadyBatch batch, Opening opening, Tally tally, bool dryRun, bool last, Action<IncomingResource, byte[]> wait, CancellationToken cancel)
    {
        var resources = batch.Resources;
        if (resources.Count == 0)
        {
            return;
        }

        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        var (index, originals, contents, sources, variants, marks) = (batch.Index, batch.Originals, batch.Contents, batch.Sources, batch.Variants, batch.Marks);
        var elsewhere = RowsElsewhere(resources, index, marks);
        var known = await Known(clinic, [.. sources.Concat(variants).Concat(batch.Nameless.OfType<byte[]>()).Concat(elsewhere.Values)], marks, cancel);
        for (var i = 0; i < resources.Count; i++)
        {
            if (batch.Nameless[i] is { } nameless && !known.ContainsKey(Key(sources[i])) && known.ContainsKey(Key(nameless)))
            {
                sources[i] = nameless;
            }
        }

        var outside = await Outside(clinic, index, resources.Count, marks, cancel);

        // Patients first, so that the rows of the bundle have whom to belong to.
        var patients = new Dictionary<int, PatientId>();
        var fresh = new List<int>();
        for (var i = 0; i < resources.Count; i++)
        {
            if (resources[i].Type != "Patient")
            {
                continue;
            }

            if (known.TryGetValue(Key(sources[i]), out var old))
            {
                patients[i] = old.PatientId;
            }
            else
            {
                patients[i] = PatientId.New();
                fresh.Add(i);
            }
        }

        var turn = patients.Values.Concat(outside.Values).Append(FhirRecord.Facility).Distinct().ToArray();
        if (!dryRun)
        {
            await opening.Turn(turn, create: true, cancel);
        }

        var rows = new Dictionary<int, Guid>();
        var added = new List<object>(resources.Count * 2);
        var put = new List<Action>();
        var outcome = new List<Action>();
        var everythingKnown = sources.Zip(variants, contents).All(one => Same(one.First, one.Third) || Same(one.Second, one.Third));
        var order = dryRun || everythingKnown ? 0 : await clinic.Next("fhir-record", resources.Count, cancel);
        var number = dryRun || fresh.Count == 0 ? 0 : await clinic.Next("mrn", fresh.Count, cancel);
        bool Same(byte[] source, byte[] content) => known.TryGetValue(Key(source), out var old) && old.Content.AsSpan().SequenceEqual(content);

        Guid? RowOf(int from, Model.Reference? reference, PatientId patient)
        {
            if (reference?.Literal is not { } literal)
            {
                return null;
            }

            if (index.Resolve(from, literal) is { } target)
            {
                return rows.TryGetValue(target.Number, out var row) ? row : known.TryGetValue(Key(sources[target.Number]), out var before) ? before.MappedRow : null;
            }

            // A row of an earlier batch; of this patient only, so that nobody's visit is taken for another's.
            return elsewhere.TryGetValue((resources[from].Type, literal), out var source) && known.TryGetValue(Key(source), out var old) && old.PatientId == patient ? old.MappedRow : null;
        }

        foreach (var i in Ordered(resources))
        {
            var resource = resources[i];
            if (known.TryGetValue(Key(sources[i]), out var other) && !other.Content.AsSpan().SequenceEqual(contents[i]))
            {
                sources[i] = variants[i];
            }

            if (known.TryGetValue(Key(sources[i]), out var old))
            {
                outcome.Add(old.Content.AsSpan().SequenceEqual(contents[i])
                    ? () => tally.Again(resource, old.MappedRow is not null)
                    : () => tally.Reject(resource, new Error("import.changed", "This resource came before with other content. Changes of imported records are not taken over; correct the record in the clinic.")));
                continue;
            }

            var patient = Owner(index.OwnerOf(i), i, patients, outside, last);
            if (patient is null)
            {
                wait(resource, originals[i]);
                continue;
            }

            SealedRow? row = null;
            if (resource.Type == "Patient")
            {
                var read = Model.Patient.Of(resource);
                if (read.Error is { } unreadable)
                {
                    outcome.Add(() => tally.Reject(resource, unreadable));
                    continue;
                }

                if (!dryRun)
                {
                    var who = Clinic.Records.Patient.New(patient.Value, Mrn.FromSequence(number++).ToString(), clock.GetUtcNow());
                    var (name, person, contact) = new ResourceMapper(opening, _ => null, _ => null, _ => null).Patient(who, read.Value);
                    put.Add(() => opening.Index(who.PatientId, who.Mrn, name, person, contact.Phones));
                    row = who;
                }
            }
            else if (ResourceMapper.Types.Contains(resource.Type) && patient != FhirRecord.Facility && !dryRun)
            {
                var mapper = new ResourceMapper(
                    opening,
                    reference => RowOf(i, reference, patient.Value),
                    reference => reference?.Literal is { } literal && index.Resolve(i, literal) is { Type: "Medication" } target ? MedicationName(resources[target.Number]) : null,
                    reference => RowOf(i, reference, patient.Value));
                var mapped = mapper.Map(resource, patient.Value);
                if (mapped.Error is { } refused)
                {
                    outcome.Add(() => tally.Reject(resource, refused));
                    continue;
                }

                row = mapped.Value;
            }

            var maps = ResourceMapper.Types.Contains(resource.Type) && patient != FhirRecord.Facility;
            if (!dryRun)
            {
                if (row is not null)
                {
                    added.Add(row);
                    rows[i] = row.Id;
                }

                var record = new FhirRecord
                {
                    PatientId = patient.Value,
                    ResourceType = resource.Type,
                    Source = sources[i],
                    Content = contents[i],
                    IndexVersion = marks.Version,
                    MappedRow = row?.Id,
                    MappedVersion = row?.RowVersion ?? 0,
                    Order = order + i,
                    ImportedAt = clock.GetUtcNow(),
                };
                opening.Set(record, FhirRecord.OriginalField, OriginalCodec.Pack(originals[i]));
                added.Add(record);
            }

            // Two entries of one bundle may be the same resource; the second is then known.
            known[Key(sources[i])] = new KnownRecord(patient.Value, contents[i], row?.Id ?? (maps ? Guid.Empty : null));
            outcome.Add(() => tally.Take(resource, maps));
        }

        if (added.Count > 0)
        {
            await RowWriter.Insert(clinic, added, cancel);
        }

        foreach (var act in put.Concat(outcome))
        {
            act();
        }
    }

    /// <summary>Patients, then encounters, then observations before the reports that point to them, then the rest as it came.</summary>
    private static IEnumerable<int> Ordered(IReadOnlyList<IncomingResource> resources) => Enumerable.Range(0, resources.Count)
        .OrderBy(i => Rank(resources[i].Type))
        .ThenBy(i => i);

    private static int Rank(string type) => type switch { "Patient" => 0, "Encounter" => 1, "DiagnosticReport" => 3, _ => 2 };

    /// <summary>Whose record it is; null when the patient has not come yet.</summary>
    private static PatientId? Owner(Owner owner, int number, Dictionary<int, PatientId> patients, Dictionary<string, PatientId> outside, bool last)
    {
        if (patients.TryGetValue(number, out var self))
        {
            return self;
        }

        switch (owner.Kind)
        {
            case OwnerKind.Patient or OwnerKind.SeveralPatients:
                return patients[owner.Patients[0].Number];
            case OwnerKind.OutsidePatient:
                foreach (var reference in owner.Outside)
                {
                    if (outside.TryGetValue(reference.Text, out var found))
                    {
                        return found;
                    }
                }

                // An address urn: does not say what it leads to. When nobody has come under it, no patient was meant.
                return last && owner.Outside.All(reference => reference.Kind == ReferenceKind.Urn) ? FhirRecord.Facility : null;
            default:
                return FhirRecord.Facility;
        }
    }

    private static string? MedicationName(IncomingResource medication) =>
        medication.Json.TryGetProperty("code", out var code)
            ? code.TryGetProperty("text", out var text) ? text.GetString()
                : code.TryGetProperty("coding", out var codings) && codings.GetArrayLength() > 0 && codings[0].TryGetProperty("display", out var display) ? display.GetString() : null
            : null;

    /// <summary>The patients of other bundles and earlier imports that this batch points to, found by their fingerprints.</summary>
    private static async Task<Dictionary<string, PatientId>> Outside(ClinicContext clinic, ReferenceIndex index, int count, RecordMarks marks, CancellationToken cancel)
    {
        var references = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            foreach (var reference in index.OwnerOf(i).Outside)
            {
                if (!references.ContainsKey(reference.Text))
                {
                    references[reference.Text] = marks.Source("Patient", reference.Id ?? reference.Text);
                }
            }
        }

        var known = references.Count == 0 ? [] : await Known(clinic, references.Values, marks, cancel);
        return references.Where(entry => known.ContainsKey(Key(entry.Value))).ToDictionary(entry => entry.Key, entry => known[Key(entry.Value)].PatientId, StringComparer.Ordinal);
    }

    /// <summary>
    /// The encounters and observations that resources of this batch point to and that are not in it, by the type that
    /// points and its words: lines of an export come type by type, so a visit lies in another batch than what was done in it.
    /// </summary>
    private static Dictionary<(string From, string Literal), byte[]> RowsElsewhere(IReadOnlyList<IncomingResource> resources, ReferenceIndex index, RecordMarks marks)
    {
        var found = new Dictionary<(string From, string Literal), byte[]>();
        void Look(int from, JsonElement element, string type)
        {
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("reference", out var text) && text.GetString() is { } literal
                && !found.ContainsKey((resources[from].Type, literal)) && index.Resolve(from, literal) is null)
            {
                var reference = FhirReference.Parse(literal);
                found.Add((resources[from].Type, literal), marks.Source(type, reference.Id ?? reference.Text));
            }
        }

        for (var i = 0; i < resources.Count; i++)
        {
            if (!ResourceMapper.Types.Contains(resources[i].Type))
            {
                continue;
            }

            if (resources[i].Json.TryGetProperty("encounter", out var encounter))
            {
                Look(i, encounter, "Encounter");
            }

            if (resources[i].Type == "DiagnosticReport" && resources[i].Json.TryGetProperty("result", out var results))
            {
                foreach (var result in results.EnumerateArray())
                {
                    Look(i, result, "Observation");
                }
            }
        }

        return found;
    }

    private static async Task<Dictionary<string, KnownRecord>> Known(ClinicContext clinic, IReadOnlyCollection<byte[]> sources, RecordMarks marks, CancellationToken cancel)
    {
        var found = new Dictionary<string, KnownRecord>(StringComparer.Ordinal);
        foreach (var some in sources.Concat(marks.Older).DistinctBy(Key).Chunk(400))
        {
            var rows = await clinic.FhirRecords.AsNoTracking()
                .Where(row => some.Contains(row.Source))
                .Select(row => new { row.Source, row.PatientId, row.Content, row.MappedRow })
                .ToListAsync(cancel);
            foreach (var row in rows)
            {
                found[Key(marks.Now(row.Source))] = new KnownRecord(row.PatientId, marks.Now(row.Content), row.MappedRow);
            }
        }

        return found;
    }

    private static string Key(byte[] fingerprint) => Convert.ToHexString(fingerprint);

    private sealed record KnownRecord(PatientId PatientId, byte[] Content, Guid? MappedRow);

    private sealed class Tally
    {
        private readonly SortedDictionary<string, int> resources = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, int> stored = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, int> kept = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, int> unchanged = new(StringComparer.Ordinal);
        private readonly List<Rejection> rejected = [];
        private readonly HashSet<string> files = new(StringComparer.Ordinal);

        public int Done { get; private set; }

        public void File(IncomingBatch batch)
        {
            files.Add(batch.File);
            rejected.AddRange(batch.Rejections);
            foreach (var resource in batch.Resources)
            {
                Count(resources, resource.Type);
            }
        }

        public void Take(IncomingResource resource, bool mapped)
        {
            Count(mapped ? stored : kept, resource.Type);
            Done++;
        }

        public void Again(IncomingResource resource, bool mapped)
        {
            Count(unchanged, resource.Type);
            Take(resource, mapped);
        }

        public void Reject(IncomingResource resource, Error error)
        {
            rejected.Add(new Rejection(resource.File, resource.Entry, error.Code, error.Message));
            Done++;
        }

        public ImportReport Report(double seconds) => new(files.Count, resources, stored, kept, unchanged, rejected, seconds);

        private static void Count(SortedDictionary<string, int> counts, string type) => counts[type] = counts.GetValueOrDefault(type) + 1;
    }
}
