using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Portability.Package;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>Reads elements of an object that holds against R4, so a present element has the type that is asked for.</summary>
internal readonly struct Element(JsonElement json)
{
    private static readonly StructureCheck Check = new(new InputLimits());

    public JsonElement Json => json;

    /// <summary>
    /// The resource as <typeparamref name="T"/>, when it is of that type and holds against R4, and when every element that
    /// the reader cannot do without has a value and not only a reason for having none.
    /// </summary>
    public static Result<T> Read<T>(JsonElement resource, string type, Func<Element, T> read)
    {
        return Check.Resource(resource) is { } fault ? fault.ToError() : Take(resource, type, read);
    }

    /// <summary>As <see cref="Read"/>, of a resource that is known to hold against R4.</summary>
    public static Result<T> Take<T>(JsonElement resource, string type, Func<Element, T> read)
    {
        if (!resource.GetProperty("resourceType").ValueEquals(type))
        {
            return Fault.WrongType.In("resourceType").ToError();
        }

        try
        {
            return read(new Element(resource));
        }
        catch (MissingElement missing)
        {
            return Fault.Missing.In($"{type}.{missing.Element}").ToError();
        }
    }

    public string? Text(string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;

    public string Required(string name) => Text(name) ?? throw new MissingElement(name);

    public bool? Flag(string name) => json.TryGetProperty(name, out var value) ? value.GetBoolean() : null;

    public int? Whole(string name) => json.TryGetProperty(name, out var value) ? value.GetInt32() : null;

    public ExactDecimal? Decimal(string name) => json.TryGetProperty(name, out var value) ? new ExactDecimal(value.GetRawText()) : null;

    public FhirDateTime? Time(string name) => Text(name) is { } text ? new FhirDateTime(text) : null;

    public T? One<T>(string name, Func<Element, T> read)
        where T : class => json.TryGetProperty(name, out var value) ? read(new Element(value)) : null;

    public T OneRequired<T>(string name, Func<Element, T> read)
        where T : class => One(name, read) ?? throw new MissingElement(name);

    public IReadOnlyList<T> Many<T>(string name, Func<Element, T> read) =>
        json.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(item => read(new Element(item)))] : [];

    /// <summary>A list of primitives, without the places that hold only extensions.</summary>
    public IReadOnlyList<string> Texts(string name) => json.TryGetProperty(name, out var list)
        ? [.. list.EnumerateArray().Where(static item => item.ValueKind == JsonValueKind.String).Select(static item => item.GetString()!)]
        : [];

    /// <summary>An element that the clinic cannot do without is absent, with an extension in its place.</summary>
    private sealed class MissingElement(string element) : Exception
    {
        public string Element { get; } = element;
    }
}
