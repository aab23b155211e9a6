using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Mangrove.Tests.Architecture;

/// <summary>
/// What the product's assemblies must not call, read from their metadata: pages included, which the analyzers do not see.
/// </summary>
public class ForbiddenCallTests
{
    private static readonly HashSet<string> Forbidden =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTime.get_Today",
        "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow",
        "System.Guid.NewGuid", "System.Threading.Thread.Sleep",
        "System.Threading.Tasks.Task.Wait", "System.Threading.Tasks.Task.WaitAll", "System.Threading.Tasks.Task.WaitAny",
        "System.Threading.Tasks.Task`1.get_Result", "System.Threading.Tasks.Task`1.Wait",
    ];

    private static readonly HashSet<string> ForbiddenTypes = ["System.Random", "Microsoft.AspNetCore.Components.MarkupString"];

    public static TheoryData<string> Rooms => [.. House.Rooms];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_takes_time_and_chance_from_outside_never_blocks_and_never_writes_raw_markup(string room) =>
        House.None(Offences(House.AssemblyPath(room)));

    [Fact]
    public void A_forbidden_call_is_found()
    {
        // This very assembly holds the calls below; the rule must see them.
        var found = Offences(typeof(ForbiddenCallTests).Assembly.Location);
        Assert.Contains("System.Threading.Tasks.Task`1.get_Result", found);
        Assert.Contains("System.Threading.Tasks.Task.Wait", found);
    }

    internal static int Blocks(Task<int> task)
    {
        task.Wait();
        return task.Result;
    }

    private static SortedSet<string> Offences(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var handle in metadata.TypeReferences)
        {
            var name = NameOf(metadata, handle);
            if (ForbiddenTypes.Contains(name))
            {
                found.Add(name);
            }
        }

        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            var name = $"{ParentOf(metadata, member.Parent)}.{metadata.GetString(member.Name)}";
            if (Forbidden.Contains(name))
            {
                found.Add(name);
            }
        }

        return found;
    }

    private static string? ParentOf(MetadataReader metadata, EntityHandle parent)
    {
        if (parent.Kind == HandleKind.TypeReference)
        {
            return NameOf(metadata, (TypeReferenceHandle)parent);
        }

        if (parent.Kind != HandleKind.TypeSpecification)
        {
            return null;
        }

        // ECMA-335 II.23.2.14: GENERICINST (CLASS | VALUETYPE) TypeDefOrRef ...
        var signature = metadata.GetBlobReader(metadata.GetTypeSpecification((TypeSpecificationHandle)parent).Signature);
        if (signature.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance)
        {
            return null;
        }

        signature.ReadByte();
        var generic = signature.ReadTypeHandle();
        return generic.Kind == HandleKind.TypeReference ? NameOf(metadata, (TypeReferenceHandle)generic) : null;
    }

    private static string NameOf(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        var space = metadata.GetString(type.Namespace);
        return space.Length == 0 ? metadata.GetString(type.Name) : $"{space}.{metadata.GetString(type.Name)}";
    }
}
