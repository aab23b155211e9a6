using System.Globalization;
using System.Security.Cryptography;
using Mangrove.Sealing;

namespace Mangrove.Tests.Sealing;

public sealed class RecoveryShareTests
{
    private const long Set = 0x3f2a91c07b44;

    private static string[] Sheets(KeyMaterial key, int threshold = 3, int count = 5, long set = Set) =>
        [.. RecoveryShare.Split(key, set, threshold, count).Select(share => string.Join('\n', share.Text()))];

    private static RecoveryShare[] Read(IEnumerable<string> sheets) => [.. sheets.Select((sheet, index) => RecoveryShare.Parse(sheet, index + 1).Value)];

    [Fact]
    public void The_letters_stand_where_the_format_document_says()
    {
        // Read by hand from docs/formats/recovery.md, without the parser.
        using var key = KeyMaterial.Generate();
        var shares = RecoveryShare.Split(key, Set, 3, 5);
        var raw = new List<byte[]>();
        foreach (var share in shares)
        {
            var lines = share.Text();
            Assert.Equal(5, lines.Count);
            Assert.All(lines, line => Assert.Matches("^([A-Z2-7]{4} ){3}[A-Z2-7]{4}$", line));
            var bytes = lines.Select(line =>
            {
                Assert.True(Base32.TryDecode(line.Replace(" ", "", StringComparison.Ordinal), out var decoded));
                return decoded;
            }).ToList();
            var head = bytes[0][..8];
            Assert.Equal(Convert.FromHexString(string.Create(CultureInfo.InvariantCulture, $"124{share.Number - 1}3f2a91c07b44")), head);
            for (var line = 0; line < 5; line++)
            {
                var check = SHA256.HashData([.. "mangrove/share-line/1"u8, (byte)line, .. head, .. bytes[line][..8]]);
                Assert.Equal(check[..2], bytes[line][8..]);
            }

            raw.Add([(byte)share.Number, .. bytes.Skip(1).SelectMany(line => line[..8])]);
        }

        Assert.Equal(key.Bytes.ToArray(), SecretShares.Combine(raw[1..4]));
        Assert.Equal("3F2A 91C0 7B44", RecoveryShare.NameOf(Set));
        Assert.Equal("sheet 1 of set 3F2A 91C0 7B44", shares[0].ToString());
    }

    [Fact]
    public void Any_sheets_that_are_enough_give_the_key()
    {
        using var key = KeyMaterial.Generate();
        var sheets = Sheets(key);
        foreach (var chosen in new[] { new[] { 0, 1, 2 }, [4, 2, 0], [0, 1, 2, 3, 4] })
        {
            using var back = RecoveryShare.Combine(Read(chosen.Select(index => sheets[index]))).Value;
            Assert.Equal(key.Bytes.ToArray(), back.Bytes.ToArray());
        }

        using var all = KeyMaterial.Generate();
        using var whole = RecoveryShare.Combine(Read(Sheets(all, 16, 16))).Value;
        Assert.Equal(all.Bytes.ToArray(), whole.Bytes.ToArray());
    }

    [Fact]
    public void A_sheet_is_read_however_it_is_typed()
    {
        using var key = KeyMaterial.Generate();
        foreach (var sheet in Enumerable.Range(0, 40).SelectMany(_ => Sheets(key, 2, 2)))
        {
            using var share = RecoveryShare.Parse(sheet, 1).Value;
            var lines = sheet.Split('\n');
            string[] typed =
            [
                sheet.ToLowerInvariant(),
                sheet.Replace(" ", "", StringComparison.Ordinal),
                sheet.Replace("\n", "\r\n\r\n", StringComparison.Ordinal) + "\r\n",
                sheet.Replace('\n', ' '),
                sheet.Replace(' ', '-').Replace('\n', '-'),
                sheet.Replace('O', '0').Replace('B', '8'),
                string.Join('\n', lines.Select((line, index) => string.Create(CultureInfo.InvariantCulture, $"{index + 1}  {line}"))),
                string.Join('\n', lines.Select(line => Few(line, 'I'))),
                string.Join('\n', lines.Select(line => Few(line, 'L'))),
            ];
            Assert.All(typed, one => Assert.Equal(share.Text(), RecoveryShare.Parse(one, 1).Value.Text()));
        }

        // As many ones as are tried; a line with more of them is rare and is named.
        static string Few(string line, char letter) => line.Count(sign => sign == letter) <= 4 ? line.Replace(letter, '1') : line;
    }

    [Fact]
    public void A_slip_is_named_by_its_line()
    {
        using var key = KeyMaterial.Generate();
        var lines = Sheets(key, 2, 3)[1].Split('\n');
        for (var line = 0; line < 5; line++)
        {
            var text = lines[line].Replace(" ", "", StringComparison.Ordinal);
            string[] slips =
            [
                (text[0] == 'A' ? 'C' : 'A') + text[1..],
                text[..^1] + (text[^1] == '7' ? '6' : '7'),
                text[..7] + text[8..],
                text + "A",
                text[..3] + "é" + text[4..],
                text[..4] + "9999" + text[8..],
                text[..4] + "11111111" + text[12..],
            ];
            foreach (var slip in slips)
            {
                string[] typed = [.. lines];
                typed[line] = slip;
                var refused = RecoveryShare.Parse(string.Join('\n', typed), 7).Error!;
                Assert.Equal("shares.mistyped", refused.Code);
                Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"Line {line + 1} of sheet 7 "), refused.Message, StringComparison.Ordinal);
                Assert.DoesNotContain(text[..4], refused.Message, StringComparison.Ordinal);
            }
        }

        Assert.StartsWith("Line 1 ", RecoveryShare.Parse("", 1).Error!.Message, StringComparison.Ordinal);
        Assert.StartsWith("Line 4 ", RecoveryShare.Parse(string.Join('\n', lines[..3]), 1).Error!.Message, StringComparison.Ordinal);
        Assert.Equal("shares.mistyped", RecoveryShare.Parse(string.Join(' ', [.. lines, "AAAA"]), 1).Error!.Code);
    }

    [Fact]
    public void Lines_of_two_sheets_do_not_mix_and_swapped_ones_are_named()
    {
        using var key = KeyMaterial.Generate();
        var sheets = Sheets(key, 2, 3);
        var (one, two) = (sheets[0].Split('\n'), sheets[1].Split('\n'));
        Assert.StartsWith("Line 3 ", RecoveryShare.Parse(string.Join('\n', one[0], one[1], two[2], one[3], one[4]), 1).Error!.Message, StringComparison.Ordinal);
        Assert.StartsWith("Line 2 ", RecoveryShare.Parse(string.Join('\n', one[0], one[2], one[1], one[3], one[4]), 1).Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_wrong_letter_is_found()
    {
        const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        using var key = KeyMaterial.Generate();
        var sheet = Sheets(key, 2, 2)[0];
        var missed = 0;
        for (var at = 0; at < sheet.Length; at++)
        {
            foreach (var letter in Letters.Where(letter => char.IsAsciiLetterOrDigit(sheet[at]) && letter != sheet[at]))
            {
                missed += RecoveryShare.Parse($"{sheet[..at]}{letter}{sheet[(at + 1)..]}", 1).Ok ? 1 : 0;
            }
        }

        // 2,480 slips against a check of 16 bits: one in 26 sheets has one that passes, and none has five.
        Assert.InRange(missed, 0, 4);
    }

    [Fact]
    public void Sheets_that_do_not_go_together_are_refused()
    {
        using var key = KeyMaterial.Generate();
        var sheets = Sheets(key);
        var others = Sheets(key, set: Set + 1);
        Assert.Equal("shares.too-few", RecoveryShare.Combine(Read(sheets[..2])).Error!.Code);
        Assert.Equal("shares.too-few", RecoveryShare.Combine([]).Error!.Code);
        Assert.Equal("shares.doubled", RecoveryShare.Combine(Read([sheets[0], sheets[1], sheets[0]])).Error!.Code);
        Assert.Equal("shares.other-set", RecoveryShare.Combine(Read([sheets[0], sheets[1], others[2]])).Error!.Code);
        Assert.Equal("shares.other-set", RecoveryShare.Combine(Read([sheets[0], sheets[1], Sheets(key, 2, 5)[2]])).Error!.Code);
    }

    [Fact]
    public void A_group_is_read_back_as_it_stands()
    {
        Assert.True(RecoveryShare.SameGroup("OBIL", "obil"));
        Assert.True(RecoveryShare.SameGroup("OBIL", " 08 1l "));
        Assert.True(RecoveryShare.SameGroup("OBIL", "0811"));
        Assert.False(RecoveryShare.SameGroup("OBIL", "OBIM"));
        Assert.False(RecoveryShare.SameGroup("OBIL", "OBI"));
        Assert.False(RecoveryShare.SameGroup("OBIL", ""));
        Assert.False(RecoveryShare.SameGroup("OBIL", "OBILA"));
    }

    [Fact]
    public void A_share_is_gone_after_it_is_disposed()
    {
        using var key = KeyMaterial.Generate();
        var share = RecoveryShare.Split(key, Set, 2, 2)[0];
        share.Dispose();
        share.Dispose();
        Assert.Throws<ObjectDisposedException>(share.Text);
        Assert.ThrowsAny<ArgumentException>(() => RecoveryShare.Split(key, 1L << 48, 2, 2));
        Assert.ThrowsAny<ArgumentException>(() => RecoveryShare.Split(key, -1, 2, 2));
    }
}
