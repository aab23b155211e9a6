using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Clinic.Pharmacy;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Clinic.Triage;
using Mangrove.Vault;

namespace Mangrove.Cli.Demo;

/// <summary>
/// What a made-up person's visit leaves behind, sealed row by row: vital signs, triage, results, prescription, note. All
/// of it is drawn from the person's own stream, so the same seed writes the same history.
/// </summary>
internal sealed class Course(Opening opening, SamplePatient person, Body body, Draw draw, DemoTeam team, DateOnly today)
{
    private readonly int age = person.AgeOn(today) ?? 30;
    private readonly List<SealedRow> rows = [];

    /// <summary>What was done and has a price, with the row of the act.</summary>
    public List<Charging.Act> Acts { get; } = [];

    /// <summary>Everything made so far; the caller stores it.</summary>
    public IReadOnlyList<SealedRow> Rows => rows;

    /// <summary>Observations at one time, with the score that they give. Returns the triage outcome.</summary>
    public TriageOutcome Triage(Visit visit, Condition condition, DateTimeOffset at)
    {
        var then = AgeAt(at);
        var shift = condition.Shift;
        var band = VitalRanges.Load();
        decimal Drawn(Vital vital, double move, double spread)
        {
            var sign = band.Of(vital);
            var normal = band.Normal(vital, then) ?? sign.Possible;
            var middle = (double)((normal.Low ?? sign.Possible.Low ?? 0) + (normal.High ?? sign.Possible.High ?? 0)) / 2;
            // Normal bands are wide upwards for pressure; a well adult is near their lower third.
            var mean = vital == Vital.Systolic && then.Years >= 16 ? 121 + (then.Years * 0.15) : vital == Vital.Diastolic && then.Years >= 16 ? 76 : vital == Vital.Temperature ? 36.8 : vital == Vital.OxygenSaturation ? 97.5 : middle;
            return draw.Around(mean + move, spread, sign.Decimals, (double)(sign.Possible.Low ?? 0), (double)(sign.Possible.High ?? 1000));
        }

        var breaths = Drawn(Vital.RespiratoryRate, shift.Breaths, 2);
        var saturation = Drawn(Vital.OxygenSaturation, shift.Saturation, 1.2);
        var systolic = Drawn(Vital.Systolic, shift.Systolic, 11);
        var diastolic = Math.Min(systolic - 20, Drawn(Vital.Diastolic, shift.Systolic / 2, 7));
        var pulse = Drawn(Vital.Pulse, shift.Pulse, 9);
        var temperature = Drawn(Vital.Temperature, shift.Temperature, 0.35);
        var weight = WeightAt(then);
        var height = HeightAt(then);
        var onOxygen = saturation < 91;
        Vitals(visit, at, then, onOxygen, (Vital.RespiratoryRate, breaths), (Vital.OxygenSaturation, saturation), (Vital.Systolic, systolic), (Vital.Diastolic, diastolic), (Vital.Pulse, pulse), (Vital.Temperature, temperature), (Vital.Weight, weight), (Vital.Height, height));

        var pregnant = condition.Icd10 == "Z34.9";
        var score = News2.Refuses(then, pregnant) is null
            ? News2.Score(new News2Observations(breaths, saturation, onOxygen, systolic, pulse, Alertness.Alert, temperature), then, pregnant).Value
            : null;
        var outcome = new TriageOutcome(
            score is null ? (condition.Shift.Temperature > 1 ? 3 : 4) : TriageCategory.Propose(score).Number,
            condition.Complaint,
            score?.Total,
            score?.BandWord ?? (pregnant ? "MEOWS, pregnant" : "PEWS, under 16"),
            false,
            condition.Shift == new VitalShift() ? 0 : draw.Below(7),
            pregnant);
        var row = new TriageAssessment { Id = draw.Id(), PatientId = person.Id, VisitId = visit.Id, At = at, By = team.Nurse, RecheckDue = score is null ? null : at.AddMinutes(score.RecheckMinutes) };
        opening.Set(row, TriageAssessment.OutcomeField, outcome);
        rows.Add(row);
        Acts.Add(new Charging.Act(visit.Id, PriceList.Triage, "Triage", "Triage", 1));
        return outcome;
    }

    public void Encounter(Visit visit, Condition condition, DateTimeOffset? end) => opening.Set(visit, Visit.EncounterField, new EncounterRecord
    {
        Class = visit.Kind == VisitKind.Emergency ? "EMER" : "AMB",
        Type = visit.Kind == VisitKind.Emergency ? "Emergency visit" : "Outpatient visit",
        Reason = NameOf(condition),
        Start = Iso(visit.ArrivedAt),
        End = end is { } over ? Iso(over) : null,
    });

    public void Note(Visit visit, Condition condition, TriageOutcome triage, DateTimeOffset at)
    {
        var row = new Note { Id = draw.Id(), PatientId = person.Id, Kind = NoteKind.Consultation, VisitId = visit.Id, SignedAt = at, By = team.Doctor };
        var score = triage.News2 is { } total ? string.Create(CultureInfo.InvariantCulture, $" NEWS2 {total} at triage.") : "";
        opening.Set(row, Clinic.Records.Note.TextField, new NoteText(condition.Complaint, condition.Examination + score, NameOf(condition), condition.Plan));
        rows.Add(row);
        Acts.Add(new Charging.Act(row.Id, PriceList.Consultation, "Consultation", "Consultation", 1));
    }

    public void Problem(Visit visit, Condition condition, DateTimeOffset at, bool resolved)
    {
        var row = new Problem { Id = draw.Id(), PatientId = person.Id, VisitId = visit.Id, RecordedAt = at, By = team.Doctor };
        var day = at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        opening.Set(row, Clinic.Records.Problem.RecordField, new ProblemRecord(
            condition.Icd10, "http://hl7.org/fhir/sid/icd-10", NameOf(condition), day, resolved ? at.AddDays(14).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : null, resolved ? "resolved" : "active"));
        rows.Add(row);
    }

    /// <summary>A substance that this person does not bear, or the statement that none is known.</summary>
    public void Allergies(DateTimeOffset at)
    {
        var row = new Allergy { Id = draw.Id(), PatientId = person.Id, RecordedAt = at, By = team.Doctor };
        var known = draw.Chance(0.22);
        if (known)
        {
            var substance = draw.Of(AllergySubstances.Load().All);
            opening.Set(row, Allergy.RecordField, new AllergyRecord(
                false,
                substance.Name,
                substance.Code,
                null,
                substance.Category switch { "Medicine" => "medication", "Food" => "food", _ => "environment" },
                draw.Of(["rash", "itching", "swelling of the lips", "wheeze", "vomiting"]),
                draw.Of(["mild", "moderate", "severe"])));
        }
        else
        {
            opening.Set(row, Allergy.RecordField, new AllergyRecord(true, null));
        }

        rows.Add(row);
    }

    /// <summary>The tests of a condition as orders, released with results or still open.</summary>
    /// <param name="specimens">Number of the tube by kind of specimen.</param>
    /// <param name="state">How far the laboratory has come.</param>
    public IReadOnlyList<LabOrder> Laboratory(Visit visit, Condition condition, IReadOnlyDictionary<string, string> specimens, DateTimeOffset at, LabOrderStatus state, bool urgent)
    {
        var orders = new List<LabOrder>();
        var catalogue = LaboratoryCatalogue.Load();
        foreach (var usual in condition.Tests)
        {
            var test = catalogue.Find(usual.Code)!;
            var order = new LabOrder { Id = draw.Id(), PatientId = person.Id, VisitId = visit.Id, Urgent = urgent, SpecimenNumber = specimens[test.Specimen], OrderedAt = at, By = team.Doctor };
            opening.Set(order, LabOrder.LineField, new LabOrderLine(test.Code, test.Name, test.Specimen, draw.Chance(0.2) ? NameOf(condition) : null));
            rows.Add(order);
            orders.Add(order);
            if (state is LabOrderStatus.Received or LabOrderStatus.Released)
            {
                order.Receive(at.AddMinutes(15));
            }

            if (state == LabOrderStatus.Released)
            {
                order.Release(at.AddMinutes(70));
                Result(order, visit, test, usual, condition, at.AddMinutes(70));
                Acts.Add(new Charging.Act(order.Id, test.Code, "Laboratory test", "Laboratory", 1));
            }
        }

        return orders;
    }

    /// <summary>The medicines of a condition as lines.</summary>
    /// <param name="dispensed">Whether they were handed over at once.</param>
    public IReadOnlyList<Prescription> Prescribe(Visit visit, Condition condition, DateTimeOffset at, bool dispensed)
    {
        var lines = new List<Prescription>();
        foreach (var usual in condition.Medicines)
        {
            var medicine = MedicineCatalogue.Load().ByName(usual.Name)!;
            var product = ProductOf(medicine, usual);
            var sig = Sig.Make(usual.Quantity, usual.Unit, Frequency.Find(usual.Frequency)!, Route.Find(usual.Route)!, usual.Days).Value;
            var until = DateOnly.FromDateTime(at.UtcDateTime).AddDays((usual.Days ?? 1) - 1);
            var row = new Prescription { Id = draw.Id(), PatientId = person.Id, VisitId = visit.Id, OrderedAt = at, By = team.Doctor };
            opening.Set(row, Prescription.LineField, PrescriptionLine.Of(medicine, product, sig));
            opening.Set(row, Prescription.MedicineField, new MedicineInUse(
                medicine.DisplayName,
                $"{product.Strength} {product.Form}",
                sig.Text,
                medicine.Code,
                until < today ? "completed" : "active",
                until.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
            rows.Add(row);
            lines.Add(row);
            if (dispensed)
            {
                // As the counter does: tablets are counted, bottles and inhalers go by the pack.
                var units = Shelf.IsCounted(product) ? sig.Supply ?? 1 : 1;
                row.HandOver(complete: true, at.AddMinutes(40));
                var handed = new Dispense { Id = draw.Id(), PatientId = person.Id, PrescriptionId = row.Id, VisitId = visit.Id, At = at.AddMinutes(40), By = team.Pharmacist };
                opening.Set(handed, Dispense.RecordField, new DispensedLine(units, 0, [], []));
                rows.Add(handed);
                Acts.Add(new Charging.Act(row.Id, product.PriceCode, "Dispensed item", "Pharmacy", units));
            }
        }

        return lines;
    }

    public static MedicineProduct ProductOf(Medicine medicine, UsualMedicine usual) =>
        medicine.Products.FirstOrDefault(product => $"{product.Form} {product.Strength}".Contains(usual.Product, StringComparison.OrdinalIgnoreCase)) ?? medicine.Products[0];

    public static string NameOf(Condition condition) => Icd10Catalogue.Load().Find(condition.Icd10)?.Name ?? throw new InvalidOperationException($"The starter list has no {condition.Icd10}.");

    private void Result(LabOrder order, Visit visit, LaboratoryTest test, UsualTest usual, Condition condition, DateTimeOffset at)
    {
        var row = new Observation { Id = draw.Id(), PatientId = person.Id, Kind = ObservationKind.Laboratory, VisitId = visit.Id, OrderId = order.Id, TakenAt = at, By = team.LabTech };
        var value = new ObservedValue { Code = test.Loinc, System = "http://loinc.org", Display = test.Name, TestCode = test.Code };
        if (test.IsNumeric)
        {
            var number = body.Number(test, usual, condition, SexOf(person.Person.Sex), AgeAt(at), draw);
            var judged = LaboratoryCatalogue.Judge(test, number, SexOf(person.Person.Sex), AgeAt(at));
            value = value with
            {
                Number = number,
                Unit = test.DisplayUnit,
                UnitCode = test.Unit,
                Low = judged.Range?.Low,
                High = judged.Range?.High,
                Flag = judged.Flag == ResultFlag.None ? null : judged.Flag.ToString(),
            };
        }
        else
        {
            var wanted = !draw.Chance(usual.Mean ?? 0);
            var answers = test.Answers.Where(answer => answer.Normal == wanted).ToArray();
            var answer = draw.Of(answers.Length > 0 ? answers : [.. test.Answers]);
            var judged = LaboratoryCatalogue.Judge(test, answer.Text);
            value = value with { Text = answer.Text, Flag = judged.Flag == ResultFlag.None ? null : judged.Flag.ToString() };
        }

        opening.Set(row, Observation.ValueField, value);
        rows.Add(row);
    }

    /// <summary>As triage records them: pressure as one panel, air or oxygen and alertness in words.</summary>
    private void Vitals(Visit visit, DateTimeOffset at, Age then, bool onOxygen, params ReadOnlySpan<(Vital Vital, decimal Value)> values)
    {
        var pressures = new List<ObservedValue>();
        foreach (var (vital, number) in values)
        {
            var sign = VitalRanges.Load().Of(vital);
            var normal = VitalRanges.Load().Normal(vital, then);
            var flag = VitalRanges.Load().Judge(vital, number, then);
            var value = new ObservedValue
            {
                Code = sign.Loinc,
                System = VitalCodes.Loinc,
                Display = sign.Name,
                Number = number,
                Unit = sign.DisplayUnit,
                UnitCode = sign.Ucum,
                Low = normal?.Low,
                High = normal?.High,
                Flag = flag == ResultFlag.None ? null : flag.ToString(),
            };
            if (vital is Vital.Systolic or Vital.Diastolic)
            {
                pressures.Add(value);
            }
            else
            {
                Observe(visit, at, VitalCodes.KindOf(vital), value);
            }
        }

        Observe(visit, at, ObservationKind.Vital, new ObservedValue { Code = VitalCodes.BloodPressure, System = VitalCodes.Loinc, Display = "Blood pressure", Components = pressures });
        Observe(visit, at, ObservationKind.Vital, new ObservedValue { Code = VitalCodes.Oxygen, System = VitalCodes.Loinc, Display = "Oxygen", Text = onOxygen ? "oxygen" : "air" });
        Observe(visit, at, ObservationKind.Vital, new ObservedValue { Code = VitalCodes.Alertness, System = VitalCodes.Loinc, Display = "Alertness (ACVPU)", Text = nameof(Alertness.Alert) });
    }

    private void Observe(Visit visit, DateTimeOffset at, ObservationKind kind, ObservedValue value)
    {
        var row = new Observation { Id = draw.Id(), PatientId = person.Id, Kind = kind, VisitId = visit.Id, TakenAt = at, By = team.Nurse };
        opening.Set(row, Observation.ValueField, value);
        rows.Add(row);
    }

    private Age AgeAt(DateTimeOffset at) => person.Person.BornOn() is { } born ? Age.On(born, DateOnly.FromDateTime(at.UtcDateTime)) : Age.OfYears(age);

    private decimal WeightAt(Age then) => draw.Around(then.Years switch { 0 => 4 + (then.Days / 60.0), < 12 => 9 + (then.Years * 2.7), < 18 => 30 + ((then.Years - 10) * 4), _ => person.Person.Sex == AdministrativeSex.Female ? 66 : 72 }, then.Years < 12 ? 1.2 : 6, 1, 2.2, 160);

    private decimal HeightAt(Age then) => draw.Around(then.Years switch { 0 => 52 + (then.Days / 15.0), < 18 => 78 + (then.Years * 5.4), _ => person.Person.Sex == AdministrativeSex.Female ? 161 : 172 }, 3, 0, 44, 205);

    private static Sex SexOf(AdministrativeSex sex) => sex switch { AdministrativeSex.Female => Sex.Female, AdministrativeSex.Male => Sex.Male, _ => Sex.Unknown };

    private static string Iso(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture);
}
