using Mangrove.Vault.Holds;

namespace Mangrove.Governance.Retention;

/// <summary>A country whose rules can be adopted.</summary>
/// <param name="Rules">What is adopted.</param>
/// <param name="Name">In English.</param>
/// <param name="Note">What is to be known of it.</param>
public sealed record CountryRules(RetentionTemplate Rules, string Name, string Note);

/// <summary>
/// Rules of retention of several countries, each with where it stands. Only what could be named with certainty is here; a hospital
/// of another country writes its own. None of it is legal advice: state, regional and professional rules may ask for more, and the
/// hospital makes its rule longer then.
/// </summary>
public static class RetentionTable
{
    private const string Hipaa = "45 CFR 164.316(b)(2)(i), 6 years for the documentation that HIPAA requires; it sets none for medical records";
    private const string Conditions = "42 CFR 482.24(b)(1), Medicare conditions of participation: 5 years";
    private const string Bgb = "BGB § 630f(3): 10 years after the end of the treatment";
    private const string Nhs = "NHS Records Management Code of Practice (NHS England), appendix II: 8 years after the end of care for adults";
    private const string NhsChildren = "NHS Records Management Code of Practice (NHS England), appendix II: until the 25th birthday, or the 26th for who was 17 at the end of treatment; 8 years after 18 covers both";

    /// <summary>Every country, in the order of the page.</summary>
    public static IReadOnlyList<CountryRules> All { get; } =
    [
        new(
            new RetentionTemplate("DE", 18, [new(RecordKind.Chart, 10, Bgb), new(RecordKind.Deceased, 10, Bgb), new(RecordKind.Laboratory, 10, Bgb), new(RecordKind.Prescriptions, 10, Bgb)]),
            "Germany",
            "Records of radiation are longer (StrlSchG § 85): make the chart 30 years where there are any."),
        new(
            new RetentionTemplate("GB", 18, [new(RecordKind.Chart, 8, Nhs), new(RecordKind.Minor, 8, NhsChildren), new(RecordKind.Deceased, 8, Nhs), new(RecordKind.Laboratory, 8, Nhs), new(RecordKind.Prescriptions, 8, Nhs)]),
            "United Kingdom (NHS, England)",
            "Mental health, cancer and maternity records are longer in the Code: make the chart longer where there are any."),
        new(
            new RetentionTemplate("US", 18, [new(RecordKind.Chart, 6, $"{Hipaa}; {Conditions}")]),
            "United States (federal)",
            "Medical records are kept by the law of the state, for minors usually until some years after majority: add the state's years. Majority is 19 or 21 in a few states."),
        new(
            new RetentionTemplate(RetentionTemplate.Own, 21, []),
            "Another country: the hospital's own rules",
            "DATA_RETENTION_YEARS holds for everybody. Write the country's years by making a rule longer; majority is taken as 21, the highest in use."),
    ];

    /// <summary>The rules of a country; null for one that is not here.</summary>
    public static CountryRules? Of(string? country) => All.FirstOrDefault(one => one.Rules.Country.Equals(country, StringComparison.OrdinalIgnoreCase));
}
