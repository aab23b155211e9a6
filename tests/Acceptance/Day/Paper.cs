using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>What a holder does with a recovery sheet: takes it from the printer, and reads a group of it back.</summary>
internal static partial class Paper
{
    private const int LinesOfSheet = 5;
    private const int LettersOfGroup = 4;

    /// <summary>The sheets as they are printed, line by line.</summary>
    public static async Task<string[][]> Read(IPage page, int sheets)
    {
        await Assertions.Expect(page.GetByTestId("sheet")).ToHaveCountAsync(sheets);
        return [.. (await page.GetByTestId("line").AllInnerTextsAsync()).Select(line => Spaces().Replace(line, "")).Chunk(LinesOfSheet)];
    }

    /// <summary>The group that the page asks for of each sheet.</summary>
    public static async Task<string[]> Groups(IPage page, string[][] sheets)
    {
        await Assertions.Expect(page.GetByTestId("read-back")).ToBeVisibleAsync();
        var asked = (await page.GetByTestId("read-back").Locator(".form-hint").AllInnerTextsAsync())
            .Select(hint => Number().Matches(hint).Select(match => int.Parse(match.Value, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        return [.. sheets.Select((sheet, at) => sheet[asked[at][0] - 1].Substring((asked[at][1] - 1) * LettersOfGroup, LettersOfGroup))];
    }

    /// <summary>Types what the page asks for and sends it.</summary>
    public static async Task ReadBack(IPage page, string[][] sheets)
    {
        var groups = await Groups(page, sheets);
        for (var sheet = 0; sheet < sheets.Length; sheet++)
        {
            await page.Locator($"[name=group-{sheet + 1}]").FillAsync(groups[sheet]);
        }

        await page.Keyboard.PressAsync("Control+Enter");
    }

    [GeneratedRegex(@"\s+", RegexOptions.None, 10_000)]
    private static partial Regex Spaces();

    [GeneratedRegex("[0-9]+", RegexOptions.None, 10_000)]
    private static partial Regex Number();
}
