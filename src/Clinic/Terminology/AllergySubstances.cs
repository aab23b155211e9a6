namespace Mangrove.Clinic.Terminology;

/// <summary>A substance offered when an allergy is recorded.</summary>
/// <param name="Category">Medicine, Food, Material or Environment.</param>
/// <param name="Groups">Groups of medicines that the substance stands for.</param>
/// <param name="CautionGroups">Groups of medicines that only deserve a note.</param>
public sealed record AllergySubstance(string Code, string Name, string Category, IReadOnlyList<string> Groups, IReadOnlyList<string> CautionGroups, IReadOnlyList<string> Synonyms);

/// <summary>The pick list of an allergy record: groups of medicines, foods, materials, environment; single medicines come from the formulary.</summary>
public sealed class AllergySubstances
{
    private static readonly Lazy<AllergySubstances> Shipped = new(() => new AllergySubstances());

    private readonly AllergySubstance[] substances;
    private readonly WordIndex index;
    private readonly PhraseFinder<AllergySubstance> names;

    private AllergySubstances()
    {
        var table = DataTable.Read("allergy-substances.txt");
        SourceNote = table.SourceNote;
        substances = [.. table.Rows.Select(row => new AllergySubstance(
            row["code"],
            row["name"],
            row["category"],
            row.List("groups", ' '),
            row.List("caution", ' '),
            row.List("synonyms", ';')))];
        var builder = new WordIndex.Builder();
        foreach (var substance in substances)
        {
            builder.Add(substance.Name, substance.Synonyms, common: false);
        }

        index = builder.Build();
        names = new PhraseFinder<AllergySubstance>(substances.SelectMany(one => one.Synonyms.Prepend(one.Name), (one, name) => (name, one)));
    }

    public string SourceNote { get; }

    public IReadOnlyList<AllergySubstance> All => substances;

    public static AllergySubstances Load() => Shipped.Value;

    public AllergySubstance? Find(string code) => substances.FirstOrDefault(one => one.Code.Equals(code.Trim(), StringComparison.OrdinalIgnoreCase));

    public IReadOnlyList<AllergySubstance> Search(string text, int most) => [.. index.Search(text, most).Select(at => substances[at])];

    /// <summary>The substances named anywhere in a text: "Allergy to mould", "Latex allergy".</summary>
    public IReadOnlyList<AllergySubstance> NamedIn(string text) => names.Find(text);
}
