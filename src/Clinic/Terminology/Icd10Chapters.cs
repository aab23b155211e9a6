namespace Mangrove.Clinic.Terminology;

/// <summary>A chapter of ICD-10 with the categories that it spans.</summary>
public sealed record Icd10Chapter(int Number, string From, string To, string Name);

/// <summary>The twenty-two chapters of ICD-10 (WHO, tabular list).</summary>
public static class Icd10Chapters
{
    public static IReadOnlyList<Icd10Chapter> All { get; } =
    [
        new(1, "A00", "B99", "Infectious and parasitic diseases"),
        new(2, "C00", "D49", "Neoplasms"),
        new(3, "D50", "D89", "Blood and immune mechanism"),
        new(4, "E00", "E90", "Endocrine, nutritional and metabolic diseases"),
        new(5, "F00", "F99", "Mental and behavioural disorders"),
        new(6, "G00", "G99", "Nervous system"),
        new(7, "H00", "H59", "Eye"),
        new(8, "H60", "H95", "Ear"),
        new(9, "I00", "I99", "Circulatory system"),
        new(10, "J00", "J99", "Respiratory system"),
        new(11, "K00", "K95", "Digestive system"),
        new(12, "L00", "L99", "Skin"),
        new(13, "M00", "M99", "Musculoskeletal system"),
        new(14, "N00", "N99", "Genitourinary system"),
        new(15, "O00", "O9A", "Pregnancy, childbirth and the puerperium"),
        new(16, "P00", "P96", "Perinatal period"),
        new(17, "Q00", "Q99", "Congenital malformations"),
        new(18, "R00", "R99", "Symptoms, signs and abnormal findings"),
        new(19, "S00", "T98", "Injury and poisoning"),
        new(20, "V00", "Y99", "External causes"),
        new(21, "Z00", "Z99", "Contact with health services"),
        new(22, "U00", "U99", "Codes for special purposes"),
    ];

    /// <summary>The chapter of a code by its category (first three characters); null when it is in none.</summary>
    public static Icd10Chapter? Of(string code)
    {
        if (code.Length < 3)
        {
            return null;
        }

        var category = code[..3].ToUpperInvariant();
        return All.FirstOrDefault(chapter => string.CompareOrdinal(category, chapter.From) >= 0 && string.CompareOrdinal(category, chapter.To) <= 0);
    }
}
