using System.Runtime.InteropServices;
using System.Text.Json;
using Mangrove.Portability.Fhir.Definitions;
using Mangrove.Portability.Package;

namespace Mangrove.Portability.Fhir;

/// <summary>
/// Holds a resource against R4: only defined elements, their number, their types and formats, one value for a choice,
/// required codes, and the invariants in <see cref="Invariants"/>. Recursion is bounded by the depth of the JSON.
/// </summary>
internal sealed class StructureCheck(InputLimits limits)
{
    /// <summary>The first rule that is broken, or null.</summary>
    public Fault? Resource(JsonElement resource) => Resource(resource, contained: false);

    /// <summary>The part of a bundle around its resources.</summary>
    public Fault? Envelope(JsonElement bundle, string type) => Object(bundle, R4.Type(type), envelope: true)?.In(type);

    private static Fault? Coded(JsonElement value, Slot slot)
    {
        var codes = slot.Element.Codes!;
        if (slot.Primitive == Primitive.Code)
        {
            var raw = JsonMarshal.GetRawUtf8Value(value)[1..^1];
            return (raw.Contains((byte)'\\') ? codes.Has(value.GetString()!) : codes.Has(raw)) ? null : Fault.UnknownCode;
        }

        if (slot.Type?.Name == "Coding")
        {
            return InSet(value, codes) ? null : Fault.UnknownCode;
        }

        if (value.TryGetProperty("coding"u8, out var codings))
        {
            foreach (var coding in codings.EnumerateArray())
            {
                if (InSet(coding, codes))
                {
                    return null;
                }
            }

            return Fault.UnknownCode;
        }

        // A concept without any coding is only allowed where an extension says why.
        return value.TryGetProperty("extension"u8, out _) ? null : Fault.UnknownCode;
    }

    private static bool InSet(JsonElement coding, CodeSet codes) =>
        coding.TryGetProperty("system"u8, out var system) && coding.TryGetProperty("code"u8, out var code)
        && codes.Has(system.GetString()!, code.GetString()!);

    private Fault? Resource(JsonElement resource, bool contained)
    {
        if (resource.ValueKind != JsonValueKind.Object)
        {
            return Fault.WrongType;
        }

        if (!resource.TryGetProperty("resourceType"u8, out var name) || name.ValueKind != JsonValueKind.String)
        {
            return Fault.Missing.In("resourceType");
        }

        if (ResourceType.Of(name) is not { } typeName || R4.Resource(typeName) is not { } type)
        {
            return Fault.UnknownType.In("resourceType");
        }

        if (contained && resource.TryGetProperty("contained"u8, out _))
        {
            return Fault.NestedContained.In(type.Name);
        }

        return Object(resource, type, envelope: false)?.In(type.Name);
    }

    private Fault? Object(JsonElement value, TypeDefinition type, bool envelope)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            return Fault.WrongType;
        }

        // 0: not seen; otherwise the number of the choice that was seen.
        Span<byte> seen = stackalloc byte[128];
        seen = seen[..type.Elements.Count];
        seen.Clear();
        var any = false;
        foreach (var property in value.EnumerateObject())
        {
            any = true;
            var name = JsonMarshal.GetRawUtf8PropertyName(property);
            if (type.IsResource && name.SequenceEqual("resourceType"u8))
            {
                continue;
            }

            if (type.Find(name) is not { } slot || slot.Element.Max == 0)
            {
                return Fault.Unknown;
            }

            ref var mark = ref seen[slot.Element.Index];
            if (mark != 0 && mark != slot.Choice)
            {
                return Fault.TwoValues.In(slot.Element.Name + "[x]");
            }

            mark = (byte)slot.Choice;
            if (envelope && slot.Type is null && slot.Primitive is null)
            {
                continue;
            }

            if (envelope && slot.Name == "entry")
            {
                continue;
            }

            if (Property(value, property.Value, slot) is { } fault)
            {
                return fault.In(slot.Name);
            }
        }

        if (!any)
        {
            return Fault.Empty;
        }

        foreach (var element in type.Required)
        {
            if (seen[element.Index] == 0)
            {
                return Fault.Missing.In(element.Name);
            }
        }

        return type.Invariant?.Invoke(value);
    }

    private Fault? Property(JsonElement parent, JsonElement value, Slot slot)
    {
        if (slot.Element.Max == 1)
        {
            return One(value, slot);
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return Fault.WrongType;
        }

        var count = value.GetArrayLength();
        if (count == 0)
        {
            return Fault.Empty;
        }

        if (count > slot.Element.Max)
        {
            return Fault.TooMany;
        }

        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            // In a list of primitives null holds the place of one that has only extensions, and the other way round.
            var fault = item.ValueKind == JsonValueKind.Null
                ? HasOther(parent, slot, index) ? null : Fault.Empty
                : One(item, slot);
            if (fault is not null)
            {
                return fault.At(index);
            }

            index++;
        }

        return null;
    }

    private static bool HasOther(JsonElement parent, Slot slot, int index)
    {
        if (slot.Primitive is null && !slot.IsCompanion)
        {
            return false;
        }

        var other = slot.IsCompanion ? slot.Name[1..] : "_" + slot.Name;
        return parent.TryGetProperty(other, out var list) && list.ValueKind == JsonValueKind.Array && index < list.GetArrayLength()
            && list[index].ValueKind != JsonValueKind.Null;
    }

    private Fault? One(JsonElement value, Slot slot)
    {
        var fault = slot.Primitive is { } primitive ? Primitives.Check(value, primitive, limits.ValueBytes)
            : slot.Type is { } type ? (type.IsResource ? Resource(value, contained: true) : Object(value, type, envelope: false))
            : Resource(value, contained: slot.Name == "contained");
        return fault is null && slot.Element.Codes is not null && !slot.IsCompanion ? Coded(value, slot) : fault;
    }
}
