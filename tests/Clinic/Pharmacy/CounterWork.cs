using System.Globalization;
using Mangrove.Clinic.Pharmacy;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Tests.Clinic.Pharmacy;

/// <summary>What the tests of the counter begin with: prescriptions as a doctor signs them, and stock as it is delivered.</summary>
internal static class CounterWork
{
    public static DateOnly Today(this TestHospital hospital) => DateOnly.FromDateTime(hospital.Clock.GetLocalNow().DateTime);

    /// <summary>The first tablet or capsule of a medicine, else its first product.</summary>
    public static (Medicine Medicine, MedicineProduct Product) Product(string name)
    {
        var medicine = MedicineCatalogue.Load().ByName(name) ?? throw new InvalidOperationException(name);
        return (medicine, medicine.Products.FirstOrDefault(Shelf.IsCounted) ?? medicine.Products[0]);
    }

    /// <summary>One unit twice daily for so many days, as the signed-in doctor writes it.</summary>
    public static async Task<Guid> Prescribe(this TestHospital hospital, PatientRef patient, Visit visit, string name, int? days, params AlertShown[] alerts)
    {
        var doctor = await hospital.As(Role.Doctor);
        var (medicine, product) = Product(name);
        var counted = Shelf.IsCounted(product);
        var until = days is { } some ? hospital.Today().AddDays(some - 1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : null;
        await using var clinic = hospital.Clinic();
        using var opening = await hospital.Door.Open(
            doctor,
            new Request { Action = "SIGN_CONSULTATION", Purpose = Purpose.Treatment, Patients = [patient], Writes = [Prescription.LineField, Prescription.MedicineField] },
            default);
        var row = new Prescription { PatientId = patient.Id, VisitId = visit.Id, OrderedAt = hospital.Clock.GetUtcNow(), By = doctor.Staff };
        opening.Set(row, Prescription.LineField, new PrescriptionLine
        {
            MedicineCode = medicine.Code,
            Name = medicine.DisplayName,
            Strength = product.Strength,
            Form = product.Form,
            Dose = counted ? 1 : 5,
            DoseUnit = counted ? "tablet" : "mL",
            Frequency = "twice daily",
            Route = "by mouth",
            Days = days,
            Quantity = days * (counted ? 2 : 10),
            Sig = "1 tablet twice daily by mouth",
            Alerts = alerts,
        });
        opening.Set(row, Prescription.MedicineField, new MedicineInUse(medicine.DisplayName, Shelf.NameOf(product), "1 tablet twice daily", medicine.Code, "active", until));
        clinic.Prescriptions.Add(row);
        await clinic.SaveChangesAsync();
        return row.Id;
    }

    public static async Task<StockBatch> Deliver(this TestHospital hospital, string name, string batch, int expiresInDays, decimal units) =>
        (await hospital.Use<ReceiveDelivery>().Run(
            new ReceiveDelivery.Form(Ids.New(), Product(name).Product.PriceCode, batch, hospital.Today().AddDays(expiresInDays), units),
            await hospital.As(Role.Pharmacist),
            default)).Value;

    public static async Task Allergic(this TestHospital hospital, PatientRef patient, AllergyRecord record)
    {
        await using var clinic = hospital.Clinic();
        using var opening = await hospital.Door.Open(
            await hospital.As(Role.Doctor),
            new Request { Action = "RECORD_ALLERGY", Purpose = Purpose.Treatment, Patients = [patient], Writes = [Allergy.RecordField] },
            default);
        var row = new Allergy { PatientId = patient.Id, RecordedAt = hospital.Clock.GetUtcNow() };
        opening.Set(row, Allergy.RecordField, record);
        clinic.Allergies.Add(row);
        await clinic.SaveChangesAsync();
    }

    /// <summary>A weight on the scales of the ward, so many minutes from now.</summary>
    public static async Task Weigh(this TestHospital hospital, PatientRef patient, decimal kilograms, int minutes = 0)
    {
        var nurse = await hospital.As(Role.Nurse);
        await using var clinic = hospital.Clinic();
        using var opening = await hospital.Door.Open(
            nurse,
            new Request { Action = "RECORD_VITALS", Purpose = Purpose.Treatment, Patients = [patient], Writes = [Observation.BodyMeasures] },
            default);
        var row = new Observation { PatientId = patient.Id, Kind = ObservationKind.BodyMeasure, TakenAt = hospital.Clock.GetUtcNow().AddMinutes(minutes), By = nurse.Staff };
        opening.Set(row, Observation.ValueField, new ObservedValue { Code = "29463-7", System = "http://loinc.org", Display = "Body weight", Number = kilograms, Unit = "kg", UnitCode = "kg" });
        clinic.Observations.Add(row);
        await clinic.SaveChangesAsync();
    }

    public static async Task<DispensingSheet> Counter(this TestHospital hospital, PatientRef patient, Visit visit) =>
        (await hospital.Use<OpenDispensing>().Run(patient.Id, visit.Id, await hospital.As(Role.Pharmacist), default)).Value;

    /// <summary>The sheet's own proposal for its lines, as a form; warnings are answered when <paramref name="answered"/>.</summary>
    public static HandOver.Form Proposal(DispensingSheet sheet, bool answered = true) => new(
        [.. sheet.Lines.Select(line => new HandOver.Line(
            line.Id,
            line.Seen,
            line.Batches.ToDictionary(batch => batch.Id, batch => batch.Take),
            answered ? line.Findings.Select(finding => finding.Key).ToHashSet(StringComparer.Ordinal) : new HashSet<string>(StringComparer.Ordinal),
            answered ? line.Findings.ToDictionary(finding => finding.Key, _ => "Spoke with the prescriber", StringComparer.Ordinal) : new Dictionary<string, string>(StringComparer.Ordinal)))],
        PatientConfirmed: true);

    public static async Task<Result<HandOver.Given>> Hand(this TestHospital hospital, PatientRef patient, Visit visit, HandOver.Form form, string pharmacist = "pharmacist") =>
        await hospital.Use<HandOver>().Run(patient.Id, visit.Id, form, await hospital.As(Role.Pharmacist, pharmacist), default);

    /// <summary>What was handed over to this patient, as a doctor reads it.</summary>
    public static async Task<IReadOnlyList<DispensedLine>> Dispensed(this TestHospital hospital, PatientRef patient)
    {
        await using var clinic = hospital.Clinic();
        var rows = clinic.Dispenses.Where(row => row.PatientId == patient.Id).OrderBy(row => row.At).ToList();
        using var opening = await hospital.Door.Open(
            await hospital.As(Role.Doctor),
            new Request { Action = "VIEW_DISPENSING", Purpose = Purpose.Treatment, Patients = [patient], Reads = [Dispense.RecordField] },
            default);
        return [.. rows.Select(row => opening.Read(row, Dispense.RecordField)!)];
    }

    public static async Task<decimal> InStock(this TestHospital hospital, Guid batch)
    {
        await using var clinic = hospital.Clinic();
        return (await clinic.StockBatches.FindAsync(batch))!.Quantity;
    }
}
