using System.Text.Json;

namespace Mangrove.Portability.Fhir;

/// <summary>A resource of the import, found through a reference.</summary>
/// <param name="Number">Order in which it was added, from 0; names it within one import.</param>
/// <param name="Type">Resource type.</param>
/// <param name="Id">Logical id, or null.</param>
/// <param name="FullUrl">Its address in its bundle, or null.</param>
public sealed record ReferenceTarget(int Number, string Type, string? Id, string? FullUrl)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Type} {Number}";
}

/// <summary>To whose record a resource belongs.</summary>
public enum OwnerKind
{
    /// <summary>To one patient of this import.</summary>
    Patient = 1,

    /// <summary>
    /// To a patient who is not in this import; <see cref="Owner.Outside"/> says how they are referred to. An address
    /// <c>urn:</c> that leads nowhere here counts too, because it does not say what it is the address of.
    /// </summary>
    OutsidePatient = 2,

    /// <summary>To the hospital: practitioners, places, catalogues, and anything whose subject is not a person.</summary>
    Facility = 3,

    /// <summary>To several patients of this import, such as an appointment of two.</summary>
    SeveralPatients = 4,

    /// <summary>It should belong to a patient, and its references lead to none.</summary>
    Nobody = 5,
}

/// <param name="Kind">What was found.</param>
/// <param name="Patients">The patients of this import, one for <see cref="OwnerKind.Patient"/>.</param>
/// <param name="Outside">The references to patients who are not in it, as written.</param>
public sealed record Owner(OwnerKind Kind, IReadOnlyList<ReferenceTarget> Patients, IReadOnlyList<FhirReference> Outside)
{
    /// <inheritdoc/>
    public override string ToString() => Kind.ToString();
}

/// <summary>
/// Every resource of one import by the names under which it can be referred to, and the references that lead to its
/// patient. Fill it from all batches first, then ask: resources come in any order and across files. No reference is ever
/// fetched from anywhere.
/// </summary>
public sealed class ReferenceIndex
{
    private readonly List<Node> nodes = [];
    private readonly Dictionary<(int Batch, string Name), int> inBatch = [];
    private readonly Dictionary<string, int> byUrl = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> byTypeAndId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> byIdentifier = new(StringComparer.Ordinal);
    private int batches;

    /// <summary>Stands in a dictionary where two different resources claim one name.</summary>
    private const int Ambiguous = -1;

    public int Count => nodes.Count;

    /// <summary>Adds a batch; its resources get consecutive numbers in their order, of which the first is answered.</summary>
    public int Add(IncomingBatch batch)
    {
        var first = nodes.Count;
        batches++;
        foreach (var resource in batch.Resources)
        {
            Add(resource);
        }

        return first;
    }

    public ReferenceTarget Target(int number) => nodes[number].Target;

    /// <summary>
    /// The resource of this import that a reference of resource <paramref name="from"/> means: in its own bundle first, then
    /// anywhere. Null when there is none, or when two could be meant.
    /// </summary>
    public ReferenceTarget? Resolve(int from, string reference) => Resolve(nodes[from], FhirReference.Parse(reference));

    /// <summary>A logical reference: the resource of that type with that identifier. Null when there is none, or several.</summary>
    public ReferenceTarget? ResolveIdentifier(string type, string? system, string value) => ByIdentifier($"{type}|{system}|{value}");

    /// <summary>To whose record the resource belongs. Ends on every input: no resource is visited twice.</summary>
    public Owner OwnerOf(int number)
    {
        var patients = new List<ReferenceTarget>();
        var outside = new List<FhirReference>();
        var node = nodes[number];
        Follow(number, patients, outside, []);
        var kind = patients.Count switch
        {
            1 => OwnerKind.Patient,
            > 1 => OwnerKind.SeveralPatients,
            _ when outside.Count > 0 => OwnerKind.OutsidePatient,
            _ when node.Groups is null || node.SubjectIsThing => OwnerKind.Facility,
            _ => OwnerKind.Nobody,
        };
        return new Owner(kind, patients, outside);
    }

    private static string Key(string type, string id) => $"{type}/{id}";

    private static void Register<TKey>(Dictionary<TKey, int> names, TKey name, int number)
        where TKey : notnull
    {
        if (!names.TryAdd(name, number))
        {
            names[name] = Ambiguous;
        }
    }

    private void Add(IncomingResource resource)
    {
        var number = nodes.Count;
        var target = new ReferenceTarget(number, resource.Type, resource.Id, resource.FullUrl);
        nodes.Add(new Node(target, batches, Links(resource), resource.Json));
        if (resource.FullUrl is { } url)
        {
            Register(inBatch, (batches, FhirReference.Parse(url).Text), number);
            Register(byUrl, FhirReference.Parse(url).Text, number);
        }

        if (resource.Id is { } id)
        {
            Register(inBatch, (batches, Key(resource.Type, id)), number);
            Register(byTypeAndId, Key(resource.Type, id), number);
        }

        if (resource.Json.TryGetProperty("identifier", out var identifiers))
        {
            foreach (var identifier in identifiers.ValueKind == JsonValueKind.Array ? identifiers.EnumerateArray().AsEnumerable() : [identifiers])
            {
                if (identifier.ValueKind == JsonValueKind.Object && identifier.TryGetProperty("value", out var value))
                {
                    var system = identifier.TryGetProperty("system", out var s) ? s.GetString() : null;
                    Register(byIdentifier, $"{resource.Type}|{system}|{value.GetString()}", number);
                }
            }
        }
    }

    private static Link[][]? Links(IncomingResource resource)
    {
        if (PatientCompartment.Groups(resource.Type) is not { } groups)
        {
            return null;
        }

        var links = new Link[groups.Count][];
        for (var i = 0; i < links.Length; i++)
        {
            var found = new List<Link>();
            foreach (var path in groups[i])
            {
                Collect(resource.Json, resource.Json, path.Split('.'), 0, found);
            }

            links[i] = [.. found];
        }

        return links;
    }

    private static void Collect(JsonElement resource, JsonElement value, string[] path, int step, List<Link> found)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in value.EnumerateArray())
            {
                Collect(resource, item, path, step, found);
            }
        }
        else if (value.ValueKind == JsonValueKind.Object && step < path.Length)
        {
            if (value.TryGetProperty(path[step], out var next))
            {
                Collect(resource, next, path, step + 1, found);
            }
        }
        else if (value.ValueKind == JsonValueKind.Object && Link.Read(resource, value) is { } link)
        {
            found.Add(link);
        }
    }

    private ReferenceTarget? Resolve(Node from, FhirReference reference)
    {
        switch (reference.Kind)
        {
            case ReferenceKind.Contained:
                return reference.Id!.Length == 0 ? from.Target : null;
            case ReferenceKind.Conditional:
                return Conditional(reference);
            case ReferenceKind.Relative:
                // R4, resolving references in bundles: a relative one is read against the address of the entry it stands in.
                var based = from.Base is { } root && Lookup(from.Batch, $"{root}/{reference.Text}", byUrl) is { } near ? near : (int?)null;
                return Known(based ?? Lookup(from.Batch, reference.Text, byTypeAndId));
            case ReferenceKind.Absolute or ReferenceKind.Urn:
                return Known(Lookup(from.Batch, reference.Text, byUrl));
            default:
                return null;
        }
    }

    private ReferenceTarget? Conditional(FhirReference reference)
    {
        const string identifier = "identifier=";
        var query = reference.Query!;
        if (!query.StartsWith(identifier, StringComparison.Ordinal) || query.Contains('&', StringComparison.Ordinal))
        {
            return null;
        }

        var token = Uri.UnescapeDataString(query[identifier.Length..]);
        return ByIdentifier(token.Contains('|', StringComparison.Ordinal) ? $"{reference.Type}|{token}" : $"{reference.Type}||{token}");
    }

    private ReferenceTarget? ByIdentifier(string key) => Known(byIdentifier.TryGetValue(key, out var number) ? number : null);

    private int? Lookup(int batch, string name, Dictionary<string, int> everywhere) =>
        inBatch.TryGetValue((batch, name), out var near) ? near : everywhere.TryGetValue(name, out var far) ? far : null;

    private ReferenceTarget? Known(int? number) => number is { } found and not Ambiguous ? nodes[found].Target : null;

    private void Follow(int number, List<ReferenceTarget> patients, List<FhirReference> outside, HashSet<int> visited)
    {
        if (!visited.Add(number))
        {
            return;
        }

        var node = nodes[number];
        if (node.Target.Type == "Patient")
        {
            patients.Add(node.Target);
            return;
        }

        foreach (var group in node.Groups ?? [])
        {
            foreach (var link in group)
            {
                var target = link.Reference.Kind != ReferenceKind.Invalid ? Resolve(node, link.Reference)
                    : link.Type is null ? ResolveIdentifier("Patient", link.System, link.Value!) : ResolveIdentifier(link.Type, link.System, link.Value!);
                if (target is not null)
                {
                    Follow(target.Number, patients, outside, visited);
                }
                else if (link.Reference.Type == "Patient" || link.Reference.Kind == ReferenceKind.Urn || (link.Type == "Patient" && link.Reference.Kind != ReferenceKind.Contained))
                {
                    outside.Add(link.Reference);
                }
            }

            if (patients.Count > 0 || outside.Count > 0)
            {
                return;
            }
        }
    }

    /// <summary>One element of type Reference on the way to a patient: literal, or logical by its identifier.</summary>
    private readonly record struct Link(FhirReference Reference, string? Type, string? System, string? Value)
    {
        public static Link? Read(JsonElement resource, JsonElement element)
        {
            var type = element.TryGetProperty("type", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
            if (element.TryGetProperty("reference", out var literal) && literal.ValueKind == JsonValueKind.String)
            {
                var reference = FhirReference.Parse(literal.GetString()!);
                return reference.Kind == ReferenceKind.Contained && reference.Id!.Length > 0
                    ? Through(resource, reference.Id)
                    : reference.Kind == ReferenceKind.Invalid ? null : new Link(reference, type, null, null);
            }

            if (element.TryGetProperty("identifier", out var identifier) && identifier.TryGetProperty("value", out var value))
            {
                return new Link(default, type, identifier.TryGetProperty("system", out var system) ? system.GetString() : null, value.GetString());
            }

            return null;
        }

        /// <summary>
        /// A contained resource is part of its container, so only what it says about a patient elsewhere counts: its own
        /// patient reference, or, for a contained Patient, its identifier. One step; contained resources may point at each
        /// other in a circle.
        /// </summary>
        private static Link? Through(JsonElement resource, string id)
        {
            if (!resource.TryGetProperty("contained", out var contained))
            {
                return null;
            }

            foreach (var inner in contained.EnumerateArray())
            {
                if (!inner.TryGetProperty("id", out var name) || name.ValueKind != JsonValueKind.String || !name.ValueEquals(id))
                {
                    continue;
                }

                var type = inner.GetProperty("resourceType").GetString()!;
                if (type == "Patient" && inner.TryGetProperty("identifier", out var identifiers))
                {
                    foreach (var identifier in identifiers.EnumerateArray())
                    {
                        if (identifier.TryGetProperty("value", out var value))
                        {
                            return new Link(default, type, identifier.TryGetProperty("system", out var system) ? system.GetString() : null, value.GetString());
                        }
                    }
                }

                foreach (var element in new[] { "patient", "subject", "beneficiary" })
                {
                    if (inner.TryGetProperty(element, out var subject) && subject.ValueKind == JsonValueKind.Object
                        && subject.TryGetProperty("reference", out var literal) && literal.ValueKind == JsonValueKind.String
                        && FhirReference.Parse(literal.GetString()!) is { Kind: not (ReferenceKind.Invalid or ReferenceKind.Contained) } reference)
                    {
                        return new Link(reference, null, null, null);
                    }
                }
            }

            return null;
        }
    }

    private sealed class Node(ReferenceTarget target, int batch, Link[][]? groups, JsonElement json)
    {
        public ReferenceTarget Target { get; } = target;

        public int Batch { get; } = batch;

        public Link[][]? Groups { get; } = groups;

        /// <summary>The address of the server the resource came from, when its fullUrl tells: what stands before Type/id.</summary>
        public string? Base { get; } = target.FullUrl is { } url && target.Id is { } id && url.EndsWith($"/{target.Type}/{id}", StringComparison.Ordinal)
            ? url[..^(target.Type.Length + id.Length + 2)]
            : null;

        /// <summary>The subject is named and is no person: a place, a device, a group, a medicine.</summary>
        public bool SubjectIsThing { get; } = Named(json, "subject") || Named(json, "actor") || Named(json, "deliverTo") || Named(json, "target")
            || target.Type is "Group" or "Person" or "AuditEvent" or "Basic" or "Device" or "List" or "Schedule";

        private static bool Named(JsonElement json, string element)
        {
            if (!json.TryGetProperty(element, out var value))
            {
                return false;
            }

            var first = value.ValueKind == JsonValueKind.Array ? value[0] : value;
            return first.ValueKind == JsonValueKind.Object && first.TryGetProperty("reference", out var literal) && literal.ValueKind == JsonValueKind.String
                && FhirReference.Parse(literal.GetString()!) is { Type: { } type } && !PatientCompartment.Table.ContainsKey(type);
        }
    }
}
