using System.Globalization;

namespace Mangrove.Web.Parts;

/// <summary>How drawings and figures write numbers, whatever the language of the server.</summary>
public static class Svg
{
    /// <summary>A coordinate: one decimal, a point.</summary>
    public static string N(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>A clinical figure: no trailing zero, a leading zero, a comma from 1,000.</summary>
    public static string Figure(decimal value) => value.ToString("#,##0.########", CultureInfo.InvariantCulture);
}
