using Mangrove.Clinic.Terminology;

namespace Mangrove.Cli.Demo;

/// <summary>Holds the sample's conditions against the terminologies: a code that is not there would fail only when it is drawn.</summary>
public static class SampleLists
{
    public static IReadOnlyList<string> Unknown()
    {
        var unknown = new List<string>();
        foreach (var condition in Condition.All)
        {
            if (Icd10Catalogue.Load().Find(condition.Icd10) is null)
            {
                unknown.Add(condition.Icd10);
            }

            unknown.AddRange(condition.Tests.Select(test => test.Code).Where(code => LaboratoryCatalogue.Load().Find(code) is null));
            foreach (var usual in condition.Medicines)
            {
                if (MedicineCatalogue.Load().ByName(usual.Name) is not { } medicine || Frequency.Find(usual.Frequency) is null || Route.Find(usual.Route) is null)
                {
                    unknown.Add(usual.Name);
                }
                else if (!$"{Course.ProductOf(medicine, usual).Form} {Course.ProductOf(medicine, usual).Strength}".Contains(usual.Product, StringComparison.OrdinalIgnoreCase))
                {
                    unknown.Add($"{usual.Name} {usual.Product}");
                }
            }
        }

        return unknown;
    }
}
