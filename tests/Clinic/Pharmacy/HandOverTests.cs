using Mangrove.Clinic.Pharmacy;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Pharmacy;

// Tests share the shelf of their hospital, so each has medicines of its own.
public class HandOverTests
{
    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_line_is_taken_from_the_batches_that_expire_first_and_charged_by_the_unit(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Prescribe(patient, visit, "metoclopramide", 5);
        var late = await hospital.Deliver("metoclopramide", "CZ-2", 400, 140);
        var soon = await hospital.Deliver("metoclopramide", "CZ-1", 60, 6);
        var early = await hospital.Deliver("metoclopramide", "CZ-0", 3, 50);
        Assert.Contains(await hospital.Use<DispensingQueue>().Run(await hospital.As(Role.Pharmacist), false, default), one => one.VisitId == visit.Id && one.Lines == 1);

        var line = Assert.Single((await hospital.Counter(patient, visit)).Lines);
        Assert.Equal(10, line.Owed);
        Assert.Equal([(soon.Id, 6m), (late.Id, 4m)], line.Batches.Select(batch => (batch.Id, batch.Take)));
        Assert.Equal(hospital.Today().AddDays(3), Assert.Single(line.Hidden));

        var given = await hospital.Hand(patient, visit, CounterWork.Proposal(await hospital.Counter(patient, visit)));
        Assert.Equal(new HandOver.Given(1, 0, 0), given.Value);
        Assert.Equal((0m, 136m, 50m), (await hospital.InStock(soon.Id), await hospital.InStock(late.Id), await hospital.InStock(early.Id)));
        var dispensed = Assert.Single(await hospital.Dispensed(patient));
        Assert.Equal((10m, 0m, 2), (dispensed.Quantity, dispensed.Owed, dispensed.Batches.Count));
        await using var clinic = hospital.Clinic();
        Assert.Equal(PrescriptionStatus.Dispensed, (await clinic.Prescriptions.SingleAsync(row => row.PatientId == patient.Id)).Status);
        Assert.Equal(1, await clinic.Charges.CountAsync(charge => charge.VisitId == visit.Id));
        Assert.Equal(-10, (await clinic.StockMoves.Where(move => move.Kind == StockMoveKind.Dispensed && (move.BatchId == soon.Id || move.BatchId == late.Id)).ToListAsync()).Sum(move => move.Quantity));
        Assert.Single(await hospital.Entries(patient, "HAND_OVER"));
        Assert.DoesNotContain(await hospital.Use<DispensingQueue>().Run(await hospital.As(Role.Pharmacist), false, default), one => one.VisitId == visit.Id);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task What_is_short_is_owed_and_given_later_and_a_stale_form_gives_nothing_twice(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Prescribe(patient, visit, "omeprazole", 14);
        await hospital.Deliver("omeprazole", "OM-1", 300, 20);
        var form = CounterWork.Proposal(await hospital.Counter(patient, visit));
        Assert.Equal(new HandOver.Given(1, 1, 1), (await hospital.Hand(patient, visit, form)).Value);
        var rest = await hospital.Deliver("omeprazole", "OM-2", 400, 100);
        Assert.Equal("record.changed", (await hospital.Hand(patient, visit, form)).Error?.Code);

        var line = Assert.Single((await hospital.Counter(patient, visit)).Lines);
        Assert.Equal((20m, 8m, 8m), (line.Given, line.Owed, line.Proposed));
        var greedy = new HandOver.Line(line.Id, line.Seen, new Dictionary<Guid, decimal> { [rest.Id] = 9 }, new HashSet<string>(), new Dictionary<string, string>());
        Assert.Equal("dispense.too-many", (await hospital.Hand(patient, visit, new HandOver.Form([greedy], true))).Error?.Code);
        var last = CounterWork.Proposal(await hospital.Counter(patient, visit));
        Assert.Equal(new HandOver.Given(1, 0, 0), (await hospital.Hand(patient, visit, last)).Value);
        Assert.Equal("prescription.not-open", (await hospital.Hand(patient, visit, last)).Error?.Code);
        Assert.Equal([(20m, 8m), (8m, 0m)], (await hospital.Dispensed(patient)).Select(one => (one.Quantity, one.Owed)).OrderByDescending(one => one.Quantity));
        await using var clinic = hospital.Clinic();
        Assert.Equal(2, await clinic.Charges.CountAsync(charge => charge.VisitId == visit.Id));
        Assert.Equal(92, await hospital.InStock(rest.Id));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Of_two_pharmacists_who_take_the_last_box_one_succeeds(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var box = await hospital.Deliver("losartan", "LO-1", 300, 10);
        var (first, firstVisit) = await hospital.Arrive();
        var (second, secondVisit) = await hospital.Arrive();
        await hospital.Prescribe(first, firstVisit, "losartan", 5);
        await hospital.Prescribe(second, secondVisit, "losartan", 5);
        var forms = (CounterWork.Proposal(await hospital.Counter(first, firstVisit)), CounterWork.Proposal(await hospital.Counter(second, secondVisit)));
        await hospital.As(Role.Pharmacist, "pharmacist-2");

        var both = await Task.WhenAll(hospital.Hand(first, firstVisit, forms.Item1), hospital.Hand(second, secondVisit, forms.Item2, "pharmacist-2"));
        Assert.Single(both, one => one.Ok);
        Assert.Contains(both.Single(one => !one.Ok).Error!.Code, (string[])["record.changed", "stock.short"]);
        Assert.Equal(0, await hospital.InStock(box.Id));
        Assert.Single([.. await hospital.Dispensed(first), .. await hospital.Dispensed(second)]);
        await using var clinic = hospital.Clinic();
        Assert.Equal(1, await clinic.StockMoves.CountAsync(move => move.BatchId == box.Id && move.Kind == StockMoveKind.Dispensed));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Of_two_who_hand_over_the_same_rest_from_different_batches_one_succeeds(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Prescribe(patient, visit, "amlodipine", 10);
        await hospital.Deliver("amlodipine", "AM-0", 200, 8);
        Assert.True((await hospital.Hand(patient, visit, CounterWork.Proposal(await hospital.Counter(patient, visit)))).Ok);
        var left = await hospital.Deliver("amlodipine", "AM-1", 300, 12);
        var right = await hospital.Deliver("amlodipine", "AM-2", 400, 12);
        var line = Assert.Single((await hospital.Counter(patient, visit)).Lines);
        await hospital.As(Role.Pharmacist, "pharmacist-2");
        HandOver.Form From(Guid batch) => new([new HandOver.Line(line.Id, line.Seen, new Dictionary<Guid, decimal> { [batch] = 6 }, new HashSet<string>(), new Dictionary<string, string>())], true);

        var both = await Task.WhenAll(hospital.Hand(patient, visit, From(left.Id)), hospital.Hand(patient, visit, From(right.Id), "pharmacist-2"));
        Assert.Equal("record.changed", both.Single(one => !one.Ok).Error!.Code);
        Assert.Equal(2, (await hospital.Dispensed(patient)).Count);
        Assert.Equal(18, await hospital.InStock(left.Id) + await hospital.InStock(right.Id));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task More_than_a_batch_holds_or_a_batch_that_expires_early_is_refused(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        var id = await hospital.Prescribe(patient, visit, "folic acid", 30);
        var few = await hospital.Deliver("folic acid", "FO-1", 300, 5);
        var early = await hospital.Deliver("folic acid", "FO-0", 10, 60);
        HandOver.Form Of(Guid batch, decimal units, bool confirmed = true) =>
            new([new HandOver.Line(id, 0, new Dictionary<Guid, decimal> { [batch] = units }, new HashSet<string>(), new Dictionary<string, string>())], confirmed);
        Assert.Equal("stock.short", (await hospital.Hand(patient, visit, Of(few.Id, 6))).Error?.Code);
        Assert.Equal("stock.expires-early", (await hospital.Hand(patient, visit, Of(early.Id, 6))).Error?.Code);
        Assert.Equal("dispense.quantity", (await hospital.Hand(patient, visit, Of(few.Id, -1))).Error?.Code);
        Assert.Equal("dispense.nothing", (await hospital.Hand(patient, visit, Of(few.Id, 0))).Error?.Code);
        Assert.Equal("dispense.patient-not-confirmed", (await hospital.Hand(patient, visit, Of(few.Id, 5, confirmed: false))).Error?.Code);
        Assert.Empty(await hospital.Dispensed(patient));
        Assert.Equal((5m, 60m), (await hospital.InStock(few.Id), await hospital.InStock(early.Id)));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_batch_that_expires_on_the_last_day_of_the_course_may_be_taken(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Prescribe(patient, visit, "albendazole", 3);
        var lastDay = await hospital.Deliver("albendazole", "AL-2", 2, 4);
        await hospital.Deliver("albendazole", "AL-1", 1, 4);
        var line = Assert.Single((await hospital.Counter(patient, visit)).Lines);
        Assert.Equal(lastDay.Id, Assert.Single(line.Batches).Id);
        Assert.Single(line.Hidden);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_warning_overridden_by_the_doctor_is_accepted_and_a_new_one_needs_a_reason(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Prescribe(patient, visit, "warfarin", 28);
        await hospital.Deliver("warfarin", "WF-1", 300, 1000);
        await hospital.Deliver("clarithromycin", "CL-1", 300, 1000);
        await hospital.Prescribe(patient, visit, "clarithromycin", 5);
        var fresh = (await hospital.Counter(patient, visit)).Lines.Single(one => one.Line.Name == "clarithromycin");
        var finding = fresh.Findings.Single(one => one.Title.Contains("warfarin", StringComparison.Ordinal));
        Assert.Equal((AnswerNeeded.Reason, true), (finding.Needs, finding.NewSinceSigned));
        Assert.Equal("dispense.answer-needed", (await hospital.Hand(patient, visit, CounterWork.Proposal(await hospital.Counter(patient, visit), answered: false))).Error?.Code);

        var (other, otherVisit) = await hospital.Arrive();
        await hospital.Prescribe(other, otherVisit, "warfarin", 28);
        await hospital.Prescribe(other, otherVisit, "clarithromycin", 5, new AlertShown(finding.Code, "WARN", finding.Title, finding.Text, "No beta-lactam possible"));
        var overridden = (await hospital.Counter(other, otherVisit)).Lines.Single(one => one.Line.Name == "clarithromycin").Findings.Single(one => one.Title == finding.Title);
        Assert.Equal((AnswerNeeded.Accept, "No beta-lactam possible"), (overridden.Needs, overridden.PrescriberReason));
        Assert.True((await hospital.Hand(other, otherVisit, CounterWork.Proposal(await hospital.Counter(other, otherVisit)))).Ok);
        var kept = (await hospital.Dispensed(other)).SelectMany(one => one.AlertsAccepted).Where(alert => alert.Title == finding.Title);
        Assert.Contains(kept, alert => alert.Reason == "Accepted: No beta-lactam possible");
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task An_allergy_learnt_since_the_prescription_blocks_the_line_and_leaves_the_others(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Prescribe(patient, visit, "amoxicillin", 5);
        await hospital.Prescribe(patient, visit, "paracetamol", 5);
        await hospital.Deliver("amoxicillin", "AX-1", 300, 100);
        await hospital.Deliver("paracetamol", "PC-1", 300, 100);
        await hospital.Allergic(patient, new AllergyRecord(false, "Penicillin", Reaction: "Anaphylaxis", Severity: "severe"));
        var sheet = await hospital.Counter(patient, visit);
        Assert.True(sheet.Lines.Single(line => line.Line.Name == "amoxicillin").Blocked);
        var all = CounterWork.Proposal(sheet);
        Assert.Equal("dispense.blocked", (await hospital.Hand(patient, visit, all)).Error?.Code);
        var rest = all with { Lines = [.. all.Lines.Where(line => line.Prescription == sheet.Lines.Single(one => one.Line.Name == "paracetamol").Id)] };
        Assert.Equal(new HandOver.Given(1, 0, 1), (await hospital.Hand(patient, visit, rest)).Value);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Another_patients_line_visit_or_batch_is_answered_like_a_missing_one(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        var (other, otherVisit) = await hospital.Arrive();
        await hospital.Prescribe(patient, visit, "furosemide", 5);
        await hospital.Prescribe(other, otherVisit, "furosemide", 5);
        await hospital.Deliver("furosemide", "FU-1", 300, 100);
        var wrongMedicine = await hospital.Deliver("digoxin", "DI-1", 300, 100);
        var form = CounterWork.Proposal(await hospital.Counter(patient, visit));
        var pharmacist = await hospital.As(Role.Pharmacist);
        var missing = (await hospital.Use<OpenDispensing>().Run(PatientId.New(), Ids.New(), pharmacist, default)).Error;
        Assert.Equal(missing, (await hospital.Use<OpenDispensing>().Run(other.Id, visit.Id, pharmacist, default)).Error);
        Assert.Equal(missing, (await hospital.Hand(other, visit, form)).Error);
        Assert.Equal(missing, (await hospital.Hand(other, otherVisit, form)).Error);
        var line = form.Lines[0] with { Take = new Dictionary<Guid, decimal> { [wrongMedicine.Id] = 1 } };
        Assert.Equal("stock.wrong-product", (await hospital.Hand(patient, visit, form with { Lines = [line] })).Error?.Code);
        Assert.Equal(100, await hospital.InStock(wrongMedicine.Id));
    }

    [Theory]
    [InlineData(Role.FrontDesk)]
    [InlineData(Role.Cashier)]
    [InlineData(Role.Nurse)]
    [InlineData(Role.Doctor)]
    [InlineData(Role.LabTech)]
    [InlineData(Role.Admin)]
    public async Task The_counter_and_the_shelf_are_refused_to_every_other_role(Role role)
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Prescribe(patient, visit, "metformin", 5);
        var batch = await hospital.Deliver("metformin", "ME-" + role, 300, 100);
        var form = CounterWork.Proposal(await hospital.Counter(patient, visit));
        var actor = await hospital.As(role);
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<DispensingQueue>().Run(actor, false, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<OpenDispensing>().Run(patient.Id, visit.Id, actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<HandOver>().Run(patient.Id, visit.Id, form, actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<StockList>().Run(actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<ReceiveDelivery>().Run(new ReceiveDelivery.Form(Ids.New(), "D-1001", "X", hospital.Today().AddDays(9), 1), actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<CorrectCount>().Run(new CorrectCount.Form(batch.Id, batch.Version, 1, "counted"), actor, default));
        Assert.Equal(100, await hospital.InStock(batch.Id));
    }
}
