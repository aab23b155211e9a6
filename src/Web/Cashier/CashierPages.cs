using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Clinic.Billing;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Cashier;

/// <summary>The cashier: what is to be paid, invoices, receipts; and the price list for whoever sets up billing.</summary>
internal static class CashierPages
{
    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/cashier", async (HttpContext http, ListOpenInvoices list, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<CashierHome>(new { View = await list.Run(http.Actor(), false, cancel), Zone = clock.LocalTimeZone, Today = clock.LocalToday() }));
        app.MapGet("/cashier/rows", async (HttpContext http, ListOpenInvoices list, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<InvoiceRows>(new { View = await list.Run(http.Actor(), http.Request.Headers.ContainsKey(StaffSession.BackgroundHeader), cancel), Zone = clock.LocalTimeZone, Today = clock.LocalToday() }));
        app.MapGet("/cashier/receipts", Receipts);
        app.MapPost("/cashier/change", Change);
        app.MapGet("/patients/{patient:guid}/invoice/{invoice:guid}", async (Guid patient, Guid invoice, HttpContext http, ViewInvoice view, IdentityDesk desk, TimeProvider clock, CancellationToken cancel) =>
            await Show(new PatientId(patient), invoice, http, view, desk, clock, Ids.New().ToString("N"), new PaymentFields(), null, null, cancel));
        app.MapPost("/patients/{patient:guid}/invoice/{invoice:guid}/payments", Take);
        app.MapPost("/patients/{patient:guid}/invoice/{invoice:guid}/settle", Settle);
        app.MapGet("/patients/{patient:guid}/invoice/{invoice:guid}/receipt/{payment:guid}", Receipt);
        app.MapGet("/admin/prices", PriceList);
        app.MapPost("/admin/prices", SavePrice);
    }

    private static async Task<IResult> Receipts(HttpContext http, string? day, ListReceipts list, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var on = DateOnly.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var asked) ? asked : clock.LocalToday();
        return Page.Show<ReceiptsPage>(new { Lines = await list.Run(on, http.Actor(), cancel), Day = on, Zone = clock.LocalTimeZone, Staff = await desk.Staff.Names(cancel) });
    }

    // Arithmetic on what the form holds; nothing is opened for it, and the payment works everything out anew.
    private static async Task<IResult> Change(HttpContext http, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var (take, received, wrong) = PaymentFields.From(form).Read();
        return Page.Show<ChangeLine>(new { Currency = form["currency"].ToString(), Take = take, Change = wrong.Count == 0 ? received - take : 0m, Wrong = wrong.Values.FirstOrDefault() });
    }

    private static async Task<IResult> Take(Guid patient, Guid invoice, HttpContext http, TakePayment take, ViewInvoice view, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        if (form["patient"] != patient.ToString("N") || !Guid.TryParseExact(form["payment"], "N", out var payment))
        {
            return Refusal.NotFound();
        }

        var fields = PaymentFields.From(form);
        var (amount, received, wrong) = fields.Read();
        Error? error = null;
        if (wrong.Count == 0)
        {
            var taken = await take.Run(
                new PatientId(patient),
                invoice,
                new TakePayment.Form(payment, fields.Left, amount, fields.Means, received, fields.Reference),
                http.Actor(),
                cancel);
            if (taken.Ok)
            {
                return Page.GoTo(http, $"/patients/{patient:N}/invoice/{invoice:N}/receipt/{taken.Value.PaymentId:N}");
            }

            error = taken.Error;
        }

        return await Show(new PatientId(patient), invoice, http, view, desk, clock, payment.ToString("N"), fields, wrong, error, cancel);
    }

    private static async Task<IResult> Settle(Guid patient, Guid invoice, HttpContext http, SettleInvoice settle, ViewInvoice view, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var settled = await settle.Run(new PatientId(patient), invoice, http.Actor(), cancel);
        return settled.Ok
            ? Page.GoTo(http, $"/patients/{patient:N}/invoice/{invoice:N}")
            : await Show(new PatientId(patient), invoice, http, view, desk, clock, Ids.New().ToString("N"), new PaymentFields(), null, settled.Error, cancel);
    }

    private static async Task<IResult> Show(
        PatientId patient,
        Guid invoice,
        HttpContext http,
        ViewInvoice view,
        IdentityDesk desk,
        TimeProvider clock,
        string paymentId,
        PaymentFields typed,
        Dictionary<string, string>? wrong,
        Error? error,
        CancellationToken cancel)
    {
        var seen = await view.Run(patient, invoice, http.Actor(), cancel);
        return seen.Error is not null
            ? Refusal.NotFound()
            : Page.Show<InvoicePage>(
                new
                {
                    View = seen.Value,
                    PaymentId = paymentId,
                    Typed = typed,
                    Zone = clock.LocalTimeZone,
                    Today = clock.LocalToday(),
                    Staff = await desk.Staff.Names(cancel),
                    Errors = (IReadOnlyDictionary<string, string>?)wrong,
                    Error = error?.Message,
                },
                error is null && wrong is null or { Count: 0 } ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Receipt(Guid patient, Guid invoice, Guid payment, HttpContext http, ViewInvoice view, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var seen = await view.Run(new PatientId(patient), invoice, http.Actor(), cancel);
        if (seen.Error is not null || seen.Value.Bill.Payments.FirstOrDefault(row => row.Id == payment) is not { } taken)
        {
            return Refusal.NotFound();
        }

        var names = await desk.Staff.Names(cancel);
        return Page.Show<ReceiptPage>(new { View = seen.Value, Payment = taken, desk.Hospital, By = names.GetValueOrDefault(taken.By) ?? taken.By.ToString(), Zone = clock.LocalTimeZone });
    }

    private static async Task<IResult> PriceList(HttpContext http, string? q, string? code, string? saved, Prices prices, ClinicContext clinic, CancellationToken cancel)
    {
        var items = await prices.List(http.Actor(), q, cancel);
        var item = code is null ? null : items.FirstOrDefault(price => price.Code == code);
        return Page.Show<PriceListPage>(new
        {
            Items = items,
            Currency = await House.Currency(clinic, cancel),
            Typed = new Prices.Form(item?.Code, item?.Description, item?.Group, item?.Amount, item?.Amount),
            Amount = item is null ? "" : new Money(item.Amount, item.Currency).Figure(),
            Was = item?.Amount.ToString(CultureInfo.InvariantCulture),
            Search = q,
            Said = saved is not null && items.Any(price => price.Code == saved) ? $"{saved} is saved." : null,
        });
    }

    private static async Task<IResult> SavePrice(HttpContext http, Prices prices, ClinicContext clinic, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var was = decimal.TryParse(form["was"], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var shown) ? shown : (decimal?)null;
        var typed = new Prices.Form(form["code"], form["description"], form["group"], AmountText.Read(form["amount"]), was);
        var saved = await prices.Save(typed, http.Actor(), cancel);
        if (saved.Ok)
        {
            return Page.GoTo(http, $"/admin/prices?saved={Uri.EscapeDataString(saved.Value.Code)}");
        }

        var search = form["q"].ToString() is { Length: > 0 } q ? q : null;
        return Page.Again<PriceListPage>(new
        {
            Items = await prices.List(http.Actor(), search, cancel),
            Currency = await House.Currency(clinic, cancel),
            Typed = typed,
            Amount = form["amount"].ToString(),
            Was = was?.ToString(CultureInfo.InvariantCulture),
            Search = search,
            saved.Error,
        });
    }
}
