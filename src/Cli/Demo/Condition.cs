using Mangrove.Vault;

namespace Mangrove.Cli.Demo;

/// <summary>A medicine that is usual for a condition, by generic name.</summary>
/// <param name="Product">A part of the product's strength or form that picks it out.</param>
/// <param name="Days">Length of the course.</param>
internal sealed record UsualMedicine(string Name, string Product, decimal Quantity, string Unit, string Frequency, string Route, int? Days);

/// <summary>A test that is usual for a condition, with what it finds.</summary>
/// <param name="Code">Code of the laboratory's list.</param>
/// <param name="Mean">Mean of the first result, in the laboratory's unit; for a test without numbers the chance of an abnormal answer. Null for what the condition does not move.</param>
/// <param name="Trend">By how much each later result moves.</param>
/// <param name="Least">A result below it would contradict the diagnosis.</param>
/// <param name="Most">A result above it would contradict the diagnosis.</param>
internal sealed record UsualTest(string Code, double? Mean = null, double Deviation = 0, double Trend = 0, decimal? Least = null, decimal? Most = null);

/// <summary>How far a condition moves the vital signs from those of a well person.</summary>
internal sealed record VitalShift(double Temperature = 0, double Pulse = 0, double Breaths = 0, double Saturation = 0, double Systolic = 0);

/// <summary>Why made-up people come to this hospital: everyday conditions with their words, signs, tests and medicines.</summary>
/// <param name="Icd10">Code of the starter list.</param>
/// <param name="Weight">How common it is here.</param>
/// <param name="Chronic">Whether it stays on the problem list, with visits again and again.</param>
internal sealed record Condition(
    string Icd10,
    int Weight,
    bool Chronic,
    int FromAge,
    int ToAge,
    AdministrativeSex? Sex,
    string Complaint,
    string Examination,
    string Plan,
    VitalShift Shift,
    IReadOnlyList<UsualTest> Tests,
    IReadOnlyList<UsualMedicine> Medicines)
{
    private static readonly UsualMedicine Paracetamol = new("paracetamol", "tablet 500 mg", 2, "tablet", "every-6-hours-as-needed", "po", 3);
    private static readonly UsualTest[] Renal = [new("L-0201"), new("L-0202"), new(Body.Creatinine)];

    public static IReadOnlyList<Condition> All { get; } =
    [
        new("I10", 14, true, 35, 99, null,
            "Review of blood pressure. Occasional headache in the morning, no chest pain.", "Heart sounds normal, no oedema, fundi not seen.",
            "Go on with treatment, less salt, review in three months.", new(Systolic: 32, Pulse: 4), Renal,
            [new("amlodipine", "tablet 5 mg", 1, "tablet", "once-daily", "po", 90), new("losartan", "tablet 50 mg", 1, "tablet", "once-daily", "po", 90)]),
        new("E11.9", 11, true, 35, 95, null,
            "Diabetes review. Passing more water, tired.", "Feet: pulses present, sensation normal. No ulcers.",
            "Diet talked over, go on with treatment, HbA1c again in three months.", new(Systolic: 10),
            [new("L-0210", 8.9, 1.4, -0.45, Least: 6.6m), new("L-0209", 9.8, 2.4, -0.5, Least: 7.1m), .. Renal],
            [new("metformin", "tablet 500 mg", 1, "tablet", "twice-daily", "po", 90), new("glibenclamide", "tablet 5 mg", 1, "tablet", "in-the-morning", "po", 90)]),
        new("B50.9", 12, false, 1, 80, null,
            "Fever and chills for three days, headache, joint pains.", "Febrile, mild pallor, spleen not felt, neck soft.",
            "Treat as uncomplicated malaria, return if vomiting or drowsy.", new(Temperature: 1.9, Pulse: 24, Breaths: 4),
            [new("L-0122", 1), new(Body.Haemoglobin, 106, 14), new("L-0110", 112, 40, Most: 148)],
            [new("artemether with lumefantrine", "tablet 20 mg/120 mg", 4, "tablet", "twice-daily", "po", 3), Paracetamol]),
        new("J06.9", 14, false, 0, 99, null,
            "Runny nose, sore throat and cough for four days.", "Throat red, chest clear.", "Fluids, rest, return if breathing becomes hard.", new(Temperature: 0.6, Pulse: 8), [],
            [Paracetamol, new("cetirizine", "tablet 10 mg", 1, "tablet", "at-night", "po", 5)]),
        new("J18.9", 6, false, 0, 99, null,
            "Cough with yellow sputum, fever, short of breath for five days.", "Crackles at the right base, breathing fast.",
            "Antibiotic by mouth, review in two days, sooner if worse.", new(Temperature: 1.6, Pulse: 24, Breaths: 9, Saturation: -4.5, Systolic: -8),
            [new("L-0120", 96, 45, Least: 20), new(Body.Haemoglobin), new("L-0102", 14.8, 3, Least: 11.6m), new("L-0110")], [new("amoxicillin", "capsule 500 mg", 1, "capsule", "three-times-daily", "po", 7), Paracetamol]),
        new("J45.9", 7, true, 4, 70, null,
            "Wheeze at night, worse with dust and exercise.", "Wheeze on both sides, speaks in sentences.",
            "Inhaler technique checked, preventer every day, spacer given.", new(Pulse: 10, Breaths: 5, Saturation: -2), [],
            [new("salbutamol", "inhaler 100 mcg", 2, "puff", "every-6-hours-as-needed", "inh", 30), new("beclometasone", "inhaler 100 mcg", 2, "puff", "twice-daily", "inh", 60)]),
        new("N39.0", 7, false, 12, 95, AdministrativeSex.Female,
            "Burning on passing water, going often, two days.", "Tender above the pubis, no loin pain.", "Antibiotic, fluids, return with fever or back pain.", new(Temperature: 0.4, Pulse: 6),
            [new("L-0405", 1), new("L-0406", 0.6), new("L-0413", 22, 9, Least: 8)], [new("nitrofurantoin", "modified-release capsule 100 mg", 1, "capsule", "twice-daily", "po", 5)]),
        new("A09", 8, false, 0, 90, null,
            "Loose stools six times a day and vomiting since yesterday.", "Mouth dry, belly soft, no blood in stool.", "Oral rehydration, zinc for children, watch for dehydration.",
            new(Temperature: 0.5, Pulse: 18, Systolic: -9), [new("L-0201", 134, 4), new("L-0202", 3.5, 0.4)],
            [new("oral rehydration salts", "sachet", 1, "sachet", "as-needed", "po", 3), new("zinc sulfate", "dispersible tablet 20 mg", 1, "tablet", "once-daily", "po", 10)]),
        new("D50.9", 5, true, 2, 80, AdministrativeSex.Female,
            "Tired, short of breath on stairs, heavy periods.", "Pale, soft murmur, no jaundice.", "Iron for three months, look for a cause.", new(Pulse: 12),
            [new(Body.Haemoglobin, 84, 11, 5, Most: 104), new("L-0105", 68, 5, 1, Most: 74), new("L-0363", 6, 3, 1, Most: 11)], [new("ferrous sulfate", "tablet 200 mg", 1, "tablet", "twice-daily", "po", 90)]),
        new("Z34.9", 7, false, 16, 45, AdministrativeSex.Female,
            "Antenatal visit, feels the baby move.", "Fundus fits the dates, heart beat heard.", "Iron and folic acid, net, next visit in four weeks.", new(Pulse: 8, Systolic: -4),
            [new(Body.Haemoglobin, 117, 8), new("L-0402", 0.08)], [new("ferrous sulfate with folic acid", "tablet", 1, "tablet", "once-daily", "po", 30)]),
        new("I50.9", 3, true, 45, 97, null,
            "Short of breath lying down, ankles swollen.", "Raised neck veins, crackles at both bases, pitting oedema.",
            "Water tablet raised, weigh every day, potassium again in a week.", new(Pulse: 18, Breaths: 7, Saturation: -3.5, Systolic: -6),
            [new("L-0354", 1900, 700, -250, Least: 560), new("L-0202", 4.7, 0.5, 0.05), new(Body.Creatinine, 112, 20, 3)],
            [new("furosemide", "tablet 40 mg", 1, "tablet", "in-the-morning", "po", 30), new("spironolactone", "tablet 25 mg", 1, "tablet", "once-daily", "po", 30), new("enalapril", "tablet 5 mg", 1, "tablet", "twice-daily", "po", 30)]),
        new("N18.3", 3, true, 45, 95, null,
            "Kidney clinic review, no new complaint.", "No oedema, lungs clear.", "Avoid painkillers of the ibuprofen kind, pressure below 130/80, again in two months.", new(Systolic: 24),
            [new(Body.Creatinine, 168, 30), new("L-0202", 5.1, 0.4), new(Body.Filtration, 42, 8, -1, Least: 31, Most: 52), new(Body.Haemoglobin, 106, 9, -1)], [new("amlodipine", "tablet 10 mg", 1, "tablet", "once-daily", "po", 60)]),
        new("B20", 4, true, 18, 70, null,
            "Clinic review, takes treatment every day.", "Weight steady, mouth clear.", "Go on with treatment, viral load in six months.", new(),
            [new("L-0447", 340, 110, 45), new("L-0448", 400, 300, -120)], [new("tenofovir with lamivudine and dolutegravir", "tablet", 1, "tablet", "once-daily", "po", 90)]),
        new("K29.7", 6, false, 16, 85, null,
            "Burning pain in the upper belly after food.", "Tender below the breastbone, no guarding.", "Acid blocker for four weeks, stop painkillers of the ibuprofen kind.", new(), [],
            [new("omeprazole", "capsule 20 mg", 1, "capsule", "once-daily", "po", 28)]),
        new("M54.5", 7, false, 18, 85, null,
            "Low back pain after lifting, no numbness.", "Straight leg raise normal, power full.", "Keep moving, painkiller, return with weakness or trouble passing water.", new(Pulse: 3), [],
            [new("ibuprofen", "tablet 400 mg", 1, "tablet", "three-times-daily", "po", 5)]),
        new("S52.5", 3, false, 5, 85, null,
            "Fell on the outstretched hand, wrist painful and bent.", "Swollen wrist, fingers warm, sensation normal.", "Set and put in plaster, elevate, review in one week.", new(Pulse: 12, Systolic: 8), [], [Paracetamol]),
        new("L03.9", 4, false, 3, 90, null,
            "Red, hot and painful leg since three days.", "Warm redness of 12 by 8 cm, no abscess.", "Antibiotic, mark the edge, review in two days.", new(Temperature: 0.9, Pulse: 12),
            [new("L-0102", 14.6, 3, Least: 11.4m), new("L-0120", 64, 30, Least: 12)], [new("flucloxacillin", "capsule 500 mg", 1, "capsule", "four-times-daily", "po", 7)]),
        new("Z00.1", 6, false, 0, 5, null, "Routine child visit, mother has no worries.", "Growing along the line, alert.", "Vaccines as the card says, next visit noted on the card.", new(), [], []),
    ];

    public bool Fits(int age, AdministrativeSex sex) => age >= FromAge && age <= ToAge && (Sex is null || Sex == sex);
}
