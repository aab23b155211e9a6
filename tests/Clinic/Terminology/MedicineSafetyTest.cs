using Mangrove.Clinic.Terminology;

namespace Mangrove.Tests.Clinic.Terminology;

public sealed class MedicineSafetyTest
{
    private static readonly MedicineCatalogue Medicines = MedicineCatalogue.Load();
    private static readonly AllergyCheck Allergies = AllergyCheck.Load();
    private static readonly InteractionTable Interactions = InteractionTable.Load();

    [Fact]
    public void There_are_at_least_250_medicines_with_their_own_codes_and_prices()
    {
        Assert.True(Medicines.All.Count >= 250, $"{Medicines.All.Count}");
        Unique(Medicines.All.Select(medicine => medicine.Code));
        Unique(Medicines.All.Select(medicine => medicine.Name));
        Unique(Medicines.All.Where(medicine => medicine.RxNorm is not null).Select(medicine => medicine.RxNorm!));
        var products = Medicines.All.SelectMany(medicine => medicine.Products).ToList();
        Unique(products.Select(product => product.PriceCode));
        Assert.All(products, product => Assert.True(PriceList.Load().Find(product.PriceCode)?.Amount > 0, product.PriceCode));
        Assert.All(Medicines.All, medicine => Assert.All(medicine.Routes, route => Assert.NotNull(Route.Find(route))));
        Assert.All(Medicines.All, medicine => Assert.Matches("^[A-Z][0-9]{2}[A-Z]{1,2}([0-9]{2})?$", medicine.Atc));
        Assert.Contains("pharmacist must review", Medicines.SourceNote, StringComparison.Ordinal);
        Assert.All(Medicines.All, medicine => Assert.DoesNotContain("Various", medicine.Class == "Various" && medicine.Atc[0] != 'V' ? "Various" : "", StringComparison.Ordinal));
    }

    [Fact]
    public void The_price_of_every_product_names_that_product() =>
        Assert.All(Medicines.All.SelectMany(medicine => medicine.Products, (medicine, product) => (medicine, product)), pair =>
            Assert.Equal($"{pair.medicine.DisplayName} {pair.product.Strength} {pair.product.Form}", PriceList.Load().Find(pair.product.PriceCode)?.Description));

    [Fact]
    public void A_thousands_comma_does_not_part_a_strength() =>
        Assert.Equal(["1,000 IU/mL", "5,000 IU/mL"], Medicine("heparin").Products.Select(product => product.Strength));

    [Theory]
    [InlineData("metf", "metformin")]
    [InlineData("metformine", "metformin")]
    [InlineData("acetaminophen", "paracetamol")]
    [InlineData("amoxycillin", "amoxicillin")]
    [InlineData("amoxicilin", "amoxicillin")]
    [InlineData("sulphadiazine", "sulfadiazine")]
    [InlineData("frusemide", "furosemide")]
    [InlineData("clarithromicin", "clarithromycin")]
    public void Medicines_are_found_by_other_names_and_spellings(string typed, string name) =>
        Assert.Contains(name, Medicines.Search(typed, 5).Select(medicine => medicine.Name));

    [Theory]
    [InlineData("Acetaminophen 325 MG Oral Tablet", "paracetamol")]
    [InlineData("24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]", "metoprolol")]
    [InlineData("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet", "amoxicillin")]
    [InlineData("Simvistatin 10 MG", "simvastatin")]
    public void The_names_of_other_systems_lead_to_the_generic(string text, string name) =>
        Assert.Contains(name, Medicines.NamedIn(text).Select(medicine => medicine.Name));

    [Theory]
    [InlineData("Penicillin", ReactionSeverity.Anaphylaxis, "amoxicillin", SafetyGrade.Block)]
    [InlineData("penicilin", ReactionSeverity.Unknown, "amoxicillin", SafetyGrade.Block)]
    [InlineData("penicillin allergy", ReactionSeverity.Mild, "amoxicillin", SafetyGrade.Warn)]
    [InlineData("amoxycillin", ReactionSeverity.Anaphylaxis, "amoxicillin", SafetyGrade.Block)]
    [InlineData("Amoxicillin", ReactionSeverity.Anaphylaxis, "amoxicillin with clavulanic acid", SafetyGrade.Block)]
    [InlineData("amoxicillin", ReactionSeverity.Unknown, "flucloxacillin", SafetyGrade.Block)]
    [InlineData("amoxicillin", ReactionSeverity.Anaphylaxis, "ceftriaxone", SafetyGrade.Warn)]
    [InlineData("Penicillins", ReactionSeverity.Mild, "ceftriaxone", SafetyGrade.Note)]
    [InlineData("Penicillins", ReactionSeverity.Severe, "meropenem", SafetyGrade.Warn)]
    [InlineData("Cephalosporins", ReactionSeverity.Severe, "amoxicillin", SafetyGrade.Warn)]
    [InlineData("sulfa drugs", ReactionSeverity.Unknown, "co-trimoxazole", SafetyGrade.Block)]
    [InlineData("sulpha", ReactionSeverity.Severe, "furosemide", SafetyGrade.Note)]
    [InlineData("sulphonamides", ReactionSeverity.Mild, "sulfasalazine", SafetyGrade.Warn)]
    [InlineData("aspirin", ReactionSeverity.Anaphylaxis, "ibuprofen", SafetyGrade.Block)]
    [InlineData("aspirin", ReactionSeverity.Mild, "ibuprofen", SafetyGrade.Warn)]
    [InlineData("NSAIDs", ReactionSeverity.Unknown, "diclofenac", SafetyGrade.Block)]
    [InlineData("ibuprofin", ReactionSeverity.Severe, "ibuprofen", SafetyGrade.Block)]
    [InlineData("carbamazepine", ReactionSeverity.Severe, "phenytoin", SafetyGrade.Block)]
    [InlineData("lisinopril", ReactionSeverity.Anaphylaxis, "enalapril", SafetyGrade.Block)]
    [InlineData("codeine", ReactionSeverity.Mild, "morphine", SafetyGrade.Warn)]
    [InlineData("x-ray dye", ReactionSeverity.Unknown, "iohexol", SafetyGrade.Block)]
    [InlineData("Egg", ReactionSeverity.Anaphylaxis, "propofol", SafetyGrade.Note)]
    [InlineData("Allergy to eggs", ReactionSeverity.Unknown, "propofol", SafetyGrade.Note)]
    public void Allergy_truth_table(string substance, ReactionSeverity severity, string medicine, SafetyGrade grade)
    {
        var findings = Allergies.Check([new RecordedAllergy(substance, null, severity)], Medicine(medicine));
        var finding = Assert.Single(findings);
        Assert.Equal(grade, finding.Grade);
        Assert.Equal(SafetyCheck.Allergy, finding.Check);
        Assert.NotEqual("allergy.not-matched", finding.Code);
    }

    [Theory]
    [InlineData("Penicillins", "doxycycline")]
    [InlineData("Penicillins", "paracetamol")]
    [InlineData("Latex allergy", "amoxicillin")]
    [InlineData("House dust mite allergy", "amoxicillin")]
    [InlineData("Allergy to grass pollen", "ibuprofen")]
    [InlineData("Shellfish allergy", "iohexol")]
    [InlineData("Dander (animal) allergy", "amoxicillin")]
    [InlineData("Allergy to bee venom", "amoxicillin")]
    [InlineData("macrolides", "amoxicillin")]
    public void What_does_not_concern_the_medicine_stays_silent(string substance, string medicine) =>
        Assert.Empty(Allergies.Check([new RecordedAllergy(substance, null, ReactionSeverity.Unknown)], Medicine(medicine)));

    [Fact]
    public void An_allergy_in_unknown_words_is_said_never_passed_over()
    {
        var finding = Assert.Single(Allergies.Check([new RecordedAllergy("the pink tablets", null, ReactionSeverity.Unknown)], Medicine("amoxicillin")));
        Assert.Equal(("allergy.not-matched", SafetyGrade.Note), (finding.Code, finding.Grade));
        Assert.False(Allergies.Knows(new RecordedAllergy("the pink tablets", null, ReactionSeverity.Unknown)));
    }

    [Fact]
    public void Codes_count_as_well_as_words_and_intolerance_weighs_less()
    {
        Assert.Equal(SafetyGrade.Block, Assert.Single(Allergies.Check([new RecordedAllergy("?", "723", ReactionSeverity.Unknown)], Medicine("amoxicillin"))).Grade);
        Assert.Equal(SafetyGrade.Block, Assert.Single(Allergies.Check([new RecordedAllergy("?", "A-001", ReactionSeverity.Severe)], Medicine("amoxicillin"))).Grade);
        Assert.Equal(SafetyGrade.Note, Assert.Single(Allergies.Check([new RecordedAllergy("codeine", null, ReactionSeverity.Mild, Intolerance: true)], Medicine("codeine"))).Grade);
    }

    [Fact]
    public void Every_allergy_of_the_pick_list_is_known_and_every_medicine_group_of_it_blocks_its_own()
    {
        var list = AllergySubstances.Load();
        Unique(list.All.Select(one => one.Code));
        Unique(list.All.Select(one => one.Name));
        Assert.All(list.All, one => Assert.True(Allergies.Knows(new RecordedAllergy(one.Name, null, ReactionSeverity.Unknown)), one.Name));
        foreach (var one in list.All.Where(one => one.Groups.Count != 0))
        {
            var medicine = Medicines.All.First(candidate => candidate.In(one.Groups[^1]));
            Assert.Contains(Allergies.Check([new RecordedAllergy(one.Name, one.Code, ReactionSeverity.Anaphylaxis)], medicine), finding => finding.Grade == SafetyGrade.Block);
        }
    }

    [Theory]
    [InlineData("clarithromycin", "warfarin", SafetyGrade.Warn)]
    [InlineData("warfarin", "clarithromycin", SafetyGrade.Warn)]
    [InlineData("clarithromycin", "simvastatin", SafetyGrade.Warn)]
    [InlineData("enalapril", "spironolactone", SafetyGrade.Warn)]
    [InlineData("isosorbide mononitrate", "sildenafil", SafetyGrade.Block)]
    [InlineData("glyceryl trinitrate", "tadalafil", SafetyGrade.Block)]
    [InlineData("phenelzine", "fluoxetine", SafetyGrade.Block)]
    [InlineData("linezolid", "sertraline", SafetyGrade.Block)]
    [InlineData("methotrexate", "co-trimoxazole", SafetyGrade.Block)]
    [InlineData("azathioprine", "allopurinol", SafetyGrade.Block)]
    [InlineData("morphine", "diazepam", SafetyGrade.Warn)]
    [InlineData("meropenem", "sodium valproate", SafetyGrade.Block)]
    [InlineData("tizanidine", "ciprofloxacin", SafetyGrade.Block)]
    [InlineData("lithium carbonate", "hydrochlorothiazide", SafetyGrade.Warn)]
    [InlineData("haloperidol", "ondansetron", SafetyGrade.Warn)]
    [InlineData("verapamil", "bisoprolol", SafetyGrade.Warn)]
    [InlineData("rifampicin", "warfarin", SafetyGrade.Warn)]
    [InlineData("ergotamine with caffeine", "clarithromycin", SafetyGrade.Block)]
    [InlineData("gentamicin", "furosemide", SafetyGrade.Warn)]
    [InlineData("doxycycline", "ferrous sulfate", SafetyGrade.Note)]
    [InlineData("potassium chloride", "spironolactone", SafetyGrade.Block)]
    [InlineData("ramipril", "sacubitril with valsartan", SafetyGrade.Block)]
    public void Interaction_truth_table(string added, string taken, SafetyGrade grade)
    {
        var finding = Assert.Single(Interactions.Check(Medicine(added), [Medicine(taken)]), one => one.Check == SafetyCheck.Interaction);
        Assert.Equal(grade, finding.Grade);
        Assert.NotEmpty(finding.Advice);
    }

    [Theory]
    [InlineData("paracetamol", "amoxicillin")]
    [InlineData("amlodipine", "metformin")]
    [InlineData("doxycycline", "amlodipine")]
    [InlineData("salbutamol", "bisoprolol")]
    public void Harmless_pairs_stay_silent(string added, string taken) => Assert.Empty(Interactions.Check(Medicine(added), [Medicine(taken)]));

    [Fact]
    public void Duplicates_are_found_by_medicine_and_by_class()
    {
        Assert.Equal("duplicate.medicine", Assert.Single(Interactions.Check(Medicine("paracetamol"), [Medicine("paracetamol")])).Code);
        Assert.Contains(Interactions.Check(Medicine("ibuprofen"), [Medicine("diclofenac")]), one => one.Code == "duplicate.nsaid" && one.Grade == SafetyGrade.Warn);
        Assert.Contains(Interactions.Check(Medicine("rivaroxaban"), [Medicine("warfarin")]), one => one.Code == "duplicate.anticoagulant");
    }

    [Fact]
    public void There_are_at_least_sixty_rules_each_pair_once_and_the_gravest_comes_first()
    {
        Assert.True(Interactions.Rules.Count >= 60, $"{Interactions.Rules.Count}");
        Unique(Interactions.Rules.Select(rule => string.Join('+', ((string[])[rule.SideA, rule.SideB]).Order(StringComparer.Ordinal))));
        var grades = Interactions.Check(Medicine("clarithromycin"), [Medicine("atorvastatin"), Medicine("ergotamine with caffeine"), Medicine("metformin")]).Select(one => one.Grade).ToList();
        Assert.Equal(grades.OrderDescending(), grades);
        Assert.Equal(SafetyGrade.Block, grades[0]);
    }

    [Fact]
    public void Every_rule_meets_at_least_one_real_pair() =>
        Assert.All(Interactions.Rules, rule =>
        {
            bool Is(Medicine medicine, string side) => side[0] == '=' ? medicine.DisplayName == side[1..] : medicine.In(side);
            Assert.Contains(Medicines.All, left => Is(left, rule.SideA) && Medicines.All.Any(right => right != left && Is(right, rule.SideB)));
        });

    [Fact]
    public void Doses_are_held_against_the_table()
    {
        var paracetamol = Medicine("paracetamol");
        Assert.Empty(DoseCheck.Check(paracetamol, 1000, 4, Age.OfYears(40), null));
        Assert.Equal(SafetyGrade.Warn, Assert.Single(DoseCheck.Check(paracetamol, 1000, 6, Age.OfYears(40), null)).Grade);
        Assert.Equal(SafetyGrade.Block, Assert.Single(DoseCheck.Check(paracetamol, 5000, 4, Age.OfYears(40), null)).Grade);
        Assert.Empty(DoseCheck.Check(paracetamol, 150, 4, Age.OfYears(3), 12m));
        Assert.Equal("dose.above-child-maximum", Assert.Single(DoseCheck.Check(paracetamol, 500, 4, Age.OfYears(3), 12m)).Code);
        Assert.Equal("dose.weight-needed", Assert.Single(DoseCheck.Check(paracetamol, 150, 4, Age.OfYears(3), null)).Code);
        Assert.Equal("dose.low-for-child", Assert.Single(DoseCheck.Check(paracetamol, 20, 4, Age.OfYears(3), 12m)).Code);
        Assert.Equal("pregnancy.avoid", DoseCheck.InPregnancy(Medicine("lisinopril"))?.Code);
        Assert.Null(DoseCheck.InPregnancy(paracetamol));
    }

    [Theory]
    [InlineData("5.0", "mg", "5 mg")]
    [InlineData("0.50", "mg", "0.5 mg")]
    [InlineData("1000", "mg", "1,000 mg")]
    [InlineData("62.5", "µg", "62.5 mcg")]
    [InlineData("10", "U", "10 units")]
    [InlineData("0.9", "%", "0.9 %")]
    public void Doses_are_written_by_the_rules(string value, string unit, string written) =>
        Assert.Equal(written, DrugLine.Dose(decimal.Parse(value, System.Globalization.CultureInfo.InvariantCulture), unit));

    [Fact]
    public void Directions_are_a_sentence_and_say_how_much_to_supply()
    {
        var sig = Make(1, "tablet", "twice-daily", "po", 5);
        Assert.Equal("1 tablet twice daily by mouth for 5 days", sig.Text);
        Assert.Equal(10, sig.Supply);
        var clarithromycin = Medicine("clarithromycin");
        Assert.Equal("clarithromycin 500 mg tablet 1 tablet twice daily by mouth for 5 days", DrugLine.Full(clarithromycin, clarithromycin.Products[1], sig));
        Assert.Equal("2 tablets at night by mouth for 1 day", Make(2, "tablet", "at-night", "po", 1).Text);
        Assert.Equal("half a tablet once daily by mouth", Make(0.5m, "tablet", "once-daily", "po", null).Text);
        Assert.Equal("7.5 mL three times daily by mouth for 7 days", Make(7.5m, "mL", "three-times-daily", "po", 7).Text);
        Assert.Equal(158, Make(7.5m, "mL", "three-times-daily", "po", 7).Supply);
        Assert.Equal(4, Make(1, "tablet", "once-a-week", "po", 28).Supply);
        Assert.Null(Make(1, "tablet", "as-needed", "po", 5).Supply);
        Assert.Equal("prescription.quantity", Sig.Make(0, "tablet", Frequency.Find("once-daily")!, Route.Find("po")!, 5).Error?.Code);
        Assert.Equal("prescription.days", Sig.Make(1, "tablet", Frequency.Find("once-daily")!, Route.Find("po")!, 0).Error?.Code);
    }

    [Fact]
    public void Tall_man_letters_stand_on_the_listed_pairs_only_and_search_ignores_them()
    {
        Assert.Equal("metFORMIN", Medicine("metformin").DisplayName);
        Assert.Equal("hydroCHLOROthiazide", Medicine("hydrochlorothiazide").DisplayName);
        Assert.Equal("amoxicillin", Medicine("amoxicillin").DisplayName);
    }

    [Fact]
    public void The_price_list_covers_care_and_names_every_code_once()
    {
        var prices = PriceList.Load();
        Unique(prices.All.Select(item => item.Code));
        Assert.Equal("Consultation, general", prices.Find(PriceList.Consultation)?.Description);
        Assert.Equal("Triage", prices.Find(PriceList.Triage)?.Description);
        Assert.All(prices.All, item => Assert.True(item.Amount > 0, item.Code));
        Assert.Contains("must review", prices.SourceNote, StringComparison.Ordinal);
    }

    private static Sig Make(decimal quantity, string unit, string frequency, string route, int? days) =>
        Sig.Make(quantity, unit, Frequency.Find(frequency)!, Route.Find(route)!, days).Value;

    private static Medicine Medicine(string name) => Medicines.ByName(name) ?? throw new InvalidOperationException(name);

    private static void Unique(IEnumerable<string> values) => Assert.Empty(values.GroupBy(value => value, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => group.Key));
}
