using System.Globalization;
using System.Text.Json;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Registration;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web.Desk;

/// <summary>The desk's form as it was typed: what is wrong is shown beside its field with everything else kept.</summary>
public sealed record PersonFields
{
    public string Family { get; init; } = "";

    public string Given { get; init; } = "";

    public string Other { get; init; } = "";

    public bool Single { get; init; }

    public string Born { get; init; } = "";

    public string Age { get; init; } = "";

    public AdministrativeSex Sex { get; init; }

    public string Phone { get; init; } = "";

    public string Identity { get; init; } = "";

    public string Address { get; init; } = "";

    public string Payer { get; init; } = "";

    public string Policy { get; init; } = "";

    public string Share { get; init; } = "";

    public string Kin { get; init; } = "";

    public string KinPhone { get; init; } = "";

    public VisitKind Kind { get; init; } = VisitKind.Outpatient;

    /// <summary>Code of the reason why a probable duplicate is somebody else.</summary>
    public string Because { get; init; } = "";

    /// <summary>Patient id of the mother, for a newborn.</summary>
    public string Mother { get; init; } = "";

    public static PersonFields From(IFormCollection form) => new()
    {
        Family = form["family"].ToString(),
        Given = form["given"].ToString(),
        Other = form["other"].ToString(),
        Single = form["single"] == "on",
        Born = form["born"].ToString(),
        Age = form["age"].ToString(),
        Sex = Enum.TryParse<AdministrativeSex>(form["sex"], out var sex) && Enum.IsDefined(sex) ? sex : AdministrativeSex.Unknown,
        Phone = form["phone"].ToString(),
        Identity = form["identity"].ToString(),
        Address = form["address"].ToString(),
        Payer = form["payer"].ToString(),
        Policy = form["policy"].ToString(),
        Share = form["share"].ToString(),
        Kin = form["kin"].ToString(),
        KinPhone = form["kinphone"].ToString(),
        Kind = form["kind"] == nameof(VisitKind.Emergency) ? VisitKind.Emergency : VisitKind.Outpatient,
        Because = form["because"].ToString(),
        Mother = form["mother"].ToString(),
    };

    public static PersonFields From(PersonName name, BirthAndSex person, ContactDetails contact, PayerDetails? payer)
    {
        // A name whose parts are not known is edited as a single one.
        var single = name.Family is null;
        return new PersonFields
        {
            Family = name.Family ?? "",
            Given = name.Given.Count > 0 ? string.Join(' ', name.Given) : single ? name.Text ?? "" : "",
            Other = name.Other ?? "",
            Single = single,
            Born = person.BornOn()?.Display() ?? "",
            Sex = person.Sex,
            Phone = contact.Phones is [var phone, ..] ? phone : "",
            Identity = contact.IdentityDocument ?? "",
            Address = contact.Address ?? "",
            Payer = payer?.Name ?? "",
            Policy = payer?.PolicyNumber ?? "",
            Share = payer is null ? "" : payer.SharePercent.ToString("0.##", CultureInfo.InvariantCulture),
            Kin = contact.NextOfKin ?? "",
            KinPhone = contact.NextOfKinPhone ?? "",
            Mother = contact.Mother?.ToString("N") ?? "",
        };
    }

    public string ToDraft() => JsonSerializer.Serialize(this);

    public static PersonFields? FromDraft(string content) => JsonSerializer.Deserialize<PersonFields>(content);

    public PersonName Name => new(
        Single ? null : Text(Family),
        Given.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        null,
        Text(Other));

    /// <summary>Birth and sex as far as they can be read while somebody still types.</summary>
    public BirthAndSex PersonSoFar(DateOnly today) => new(BirthText.Read(Born, Age, today) is { Ok: true, Value: { } born } ? born.ToString() : null, Sex);

    public ContactDetails Contact => new()
    {
        Phones = Text(Phone) is { } phone ? [phone] : [],
        IdentityDocument = Text(Identity),
        Address = Text(Address),
        NextOfKin = Text(Kin),
        NextOfKinPhone = Text(KinPhone),
        Mother = Guid.TryParseExact(Mother, "N", out var mother) ? mother : null,
    };

    public PayerDetails? PayerOrNull => Text(Payer) is { } name && ShareOrNull is { } share ? new PayerDetails(name, Text(Policy), share) : null;

    /// <summary>What is wrong, by field; empty when nothing is.</summary>
    public Dictionary<string, string> Check(DateOnly today)
    {
        var wrong = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Text(Given) is null && (Text(Other) is null || Text(Family) is null))
        {
            wrong["given"] = "Enter the given name. Nobody knows it? Use “Unknown patient”.";
        }

        if (!Single && Text(Family) is null)
        {
            wrong["family"] = "Enter the family name, or tick that the person has a single name.";
        }

        if (BirthText.Read(Born, Age, today).Error is { } birth)
        {
            wrong[string.IsNullOrWhiteSpace(Born) ? "age" : "born"] = birth.Message;
        }

        if (Text(Phone) is { } phone && phone.Count(char.IsDigit) < 4)
        {
            wrong["phone"] = "A telephone number has at least four figures. Correct it, or leave it empty.";
        }

        if (Text(Payer) is not null && ShareOrNull is null)
        {
            wrong["share"] = "Write the payer's share in per cent, from 0 to 100.";
        }

        return wrong;
    }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(PersonFields);

    private decimal? ShareOrNull => string.IsNullOrWhiteSpace(Share)
        ? 100m
        : decimal.TryParse(Share.Trim().TrimEnd('%').Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) && share <= 100m ? share : null;

    private static string? Text(string typed) => string.IsNullOrWhiteSpace(typed) ? null : typed.Trim();
}
