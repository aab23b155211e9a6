using System.Globalization;
using Mangrove.Kernel;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// One imported patient's day from the door to the cashier, by the pages only. Every station's worklist is open before the
/// patient comes and is never loaded again by hand: who is sent on must appear there by itself.
/// </summary>
internal sealed class PatientsDay
{
    // Asks the server for a file that is not there wherever a page takes text for markup; every station counts that as a complaint.
    private const string Markup = " \"'><script src=/planted></script><img src=/planted onerror=alert(1)>";

    private readonly Newcomer patient;
    private readonly Dictionary<Role, Station> stations = [];

    private PatientsDay(Newcomer patient) => this.patient = patient;

    public Markers Markers { get; } = new();

    /// <summary>Hospital number of the patient.</summary>
    public string Number { get; private set; } = "";

    /// <summary>Folder of the patient's pages: <c>/patients/…</c>.</summary>
    public string Place { get; private set; } = "";

    public string Receipt { get; private set; } = "";

    /// <summary>What the administrator's page said of the acts on this patient.</summary>
    public IReadOnlyList<string> Acts { get; private set; } = [];

    private Station At(Role role) => stations[role];

    public static async Task<PatientsDay> Live(DayHospital hospital, Newcomer patient)
    {
        var day = new PatientsDay(patient);
        try
        {
            foreach (var role in Enum.GetValues<Role>())
            {
                day.stations[role] = await hospital.Sit(role, role == Role.FrontDesk ? day.Markers.Word("mistyped password") : null);
                await day.At(role).Look("home");
            }

            await day.AtTheDesk();
            await day.SomebodyNew();
            await day.AtTriage();
            await day.WithTheDoctor();
            await day.InTheLaboratory();
            await day.TheDoctorSigns();
            await day.TheScreenLocks(hospital.Pin(Role.Doctor));
            await day.AtThePharmacy();
            await day.AtTheCashier();
            await day.TheAdministratorLooks();
        }
        finally
        {
            foreach (var station in day.stations.Values)
            {
                await station.DisposeAsync();
            }
        }

        return day;
    }

    private async Task AtTheDesk()
    {
        var desk = At(Role.FrontDesk);
        await desk.Test("arrive").FillAsync($"{patient.Family} {patient.Given}");
        var hit = desk.Test("hit").Filter(new LocatorFilterOptions { HasText = patient.Given }).First;
        await Expect(hit).ToBeVisibleAsync();
        Number = (await hit.GetAttributeAsync("data-patient"))!;
        await desk.Look("found");
        await hit.Locator("a.who").ClickAsync();
        await desk.Page.Reaches("/details$");
        Place = new Uri(desk.Page.Url).AbsolutePath[..^"/details".Length];

        await desk.Test("other").FillAsync(Markers.Script("name in another script"));
        await desk.Test("phone").FillAsync(Markers.Figures("phone"));
        await desk.Test("identity").FillAsync(Markers.Word("identity document"));
        await desk.Test("address").FillAsync(Markers.Word("address"));
        await desk.Test("payer").FillAsync(Markers.Word("payer"));
        await desk.Test("policy").FillAsync(Markers.Word("policy number"));
        await desk.Test("kin").FillAsync(Markers.Word("next of kin"));
        await desk.Test("kinphone").FillAsync(Markers.Figures("phone of the next of kin"));

        // What was typed stands in the page again, with its mistake, and nowhere else.
        await desk.Test("share").FillAsync("140");
        await desk.Press("save");
        await Expect(desk.Test("share")).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(desk.Test("payer")).ToHaveValueAsync(Markers.All["payer"]);
        desk.Complaints.Clear();
        await desk.Test("share").FillAsync("40");
        await desk.Press("save");
        await Expect(desk.Test("other")).ToHaveValueAsync(Markers.All["name in another script"]);
        await Expect(desk.Test("payer")).ToHaveValueAsync(Markers.All["payer"]);
        await desk.Look("details");

        await desk.Press("open-visit");
        await Expect(desk.Test("how-far")).ToHaveTextAsync("Waits for triage");
        await Expect(At(Role.Nurse).RowOf(Number)).ToBeVisibleAsync();
        await desk.Press("wristband");
        await Expect(desk.Test("number")).ToHaveTextAsync(Number);
        await desk.Look("wristband");
    }

    /// <summary>A second person, whose very name is a marker: registered, searched for, and another begun and left as a draft.</summary>
    private async Task SomebodyNew()
    {
        var desk = At(Role.FrontDesk);
        await desk.Page.GotoAsync("/desk/register");
        await desk.Test("family").FillAsync(Markers.Word("family name"));
        await desk.Test("given").FillAsync(Markers.Word("given name"));
        await desk.Test("other").FillAsync(Markers.Script("other name"));
        await desk.Test("age").FillAsync("34 y");
        await desk.Test("sex-female").CheckAsync();
        await desk.Test("phone").FillAsync(Markers.Figures("phone of somebody new"));
        await desk.Test("address").FillAsync(Markers.Word("address of somebody new") + Markup);
        await desk.Look("register");
        await desk.Press("register");
        await Expect(desk.Test("how-far")).ToHaveTextAsync("Waits for triage");

        await desk.Page.GotoAsync("/desk/register");
        await desk.Type("[data-test=family]", Markers.Word("family name of a draft"));
        await desk.Type("[data-test=identity]", Markers.Word("document of a draft"));
        await Expect(desk.Test("draft")).ToContainTextAsync("on the server");

        await desk.Page.GotoAsync("/patients");
        await desk.Test("q").FillAsync(Markers.Word("search for nobody"));
        await desk.Page.Keyboard.PressAsync("Enter");
        await Expect(desk.Page.GetByText("Nobody found").First).ToBeVisibleAsync();
        await desk.Page.GotoAsync("/desk");
    }

    private async Task AtTriage()
    {
        var nurse = At(Role.Nurse);
        await nurse.Look("queue");
        await nurse.RowOf(Number).GetByTestId("triage").ClickAsync();
        await nurse.Page.Locator("#v-respiratoryrate").FocusAsync();

        // As fast as a practised nurse: the next field is being typed while the last one is still being scored.
        foreach (var (field, value) in new[] { ("respiratoryrate", "22"), ("oxygensaturation", "95") })
        {
            await nurse.Page.Locator($"#v-{field}").FillAsync(value);
        }

        await nurse.Page.Locator("#v-oxygen").SelectOptionAsync("air");
        foreach (var (field, value) in new[] { ("systolic", "118"), ("diastolic", "76"), ("pulse", "96") })
        {
            await nurse.Page.Locator($"#v-{field}").FillAsync(value);
        }

        await nurse.Page.Locator("#v-alertness").SelectOptionAsync("alert");
        foreach (var (field, value) in new[] { ("temperature", "38.4"), ("weight", "71.5") })
        {
            await nurse.Page.Locator($"#v-{field}").FillAsync(value);
        }

        await nurse.Page.Locator("[name=complaint]").FillAsync("Cough and fever for three days. " + Markers.Word("complaint") + Markup);
        await nurse.Test("category-3").CheckAsync();
        // Breaths 22 is two points, saturation 95 one, pulse 96 one, temperature 38.4 one.
        await Expect(nurse.Test("news2-total")).ToHaveTextAsync("5");
        await Expect(nurse.Page.Locator("[name=complaint]")).ToHaveValueAsync("Cough and fever for three days. " + Markers.All["complaint"] + Markup);
        await Expect(nurse.Test("category-3")).ToBeCheckedAsync();
        await nurse.Look("sheet");
        await nurse.Press("send");
        await nurse.Page.Reaches("/triage$");
        await Expect(At(Role.Doctor).RowOf(Number)).ToContainTextAsync(Markers.All["complaint"] + Markup);
    }

    private async Task WithTheDoctor()
    {
        var doctor = At(Role.Doctor);
        await doctor.Look("queue");
        await doctor.RowOf(Number).Locator("a.who").ClickAsync();
        await Expect(doctor.Page.Locator("body")).ToContainTextAsync(Number);
        await doctor.Look("chart");
        await doctor.Page.GoBackAsync();
        await doctor.RowOf(Number).GetByTestId("take").ClickAsync();
        await Expect(doctor.Test("soap-s")).ToBeVisibleAsync();

        await doctor.Test("soap-s").FillAsync("Three days of cough. " + Markers.Word("note, subjective") + Markup);
        await doctor.Test("soap-o").FillAsync("Crackles at the right base. " + Markers.Word("note, objective"));
        await doctor.Test("soap-a").FillAsync("Pneumonia, not severe. " + Markers.Word("note, assessment"));
        await doctor.Test("soap-p").FillAsync("Antibiotic, potassium, review. " + Markers.Word("note, plan"));

        await doctor.Test("allergy-add").Locator("summary").ClickAsync();
        await doctor.Pick("allergy-find", "penicillin", "allergy-list", "Penicillins");
        await doctor.Page.Locator("[name=allergy-reaction]").FillAsync("Rash. " + Markers.Word("allergy reaction") + Markup);
        await doctor.Page.Locator("[name=allergy-severity]").SelectOptionAsync("mild");
        await doctor.Press("allergy-record");
        await Expect(doctor.Test("allergy-row")).ToContainTextAsync(Markers.All["allergy reaction"]);
        await Expect(doctor.Test("soap-s")).ToHaveValueAsync("Three days of cough. " + Markers.All["note, subjective"] + Markup);

        await doctor.Pick("dx-find", "pneumonia", "diagnosis-list", "J18.9");
        await Expect(doctor.Page.Locator("[data-test=diagnosis][data-code='J18.9']")).ToBeVisibleAsync();

        // What the allergy forbids is stopped, and only a reason opens the way.
        await doctor.Pick("rx-find", "amoxicillin", "medicine-list", "500 mg capsule");
        await Expect(doctor.Test("prescription")).ToContainTextAsync("allergy to Penicillins");
        await Course(doctor, "three-times-daily", "5");
        await Expect(doctor.Test("sign")).ToBeDisabledAsync();
        await doctor.Look("allergy");
        await doctor.Test("rx-reason").First.FillAsync("Tolerated since. " + Markers.Word("reason to prescribe"));
        await doctor.Test("rx-reason").First.BlurAsync();
        await Expect(doctor.Test("sign")).ToBeEnabledAsync();

        await doctor.Pick("lab-find", "potassium", "test-list", "L-0202");
        await Expect(doctor.Test("order")).ToBeVisibleAsync();
        await doctor.Test("order-urgent").CheckAsync();
        await doctor.Look("consultation");
        await doctor.Press("orders-send");
        await Expect(doctor.Test("order-sent")).ToContainTextAsync("Potassium");
        await Expect(At(Role.LabTech).Page.GetByTestId("specimen").Filter(new LocatorFilterOptions { HasText = Number })).ToContainTextAsync("awaited");

        await doctor.Test("await").CheckAsync();
        await doctor.Press("sign");
        await Expect(doctor.Page.Locator("[data-failures]")).ToBeEmptyAsync();
        await Expect(At(Role.Pharmacist).RowOf(Number)).ToBeVisibleAsync();
        await doctor.Page.GotoAsync("/results");
    }

    private async Task InTheLaboratory()
    {
        var lab = At(Role.LabTech);
        await lab.Look("bench");
        await lab.Test("specimen").Filter(new LocatorFilterOptions { HasText = Number }).GetByTestId("open-specimen").ClickAsync();
        await lab.Press("receive");
        await Expect(lab.Test("receive")).ToHaveCountAsync(0);
        await lab.Test("result").FillAsync("6.8");
        await lab.Test("result").BlurAsync();
        await Expect(lab.Test("flag")).ToContainTextAsync("▲▲");
        await lab.Test("checked").CheckAsync();
        await lab.Page.Locator("[name=note]").FillAsync("Not haemolysed. " + Markers.Word("laboratory note") + Markup);
        await Expect(lab.Test("release")).ToContainTextAsync("1 result");
        await lab.Look("result");
        await lab.Press("release");
        await lab.Page.Reaches("/laboratory$");
        await Expect(At(Role.Doctor).RowOf(Number)).ToContainTextAsync("6.8");
        await lab.Page.GotoAsync("/laboratory/results");
        await lab.Look("released");
    }

    private async Task TheDoctorSigns()
    {
        var doctor = At(Role.Doctor);
        await doctor.Look("results");
        await doctor.RowOf(Number).GetByTestId("acknowledge").ClickAsync();
        await Expect(doctor.RowOf(Number)).ToHaveCountAsync(0);

        await doctor.Page.GotoAsync(Place);
        await doctor.Test("addendum-open").First.ClickAsync();
        await doctor.Page.Locator("article [name=text]").First.FillAsync("Potassium seen, repeated. " + Markers.Word("addendum"));
        await doctor.Test("addendum-sign").First.ClickAsync();
        await Expect(doctor.Test("addendum").First).ToContainTextAsync(Markers.All["addendum"]);
        await doctor.Look("chart-after");
    }

    /// <summary>Behind a locked screen nothing of the patient is left: not by a captured request, Back, Forward, another tab or the source.</summary>
    private async Task TheScreenLocks(string pin)
    {
        var doctor = At(Role.Doctor);
        var page = doctor.Page;
        var chart = page.Url;
        var context = page.Context;
        Assert.Contains(Markers.All["addendum"], await (await context.APIRequest.GetAsync(chart)).TextAsync(), StringComparison.Ordinal);
        await page.GotoAsync("/results");
        await page.GotoAsync(chart);
        await page.GoBackAsync();

        // One page lies before this one and one behind it.
        await page.Keyboard.PressAsync("Alt+l");
        await page.Reaches("/locked");
        var locked = System.Diagnostics.Stopwatch.StartNew();
        var captured = await context.APIRequest.GetAsync(chart, new APIRequestContextOptions { MaxRedirects = 0 });
        Assert.True(locked.Elapsed < TimeSpan.FromSeconds(1), "The answer to a captured request came late.");
        Assert.Equal(401, captured.Status);
        Hidden(await captured.TextAsync(), "a captured request");
        await page.GoBackAsync();
        await page.Reaches("/locked");
        Hidden(await page.ContentAsync(), "Back");
        await page.GoForwardAsync();
        await page.Reaches("/locked");
        Hidden(await page.ContentAsync(), "Forward");
        var restored = await context.NewPageAsync();
        await restored.GotoAsync(chart);
        await restored.Reaches("/locked");
        Hidden(await restored.ContentAsync(), "a restored tab");
        await restored.GotoAsync("view-source:" + chart);
        Hidden(await restored.ContentAsync(), "the source of the page");
        await restored.CloseAsync();

        // The PIN brings the same screen back.
        await page.GotoAsync(chart);
        await page.Reaches("/locked");
        await page.GetByTestId("pin").FillAsync(pin);
        await page.Reaches(new Uri(chart).AbsolutePath + "$");
        await Expect(doctor.Test("addendum").First).ToContainTextAsync(Markers.All["addendum"]);
        doctor.Complaints.Clear();

        void Hidden(string shown, string how)
        {
            foreach (var (what, word) in Markers.All)
            {
                Assert.False(shown.Contains(word, StringComparison.Ordinal), $"By {how} the {what} is shown at a locked screen.");
            }
        }
    }

    private async Task AtThePharmacy()
    {
        var pharmacist = At(Role.Pharmacist);
        await pharmacist.Look("queue");
        await pharmacist.Page.GotoAsync("/pharmacy/stock?q=amoxicillin");
        var batch = "ACC" + Number[^4..];
        await pharmacist.Pick("delivery-medicine", "amoxicillin", "product-picks", "500 mg capsule");
        await Expect(pharmacist.Test("chosen-product")).ToContainTextAsync("500 mg capsule");
        await pharmacist.Page.Locator("[name=batch]").FillAsync(batch);
        await pharmacist.Page.Locator("[name=expires]").FillAsync(DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(60).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        await pharmacist.Page.Locator("[name=quantity]").FillAsync("100");
        await pharmacist.Press("receive");
        await Expect(pharmacist.Page.Locator($"[data-batch='{batch}']")).ToBeVisibleAsync();
        await pharmacist.Look("stock");

        await pharmacist.Page.GotoAsync("/pharmacy");
        await pharmacist.RowOf(Number).GetByTestId("dispense").ClickAsync();
        await Expect(pharmacist.Page.Locator("body")).ToContainTextAsync(Markers.All["reason to prescribe"]);
        foreach (var accept in await pharmacist.Test("accept").AllAsync())
        {
            await accept.CheckAsync();
        }

        foreach (var reason in await pharmacist.Test("reason").AllAsync())
        {
            await reason.FillAsync("Asked the doctor. " + (Markers.All.GetValueOrDefault("reason to dispense") ?? Markers.Word("reason to dispense")));
        }

        await pharmacist.Test("confirmed").CheckAsync();
        await pharmacist.Look("dispense");
        await pharmacist.Press("hand-over");
        await Expect(pharmacist.Test("handed-over")).ToBeVisibleAsync();
        await Expect(pharmacist.RowOf(Number)).ToHaveCountAsync(0);
    }

    private async Task AtTheCashier()
    {
        var cashier = At(Role.Cashier);
        await Expect(cashier.RowOf(Number)).ToBeVisibleAsync();
        await cashier.Look("to-pay");
        await cashier.RowOf(Number).GetByTestId("open").ClickAsync();
        // What was done at three stations, and nothing that says what it was for.
        await Expect(cashier.Test("charges")).ToContainTextAsync("Consultation");
        Assert.True(await cashier.Test("charge").CountAsync() >= 3, "The consultation, the test and the medicine are charged.");
        await Expect(cashier.Page.Locator("main")).Not.ToContainTextAsync("Amoxicillin", new LocatorAssertionsToContainTextOptions { IgnoreCase = true });
        await cashier.Page.Locator("label:has([data-test=means-mobile])").ClickAsync();
        await cashier.Test("reference").FillAsync(Markers.Word("payment reference"));
        await cashier.Look("invoice");
        await cashier.Press("take");
        await Expect(cashier.Test("receipt-number")).ToBeVisibleAsync();
        Receipt = await cashier.Test("receipt-number").InnerTextAsync();
        await cashier.Look("receipt");
        await cashier.Press("next");
        await Expect(cashier.RowOf(Number)).ToHaveCountAsync(0);
    }

    private async Task TheAdministratorLooks()
    {
        var admin = At(Role.Admin);
        await admin.Page.GotoAsync("/admin/audit");
        await admin.Page.Locator(".audit-ask [name=number]").FillAsync(Number);
        await admin.Press("audit-show");
        await Expect(admin.Page.Locator("#main h2").First).ToContainTextAsync(Number);
        while (await admin.Page.Locator("#older button").CountAsync() > 0)
        {
            var before = await admin.Test("act").CountAsync();
            await admin.Page.Locator("#older button").ClickAsync();
            await Expect(admin.Test("act")).Not.ToHaveCountAsync(before);
        }

        Acts = await admin.Test("act").AllInnerTextsAsync();
        await admin.Look("audit");
        await admin.Press("verify");
        await Expect(admin.Test("chain-state")).ToContainTextAsync("verified");
        await admin.Look("chain");
    }

    private static async Task Course(Station doctor, string often, string days)
    {
        await doctor.Page.Locator("[name='rx-1-frequency']").SelectOptionAsync(often);
        await doctor.Page.Locator("[name='rx-1-days']").FillAsync(days);
        await doctor.Page.Locator("[name='rx-1-days']").BlurAsync();
        await Expect(doctor.Test("rx-sig")).ToContainTextAsync("three times daily by mouth for 5 days · 15 in all");
    }
}
