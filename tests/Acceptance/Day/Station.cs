using System.Collections.Concurrent;
using Mangrove.Kernel;
using Mangrove.Tests.Acceptance.Look;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>One role before its browser, with a profile on disk as at a real station.</summary>
internal sealed class Station : IAsyncDisposable
{
    private readonly IBrowserContext context;
    private readonly Role role;

    private Station(IBrowserContext context, Role role, IPage page)
    {
        this.context = context;
        this.role = role;
        Page = page;
        Complaints = Contexts.Complaints(page);
    }

    public IPage Page { get; }

    /// <summary>Errors of pages and console since the sign-in.</summary>
    public ConcurrentQueue<string> Complaints { get; }

    public static async Task<Station> Open(IPlaywright playwright, Uri address, Role role, string user, string password, Func<string> code, string? mistyped, string profile, string temporary)
    {
        var window = await playwright.Chromium.LaunchPersistentContextAsync(profile, new BrowserTypeLaunchPersistentContextOptions
        {
            ExecutablePath = Environment.GetEnvironmentVariable("MANGROVE_BROWSER") ?? "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
            BaseURL = address.ToString(),
            IgnoreHTTPSErrors = true,
            ViewportSize = new ViewportSize { Width = 1440, Height = 900 },
            Env = Surroundings(temporary),
        });
        window.SetDefaultTimeout(10_000);
        await window.AddCookiesAsync([new Cookie { Name = "__Host-mangrove-screen", Value = "light.ltr.letters", Url = address.ToString(), Secure = true }]);
        var station = new Station(window, role, window.Pages[0]);
        await station.Page.GotoAsync("/");
        await station.Page.GetByTestId("username").FillAsync(user);
        if (mistyped is not null)
        {
            await station.Page.GetByTestId("password").FillAsync(mistyped);
            await station.Press("sign-in");
            await Assertions.Expect(station.Page.GetByTestId("error")).ToBeVisibleAsync();
            // The browser's console names an answer of 422, which is what was asked for here.
            station.Complaints.Clear();
        }

        await station.Page.GetByTestId("password").FillAsync(password);
        await station.Press("sign-in");
        await station.Page.SecondStep(code);
        return station;
    }

    public ILocator Test(string name) => Page.GetByTestId(name);

    /// <summary>The row of one patient in a worklist.</summary>
    public ILocator RowOf(string number) => Page.Locator($"[data-patient='{number}']");

    /// <summary>Presses a button by its test name, and sees what came of it, as a person does before the next press.</summary>
    public async Task Press(string name)
    {
        await Test(name).ClickAsync();
        await Page.Locator("html:not([data-sending])").WaitForAsync();
    }

    /// <summary>Types into a field as a person does, and leaves it.</summary>
    public async Task Type(string selector, string text)
    {
        var field = Page.Locator(selector);
        await field.FillAsync(text);
        await field.BlurAsync();
    }

    /// <summary>Finds something in a list by typing, and takes what is meant of what is offered.</summary>
    public async Task Pick(string field, string text, string list, string meant)
    {
        await Test(field).FillAsync(text);
        await Test(list).GetByRole(AriaRole.Option).Filter(new LocatorFilterOptions { HasText = meant }).First.ClickAsync();
    }

    /// <summary>What was shown so far, as a picture for the eye, and proof that nothing broke on the way.</summary>
    public async Task Look(string name)
    {
        await Page.EvaluateAsync("document.fonts.ready");
        await Contexts.Picture(Page, $"day-{role.Slug()}-{name}");
        Assert.Equal([], Complaints);
        var overflow = await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(overflow <= 0, $"{new Uri(Page.Url).AbsolutePath} is {overflow} px wider than its window.");
    }

    public async ValueTask DisposeAsync() => await context.CloseAsync();

    private static Dictionary<string, string> Surroundings(string temporary)
    {
        var surroundings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry one in Environment.GetEnvironmentVariables())
        {
            surroundings[(string)one.Key] = (string?)one.Value ?? "";
        }

        surroundings["TMPDIR"] = temporary;
        return surroundings;
    }
}
