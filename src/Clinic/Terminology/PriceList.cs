using System.Collections.Frozen;
using System.Globalization;

namespace Mangrove.Clinic.Terminology;

/// <summary>One line of the starter price list. The currency is the hospital's and is not part of it.</summary>
/// <param name="Code">L- for tests, D- for products, C- for care, X- for imaging.</param>
public sealed record PriceItem(string Code, string Description, string Group, decimal Amount);

/// <summary>The prices with which a new hospital begins; the live list is in its database.</summary>
public sealed class PriceList
{
    /// <summary>The codes that the clinic's own steps charge.</summary>
    public const string Consultation = "C-0001";

    public const string Triage = "C-0101";

    private static readonly Lazy<PriceList> Shipped = new(() => new PriceList());

    private readonly PriceItem[] items;
    private readonly FrozenDictionary<string, PriceItem> byCode;

    private PriceList()
    {
        var table = DataTable.Read("price-list.txt");
        SourceNote = table.SourceNote;
        items = [.. table.Rows.Select(row => new PriceItem(row["code"], row["description"], row["group"], decimal.Parse(row["amount"], CultureInfo.InvariantCulture)))];
        byCode = items.ToFrozenDictionary(item => item.Code, StringComparer.OrdinalIgnoreCase);
    }

    public string SourceNote { get; }

    public IReadOnlyList<PriceItem> All => items;

    public static PriceList Load() => Shipped.Value;

    public PriceItem? Find(string code) => byCode.GetValueOrDefault(code.Trim());
}
