using System.Globalization;

namespace Mangrove.Clinic.Billing;

/// <summary>Reads an amount as people type it: <c>1000</c>, <c>1,000</c>, <c>1,000.50</c>. Exact, never through a float.</summary>
public static class AmountText
{
    public static decimal? Read(string? text)
    {
        var typed = text?.Trim().Replace(" ", string.Empty, StringComparison.Ordinal);
        if (string.IsNullOrEmpty(typed))
        {
            return null;
        }

        // A comma is a separator of thousands only where thousands are: 12,50 is not twelve hundred and fifty.
        var whole = typed.Split('.')[0];
        var groups = whole.Split(',');
        if (groups.Length > 1 && (groups[0].Length is 0 or > 3 || groups.Skip(1).Any(group => group.Length != 3)))
        {
            return null;
        }

        return decimal.TryParse(typed, NumberStyles.AllowDecimalPoint | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var amount) ? amount : null;
    }
}
