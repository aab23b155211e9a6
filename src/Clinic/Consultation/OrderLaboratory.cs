using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>Sends tests to the laboratory before the note is signed, so that it starts while the patient waits.</summary>
public sealed class OrderLaboratory(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    /// <returns>The orders made; a test that is open for this visit already is not ordered twice.</returns>
    public async Task<Result<IReadOnlyList<LabOrder>>> Run(PatientId patientId, Guid visitId, IReadOnlyList<OrderDraft> drafts, Actor actor, CancellationToken cancel)
    {
        if (await VisitOfPatient.Find(clinic, patientId, visitId, cancel) is not { Visit: var visit, Patient: var patient })
        {
            return Missing.Visit;
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "ORDER_LABORATORY",
                Purpose = Purpose.Treatment,
                Patients = [patient.Ref],
                Reads = [LabOrder.LineField],
                Writes = [LabOrder.LineField],
            },
            cancel);
        // Only now: what is wrong with the form is told to those who may know that the patient is here.
        if (drafts.Count == 0)
        {
            return new Error("laboratory.nothing-chosen", "Choose at least one test.");
        }

        if (drafts.Count > ConsultationForm.MostLines || LaboratoryRequest.Resolve(drafts) is not { } tests)
        {
            return LaboratoryRequest.UnknownTest;
        }

        if (visit.Status != VisitStatus.InConsultation || visit.Doctor != actor.Staff)
        {
            return SignConsultation.NotYours(visit);
        }

        var left = await NotOpenYet(clinic, opening, visit, tests, cancel);
        if (left.Count == 0)
        {
            return Array.Empty<LabOrder>();
        }

        var orders = await LaboratoryRequest.Place(clinic, opening, visit, left, actor, clock.GetUtcNow(), cancel);
        await clinic.SaveChangesAsync(cancel);
        events.Changed(Station.Laboratory, Station.Doctor);
        return Result(orders);
    }

    /// <summary>Those of the tests that the visit has no open order for.</summary>
    internal static async Task<IReadOnlyList<(Terminology.LaboratoryTest Test, bool Urgent)>> NotOpenYet(
        ClinicContext clinic, Opening opening, Visit visit, IReadOnlyList<(Terminology.LaboratoryTest Test, bool Urgent)> tests, CancellationToken cancel)
    {
        var open = await clinic.LabOrders.AsNoTracking()
            .Where(row => row.VisitId == visit.Id && (row.Status == LabOrderStatus.Ordered || row.Status == LabOrderStatus.Received))
            .ToListAsync(cancel);
        var codes = open.Select(row => opening.Read(row, LabOrder.LineField)?.TestCode).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        return [.. tests.Where(one => !codes.Contains(one.Test.Code))];
    }

    // An interface has no implicit conversion into a result.
    private static Result<IReadOnlyList<LabOrder>> Result(IReadOnlyList<LabOrder> orders) => orders.ToArray();
}
