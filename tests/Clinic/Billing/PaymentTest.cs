using Mangrove.Clinic;
using Mangrove.Clinic.Billing;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Billing;

public sealed class PaymentTest
{
    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_bill_is_charges_less_the_payers_share_less_payments_to_the_cent(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, invoice) = await Billed(hospital, new PayerDetails("Pwani Mutual", null, 80));
        var cashier = await hospital.As(Role.Cashier);

        var bill = (await hospital.Use<ViewInvoice>().Run(patient.Id, invoice, cashier, default)).Value.Bill;
        Assert.Equal(1590.00m, bill.Total.Amount);
        Assert.Equal(1272.00m, bill.PayerShare.Amount);
        Assert.Equal(318.00m, bill.Left.Amount);

        var taken = await Take(hospital, patient, invoice, left: 318m, amount: 100.05m, received: 200m);
        Assert.False(taken.Value.Settled);
        var later = (await hospital.Use<ViewInvoice>().Run(patient.Id, invoice, cashier, default)).Value.Bill;
        Assert.Equal(217.95m, later.Left.Amount);
        var payment = Assert.Single(later.Payments);
        Assert.Equal(new PaymentRecord(new Money(100.05m, "KES"), PaymentMeans.Cash, new Money(200m, "KES"), new Money(99.95m, "KES"), null), payment.Payment);

        Assert.True((await Take(hospital, patient, invoice, left: 217.95m, amount: 217.95m, received: 217.95m)).Value.Settled);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Of_cashiers_who_take_the_whole_at_once_one_takes_it(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, invoice) = await Billed(hospital, null);
        var results = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Task.Run(() => Take(hospital, patient, invoice, 1590m, 1590m, 1590m))));

        Assert.Single(results, result => result.Ok);
        Assert.All(results.Where(result => !result.Ok), result => Assert.Equal("invoice.settled", result.Error?.Code));
        await using var clinic = hospital.Clinic();
        Assert.Equal(1, await clinic.Payments.CountAsync(payment => payment.InvoiceId == invoice));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task The_same_form_sent_twice_takes_once(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, invoice) = await Billed(hospital, null);
        var form = new TakePayment.Form(Ids.New(), 1590m, 590m, PaymentMeans.Mobile, 590m, "SKT7Q2");
        var cashier = await hospital.As(Role.Cashier);
        var results = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => hospital.Use<TakePayment>().Run(patient.Id, invoice, form, cashier, default))));

        Assert.All(results, result => Assert.Equal(form.PaymentId, result.Value.PaymentId));
        Assert.Equal(1000m, (await hospital.Use<ViewInvoice>().Run(patient.Id, invoice, cashier, default)).Value.Bill.Left.Amount);
    }

    [Theory]
    [InlineData(1000, 590, 590, PaymentMeans.Cash, "invoice.changed")]
    [InlineData(1590, 2000, 2000, PaymentMeans.Cash, "payment.too-much")]
    [InlineData(1590, 0, 0, PaymentMeans.Cash, "payment.amount")]
    [InlineData(1590, -5, 10, PaymentMeans.Cash, "payment.amount")]
    [InlineData(1590, 100.005, 200, PaymentMeans.Cash, "payment.amount")]
    [InlineData(1590, 590, 500, PaymentMeans.Cash, "payment.received")]
    [InlineData(1590, 590, 600, PaymentMeans.Card, "payment.received")]
    [InlineData(1590, 590, 590, (PaymentMeans)9, "payment.means")]
    public async Task A_payment_that_does_not_fit_takes_nothing(double left, double amount, double received, PaymentMeans means, string code)
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, invoice) = await Billed(hospital, null);
        var form = new TakePayment.Form(Ids.New(), (decimal)left, (decimal)amount, means, (decimal)received, null);
        Assert.Equal(code, (await hospital.Use<TakePayment>().Run(patient.Id, invoice, form, await hospital.As(Role.Cashier), default)).Error?.Code);
        await using var clinic = hospital.Clinic();
        Assert.False(await clinic.Payments.AnyAsync(payment => payment.InvoiceId == invoice));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_charge_after_settling_opens_the_invoice_again(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, invoice) = await Billed(hospital, null);
        Assert.True((await Take(hospital, patient, invoice, 1590m, 1590m, 1590m)).Value.Settled);
        await using var clinic = hospital.Clinic();
        var visit = (await clinic.Invoices.FindAsync(invoice))!.VisitId;
        await hospital.Use<Charging>().Post((await clinic.Visits.FindAsync(visit))!, patient, [new Charging.Act(Ids.New(), "C-0101", "Triage", "Triage", 1)], default);

        var bill = (await hospital.Use<ViewInvoice>().Run(patient.Id, invoice, await hospital.As(Role.Cashier), default)).Value.Bill;
        Assert.Equal(InvoiceStatus.Open, bill.Invoice.Status);
        Assert.Equal(300m, bill.Left.Amount);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task An_invoice_that_the_payer_bears_whole_is_settled_without_money(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var cashier = await hospital.As(Role.Cashier);
        var (patient, invoice) = await Billed(hospital, new PayerDetails("State fund", null, 100));
        Assert.Equal(InvoiceStatus.Settled, (await hospital.Use<SettleInvoice>().Run(patient.Id, invoice, cashier, default)).Value.Status);

        var (debtor, owed) = await Billed(hospital, null);
        Assert.Equal("invoice.left", (await hospital.Use<SettleInvoice>().Run(debtor.Id, owed, cashier, default)).Error?.Code);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task An_invoice_under_another_patients_address_is_as_absent_as_none(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (_, invoice) = await Billed(hospital, null);
        var other = await hospital.Register();
        var cashier = await hospital.As(Role.Cashier);
        var view = await hospital.Use<ViewInvoice>().Run(other.Id, invoice, cashier, default);
        var none = await hospital.Use<ViewInvoice>().Run(other.Id, Ids.New(), cashier, default);
        Assert.Equal(none.Error, view.Error);
        Assert.Equal(none.Error, (await hospital.Use<TakePayment>().Run(other.Id, invoice, new TakePayment.Form(Ids.New(), 1590, 1590, PaymentMeans.Cash, 1590, null), cashier, default)).Error);
    }

    [Theory]
    [InlineData(Role.FrontDesk)]
    [InlineData(Role.Nurse)]
    [InlineData(Role.Doctor)]
    [InlineData(Role.Pharmacist)]
    [InlineData(Role.LabTech)]
    [InlineData(Role.Admin)]
    public async Task Nobody_but_the_cashier_sees_or_takes_money(Role role)
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, invoice) = await Billed(hospital, null);
        var actor = await hospital.As(role);
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<ViewInvoice>().Run(patient.Id, invoice, actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<TakePayment>().Run(patient.Id, invoice, new TakePayment.Form(Ids.New(), 1590, 1590, PaymentMeans.Cash, 1590, null), actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<ListOpenInvoices>().Run(actor, false, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<ListReceipts>().Run(new DateOnly(2026, 3, 2), actor, default));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task The_worklist_and_the_receipts_show_what_was_done_in_price_codes(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, invoice) = await Billed(hospital, null);
        var cashier = await hospital.As(Role.Cashier);
        var line = Assert.Single((await hospital.Use<ListOpenInvoices>().Run(cashier, false, default)).Lines, line => line.Bill.Invoice.Id == invoice);
        Assert.Equal(["C-0001", "C-0101", "L-0101"], line.Bill.Lines.Select(item => item.Charge.Code).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(line.Bill.Lines, item => item.Charge.Label.Contains("aemoglobin", StringComparison.Ordinal));

        await Take(hospital, patient, invoice, 1590m, 90m, 100m);
        var receipt = Assert.Single(await hospital.Use<ListReceipts>().Run(new DateOnly(2026, 3, 2), cashier, default), receipt => receipt.InvoiceId == invoice);
        Assert.StartsWith("RC-", receipt.Payment.ReceiptNumber, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task An_act_whose_charge_cannot_be_saved_is_not_saved_either(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        await Billed(hospital, null);
        var (patient, arrived) = await hospital.Arrive();
        await using var clinic = hospital.Clinic();
        await clinic.Counters.Where(counter => counter.Name.StartsWith("invoice:")).ExecuteUpdateAsync(row => row.SetProperty(counter => counter.Value, 0));
        var visit = (await clinic.Visits.FindAsync(arrived.Id))!;
        Assert.True(visit.Triage(hospital.Clock.GetUtcNow()).Ok);
        await Assert.ThrowsAnyAsync<DbUpdateException>(() => hospital.Use<Charging>().Save(clinic, visit, patient, [new Charging.Act(visit.Id, "C-0101", "Triage", "Triage", 1)], default));

        await using var fresh = hospital.Clinic();
        Assert.Equal(arrived.Status, (await fresh.Visits.FindAsync(arrived.Id))!.Status);
        Assert.False(await fresh.Charges.AnyAsync(charge => charge.VisitId == arrived.Id));
    }

    private static async Task<Result<TakePayment.Taken>> Take(TestHospital hospital, PatientRef patient, Guid invoice, decimal left, decimal amount, decimal received) =>
        await hospital.Use<TakePayment>().Run(patient.Id, invoice, new TakePayment.Form(Ids.New(), left, amount, PaymentMeans.Cash, received, null), await hospital.As(Role.Cashier), default);

    private static async Task<(PatientRef Patient, Guid Invoice)> Billed(TestHospital hospital, PayerDetails? payer)
    {
        var (patient, visit) = await hospital.Arrive(payer: payer);
        await hospital.Use<Charging>().Post(
            visit,
            patient,
            [
                new Charging.Act(Ids.New(), "C-0001", "Consultation", "Doctor", 1),
                new Charging.Act(Ids.New(), "C-0101", "Triage", "Triage", 1),
                new Charging.Act(Ids.New(), "L-0101", "Laboratory test", "Laboratory", 1),
            ],
            default);
        await using var clinic = hospital.Clinic();
        return (patient, (await clinic.Invoices.SingleAsync(invoice => invoice.VisitId == visit.Id)).Id);
    }
}
