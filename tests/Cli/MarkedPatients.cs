using Mangrove.Cli;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Cli;

/// <summary>A patient by every number that an address may name, for one whose every field carries its category's mark.</summary>
public sealed record Marked(IReadOnlyDictionary<string, string> Values, string Search)
{
    /// <summary>Numbers of the right shape that nothing has.</summary>
    public static Marked Nobody() => new(
        new[] { "patient", "visit", "invoice", "payment", "note", "problem", "line", "allergy", "batch" }.ToDictionary(name => name, _ => Ids.New().ToString("N")).Append(new("specimen", "99-99999")).Append(new("what", "diagnosis")).ToDictionary(),
        "Nobody At All");
}

/// <summary>Writes patients with a row of every kind, each field with the mark of its category, by an administrator's import.</summary>
/// <param name="hospital">Where.</param>
/// <param name="importer">The administrator.</param>
/// <param name="staff">Who does a role's work here.</param>
/// <param name="ids">Gives each row its id: random ones, or the same ones in two hospitals.</param>
internal sealed class MarkedPatients(Hospital hospital, Actor importer, Func<Role, StaffId> staff, Func<Guid> ids)
{
    private const string Loinc = "http://loinc.org";
    private const int BornIn = 1919;

    /// <summary>The words by which each category is known in an answer.</summary>
    public static IReadOnlyDictionary<Category, string[]> Marks { get; } = Enum.GetValues<Category>().ToDictionary(category => category, category => category switch
    {
        // Dates and numbers are shown in other shapes than they are stored in, so rare ones stand for their category.
        Category.BirthAndSex => [$"{TimeProvider.System.GetUtcNow().Year - BornIn} y", $"Jan {BornIn}", $"{BornIn}-01-01"],
        Category.BodyMeasures => ["213.47", "213.5"],
        Category.Dispensing => ["4,321.5", "4321.5", MarkOf(category)],
        _ => new[] { MarkOf(category) },
    });

    /// <summary>
    /// Three patients for one role's round, because what one role may do, such as closing a visit, would change what the
    /// next one sees: one who waits, one who is with the doctor, one who is not in care.
    /// </summary>
    public async Task<IReadOnlyList<(Marked Patient, bool InCare)>> Arrive(Func<Category, bool>? other = null)
    {
        var now = hospital.Clock.GetUtcNow();
        return
        [
            (await Plant(visit => visit.Triage(now), other), true),
            (await Plant(visit => visit.Triage(now).Value.Take(staff(Role.Doctor), now), other), true),
            (await Plant(null, other), false),
        ];
    }

    /// <summary>Takes every row of these patients out again; a search then finds an empty name.</summary>
    public async Task Forget(IEnumerable<Marked> patients)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync();
        foreach (var marked in patients)
        {
            var id = new PatientId(Guid.ParseExact(marked.Values["patient"], "N"));
            foreach (var rows in RowsOf(clinic, id))
            {
                clinic.RemoveRange(await rows.ToListAsync());
            }

            await clinic.SaveChangesAsync();
            using var opening = await hospital.Vault.Door.Open(importer, Planting([new PatientRef(id, marked.Search)], []), default);
            opening.Index(id, marked.Search, PersonName.Unnamed, new BirthAndSex(null, AdministrativeSex.Unknown), []);
        }
    }

    private static IEnumerable<IQueryable<object>> RowsOf(ClinicContext clinic, PatientId id)
    {
        yield return clinic.Invoices.Where(row => row.PatientId == id);
        foreach (var entity in clinic.Model.GetEntityTypes().Where(entity => typeof(SealedRow).IsAssignableFrom(entity.ClrType)))
        {
            var set = (IQueryable<SealedRow>)typeof(DbContext).GetMethod(nameof(DbContext.Set), [])!.MakeGenericMethod(entity.ClrType).Invoke(clinic, null)!;
            yield return set.Where(row => row.PatientId == id);
        }
    }

    private static Request Planting(IReadOnlyList<PatientRef> patients, IReadOnlyList<FieldUse> writes) =>
        new() { Action = "PLANT_MARKS", Purpose = Purpose.Portability, Patients = patients, Writes = writes, Creates = true };

    private static string MarkOf(Category category) => $"Mark{category}Mark";

    /// <summary>Of another length, and before every mark in order.</summary>
    private static string OtherWord(Category category) => $"Another {category} that nobody marked";

    /// <summary>One patient with a row of every kind.</summary>
    /// <param name="state">How far the visit has come; null for somebody who is not in care.</param>
    /// <param name="other">The categories that hold the other value, with another length, number or code; null for none.</param>
    public async Task<Marked> Plant(Action<Visit>? state, Func<Category, bool>? other = null)
    {
        string Word(Category category) => other?.Invoke(category) == true ? OtherWord(category) : MarkOf(category);
        T Either<T>(Category category, T mark, T different) => other?.Invoke(category) == true ? different : mark;

        await using var clinic = await hospital.Clinics.CreateDbContextAsync();
        var now = hospital.Clock.GetUtcNow();
        var doctor = staff(Role.Doctor);
        var id = new PatientId(ids());
        var patient = Patient.New(id, Mrn.FromSequence(await clinic.Next("mrn", default)).ToString(), now);
        var here = state is not null;
        var began = here ? now.AddMinutes(-20) : now.AddYears(-2);
        var visit = new Visit { Id = ids(), PatientId = id, Kind = VisitKind.Outpatient, Token = 77, ArrivedAt = began };
        if (here)
        {
            state!(visit);
        }
        else
        {
            visit.Past(began.AddHours(1));
        }

        var number = await clinic.Next("specimen:99", default);
        var (open, released) = (Order($"98-{number:00000}"), Order($"99-{number:00000}"));
        LabOrder Order(string specimen) => new() { Id = ids(), PatientId = id, VisitId = visit.Id, SpecimenNumber = specimen, OrderedAt = began, By = doctor };
        released.Release(began.AddMinutes(9));
        if (!here)
        {
            open.Release(began.AddMinutes(9));
            released.Acknowledge(doctor, began.AddMinutes(30));
        }

        var invoice = new Invoice { Id = ids(), PatientId = id, VisitId = visit.Id, Number = $"I-{number}", OpenedAt = began };
        var problem = new Problem { Id = ids(), PatientId = id, VisitId = visit.Id, RecordedAt = began, By = doctor };
        var allergy = new Allergy { Id = ids(), PatientId = id, RecordedAt = began, By = doctor };
        var note = new Note { Id = ids(), PatientId = id, VisitId = visit.Id, Kind = NoteKind.Consultation, SignedAt = began, By = doctor };
        var waiting = new Prescription { Id = ids(), PatientId = id, VisitId = visit.Id, OrderedAt = began, By = doctor };
        var given = new Prescription { Id = ids(), PatientId = id, VisitId = visit.Id, OrderedAt = began, By = doctor };
        given.HandOver(complete: here ? false : true, now);
        if (!here)
        {
            waiting.HandOver(complete: true, now);
        }

        var payment = new Payment { Id = ids(), PatientId = id, InvoiceId = invoice.Id, ReceiptNumber = $"R-{number}", At = began, By = staff(Role.Cashier) };
        var cells = new List<(FieldUse Use, Action<Opening> Set)>();
        void Put<TRow, T>(TRow row, Field<TRow, T> field, T value)
            where TRow : SealedRow
            where T : class
        {
            if (clinic.Entry(row).State == Microsoft.EntityFrameworkCore.EntityState.Detached)
            {
                clinic.Add(row);
            }

            cells.Add((field.As(field.CategoryOf(row)), opening => opening.Set(row, field, value)));
        }

        var name = new PersonName(Word(Category.Name), ["Given" + new string((char)('a' + (int)(number % 26)), 5)]);
        Put(patient, Patient.NameField, name);
        var person = Either(Category.BirthAndSex, new BirthAndSex($"{BornIn}-01-01", AdministrativeSex.Female), new BirthAndSex("2001-07-23", AdministrativeSex.Male));
        string[] phones = [Either(Category.Contact, "0799 111 222", "0788 555 444")];
        Put(patient, Patient.PersonField, person);
        Put(patient, Patient.ContactField, new ContactDetails { Phones = phones, Address = Word(Category.Contact), NextOfKin = Word(Category.Contact) });
        Put(patient, Patient.PayerField, new PayerDetails(Word(Category.Payer), Word(Category.Payer), Either(Category.Payer, 50, 100)));
        Put(visit, Visit.EncounterField, new EncounterRecord { Class = "AMB", Type = Word(Category.Encounters), Reason = Word(Category.Encounters), Provider = Word(Category.Encounters) });
        Put(new TriageAssessment { Id = ids(), PatientId = id, VisitId = visit.Id, At = began, By = staff(Role.Nurse) }, TriageAssessment.OutcomeField, new TriageOutcome(Either(Category.Triage, 3, 1), Word(Category.Triage), Either(Category.Triage, 2, 9), Word(Category.Triage), false, 1, false));
        Put(problem, Problem.RecordField, new ProblemRecord(Either(Category.Problems, "I10", "B20"), "http://hl7.org/fhir/sid/icd-10", Word(Category.Problems)));
        Put(allergy, Allergy.RecordField, new AllergyRecord(Either(Category.Allergies, false, true), Word(Category.Allergies), Category: "medication", Reaction: Word(Category.Allergies), Severity: "severe"));
        Put(note, Note.TextField, new NoteText(Word(Category.Notes), Word(Category.Notes), Word(Category.Notes), Word(Category.Notes)));
        Put(open, LabOrder.LineField, new LabOrderLine(Either(Category.LabOrders, "NA", "K"), Word(Category.LabOrders), "Serum", Word(Category.LabOrders)));
        Put(released, LabOrder.LineField, new LabOrderLine(Either(Category.LabOrders, "NA", "K"), Word(Category.LabOrders), "Serum", Word(Category.LabOrders)));
        foreach (var line in (Prescription[])[waiting, given])
        {
            Put(line, Prescription.LineField, new PrescriptionLine { Name = Word(Category.Prescriptions), Strength = "5 mg", Form = "tablet", Dose = Either(Category.Prescriptions, 1, 2), DoseUnit = "tablet", Quantity = Either(Category.Prescriptions, 7_654, 12), Sig = Word(Category.Prescriptions), Days = 5, Frequency = "once a day" });
            Put(line, Prescription.MedicineField, new MedicineInUse(Word(Category.Medicines), "5 mg", Word(Category.Medicines), null, Either(Category.Medicines, "active", "stopped"), null));
        }

        Put(new Dispense { Id = ids(), PatientId = id, PrescriptionId = given.Id, VisitId = visit.Id, At = now, By = staff(Role.Pharmacist) }, Dispense.RecordField, new DispensedLine(Either(Category.Dispensing, 4_321.5m, 12), Either(Category.Dispensing, 3_332.5m, 0), [new BatchTaken(ids(), Word(Category.Dispensing), new DateOnly(2030, 1, 31), 4_321.5m)], []));
        Put(new Procedure { Id = ids(), PatientId = id, VisitId = visit.Id, At = began }, Procedure.RecordField, new CodedEvent(null, null, Word(Category.Procedures), "completed", null));
        Put(new Immunization { Id = ids(), PatientId = id, VisitId = visit.Id, At = began }, Immunization.RecordField, new CodedEvent(null, null, Word(Category.Immunizations), "completed", null));
        Put(new DiagnosticReport { Id = ids(), PatientId = id, VisitId = visit.Id, At = began }, DiagnosticReport.RecordField, new ReportRecord(null, null, Word(Category.LabResults), "final", []));
        void Observe(ObservationKind kind, ObservedValue value, Guid? order = null) =>
            Put(new Observation { Id = ids(), PatientId = id, VisitId = visit.Id, Kind = kind, TakenAt = began, By = doctor, OrderId = order }, Observation.ValueField, value);
        Observe(ObservationKind.Vital, new ObservedValue { Code = "99999-1", System = Loinc, Display = Word(Category.Vitals), Text = Word(Category.Vitals) });
        Observe(ObservationKind.BodyMeasure, new ObservedValue { Code = "29463-7", System = Loinc, Display = "Body weight", Number = Either(Category.BodyMeasures, 213.47m, 41.2m), Unit = "kg", UnitCode = "kg" });
        Observe(ObservationKind.Laboratory, new ObservedValue { Code = Either(Category.LabResults, "2951-2", "2823-3"), System = Loinc, Display = Word(Category.LabResults), Text = Word(Category.LabResults), Note = Word(Category.LabResults), TestCode = "NA", Flag = Either(Category.LabResults, "Normal", "CriticalHigh") }, released.Id);
        Observe(ObservationKind.Other, new ObservedValue { Display = Word(Category.OtherObservations), Text = Word(Category.OtherObservations) });
        Put(new Charge { Id = ids(), PatientId = id, VisitId = visit.Id, SourceId = ids(), At = began }, Charge.LineField, new ChargeLine("CON", Word(Category.Charges), Word(Category.Charges), Word(Category.Charges), 1, new Money(Either(Category.Charges, 900, 40), "KES"), new Money(Either(Category.Charges, 900, 40), "KES")));
        Put(payment, Payment.RecordField, new PaymentRecord(new Money(Either(Category.Payments, 100, 900), "KES"), Enum.GetValues<PaymentMeans>()[^1], new Money(Either(Category.Payments, 100, 1_000), "KES"), new Money(Either(Category.Payments, 0, 100), "KES"), Word(Category.Payments)));
        Put(new FhirRecord { Id = ids(), PatientId = id, ResourceType = "Basic", Source = ids().ToByteArray(), Content = [1] }, FhirRecord.OriginalField, System.Text.Encoding.UTF8.GetBytes(Word(Category.Documents)));
        clinic.Add(invoice);

        using (var opening = await hospital.Vault.Door.Open(
            importer,
            Planting([patient.Ref], [.. cells.Select(cell => cell.Use).Distinct()]),
            default))
        {
            cells.ForEach(cell => cell.Set(opening));
            await clinic.SaveChangesAsync();
            opening.Index(id, patient.Mrn, name, person, phones);
        }

        Assert.Equal(Enum.GetValues<Category>(), cells.Select(cell => cell.Use.Category).Distinct().Order());
        return new Marked(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["patient"] = id.ToString(), ["visit"] = visit.Id.ToString("N"), ["invoice"] = invoice.Id.ToString("N"), ["payment"] = payment.Id.ToString("N"),
                ["note"] = note.Id.ToString("N"), ["problem"] = problem.Id.ToString("N"), ["line"] = waiting.Id.ToString("N"), ["allergy"] = allergy.Id.ToString("N"),
                ["batch"] = ids().ToString("N"), ["specimen"] = open.SpecimenNumber, ["what"] = "diagnosis",
            },
            patient.Mrn);
    }
}
