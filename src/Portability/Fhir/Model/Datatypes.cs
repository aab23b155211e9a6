using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>A number exactly as it was written: 1.0 is not 1, and no digit is lost (R4: decimals keep their precision).</summary>
public readonly record struct ExactDecimal(string Text)
{
    public static ExactDecimal From(decimal value) => new(value.ToString(CultureInfo.InvariantCulture));

    /// <summary>The value to calculate with; false when it does not fit a decimal.</summary>
    public bool TryValue(out decimal value) => decimal.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    /// <inheritdoc/>
    public override string ToString() => Text;
}

/// <summary>A date, or a moment with offset, exactly as written and as precise as it is known.</summary>
public readonly record struct FhirDateTime(string Text)
{
    public static FhirDateTime From(DateTimeOffset moment) => new(moment.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", CultureInfo.InvariantCulture));

    public static FhirDateTime From(PartialDate date) => new(date.ToIso());

    /// <summary>True when a time of day is known.</summary>
    public bool IsMoment => Text.Length > 10;

    /// <summary>The day, month or year; for a moment the day at its own offset.</summary>
    public PartialDate Date => PartialDate.TryParse(Text.Length > 10 ? Text[..10] : Text, out var date)
        ? date
        : throw new InvalidOperationException("Not a FHIR date.");

    /// <summary>The moment; a date is taken as the first instant that fits, in UTC.</summary>
    public DateTimeOffset Moment
    {
        get
        {
            if (!IsMoment)
            {
                return new DateTimeOffset(Date.Earliest, TimeOnly.MinValue, TimeSpan.Zero);
            }

            // R4 allows a leap second, which the clock of this runtime does not have: the second before stands for it.
            var leap = Text.AsSpan(17, 2).SequenceEqual("60");
            var text = leap ? $"{Text[..17]}59{Text[19..]}" : Text;
            return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var moment)
                ? moment
                : new DateTimeOffset(Date.Earliest, TimeOnly.MinValue, TimeSpan.Zero);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}

public sealed record Coding(string? System, string? Code, string? Display = null, string? Version = null)
{
    internal static Coding Read(Element e) => new(e.Text("system"), e.Text("code"), e.Text("display"), e.Text("version"));

    /// <summary>Nothing of the value: beside a patient it is protected.</summary>
    public override string ToString() => nameof(Coding);
}

public sealed record CodeableConcept(IReadOnlyList<Coding> Codings, string? Text = null)
{
    public static CodeableConcept Of(string system, string code, string? display = null) => new([new Coding(system, code, display)], display);

    /// <summary>The code in one system, or null.</summary>
    public string? CodeIn(string system) => Codings.FirstOrDefault(c => c.System == system)?.Code;

    /// <summary>What a person reads: the text, else the first display, else the first code.</summary>
    public string? Shown => Text ?? Codings.Select(static c => c.Display).FirstOrDefault(static d => d is not null) ?? (Codings is [var first, ..] ? first.Code : null);

    internal static CodeableConcept Read(Element e) => new(e.Many("coding", Coding.Read), e.Text("text"));

    /// <summary>Nothing of the value: beside a patient it is protected.</summary>
    public override string ToString() => nameof(CodeableConcept);
}

public sealed record Quantity(ExactDecimal? Value, string? Unit = null, string? System = null, string? Code = null, string? Comparator = null)
{
    public const string Ucum = "http://unitsofmeasure.org";

    internal static Quantity Read(Element e) => new(e.Decimal("value"), e.Text("unit"), e.Text("system"), e.Text("code"), e.Text("comparator"));

    /// <summary>Nothing of the value: beside a patient it is protected.</summary>
    public override string ToString() => nameof(Quantity);
}

public sealed record Period(FhirDateTime? Start, FhirDateTime? End)
{
    internal static Period Read(Element e) => new(e.Time("start"), e.Time("end"));
}

public sealed record Identifier(string? Use, CodeableConcept? Type, string? System, string? Value, Period? Period = null)
{
    internal static Identifier Read(Element e) =>
        new(e.Text("use"), e.One("type", CodeableConcept.Read), e.Text("system"), e.Text("value"), e.One("period", Model.Period.Read));

    /// <summary>Nothing of the value.</summary>
    public override string ToString() => nameof(Identifier);
}

/// <param name="Literal">As written, or null for a logical reference.</param>
public sealed record Reference(string? Literal, string? Type = null, Identifier? Identifier = null, string? Display = null)
{
    internal static Reference Read(Element e) => new(e.Text("reference"), e.Text("type"), e.One("identifier", Model.Identifier.Read), e.Text("display"));

    /// <summary>Nothing of the target.</summary>
    public override string ToString() => nameof(Reference);
}

public sealed record ContactPoint(string? System, string? Value, string? Use = null, int? Rank = null)
{
    internal static ContactPoint Read(Element e) => new(e.Text("system"), e.Text("value"), e.Text("use"), e.Whole("rank"));

    /// <summary>Nothing of the number.</summary>
    public override string ToString() => nameof(ContactPoint);
}

public sealed record Address(
    string? Use, string? Type, string? Text, IReadOnlyList<string> Lines, string? City, string? District, string? State, string? PostalCode, string? Country)
{
    internal static Address Read(Element e) => new(
        e.Text("use"), e.Text("type"), e.Text("text"), e.Texts("line"), e.Text("city"), e.Text("district"), e.Text("state"), e.Text("postalCode"), e.Text("country"));

    /// <summary>Nothing of the place.</summary>
    public override string ToString() => nameof(Address);
}

public sealed record Annotation(string Text, FhirDateTime? Time = null, string? Author = null, Reference? AuthorReference = null)
{
    internal static Annotation Read(Element e) => new(e.Text("text") ?? string.Empty, e.Time("time"), e.Text("authorString"), e.One("authorReference", Reference.Read));

    /// <summary>Nothing of the text.</summary>
    public override string ToString() => nameof(Annotation);
}

public sealed record Range(Quantity? Low, Quantity? High)
{
    internal static Range Read(Element e) => new(e.One("low", Quantity.Read), e.One("high", Quantity.Read));
}

public sealed record Ratio(Quantity? Numerator, Quantity? Denominator)
{
    internal static Ratio Read(Element e) => new(e.One("numerator", Quantity.Read), e.One("denominator", Quantity.Read));
}

/// <param name="Data">Samples as written: numbers, or E, U, L, separated by spaces.</param>
public sealed record SampledData(
    Quantity Origin, ExactDecimal Period, ExactDecimal? Factor, ExactDecimal? LowerLimit, ExactDecimal? UpperLimit, int Dimensions, string? Data)
{
    internal static SampledData Read(Element e) => new(
        e.OneRequired("origin", Quantity.Read), e.Decimal("period") ?? new ExactDecimal("0"), e.Decimal("factor"), e.Decimal("lowerLimit"), e.Decimal("upperLimit"),
        e.Whole("dimensions") ?? 1, e.Text("data"));
}

/// <summary>The one value of a <c>value[x]</c>; the type is the choice that was made.</summary>
public abstract record FhirValue
{
    private FhirValue()
    {
    }

    /// <summary>Nothing of the value.</summary>
    public sealed override string ToString() => GetType().Name;

    public sealed record OfQuantity(Quantity Value) : FhirValue;

    public sealed record OfConcept(CodeableConcept Value) : FhirValue;

    public sealed record OfText(string Value) : FhirValue;

    public sealed record OfBoolean(bool Value) : FhirValue;

    public sealed record OfInteger(int Value) : FhirValue;

    public sealed record OfRange(Range Value) : FhirValue;

    public sealed record OfRatio(Ratio Value) : FhirValue;

    public sealed record OfSamples(SampledData Value) : FhirValue;

    /// <summary>A time of day, as written.</summary>
    public sealed record OfTime(string Value) : FhirValue;

    public sealed record OfDateTime(FhirDateTime Value) : FhirValue;

    public sealed record OfPeriod(Period Value) : FhirValue;

    internal static FhirValue? Read(Element e) =>
        e.One("valueQuantity", Quantity.Read) is { } quantity ? new OfQuantity(quantity)
        : e.One("valueCodeableConcept", CodeableConcept.Read) is { } concept ? new OfConcept(concept)
        : e.Text("valueString") is { } text ? new OfText(text)
        : e.Flag("valueBoolean") is { } flag ? new OfBoolean(flag)
        : e.Whole("valueInteger") is { } whole ? new OfInteger(whole)
        : e.One("valueRange", Range.Read) is { } range ? new OfRange(range)
        : e.One("valueRatio", Ratio.Read) is { } ratio ? new OfRatio(ratio)
        : e.One("valueSampledData", SampledData.Read) is { } samples ? new OfSamples(samples)
        : e.Text("valueTime") is { } time ? new OfTime(time)
        : e.Time("valueDateTime") is { } moment ? new OfDateTime(moment)
        : e.One("valuePeriod", Period.Read) is { } period ? new OfPeriod(period)
        : null;
}
