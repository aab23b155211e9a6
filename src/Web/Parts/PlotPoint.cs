namespace Mangrove.Web.Parts;

/// <summary>A point of a trend.</summary>
/// <param name="Label">When: short, as it stands under the axis.</param>
/// <param name="Value">In the unit of the plot.</param>
/// <param name="Finding">Judged when it was measured, by the range of that age and sex.</param>
public sealed record PlotPoint(string Label, decimal Value, Finding Finding = Finding.None);

/// <summary>A reference range; one end may be open.</summary>
public sealed record Band(decimal? Low, decimal? High);

/// <summary>Maps values to heights so that every value and every limit of the band is inside.</summary>
internal readonly struct Scale
{
    private readonly double low, high, top, bottom;

    public Scale(IEnumerable<decimal> values, Band? band, double top, double bottom, double margin)
    {
        var all = values.Select(v => (double)v).ToList();
        if (band?.Low is { } l)
        {
            all.Add((double)l);
        }

        if (band?.High is { } h)
        {
            all.Add((double)h);
        }

        low = all.Count == 0 ? 0 : all.Min();
        high = all.Count == 0 ? 1 : all.Max();
        var room = (high - low) * margin;
        low -= room;
        high += room;
        this.top = top;
        this.bottom = bottom;
    }

    /// <summary>A flat line stands in the middle.</summary>
    public double Y(decimal value) => high > low ? bottom - (((double)value - low) / (high - low) * (bottom - top)) : (top + bottom) / 2;

    public double Top(Band band) => band.High is { } h ? Y(h) : top;

    public double Bottom(Band band) => band.Low is { } l ? Y(l) : bottom;
}
