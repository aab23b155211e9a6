using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Cli.Bench;

/// <summary>
/// A doctor reads twelve fields of a patient: rows from the database, the decision with the care relationship, the entry
/// durable, the fields opened. The reference reads the same rows and opens copies of the same values, without decision
/// and entry.
/// </summary>
internal sealed class OpenBench : IBench
{
    private const int Callers = 64;
    private const int Findings = 9;
    private const int MostPatients = 256;

    private static readonly FieldUse[] Reads =
        [Patient.NameField, Patient.PersonField, Patient.ContactField, Observation.Vitals, Observation.BodyMeasures, Observation.LabResults, Observation.Others];

    public string Name => "open";

    public string Work => "64 callers read 12 fields of a patient through the door";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var sample = await ground.Sample(ground.Sizes.Patients[0]);
        var hospital = await sample.OpenWhole(cancel);
        var doctor = await sample.Actor(Role.Doctor, cancel);
        var patients = await InCare(hospital, cancel);
        using var copies = new SealedCopies();
        var sealedAnew = new List<SealedCopies.Copy>();
        foreach (var patient in patients)
        {
            sealedAnew.Add(copies.Seal(patient.Value, await Values(hospital, doctor, patient, cancel)));
        }

        var audited = new List<LoadFigures>();
        var plain = new List<LoadFigures>();
        for (var round = 0; round <= ground.Sizes.Rounds; round++)
        {
            var through = await Load.For(Callers, ground.Sizes.Round, (caller, done) => ThroughTheDoor(hospital, doctor, patients[((done * Callers) + caller) % patients.Count], cancel), cancel);
            var without = await Load.For(Callers, ground.Sizes.Round, (caller, done) => Without(hospital, patients[((done * Callers) + caller) % patients.Count], sealedAnew[((done * Callers) + caller) % patients.Count], cancel), cancel);

            // The first round brings the code to speed.
            if (round > 0)
            {
                audited.Add(through);
                plain.Add(without);
            }
        }

        var best = Load.Best(audited);
        return
        [
            BenchRow.ByRatio(Name, best.Rate, "acts/s", Load.Best(plain).Rate, 0.6, patients.Count, "n patients in care; reference: the same rows read and copies of the same values opened, without decision and entry", best.Spread),
        ];
    }

    /// <summary>Patients whom a doctor may open now and who have enough to read.</summary>
    internal static async Task<IReadOnlyList<PatientId>> InCare(Hospital hospital, CancellationToken cancel)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        var since = hospital.Clock.GetUtcNow().AddDays(-29);
        var visitors = await clinic.Visits.Where(visit => visit.Kind != VisitKind.Imported && (visit.ClosedAt == null || visit.ClosedAt >= since)).Select(visit => visit.PatientId).Distinct().Take(MostPatients).ToListAsync(cancel);
        var able = new List<PatientId>();
        foreach (var patient in visitors)
        {
            if (await clinic.Observations.CountAsync(row => row.PatientId == patient, cancel) >= Findings)
            {
                able.Add(patient);
            }
        }

        return able.Count > 0 ? able : throw new RefusedInput("bench.patients", "So few patients were made up that none has enough findings to read. Give more with --patients.");
    }

    private static async Task<(Patient Patient, List<Observation> Findings)> Rows(ClinicContext clinic, PatientId patient, CancellationToken cancel) =>
    (
        await clinic.Patients.AsNoTracking().FirstAsync(row => row.Id == patient.Value, cancel),
        await clinic.Observations.AsNoTracking().Where(row => row.PatientId == patient).OrderByDescending(row => row.TakenAt).Take(Findings).ToListAsync(cancel)
    );

    private static Task<Opening> Ask(Hospital hospital, Actor doctor, Patient patient, CancellationToken cancel) => hospital.Vault.Door.Open(
        doctor,
        new Request { Action = "VIEW_CHART", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = Reads },
        cancel);

    /// <summary>One act of a doctor: rows, decision, entry, twelve fields.</summary>
    internal static async Task ThroughTheDoor(Hospital hospital, Actor doctor, PatientId id, CancellationToken cancel)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        var (patient, findings) = await Rows(clinic, id, cancel);
        using var opening = await Ask(hospital, doctor, patient, cancel);
        Keep(opening.Read(patient, Patient.NameField));
        Keep(opening.Read(patient, Patient.PersonField));
        Keep(opening.Read(patient, Patient.ContactField));
        foreach (var finding in findings)
        {
            Keep(opening.Read(finding, Observation.ValueField));
        }
    }

    private static async Task Without(Hospital hospital, PatientId id, SealedCopies.Copy copy, CancellationToken cancel)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        await Rows(clinic, id, cancel);
        copy.Open(static (at, plain) => Keep(at switch
        {
            0 => Decoded(plain, ClinicJson.Default.PersonName),
            1 => Decoded(plain, ClinicJson.Default.BirthAndSex),
            2 => Decoded(plain, ClinicJson.Default.ContactDetails),
            _ => Decoded(plain, ClinicJson.Default.ObservedValue),
        }));
    }

    /// <summary>The values that the door gives for a patient, as they are before they are sealed.</summary>
    private static async Task<List<(string Table, string Column, byte[] Plain, Padding Padding)>> Values(Hospital hospital, Actor doctor, PatientId id, CancellationToken cancel)
    {
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        var (patient, findings) = await Rows(clinic, id, cancel);
        using var opening = await Ask(hospital, doctor, patient, cancel);
        var person = JsonSerializer.SerializeToUtf8Bytes(opening.Read(patient, Patient.PersonField)!, ClinicJson.Default.BirthAndSex);
        return
        [
            .. SealedCopies.Demographics(opening.Read(patient, Patient.NameField)!, person, opening.Read(patient, Patient.ContactField)),
            .. findings.Select(finding => (
                "observation",
                "value",
                JsonSerializer.SerializeToUtf8Bytes(opening.Read(finding, Observation.ValueField)!, ClinicJson.Default.ObservedValue),
                Padding.Padme)),
        ];
    }

    private static T Decoded<T>(byte[] plain, JsonTypeInfo<T> type)
        where T : class => JsonSerializer.Deserialize(plain, type)!;

    // A value nobody looks at could be left out by the compiler.
    private static void Keep(object? value) => GC.KeepAlive(value);
}
