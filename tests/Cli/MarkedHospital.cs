using System.Net;
using System.Text.RegularExpressions;
using Mangrove.Cli;
using Mangrove.Cli.Serving;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Tests.Cli;

/// <summary>A patient by every number that an address may name, for one whose every field carries its category's mark.</summary>
public sealed record Marked(IReadOnlyDictionary<string, string> Values, string Search);

/// <summary>
/// The real server over a sample hospital, in this process, with three marked patients: one waiting, one with the doctor,
/// one who is not in care.
/// </summary>
public sealed class MarkedHospital : IAsyncLifetime
{
    private const string Loinc = "http://loinc.org";
    private const int BornIn = 1919;

    private readonly SampleHospital sample = new();
    private Hospital hospital = null!;
    private Server server = null!;
    private Actor importer = null!;

    /// <summary>The words by which each category is known in an answer.</summary>
    public static IReadOnlyDictionary<Category, string[]> Marks { get; } = Enum.GetValues<Category>().ToDictionary(category => category, category => category switch
    {
        // Dates and numbers are shown in other shapes than they are stored in, so rare ones stand for their category.
        Category.BirthAndSex => [$"{TimeProvider.System.GetUtcNow().Year - BornIn} y", $"Jan {BornIn}", $"{BornIn}-01-01"],
        Category.BodyMeasures => ["213.47", "213.5"],
        Category.Dispensing => ["4,321.5", "4321.5", Word(category)],
        _ => new[] { Word(category) },
    });

    public IReadOnlyList<Endpoint> Endpoints => server.Endpoints;

    /// <summary>Numbers of the right shape that nothing has.</summary>
    public static Marked Nobody() => new(
        new[] { "patient", "visit", "invoice", "payment", "note", "problem", "line", "allergy", "batch" }.ToDictionary(name => name, _ => Ids.New().ToString("N")).Append(new("specimen", "99-99999")).Append(new("what", "diagnosis")).ToDictionary(),
        "Nobody At All");

    public async ValueTask InitializeAsync()
    {
        await sample.InitializeAsync();
        hospital = await Hospital.Open(StorageOptions.Sqlite(sample.Data), new RootSecret { KeyFile = Path.Combine(sample.Data, "demo.key") }, TimeProvider.System, default);
        await hospital.Indexing;
        var (user, password) = sample.Account("admin");
        importer = (await hospital.Vault.Identity.SignIn.Password(user, (await File.ReadAllTextAsync(password)).Trim(), "matrix", default)).Value.Actor;
        server = await Server.Start(hospital, new Uri("https://localhost:0"), default);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await hospital.DisposeAsync();
        await sample.DisposeAsync();
    }

    /// <summary>
    /// Three patients for one role's round, because what one role may do, such as closing a visit, would change what the
    /// next one sees: one who waits, one who is with the doctor, one who is not in care.
    /// </summary>
    public async Task<IReadOnlyList<(Marked Patient, bool InCare)>> Arrive()
    {
        var doctor = Staff("doctor");
        return
        [
            (await Plant(doctor, visit => visit.Triage(Now())), true),
            (await Plant(doctor, visit => visit.Triage(Now()).Value.Take(doctor, Now())), true),
            (await Plant(doctor, null), false),
        ];
    }

    internal async Task<Browser> SignIn(Role role)
    {
        var (user, password) = sample.Account(role.Slug());
        return await Browser.SignIn(server.Address, user, (await File.ReadAllTextAsync(password)).Trim());
    }

    private static string Word(Category category) => $"Mark{category}Mark";

    private DateTimeOffset Now() => hospital.Clock.GetUtcNow();

    private StaffId Staff(string role) =>
        StaffId.TryParse(sample.Accounts().Single(one => one.GetProperty("role").GetString() == role).GetProperty("staffId").GetString(), out var id) ? id : throw new InvalidOperationException($"{role} has no staff number.");

    /// <summary>One patient with a row of every kind, written by an administrator's import.</summary>
    private async Task<Marked> Plant(StaffId doctor, Action<Visit>? state)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync();
        var now = Now();
        var id = PatientId.New();
        var patient = Patient.New(id, Mrn.FromSequence(await clinic.Next("mrn", default)).ToString(), now);
        var here = state is not null;
        var began = here ? now.AddMinutes(-20) : now.AddYears(-2);
        var visit = new Visit { PatientId = id, Kind = VisitKind.Outpatient, Token = 77, ArrivedAt = began };
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
        LabOrder Order(string specimen) => new() { PatientId = id, VisitId = visit.Id, SpecimenNumber = specimen, OrderedAt = began, By = doctor };
        released.Release(began.AddMinutes(9));
        if (!here)
        {
            open.Release(began.AddMinutes(9));
            released.Acknowledge(doctor, began.AddMinutes(30));
        }

        var invoice = new Invoice { PatientId = id, VisitId = visit.Id, Number = $"I-{number}", OpenedAt = began };
        var problem = new Problem { PatientId = id, VisitId = visit.Id, RecordedAt = began, By = doctor };
        var allergy = new Allergy { PatientId = id, RecordedAt = began, By = doctor };
        var note = new Note { PatientId = id, VisitId = visit.Id, Kind = NoteKind.Consultation, SignedAt = began, By = doctor };
        var waiting = new Prescription { PatientId = id, VisitId = visit.Id, OrderedAt = began, By = doctor };
        var given = new Prescription { PatientId = id, VisitId = visit.Id, OrderedAt = began, By = doctor };
        given.HandOver(complete: here ? false : true, now);
        if (!here)
        {
            waiting.HandOver(complete: true, now);
        }

        var payment = new Payment { PatientId = id, InvoiceId = invoice.Id, ReceiptNumber = $"R-{number}", At = began, By = Staff("cashier") };
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
        Put(patient, Patient.PersonField, new BirthAndSex($"{BornIn}-01-01", AdministrativeSex.Female));
        Put(patient, Patient.ContactField, new ContactDetails { Phones = ["0799 111 222"], Address = Word(Category.Contact), NextOfKin = Word(Category.Contact) });
        Put(patient, Patient.PayerField, new PayerDetails(Word(Category.Payer), Word(Category.Payer), 50));
        Put(visit, Visit.EncounterField, new EncounterRecord { Class = "AMB", Type = Word(Category.Encounters), Reason = Word(Category.Encounters), Provider = Word(Category.Encounters) });
        Put(new TriageAssessment { PatientId = id, VisitId = visit.Id, At = began, By = Staff("nurse") }, TriageAssessment.OutcomeField, new TriageOutcome(3, Word(Category.Triage), 2, Word(Category.Triage), false, 1, false));
        Put(problem, Problem.RecordField, new ProblemRecord("I10", "http://hl7.org/fhir/sid/icd-10", Word(Category.Problems)));
        Put(allergy, Allergy.RecordField, new AllergyRecord(false, Word(Category.Allergies), Category: "medication", Reaction: Word(Category.Allergies), Severity: "severe"));
        Put(note, Note.TextField, new NoteText(Word(Category.Notes), Word(Category.Notes), Word(Category.Notes), Word(Category.Notes)));
        Put(open, LabOrder.LineField, new LabOrderLine("NA", Word(Category.LabOrders), "Serum", Word(Category.LabOrders)));
        Put(released, LabOrder.LineField, new LabOrderLine("NA", Word(Category.LabOrders), "Serum", Word(Category.LabOrders)));
        foreach (var line in (Prescription[])[waiting, given])
        {
            Put(line, Prescription.LineField, new PrescriptionLine { Name = Word(Category.Prescriptions), Strength = "5 mg", Form = "tablet", Dose = 1, DoseUnit = "tablet", Quantity = 7_654, Sig = Word(Category.Prescriptions), Days = 5, Frequency = "once a day" });
            Put(line, Prescription.MedicineField, new MedicineInUse(Word(Category.Medicines), "5 mg", Word(Category.Medicines), null, "active", null));
        }

        Put(new Dispense { PatientId = id, PrescriptionId = given.Id, VisitId = visit.Id, At = now, By = Staff("pharmacist") }, Dispense.RecordField, new DispensedLine(4_321.5m, 3_332.5m, [new BatchTaken(Ids.New(), Word(Category.Dispensing), new DateOnly(2030, 1, 31), 4_321.5m)], []));
        Put(new Procedure { PatientId = id, VisitId = visit.Id, At = began }, Procedure.RecordField, new CodedEvent(null, null, Word(Category.Procedures), "completed", null));
        Put(new Immunization { PatientId = id, VisitId = visit.Id, At = began }, Immunization.RecordField, new CodedEvent(null, null, Word(Category.Immunizations), "completed", null));
        Put(new DiagnosticReport { PatientId = id, VisitId = visit.Id, At = began }, DiagnosticReport.RecordField, new ReportRecord(null, null, Word(Category.LabResults), "final", []));
        void Observe(ObservationKind kind, ObservedValue value, Guid? order = null) =>
            Put(new Observation { PatientId = id, VisitId = visit.Id, Kind = kind, TakenAt = began, By = doctor, OrderId = order }, Observation.ValueField, value);
        Observe(ObservationKind.Vital, new ObservedValue { Code = "99999-1", System = Loinc, Display = Word(Category.Vitals), Text = Word(Category.Vitals) });
        Observe(ObservationKind.BodyMeasure, new ObservedValue { Code = "29463-7", System = Loinc, Display = "Body weight", Number = 213.47m, Unit = "kg", UnitCode = "kg" });
        Observe(ObservationKind.Laboratory, new ObservedValue { Code = "2951-2", System = Loinc, Display = Word(Category.LabResults), Text = Word(Category.LabResults), Note = Word(Category.LabResults), TestCode = "NA" }, released.Id);
        Observe(ObservationKind.Other, new ObservedValue { Display = Word(Category.OtherObservations), Text = Word(Category.OtherObservations) });
        Put(new Charge { PatientId = id, VisitId = visit.Id, SourceId = Ids.New(), At = began }, Charge.LineField, new ChargeLine("CON", Word(Category.Charges), Word(Category.Charges), Word(Category.Charges), 1, new Money(900, "KES"), new Money(900, "KES")));
        Put(payment, Payment.RecordField, new PaymentRecord(new Money(100, "KES"), Enum.GetValues<PaymentMeans>()[^1], new Money(100, "KES"), new Money(0, "KES"), Word(Category.Payments)));
        Put(new FhirRecord { PatientId = id, ResourceType = "Basic", Source = Ids.New().ToByteArray(), Content = [1] }, FhirRecord.OriginalField, System.Text.Encoding.UTF8.GetBytes(Word(Category.Documents)));
        clinic.Add(invoice);

        using (var opening = await hospital.Vault.Door.Open(
            importer,
            new Request { Action = "PLANT_MARKS", Purpose = Purpose.Portability, Patients = [patient.Ref], Writes = [.. cells.Select(cell => cell.Use).Distinct()], Creates = true },
            default))
        {
            cells.ForEach(cell => cell.Set(opening));
            await clinic.SaveChangesAsync();
            opening.Index(id, patient.Mrn, name, new BirthAndSex($"{BornIn}-01-01", AdministrativeSex.Female), ["0799 111 222"]);
        }

        Assert.Equal(Enum.GetValues<Category>(), cells.Select(cell => cell.Use.Category).Distinct().Order());
        return new Marked(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["patient"] = id.ToString(), ["visit"] = visit.Id.ToString("N"), ["invoice"] = invoice.Id.ToString("N"), ["payment"] = payment.Id.ToString("N"),
                ["note"] = note.Id.ToString("N"), ["problem"] = problem.Id.ToString("N"), ["line"] = waiting.Id.ToString("N"), ["allergy"] = allergy.Id.ToString("N"),
                ["batch"] = Ids.New().ToString("N"), ["specimen"] = open.SpecimenNumber, ["what"] = "diagnosis",
            },
            patient.Mrn);
    }
}

/// <summary>One answer, with what of its headers says something.</summary>
internal sealed record Seen(HttpStatusCode Status, string Headers, byte[] Body)
{
    public string Text => System.Text.Encoding.UTF8.GetString(Body);

    /// <summary>The same with the numbers that were asked for left out: an answer that only says them back tells nothing.</summary>
    public Seen Without(Marked asked)
    {
        var (text, headers) = (Text, Headers);
        foreach (var (name, value) in asked.Values.Where(one => one.Value.Length >= 8))
        {
            text = text.Replace(value, name, StringComparison.OrdinalIgnoreCase);
            headers = headers.Replace(value, name, StringComparison.OrdinalIgnoreCase);
        }

        return this with { Headers = headers, Body = System.Text.Encoding.UTF8.GetBytes(text) };
    }

    public bool Is(Seen other) => Status == other.Status && Headers == other.Headers && Body.AsSpan().SequenceEqual(other.Body);
}

/// <summary>A signed-in person's requests, as a page would send them.</summary>
internal sealed partial class Browser : IDisposable
{
    private readonly HttpClient http;
    private string cookies = "";
    private string token = "";

    private Browser(Uri address) => http = new HttpClient(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
    })
    { BaseAddress = address };

    public static async Task<Browser> SignIn(Uri address, string user, string password)
    {
        var browser = new Browser(address);
        using var page = await browser.http.GetAsync(new Uri("/sign-in", UriKind.Relative));
        browser.cookies = page.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("__Host-mangrove-form=", StringComparison.Ordinal)).Split(';')[0];
        browser.token = Token().Match(await page.Content.ReadAsStringAsync()).Groups["token"].Value;
        using var request = browser.Request("POST", "/sign-in", new Dictionary<string, string>(StringComparer.Ordinal) { ["username"] = user, ["password"] = password });
        using var entered = await browser.http.SendAsync(request);
        Assert.Equal(HttpStatusCode.SeeOther, entered.StatusCode);
        browser.cookies += "; " + entered.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("__Host-mangrove=", StringComparison.Ordinal)).Split(';')[0];
        return browser;
    }

    public async Task<Seen> Send(string method, string path, Dictionary<string, string>? form = null)
    {
        using var request = Request(method, path, form ?? []);
        using var answer = await http.SendAsync(request);
        var headers = answer.Headers.Concat(answer.Content.Headers).Where(header => header.Key != "Date").OrderBy(header => header.Key, StringComparer.Ordinal);
        return new Seen(answer.StatusCode, string.Join('\n', headers.Select(header => $"{header.Key}: {string.Join(", ", header.Value)}")), await answer.Content.ReadAsByteArrayAsync());
    }

    /// <summary>The beginning of a stream that does not end by itself.</summary>
    public async Task<Seen> Begin(string path)
    {
        using var request = Request("GET", path, []);
        request.Headers.Accept.Clear();
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[512];
        var read = await stream.ReadAsync(buffer);
        return new Seen(answer.StatusCode, "", buffer[..read]);
    }

    public void Dispose() => http.Dispose();

    private HttpRequestMessage Request(string method, string path, Dictionary<string, string> form)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path) { Headers = { { "Cookie", cookies }, { "Sec-Fetch-Site", "same-origin" }, { "Accept", "text/html" } } };
        if (method != "GET")
        {
            request.Content = new FormUrlEncodedContent(form.Append(new("__RequestVerificationToken", token)));
        }

        return request;
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"(?<token>[^\"]+)\"", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Token();
}
