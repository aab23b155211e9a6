using System.Globalization;
using System.Text;
using QRCoder;

namespace Mangrove.Web.Desk;

/// <summary>Draws a QR code (ISO/IEC 18004, error correction M) as the path of an SVG, with its quiet zone of four modules.</summary>
internal static class QrPath
{
    public static (int Side, string Path) Of(string text)
    {
        using var data = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var rows = data.ModuleMatrix;
        var path = new StringBuilder();
        for (var y = 0; y < rows.Count; y++)
        {
            for (var x = 0; x < rows.Count; x++)
            {
                if (!rows[y][x])
                {
                    continue;
                }

                var end = x;
                while (end < rows.Count && rows[y][end])
                {
                    end++;
                }

                path.Append(CultureInfo.InvariantCulture, $"M{x} {y}h{end - x}v1h-{end - x}z");
                x = end;
            }
        }

        return (rows.Count, path.ToString());
    }
}
