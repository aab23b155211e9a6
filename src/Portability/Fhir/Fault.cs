using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir;

/// <summary>
/// A place where a resource breaks a rule of R4. The path is built on the way out of the resource, from names that R4
/// defines, so it never holds a word of the data.
/// </summary>
internal sealed record Fault(string Code, string Reason, string Path = "")
{
    public static Fault WrongType { get; } = new("fhir.wrong-type", "has a value of another type than R4 defines");

    public static Fault BadFormat { get; } = new("fhir.bad-format", "is not written as R4 requires for its type");

    public static Fault BadText { get; } = new("fhir.bad-text", "holds control characters or broken characters");

    public static Fault Empty { get; } = new("fhir.empty", "is present and empty, which R4 forbids");

    public static Fault Narrative { get; } = new("fhir.bad-narrative", "is not a plain XHTML div without declarations");

    public static Fault ValueTooLarge { get; } = new("import.value-too-large", "is larger than one value may be");

    public static Fault Unknown { get; } = new("fhir.unknown-element", "has an element that R4 does not define");

    public static Fault Missing { get; } = new("fhir.missing-element", "is required by R4 and is missing");

    public static Fault TooMany { get; } = new("fhir.too-many", "occurs more often than R4 allows");

    public static Fault TwoValues { get; } = new("fhir.two-values", "is given with two types, and R4 allows one");

    public static Fault UnknownCode { get; } = new("fhir.unknown-code", "has a code that is not in the required list of R4");

    public static Fault UnknownType { get; } = new("fhir.unknown-type", "is not a resource type of R4");

    public static Fault NestedContained { get; } = new("fhir.dom-2", "is contained in a contained resource (dom-2)");

    public static Fault Rule(string id, string reason) => new("fhir." + id, $"{reason} ({id})");

    public Fault In(string element) => this with { Path = Path.Length == 0 ? element : Path[0] == '[' ? element + Path : $"{element}.{Path}" };

    public Fault At(int index) => this with { Path = Path.Length == 0 ? $"[{index}]" : Path[0] == '[' ? $"[{index}]{Path}" : $"[{index}].{Path}" };

    public Error ToError() => new(Code, $"{(Path.Length == 0 ? "The resource" : Path)} {Reason}. Correct it at the source and import it again.");
}
