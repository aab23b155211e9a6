using System.Collections.Frozen;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Mangrove.Clinic.Terminology;

/// <summary>The generic medicines of the formulary, found by name, synonym, code, RxNorm or price code. Immutable.</summary>
public sealed partial class MedicineCatalogue
{
    private static readonly Lazy<MedicineCatalogue> Shipped = new(() => new MedicineCatalogue());

    private readonly Medicine[] medicines;
    private readonly FrozenDictionary<string, Medicine> byCode;
    private readonly FrozenDictionary<string, Medicine> byRxNorm;
    private readonly FrozenDictionary<string, Medicine> byPlainName;
    private readonly FrozenDictionary<string, (Medicine Medicine, MedicineProduct Product)> byPriceCode;
    private readonly PhraseFinder<Medicine> names;
    private readonly WordIndex index;

    private MedicineCatalogue()
    {
        Groups = DataTable.Read("medicine-groups.txt").Rows.Select(row => new MedicineGroup(
            row["group"],
            row["name"],
            row["allergy"] == "y",
            row["duplicate"].Length == 0 ? null : Enum.Parse<SafetyGrade>(row["duplicate"]),
            row.List("synonyms", ';'))).ToFrozenDictionary(group => group.Code, StringComparer.Ordinal);
        var table = DataTable.Read("medicines.txt");
        SourceNote = table.SourceNote;
        medicines = [.. table.Rows.Select(Read)];
        byCode = medicines.ToFrozenDictionary(medicine => medicine.Code, StringComparer.OrdinalIgnoreCase);
        byRxNorm = medicines.Where(medicine => medicine.RxNorm is not null).ToFrozenDictionary(medicine => medicine.RxNorm!, StringComparer.Ordinal);
        byPriceCode = medicines.SelectMany(medicine => medicine.Products, (medicine, product) => (medicine, product))
            .ToFrozenDictionary(pair => pair.product.PriceCode, StringComparer.OrdinalIgnoreCase);
        byPlainName = medicines.SelectMany(medicine => medicine.Synonyms.Prepend(medicine.Name), (medicine, name) => (medicine, name: Words.Plain(name)))
            .Distinct() // cephalexin and cefalexin fold into one spelling
            .ToFrozenDictionary(pair => pair.name, pair => pair.medicine, StringComparer.Ordinal);
        names = new PhraseFinder<Medicine>(medicines.SelectMany(medicine => medicine.Synonyms.Prepend(medicine.Name), (medicine, name) => (name, medicine)));
        var builder = new WordIndex.Builder();
        foreach (var medicine in medicines)
        {
            builder.Add(medicine.Name, medicine.Synonyms.Append(medicine.SubClass.Name), common: false);
        }

        index = builder.Build();
    }

    /// <summary>Where the table came from and that the pharmacist must review it; screens show it.</summary>
    public string SourceNote { get; }

    public IReadOnlyList<Medicine> All => medicines;

    public IReadOnlyDictionary<string, MedicineGroup> Groups { get; }

    public static MedicineCatalogue Load() => Shipped.Value;

    public Medicine? Find(string code) => byCode.GetValueOrDefault(code.Trim());

    public Medicine? ByRxNorm(string code) => byRxNorm.GetValueOrDefault(code.Trim());

    /// <summary>The medicine of a name or synonym, exactly but for case and spelling of either side of the Atlantic.</summary>
    public Medicine? ByName(string name) => byPlainName.GetValueOrDefault(Words.Plain(name));

    /// <summary>Medicine and product of a price code; null when there is none.</summary>
    public (Medicine Medicine, MedicineProduct Product)? ByPriceCode(string code) =>
        byPriceCode.TryGetValue(code.Trim(), out var found) ? found : null;

    public IReadOnlyList<Medicine> Search(string text, int most, Func<string, int>? usesHere = null)
    {
        if (text.Length > 200)
        {
            text = text[..200];
        }

        Func<int, int>? boost = usesHere is null ? null : at => Math.Min(48, 8 * (int)Math.Log2(Math.Max(0, usesHere(medicines[at].Code)) + 1));
        return [.. index.Search(text, most, boost).Select(at => medicines[at])];
    }

    /// <summary>
    /// The medicines named anywhere in a text of another system ("Acetaminophen 325 MG Oral Tablet"); one typing error
    /// is allowed in names of six letters or more. Longer names win over the shorter ones inside them.
    /// </summary>
    public IReadOnlyList<Medicine> NamedIn(string text) => names.Find(text);

    private Medicine Read(DataRow row)
    {
        var number = row["number"];
        var flags = row["flags"];
        return new Medicine(
            "M-" + number,
            row["name"],
            Products(row, number),
            row.List("routes", ' '),
            row["atc"],
            [.. row.List("groups", ' ').Select(code => Groups.TryGetValue(code, out var group) ? group : throw row.Wrong($"there is no group {code}."))],
            row["rxnorm"].Length == 0 ? null : row["rxnorm"],
            row["adult"],
            Milligrams(row["max"]),
            Paediatric(row),
            flags.Contains('P', StringComparison.Ordinal),
            flags.Contains('X', StringComparison.Ordinal),
            flags.Contains('C', StringComparison.Ordinal),
            flags.Contains('R', StringComparison.Ordinal),
            flags.Contains('H', StringComparison.Ordinal),
            row.List("synonyms", ';'));
    }

    private static List<MedicineProduct> Products(DataRow row, string number)
    {
        var products = new List<MedicineProduct>();
        foreach (var group in row.List("forms", ';'))
        {
            var match = FormAndStrengths().Match(group);
            if (!match.Success)
            {
                throw row.Wrong($"\"{group}\" is not a form with strengths.");
            }

            foreach (var strength in StrengthComma().Split(match.Groups["strengths"].Value))
            {
                products.Add(new MedicineProduct(
                    string.Create(CultureInfo.InvariantCulture, $"D-{number}{products.Count + 1}"),
                    match.Groups["form"].Value,
                    strength));
            }
        }

        return products;
    }

    private static decimal? Milligrams(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }

        var parts = text.Split(' ');
        var amount = decimal.Parse(parts[0], CultureInfo.InvariantCulture);
        return parts[1] == "mcg" ? amount / 1000m : amount;
    }

    private static PaediatricDose? Paediatric(DataRow row)
    {
        if (row["paed"].Length == 0)
        {
            return null;
        }

        var match = PaediatricText().Match(row["paed"]);
        if (!match.Success)
        {
            throw row.Wrong($"\"{row["paed"]}\" is not a dose for children.");
        }

        decimal Number(string group) => decimal.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
        var low = Number("low");
        return new PaediatricDose(
            low,
            match.Groups["high"].Success ? Number("high") : low,
            (int)Number("times"),
            match.Groups["most"].Success ? Number("most") : null);
    }

    [GeneratedRegex(@"^(?<form>[^\d]+?) (?<strengths>\d.*)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex FormAndStrengths();

    // A comma between figures is one of thousands (100,000 IU); only a comma behind a unit parts two strengths.
    [GeneratedRegex(@"(?<=[A-Za-z%]),(?=\d)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex StrengthComma();

    [GeneratedRegex(@"^(?<low>[\d.]+)(-(?<high>[\d.]+))?x(?<times>\d+)(<(?<most>[\d.]+))?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PaediatricText();
}
