using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Mangrove.Tests.Portability.Fhir;

/// <summary>
/// Derives src/Portability/Fhir/Definitions/r4.txt from the official package hl7.fhir.core 4.0.1 (CC0): every resource and
/// datatype with its elements, cardinalities, types and the codes of required bindings. The product ships the text and not
/// the 4,583 files of the package.
/// </summary>
internal sealed class R4DefinitionText
{
    private readonly SortedDictionary<string, JsonElement> types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonElement> valueSets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonElement> codeSystems = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> usedSets = new(StringComparer.Ordinal);

    public static string Derive(string package)
    {
        var derivation = new R4DefinitionText();
        derivation.Load(package);
        return derivation.Write();
    }

    /// <summary>The resource types of R4's patient compartment.</summary>
    public static IReadOnlyCollection<string> PatientCompartment(string package)
    {
        using var tar = new TarReader(new GZipStream(File.OpenRead(package), CompressionMode.Decompress));
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is not null && entry.Name.EndsWith("CompartmentDefinition-patient.json", StringComparison.Ordinal))
            {
                using var document = JsonDocument.Parse(entry.DataStream);
                return [.. document.RootElement.GetProperty("resource").EnumerateArray().Where(static r => r.TryGetProperty("param", out _)).Select(static r => Text(r, "code")!)];
            }
        }

        return [];
    }

    private static string Bare(string canonical) => canonical.Split('|')[0];

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static IEnumerable<JsonElement> Items(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.EnumerateArray() : Enumerable.Empty<JsonElement>();

    private static IEnumerable<string> Concepts(JsonElement holder) =>
        Items(holder, "concept").SelectMany(static concept => Concepts(concept).Prepend(concept.GetProperty("code").GetString()!));

    private static JsonElement? Find(JsonElement holder, string code) => Items(holder, "concept")
        .Select(concept => Text(concept, "code") == code ? concept : Find(concept, code)).FirstOrDefault(static found => found is not null);

    private void Load(string package)
    {
        using var tar = new TarReader(new GZipStream(File.OpenRead(package), CompressionMode.Decompress));
        while (tar.GetNextEntry() is { } entry)
        {
            var name = Path.GetFileName(entry.Name);
            if (entry.DataStream is null || !(name.StartsWith("StructureDefinition-", StringComparison.Ordinal)
                || name.StartsWith("ValueSet-", StringComparison.Ordinal) || name.StartsWith("CodeSystem-", StringComparison.Ordinal)))
            {
                continue;
            }

            using var document = JsonDocument.Parse(entry.DataStream);
            var json = document.RootElement.Clone();
            switch (Text(json, "resourceType"))
            {
                case "ValueSet":
                    valueSets[Text(json, "url")!] = json;
                    break;
                case "CodeSystem":
                    codeSystems[Text(json, "url")!] = json;
                    break;
                case "StructureDefinition" when Text(json, "derivation") != "constraint" && Text(json, "kind") is "resource" or "complex-type"
                    && !json.GetProperty("abstract").GetBoolean():
                    types[Text(json, "type")!] = json;
                    break;
                default:
                    break;
            }
        }
    }

    private string Write()
    {
        var body = new StringBuilder();
        foreach (var (type, json) in types.Where(t => Text(t.Value, "derivation") != "constraint"))
        {
            var elements = json.GetProperty("snapshot").GetProperty("element").EnumerateArray().ToList();
            var parents = elements.Select(static e => Text(e, "path")!).Where(static p => p.Contains('.', StringComparison.Ordinal))
                .Select(static p => p[..p.LastIndexOf('.')]).ToHashSet(StringComparer.Ordinal);
            foreach (var parent in elements.Select(static e => Text(e, "path")!).Where(parents.Contains))
            {
                body.Append(parent == type && Text(json, "kind") == "resource" ? "resource\t" : "type\t").Append(parent).Append('\n');
                foreach (var element in elements.Where(e => Text(e, "path")!.StartsWith(parent + ".", StringComparison.Ordinal)
                    && Text(e, "path")!.LastIndexOf('.') == parent.Length))
                {
                    WriteElement(body, element, parents);
                }
            }
        }

        var text = new StringBuilder("# FHIR R4 (4.0.1) resources, datatypes and required codes, derived from the package hl7.fhir.core 4.0.1 of HL7 (CC0).\n")
            .Append("# Written by tests/Portability/Fhir/R4DefinitionText.cs; do not edit. Element lines: name, cardinality, types, codes.\n");
        foreach (var (id, codes) in usedSets)
        {
            text.Append("codes\t").Append(id).Append('\n').Append(codes);
        }

        return text.Append(body).ToString();
    }

    private void WriteElement(StringBuilder text, JsonElement element, HashSet<string> parents)
    {
        var path = Text(element, "path")!;
        var names = element.TryGetProperty("contentReference", out var content)
            ? [content.GetString()![1..]]
            : Items(element, "type").Select(type => parents.Contains(path) ? path : TypeName(type)).Distinct(StringComparer.Ordinal).ToList();
        text.Append('\t').Append(path[(path.LastIndexOf('.') + 1)..]).Append('\t')
            .Append(element.GetProperty("min").GetInt32()).Append("..").Append(Text(element, "max"))
            .Append('\t').AppendJoin('|', names);
        if (element.TryGetProperty("binding", out var binding) && Text(binding, "strength") == "required" && Text(binding, "valueSet") is { } url
            && names.All(static n => n is "code" or "Coding" or "CodeableConcept") && Expand(Bare(url)) is { } codes)
        {
            var id = url[(url.LastIndexOf('/') + 1)..].Split('|')[0];
            usedSets[id] = string.Concat(codes.OrderBy(static c => c.Key, StringComparer.Ordinal)
                .Select(static c => $"\t{c.Key}\t{string.Join('\t', c.Value.Order(StringComparer.Ordinal))}\n"));
            text.Append('\t').Append(id);
        }

        text.Append('\n');
    }

    private static string TypeName(JsonElement type)
    {
        const string system = "http://hl7.org/fhirpath/System.";
        var code = Text(type, "code")!;
        if (!code.StartsWith(system, StringComparison.Ordinal))
        {
            return code;
        }

        return Items(type, "extension").Where(static e => Text(e, "url")!.EndsWith("structuredefinition-fhir-type", StringComparison.Ordinal))
            .Select(static e => Text(e, "valueUrl")).FirstOrDefault() ?? "string";
    }

    /// <summary>The codes by system, or null when the set cannot be listed from the package (languages, media types, units).</summary>
    private Dictionary<string, HashSet<string>>? Expand(string url)
    {
        if (!valueSets.TryGetValue(url, out var set) || !set.TryGetProperty("compose", out var compose) || compose.TryGetProperty("exclude", out _))
        {
            return null;
        }

        var codes = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (var include in compose.GetProperty("include").EnumerateArray())
        {
            foreach (var other in Items(include, "valueSet"))
            {
                if (Expand(Bare(other.GetString()!)) is not { } inner)
                {
                    return null;
                }

                foreach (var (system, more) in inner)
                {
                    Add(system, more);
                }
            }

            if (Text(include, "system") is not { } from)
            {
                continue;
            }

            if (include.TryGetProperty("concept", out _))
            {
                Add(from, Items(include, "concept").Select(static c => c.GetProperty("code").GetString()!));
            }
            else if (!codeSystems.TryGetValue(from, out var codeSystem) || Text(codeSystem, "content") != "complete")
            {
                return null;
            }
            else if (!include.TryGetProperty("filter", out var filters))
            {
                Add(from, Concepts(codeSystem));
            }
            else if (filters.GetArrayLength() == 1 && Text(filters[0], "op") == "is-a" && Find(codeSystem, Text(filters[0], "value")!) is { } root)
            {
                Add(from, Concepts(root).Prepend(Text(filters[0], "value")!));
            }
            else
            {
                return null;
            }
        }

        return codes.Count == 0 ? null : codes;

        void Add(string system, IEnumerable<string> more)
        {
            if (!codes.TryGetValue(system, out var here))
            {
                codes[system] = here = new HashSet<string>(StringComparer.Ordinal);
            }

            here.UnionWith(more);
        }
    }
}
