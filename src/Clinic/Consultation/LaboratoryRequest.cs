using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Consultation;

/// <summary>Turns chosen tests into orders: one specimen number for each kind of specimen and urgency.</summary>
internal static class LaboratoryRequest
{
    public static Error UnknownTest { get; } = new("laboratory.unknown-test", "A test is not in the laboratory's list. Remove it and choose another.");

    /// <summary>The tests, each once; an urgent wish wins. Null when a code is not in the list.</summary>
    public static IReadOnlyList<(LaboratoryTest Test, bool Urgent)>? Resolve(IReadOnlyList<OrderDraft> drafts)
    {
        var catalogue = LaboratoryCatalogue.Load();
        var tests = new List<(LaboratoryTest Test, bool Urgent)>();
        foreach (var group in drafts.GroupBy(draft => draft.Test, StringComparer.OrdinalIgnoreCase))
        {
            if (catalogue.Find(group.Key) is not { } test)
            {
                return null;
            }

            tests.Add((test, group.Any(draft => draft.Urgent)));
        }

        return tests;
    }

    public static async Task<IReadOnlyList<LabOrder>> Place(
        ClinicContext clinic, Opening opening, Visit visit, IReadOnlyList<(LaboratoryTest Test, bool Urgent)> tests, Actor actor, DateTimeOffset now, CancellationToken cancel)
    {
        var orders = new List<LabOrder>();
        var year = now.ToString("yy", CultureInfo.InvariantCulture);
        foreach (var specimen in tests.GroupBy(one => (one.Test.Specimen, one.Urgent)))
        {
            var number = await clinic.Next("specimen:" + year, cancel);
            foreach (var (test, urgent) in specimen)
            {
                var order = new LabOrder
                {
                    PatientId = visit.PatientId,
                    VisitId = visit.Id,
                    Urgent = urgent,
                    SpecimenNumber = string.Create(CultureInfo.InvariantCulture, $"{year}-{number:00000}"),
                    OrderedAt = now,
                    By = actor.Staff,
                };
                opening.Set(order, LabOrder.LineField, new LabOrderLine(test.Code, test.Name, test.Specimen));
                clinic.LabOrders.Add(order);
                orders.Add(order);
            }
        }

        return orders;
    }
}
