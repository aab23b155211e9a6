using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Mangrove.Portability.Fhir.Definitions;

/// <summary>
/// What FHIR R4 (4.0.1) says about every resource and datatype: elements, cardinalities, types, required codes. Read once
/// from the embedded text, which a test derives again from HL7's own package.
/// </summary>
internal static class R4
{
    private static readonly Lazy<FrozenDictionary<string, TypeDefinition>> Loaded = new(Load);

    /// <summary>The resource type of that name, or null when R4 has none.</summary>
    public static TypeDefinition? Resource(string name) => Loaded.Value.TryGetValue(name, out var type) && type.IsResource ? type : null;

    public static TypeDefinition Type(string name) => Loaded.Value[name];

    /// <summary>The names of all 146 resource types that can be instances.</summary>
    public static IEnumerable<string> ResourceNames() => Loaded.Value.Values.Where(static t => t.IsResource).Select(static t => t.Name).Order(StringComparer.Ordinal);

    private static FrozenDictionary<string, TypeDefinition> Load()
    {
        using var stream = typeof(R4).Assembly.GetManifestResourceStream("r4.txt")
            ?? throw new InvalidOperationException("The assembly was built without its R4 definitions.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var codes = new Dictionary<string, CodeSet>(StringComparer.Ordinal);
        var types = new Dictionary<string, TypeDefinition>(StringComparer.Ordinal) { [TypeDefinition.Companion.Name] = TypeDefinition.Companion };
        Dictionary<string, IReadOnlyList<string>>? set = null;
        TypeDefinition? type = null;
        while (reader.ReadLine() is { } line)
        {
            var part = line.Split('\t');
            switch (part[0])
            {
                case "codes":
                    set = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
                    codes[part[1]] = new CodeSet(set);
                    break;
                case "resource" or "type":
                    set = null;
                    type = types[part[1]] = new TypeDefinition(part[1], part[0] == "resource");
                    break;
                case "" when set is not null:
                    set[part[1]] = part[2..];
                    break;
                case "" when type is not null:
                    type.Add(part[1], part[2], part[3].Split('|'), part.Length > 4 ? codes[part[4]] : null);
                    break;
                default:
                    break;
            }
        }

        foreach (var defined in types.Values)
        {
            defined.Finish(types);
        }

        return types.ToFrozenDictionary(StringComparer.Ordinal);
    }
}

/// <summary>The codes of a required binding, by system.</summary>
internal sealed class CodeSet(IReadOnlyDictionary<string, IReadOnlyList<string>> bySystem)
{
    private const int Longest = 64;

    private readonly Lazy<FrozenSet<string>> all = new(() => bySystem.Values.SelectMany(static codes => codes).ToFrozenSet(StringComparer.Ordinal));

    public bool Has(string code) => all.Value.Contains(code);

    /// <summary>Whether the code, written as it is and without escapes, is one of them.</summary>
    public bool Has(ReadOnlySpan<byte> code)
    {
        Span<char> text = stackalloc char[Longest];
        return code.Length <= Longest && Ascii.ToUtf16(code, text, out var length) == System.Buffers.OperationStatus.Done
            ? all.Value.GetAlternateLookup<ReadOnlySpan<char>>().Contains(text[..length])
            : Has(Encoding.UTF8.GetString(code));
    }

    public bool Has(string system, string code) => bySystem.TryGetValue(system, out var codes) && codes.Contains(code, StringComparer.Ordinal);
}

/// <summary>A resource, a datatype or a part of one (such as <c>Observation.component</c>).</summary>
internal sealed class TypeDefinition(string name, bool isResource)
{
    private readonly List<(string Name, string Cardinality, string[] Types, CodeSet? Codes)> lines = [];
    private SlotTable slots = SlotTable.Empty;

    /// <summary>What may stand beside a primitive, under its name with a leading underscore.</summary>
    public static TypeDefinition Companion { get; } = MakeCompanion();

    public string Name { get; } = name;

    public bool IsResource { get; } = isResource;

    public IReadOnlyList<ElementDefinition> Elements { get; private set; } = [];

    /// <summary>Those of the elements that must be there.</summary>
    public ElementDefinition[] Required { get; private set; } = [];

    /// <summary>Rules of the specification that cardinalities cannot say.</summary>
    public Invariant? Invariant { get; private set; }

    public void Add(string element, string cardinality, string[] types, CodeSet? codes) => lines.Add((element, cardinality, types, codes));

    public void Finish(Dictionary<string, TypeDefinition> types)
    {
        var elements = new List<ElementDefinition>();
        var made = new Dictionary<string, Slot>(StringComparer.Ordinal);
        foreach (var (element, cardinality, names, codes) in lines)
        {
            var dots = cardinality.IndexOf("..", StringComparison.Ordinal);
            var max = cardinality[(dots + 2)..];
            var choice = element.EndsWith("[x]", StringComparison.Ordinal);
            var stem = choice ? element[..^3] : element;
            var definition = new ElementDefinition(
                stem, elements.Count, int.Parse(cardinality[..dots], CultureInfo.InvariantCulture),
                max == "*" ? int.MaxValue : int.Parse(max, CultureInfo.InvariantCulture), codes);
            elements.Add(definition);
            for (var i = 0; i < names.Length; i++)
            {
                var property = choice ? stem + char.ToUpperInvariant(names[i][0]) + names[i][1..] : stem;
                var primitive = Primitives.Parse(IsResource && stem == "id" ? "id" : names[i]);
                types.TryGetValue(names[i], out var type);
                if (type is null && primitive is null && names[i] != "Resource")
                {
                    throw new InvalidOperationException($"The R4 definitions name the type {names[i]} and do not define it.");
                }

                made[property] = new Slot(property, definition, i + 1, primitive, type, IsCompanion: false);
                if (primitive is not null)
                {
                    made["_" + property] = new Slot("_" + property, definition, i + 1, null, Companion, IsCompanion: true);
                }
            }
        }

        Elements = elements;
        Required = [.. elements.Where(static element => element.Min > 0)];
        slots = new SlotTable(made.Values);
        Invariant = Invariants.For(Name);
    }

    /// <summary>The place for a property of that raw JSON name, or null when R4 does not define it.</summary>
    public Slot? Find(ReadOnlySpan<byte> property) => slots.Find(property);

    private static TypeDefinition MakeCompanion()
    {
        var companion = new TypeDefinition("Element", isResource: false);
        companion.Add("id", "0..1", ["string"], null);
        companion.Add("extension", "0..*", ["Extension"], null);
        return companion;
    }
}

/// <param name="Name">Without <c>[x]</c>.</param>
/// <param name="Index">Position in the type.</param>
/// <param name="Codes">The codes of a required binding, when they can be listed.</param>
internal sealed record ElementDefinition(string Name, int Index, int Min, int Max, CodeSet? Codes);

/// <summary>One JSON property of a type. A choice such as <c>value[x]</c> has one for each type, numbered from 1.</summary>
internal sealed record Slot(string Name, ElementDefinition Element, int Choice, Primitive? Primitive, TypeDefinition? Type, bool IsCompanion);
