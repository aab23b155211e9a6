using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Look;

/// <summary>What the small modules do in a real browser, under the strict policy.</summary>
public sealed class BehaviourTests(LookHost host)
{
    [Fact]
    public async Task A_letter_acts_on_a_worklist_is_silent_in_a_field_and_can_be_switched_off()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await OpenCounting(context, "/look/triage");
        await page.Keyboard.PressAsync("n");
        Assert.Equal(1, await Clicks(page));
        await page.Keyboard.PressAsync("/");
        await Assertions.Expect(page.GetByTestId("find")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("n");
        Assert.Equal(1, await Clicks(page));
        await Assertions.Expect(page.GetByTestId("find")).ToHaveValueAsync("n");

        await using var silent = await Contexts.Open(host, "light", "ltr", 1280, letters: false);
        page = await OpenCounting(silent, "/look/triage");
        await page.Keyboard.PressAsync("n");
        Assert.Equal(0, await Clicks(page));
    }

    [Fact]
    public async Task Enter_opens_the_marked_row_and_Alt_with_a_digit_goes_to_a_station()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/look/triage");
        await page.Keyboard.PressAsync("Enter");
        await page.Reaches("/look/consultation$");
        await page.Keyboard.PressAsync("Escape");
        await page.Reaches("/look/triage$");
        await page.Keyboard.PressAsync("Alt+2");
        await page.Reaches("/patients$");
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Nothing here for you" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Enter_goes_to_the_next_field_and_Control_Enter_sends_the_form()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/look/consultation");
        await page.GetByLabel("Follow-up in days").FocusAsync();
        await page.Keyboard.TypeAsync("3");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByLabel("Referral")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Control+Enter");
        await page.Reaches("/look/triage$");
    }

    [Fact]
    public async Task A_draft_is_kept_on_the_server_and_says_when_it_is_not()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/look/consultation");
        var mark = page.GetByTestId("draft");
        await Assertions.Expect(mark).ToContainTextAsync("Draft saved 10:42:07");
        await page.GetByLabel("Plan").FillAsync("INR again in 3 days");
        await Assertions.Expect(mark).ToContainTextAsync("Unsaved 1 field");
        await Assertions.Expect(mark).ToContainTextAsync("Draft saved 10:43:11, on the server", new() { Timeout = 8000 });
        Assert.Contains(host.Drafts, draft => draft["p"] == "INR again in 3 days");

        host.DraftsFail = true;
        try
        {
            await page.GetByLabel("Plan").FillAsync("INR tomorrow");
            await page.GetByLabel("Referral").FocusAsync();
            await Assertions.Expect(mark).ToContainTextAsync("Not saving the server refuses");
        }
        finally
        {
            host.DraftsFail = false;
        }

        await Assertions.Expect(mark).ToContainTextAsync("Draft saved", new() { Timeout = 8000 });
        Assert.Contains(host.Drafts, draft => draft["p"] == "INR tomorrow");
        // A page of ours has no storage to ask, so a plain file of the same origin is asked.
        await page.GotoAsync(Mangrove.Web.WebAssets.Url("licences.txt"));
        Assert.Equal(0, await page.EvaluateAsync<int>("localStorage.length + sessionStorage.length"));
    }

    [Fact]
    public async Task A_form_is_sent_when_its_draft_is_no_longer_on_its_way()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        var held = new TaskCompletionSource<IRoute>(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.RouteAsync("**/drafts/look", route => held.TrySetResult(route) ? Task.CompletedTask : route.ContinueAsync());
        var signed = 0;
        page.Request += (_, request) => signed += request.Url.EndsWith("/look/sign", StringComparison.Ordinal) ? 1 : 0;
        await page.GotoAsync("/look/consultation");
        await page.GetByLabel("Referral").FillAsync("Cardiology");
        await page.GetByLabel("Plan").FocusAsync();
        var draft = await held.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await page.Keyboard.PressAsync("Control+Enter");
        await page.Locator("html[data-sending]").WaitForAsync();

        // Whatever the press asked for by itself is asked for by now.
        await page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        Assert.Equal(0, signed);
        await draft.ContinueAsync();
        await page.Reaches("/look/triage$");
        Assert.Equal(1, signed);
    }

    [Fact]
    public async Task A_worklist_refreshes_itself_when_the_server_names_its_topic()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        var open = page.WaitForRequestAsync("**/events");
        await page.GotoAsync("/look/triage");
        await open;
        await Assertions.Expect(page.Locator(".live-on")).ToBeVisibleAsync();
        var fetched = page.WaitForRequestAsync("**/look/rows", new() { Timeout = 10_000 });
        while (!fetched.IsCompleted)
        {
            host.Say("triage");
            await Task.WhenAny(fetched, Task.Delay(200, TestContext.Current.CancellationToken));
        }

        await fetched;
        await Assertions.Expect(page.Locator(".triage-list tbody tr.is-open")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task A_press_reaches_what_it_began_on_though_the_list_is_renewed_meanwhile()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        var open = page.WaitForRequestAsync("**/events");
        await page.GotoAsync("/look/triage");
        await open;
        await Assertions.Expect(page.Locator(".live-on")).ToBeVisibleAsync();
        await page.Locator(".triage-list tbody a").First.HoverAsync();
        await page.Mouse.DownAsync();
        var answered = page.WaitForResponseAsync("**/look/rows", new() { Timeout = 10_000 });
        while (!answered.IsCompleted)
        {
            host.Say("triage");
            await Task.WhenAny(answered, Task.Delay(200, TestContext.Current.CancellationToken));
        }

        await (await answered).FinishedAsync();
        await page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        await page.Mouse.UpAsync();
        await page.Reaches("/look/consultation$");
    }

    [Fact]
    public async Task A_lost_connection_is_said_at_once()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        await page.RouteAsync("**/events", route => route.AbortAsync());
        await page.GotoAsync("/look/triage");
        await Assertions.Expect(page.Locator("[data-offline]")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".live-off")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".live-on")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task The_palette_finds_walks_and_opens_and_forgets_when_it_closes()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        var complaints = Contexts.Complaints(page);
        await page.GotoAsync("/look/triage");
        await page.Keyboard.PressAsync("Control+k");
        var input = page.GetByTestId("palette-input");
        await Assertions.Expect(input).ToBeFocusedAsync();
        await input.PressSequentiallyAsync("has");
        var items = page.GetByTestId("palette-item");
        await Assertions.Expect(items.First.Locator("mark")).ToHaveTextAsync("HAS");
        await Assertions.Expect(items.First).ToHaveAttributeAsync("aria-selected", "true");
        await Contexts.Picture(page, "palette");
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Locator("#palette")).ToBeHiddenAsync();
        await Assertions.Expect(items).ToHaveCountAsync(0);

        await page.Keyboard.PressAsync("Control+k");
        await input.PressSequentiallyAsync("has");
        await Assertions.Expect(items.First.Locator("mark")).ToHaveTextAsync("HAS");
        await Assertions.Expect(items).ToHaveCountAsync(3);
        await Assertions.Expect(items.First).ToHaveAttributeAsync("aria-selected", "true");
        await page.Keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(items.Nth(1)).ToHaveAttributeAsync("aria-selected", "true");
        await page.Keyboard.PressAsync("ArrowUp");
        await page.Keyboard.PressAsync("Enter");
        await page.Reaches("/look/consultation$");
        Assert.Equal([], complaints);
    }

    [Fact]
    public async Task Enter_chooses_nothing_from_a_list_that_answers_an_earlier_word()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/look/triage");
        await page.Keyboard.PressAsync("Control+k");
        var input = page.GetByTestId("palette-input");
        var items = page.GetByTestId("palette-item");
        await Assertions.Expect(items.First).ToHaveAttributeAsync("aria-selected", "true");
        var answer = new TaskCompletionSource();
        await page.RouteAsync("**/find/palette", async route =>
        {
            await answer.Task;
            await route.ContinueAsync();
        });
        var asked = page.WaitForRequestAsync("**/find/palette");
        await input.PressSequentiallyAsync("has");
        await page.Keyboard.PressAsync("Enter");
        await asked;
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(input).ToBeFocusedAsync();
        Assert.EndsWith("/look/triage", page.Url, StringComparison.Ordinal);

        answer.SetResult();
        await Assertions.Expect(items.First.Locator("mark")).ToHaveTextAsync("HAS");
        await page.Keyboard.PressAsync("Enter");
        await page.Reaches("/look/consultation$");
    }

    [Fact]
    public async Task A_pick_list_is_walked_with_arrows_and_hostile_text_stays_text()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        var complaints = Contexts.Complaints(page);
        await page.GotoAsync("/look/consultation");
        var field = page.GetByTestId("dx");
        await field.PressSequentiallyAsync("pneu");
        await Assertions.Expect(page.GetByRole(AriaRole.Option)).ToHaveCountAsync(3);

        // An answer to an earlier word chooses nothing, so the walk begins when the list is of what was typed.
        await Assertions.Expect(page.Locator("#" + await field.GetAttributeAsync("data-listbox"))).ToHaveAttributeAsync("aria-busy", "false");
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#chosen .chip-brand")).ToHaveCountAsync(1);
        await Assertions.Expect(page.GetByRole(AriaRole.Option)).ToHaveCountAsync(0);
        await Assertions.Expect(field).ToHaveValueAsync("");
        await field.PressSequentiallyAsync("<img");
        await Assertions.Expect(page.Locator("[role=option]")).ToContainTextAsync("<img src=x onerror=alert(1)>");
        await Assertions.Expect(page.Locator(".pick-list img")).ToHaveCountAsync(0);
        Assert.Equal([], complaints);
    }

    [Fact]
    public async Task Alt_L_clears_the_screen_and_locks_and_the_draft_is_saved_before()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/look/consultation");
        await page.GetByLabel("Plan").FillAsync("saved before the lock");
        var before = host.Locks;
        await page.Keyboard.PressAsync("Alt+l");
        await page.Reaches("/locked[?]back=");
        Assert.Equal(before + 1, host.Locks);
        Assert.Contains(host.Drafts, draft => draft["p"] == "saved before the lock");
        await Assertions.Expect(page.GetByText("HASSAN")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task An_idle_page_locks_itself_and_so_do_the_other_tabs()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        var before = host.Locks;
        await page.GotoAsync("/look/triage?idle=2");
        await page.Reaches("/locked[?]back=");
        Assert.Equal(before + 1, host.Locks);
    }

    [Fact]
    public async Task Question_mark_lists_the_keys_of_the_screen_and_the_theme_is_kept()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/look/triage");
        await page.Keyboard.PressAsync("?");
        var dialog = page.Locator("#keys");
        await Assertions.Expect(dialog).ToBeVisibleAsync();
        await Assertions.Expect(dialog.Locator("[data-keys-here] dd").Filter(new() { HasText = "Call next" })).ToHaveCountAsync(1);
        await Contexts.Picture(page, "keys-dialog");
        await dialog.GetByLabel("Theme").SelectOptionAsync("dark");
        await dialog.GetByTestId("screen-save").ClickAsync();
        await Assertions.Expect(page.Locator("html")).ToHaveAttributeAsync("data-bs-theme", "dark");
        await page.Reaches("/look/triage$");
    }

    private static async Task<IPage> OpenCounting(IBrowserContext context, string path)
    {
        var page = await context.NewPageAsync();
        await page.GotoAsync(path);
        await Assertions.Expect(page.Locator("[aria-keyshortcuts]").First).ToBeAttachedAsync();
        await page.EvaluateAsync("document.querySelector('[data-test=call-next]').addEventListener('click', () => { document.body.dataset.clicks = Number(document.body.dataset.clicks ?? 0) + 1; })");
        return page;
    }

    private static Task<int> Clicks(IPage page) => page.EvaluateAsync<int>("Number(document.body.dataset.clicks ?? 0)");
}
