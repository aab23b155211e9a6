using System.Text;
using System.Text.RegularExpressions;
using Mangrove.Tests.Acceptance.Look;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// The ceremony of recovery sheets in a real browser: made, printed one to a page, gone from the screen, read back from the
/// paper and tried, on pages that fit and that axe has nothing against.
/// </summary>
public sealed partial class SharesDayTests(LookHost look) : ProductDay(look)
{
    private readonly List<string> wrong = [];

    [Fact]
    public async Task An_administrator_makes_prints_reads_back_and_tries_a_set_of_sheets()
    {
        await Product.Run("demo", "--patients", "3", "--seed", "5", "--data", Data, "--json");
        var codes = await RecoveryCodes();

        var (user, file) = DayHospital.AccountIn(Data, "admin", Root);
        var address = (await Product.Serve(["--data", Data], "localhost")).ToString();
        await using var context = await Host.Browser.NewContextAsync(Contexts.Window(address));
        var page = await context.NewPageAsync();
        await page.GotoAsync("/sign-in");
        await page.GetByTestId("username").FillAsync(user);
        await page.GetByTestId("password").FillAsync(await File.ReadAllTextAsync(file));
        await page.GetByTestId("sign-in").ClickAsync();
        await page.SecondStep(() => codes[0]);

        await page.GotoAsync("/admin/keys/shares");
        await Looks("none");
        await page.GetByTestId("holders").SelectOptionAsync("3");
        await page.GetByTestId("needed").SelectOptionAsync("2");
        await page.GetByTestId("code").FillAsync(codes[1]);
        await page.Keyboard.PressAsync("Alt+M");
        var sheets = await Paper.Read(page, 3);
        Assert.All(sheets.SelectMany(sheet => sheet), line => Assert.Matches("^[A-Z2-7]{16}$", line));
        await Fits("sheets");

        // On paper: one sheet to a page, and nothing of the screen.
        var paper = Encoding.Latin1.GetString(await page.PdfAsync(new PagePdfOptions { Format = "A4" }));
        Assert.Equal(3, PdfPage().Count(paper));
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });
        Assert.False(await page.GetByTestId("made").IsVisibleAsync());
        Assert.False(await page.GetByTestId("printed").IsVisibleAsync());
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Screen });

        // Going on, going back and loading again: the letters are nowhere.
        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("read-back")).ToBeVisibleAsync();
        await Looks("begun");
        await Nothing();
        await page.GoBackAsync();
        await Nothing();
        await page.GotoAsync("/admin/keys/shares");

        // A group is typed from each sheet; a wrong one is named.
        var groups = await Paper.Groups(page, sheets);
        for (var sheet = 0; sheet < 3; sheet++)
        {
            await page.Locator($"[name=group-{sheet + 1}]").FillAsync(sheet == 2 ? "0000" : groups[sheet].ToLowerInvariant());
        }

        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("error-code")).ToHaveTextAsync("shares.read-back");
        await Fits("read-wrong");
        await page.Locator("[name=group-3]").FillAsync(groups[2]);
        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("done")).ToContainTextAsync("read back");

        // A line that was mistyped is named, and the rest stays.
        await page.GetByTestId("sheet-1").FillAsync(string.Join('\n', sheets[2]).ToLowerInvariant());
        await page.GetByTestId("sheet-2").FillAsync(string.Join('\n', [.. sheets[0][..3], "AAAABBBBCCCCDDDD", sheets[0][4]]));
        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("error")).ToContainTextAsync("Line 4 of sheet 2 ");
        await Fits("mistyped");
        Assert.Contains(sheets[2][0], (await page.GetByTestId("sheet-1").InputValueAsync()).ToUpperInvariant(), StringComparison.Ordinal);
        await page.GetByTestId("sheet-2").FillAsync(string.Join(' ', sheets[0]));
        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("in-force")).ToContainTextAsync("any 2 of 3 sheets");
        await Assertions.Expect(page.GetByTestId("begun")).ToHaveCountAsync(0);
        await Looks("in-force");
        await Nothing();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));

        async Task Nothing()
        {
            var shown = Spaces().Replace(await page.ContentAsync(), "");
            Assert.All(sheets.SelectMany(sheet => sheet), line => Assert.DoesNotContain(line, shown, StringComparison.OrdinalIgnoreCase));
        }

        // The page as it stands; an answer that is shown once cannot be loaded again in another theme.
        async Task Fits(string name)
        {
            foreach (var width in new[] { 1280, 820 })
            {
                await page.SetViewportSizeAsync(width, 900);
                await Note($"{name} {width}");
            }

            await page.SetViewportSizeAsync(1280, 900);
        }

        async Task Looks(string name)
        {
            foreach (var (theme, dir) in new[] { ("dark", "ltr"), ("light", "rtl"), ("light", "ltr") })
            {
                await Contexts.Screen(context, address, theme, dir);
                await page.ReloadAsync();
                await Fits($"{name} {theme} {dir}");
            }
        }

        async Task Note(string where)
        {
            wrong.AddRange((await Accessibility.Violations(page)).Select(one => $"{where}: {one}"));
            wrong.AddRange((await Contexts.Misfits(page)).Select(one => $"{where}: {one}"));
        }
    }

    [GeneratedRegex(@"/Type\s*/Page\b", RegexOptions.None, 10_000)]
    private static partial Regex PdfPage();

    [GeneratedRegex(@"\s+", RegexOptions.None, 10_000)]
    private static partial Regex Spaces();
}
