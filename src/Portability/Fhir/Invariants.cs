using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Mangrove.Portability.Fhir;

/// <summary>A rule over an object whose structure already holds.</summary>
internal delegate Fault? Invariant(JsonElement value);

/// <summary>
/// The invariants of R4 that change what a reader would conclude, by their official names
/// (https://hl7.org/fhir/R4/datatypes.html and the page of each resource).
/// </summary>
internal static class Invariants
{
    public static Invariant? For(string type) => type switch
    {
        "Extension" => Extension,
        "Quantity" or "Age" or "Count" or "Distance" or "Duration" => Quantity,
        "Period" => Period,
        "Range" => Range,
        "Ratio" => Ratio,
        "Attachment" => Attachment,
        "ContactPoint" => ContactPoint,
        "Observation" => Observation,
        "Observation.referenceRange" => ReferenceRange,
        "Patient.contact" => PatientContact,
        "Condition" => Condition,
        "AllergyIntolerance" => AllergyIntolerance,
        _ => null,
    };

    private static bool Has(JsonElement value, ReadOnlySpan<byte> name) => value.TryGetProperty(name, out _);

    private static bool HasChoice(JsonElement value, ReadOnlySpan<byte> stem)
    {
        foreach (var property in value.EnumerateObject())
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(property);
            if (name.StartsWith(stem) && name.Length > stem.Length && char.IsAsciiLetterUpper((char)name[stem.Length]))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Status(JsonElement value, ReadOnlySpan<byte> element, params ReadOnlySpan<string> codes)
    {
        if (value.TryGetProperty(element, out var concept) && concept.TryGetProperty("coding"u8, out var codings))
        {
            foreach (var coding in codings.EnumerateArray())
            {
                if (coding.TryGetProperty("code"u8, out var code) && codes.Contains(code.GetString()!))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static Fault? Extension(JsonElement value) => Has(value, "extension"u8) == (HasChoice(value, "value"u8) || HasChoice(value, "_value"u8))
        ? Fault.Rule("ext-1", "must have either extensions or a value, not both and not neither")
        : null;

    private static Fault? Quantity(JsonElement value) => Has(value, "code"u8) && !Has(value, "system"u8)
        ? Fault.Rule("qty-3", "has a unit code without its system")
        : null;

    private static Fault? Period(JsonElement value)
    {
        // Two partial dates of the same year are in order as far as anybody knows.
        if (!value.TryGetProperty("start"u8, out var start) || !value.TryGetProperty("end"u8, out var end))
        {
            return null;
        }

        var (from, to) = (start.GetString()!, end.GetString()!);
        var shorter = Math.Min(Math.Min(from.Length, to.Length), 10);
        var late = from.Length > 10 && to.Length > 10
            && DateTimeOffset.TryParse(from, CultureInfo.InvariantCulture, DateTimeStyles.None, out var first)
            && DateTimeOffset.TryParse(to, CultureInfo.InvariantCulture, DateTimeStyles.None, out var last)
                ? first > last
                : string.CompareOrdinal(from, 0, to, 0, shorter) > 0;
        return late ? Fault.Rule("per-1", "ends before it starts") : null;
    }

    private static Fault? Range(JsonElement value) =>
        Number(value, "low"u8) is { } low && Number(value, "high"u8) is { } high && low > high ? Fault.Rule("rng-2", "has a low end above its high end") : null;

    private static decimal? Number(JsonElement value, ReadOnlySpan<byte> element) =>
        value.TryGetProperty(element, out var quantity) && quantity.TryGetProperty("value"u8, out var number) && number.TryGetDecimal(out var exact) ? exact : null;

    private static Fault? Ratio(JsonElement value)
    {
        var both = Has(value, "numerator"u8) && Has(value, "denominator"u8);
        var none = !Has(value, "numerator"u8) && !Has(value, "denominator"u8);
        return both || (none && Has(value, "extension"u8)) ? null : Fault.Rule("rat-1", "must have both a numerator and a denominator");
    }

    private static Fault? Attachment(JsonElement value) => Has(value, "data"u8) && !Has(value, "contentType"u8)
        ? Fault.Rule("att-1", "has data without a content type")
        : null;

    private static Fault? ContactPoint(JsonElement value) => Has(value, "value"u8) && !Has(value, "system"u8)
        ? Fault.Rule("cpt-2", "has a value without saying what system it belongs to")
        : null;

    private static Fault? Observation(JsonElement value)
    {
        var measured = HasChoice(value, "value"u8);
        if (measured && Has(value, "dataAbsentReason"u8))
        {
            return Fault.Rule("obs-6", "has a value and a reason for having none");
        }

        if (!measured || !value.TryGetProperty("component"u8, out var components))
        {
            return null;
        }

        foreach (var component in components.EnumerateArray())
        {
            if (SharesCoding(value, component))
            {
                return Fault.Rule("obs-7", "has a value, and a component with the same code");
            }
        }

        return null;
    }

    private static bool SharesCoding(JsonElement one, JsonElement other)
    {
        if (!one.GetProperty("code"u8).TryGetProperty("coding"u8, out var left) || !other.GetProperty("code"u8).TryGetProperty("coding"u8, out var right))
        {
            return false;
        }

        foreach (var a in left.EnumerateArray())
        {
            foreach (var b in right.EnumerateArray())
            {
                if (a.TryGetProperty("code"u8, out var codeA) && b.TryGetProperty("code"u8, out var codeB) && codeA.ValueEquals(codeB.GetString())
                    && a.TryGetProperty("system"u8, out var systemA) && b.TryGetProperty("system"u8, out var systemB) && systemA.ValueEquals(systemB.GetString()))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static Fault? ReferenceRange(JsonElement value) => Has(value, "low"u8) || Has(value, "high"u8) || Has(value, "text"u8)
        ? null
        : Fault.Rule("obs-3", "must have a low end, a high end or text");

    private static Fault? PatientContact(JsonElement value) => Has(value, "name"u8) || Has(value, "telecom"u8) || Has(value, "address"u8) || Has(value, "organization"u8)
        ? null
        : Fault.Rule("pat-1", "must have a name, a telecom, an address or an organization");

    private static Fault? Condition(JsonElement value)
    {
        if (HasChoice(value, "abatement"u8) && !Status(value, "clinicalStatus"u8, "inactive", "resolved", "remission"))
        {
            return Fault.Rule("con-4", "has ended and its clinical status does not say so");
        }

        return Has(value, "clinicalStatus"u8) && Status(value, "verificationStatus"u8, "entered-in-error")
            ? Fault.Rule("con-5", "was entered in error and has a clinical status")
            : null;
    }

    private static Fault? AllergyIntolerance(JsonElement value)
    {
        var mistaken = Status(value, "verificationStatus"u8, "entered-in-error");
        return mistaken && Has(value, "clinicalStatus"u8) ? Fault.Rule("ait-2", "was entered in error and has a clinical status")
            : !mistaken && !Has(value, "clinicalStatus"u8) ? Fault.Rule("ait-1", "has no clinical status and was not entered in error")
            : null;
    }
}
