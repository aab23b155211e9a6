using System.Globalization;
using Mangrove.Clinic.Laboratory;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Tests.Clinic.Laboratory;

/// <summary>What the tests of the bench begin with: orders as a doctor writes them, and the record as a doctor reads it.</summary>
internal static class BenchWork
{
    private static int specimens;

    public static string Code(string name) => LaboratoryCatalogue.Load().All.Single(test => test.Name == name).Code;

    /// <summary>Orders tests for this visit on one specimen, as the signed-in doctor.</summary>
    public static async Task<string> Order(this TestHospital hospital, PatientRef patient, Visit visit, bool urgent, params string[] codes)
    {
        var doctor = await hospital.As(Role.Doctor);
        await using var clinic = hospital.Clinic();
        var number = FormattableString.Invariant($"T{(int)(hospital.GetHashCode() % 997):000}-{Interlocked.Increment(ref specimens):00000}");
        using var opening = await hospital.Door.Open(
            doctor,
            new Request { Action = "ORDER_LABORATORY", Purpose = Purpose.Treatment, Patients = [patient], Writes = [LabOrder.LineField] },
            default);
        foreach (var code in codes)
        {
            var test = LaboratoryCatalogue.Load().Find(code)!;
            var order = new LabOrder { PatientId = patient.Id, VisitId = visit.Id, Urgent = urgent, SpecimenNumber = number, OrderedAt = hospital.Clock.GetUtcNow(), By = doctor.Staff };
            opening.Set(order, LabOrder.LineField, new LabOrderLine(test.Code, test.Name, test.Specimen));
            clinic.LabOrders.Add(order);
        }

        await clinic.SaveChangesAsync();
        return number;
    }

    public static async Task<SpecimenSheet> Sheet(this TestHospital hospital, PatientRef patient, string specimen) =>
        (await hospital.Use<OpenSpecimen>().Run(patient.Id, specimen, await hospital.As(Role.LabTech), default)).Value.Sheet;

    /// <summary>Types values in the order of the sheet and releases them.</summary>
    public static async Task<Result<ReleaseResults.Released>> Release(this TestHospital hospital, PatientRef patient, string specimen, bool looked, params string[] values)
    {
        var sheet = await hospital.Sheet(patient, specimen);
        var typed = sheet.Tests.Zip(values).ToDictionary(pair => pair.First.OrderId, pair => pair.Second);
        return await hospital.Use<ReleaseResults>().Run(patient.Id, specimen, new ReleaseResults.Form(typed, looked), await hospital.As(Role.LabTech), default);
    }

    public static async Task<Result<ReleaseResults.Released>> ReleaseByCode(this TestHospital hospital, PatientRef patient, string specimen, bool looked, params (string Code, string Value)[] values)
    {
        var sheet = await hospital.Sheet(patient, specimen);
        var typed = values.ToDictionary(one => sheet.Tests.Single(test => test.Line.TestCode == one.Code).OrderId, one => one.Value);
        return await hospital.Use<ReleaseResults>().Run(patient.Id, specimen, new ReleaseResults.Form(typed, looked), await hospital.As(Role.LabTech), default);
    }

    /// <summary>Every laboratory result of the patient, as a doctor reads them.</summary>
    public static async Task<IReadOnlyList<(Observation Row, ObservedValue Value)>> Results(this TestHospital hospital, PatientRef patient)
    {
        await using var clinic = hospital.Clinic();
        var rows = clinic.Observations.Where(row => row.PatientId == patient.Id && row.Kind == ObservationKind.Laboratory).OrderBy(row => row.TakenAt).ToList();
        using var opening = await hospital.Door.Open(
            await hospital.As(Role.Doctor),
            new Request { Action = "VIEW_RESULTS", Purpose = Purpose.Treatment, Patients = [patient], Reads = [Observation.LabResults] },
            default);
        return [.. rows.Select(row => (row, opening.Read(row, Observation.ValueField)!))];
    }

    public static string Born(this TestHospital hospital, Func<DateOnly, DateOnly> back) =>
        back(DateOnly.FromDateTime(hospital.Clock.GetLocalNow().DateTime)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
