using System.Xml.Linq;
using Microsoft.CodeAnalysis;

namespace Mangrove.Tests.Architecture;

/// <summary>What stands at the root of Vault is what every other room reads first; it says what it means.</summary>
public class DocumentationTests
{
    [Fact]
    public void Every_public_type_at_the_root_of_the_vault_says_what_it_is()
    {
        var types = PublicTypes("Mangrove.Vault");
        Assert.NotEmpty(types);
        var written = Written("Vault");
        House.None(types.Where(type => !written.ContainsKey(type.GetDocumentationCommentId()!)).Select(type => type.ToDisplayString()));
    }

    [Fact]
    public void Every_public_act_of_the_door_and_its_opening_says_what_it_does()
    {
        var written = Written("Vault");
        var acts = PublicTypes("Mangrove.Vault").Where(type => type.Name is "Door" or "Opening")
            .SelectMany(type => type.GetMembers().OfType<IMethodSymbol>())
            .Where(method => method is { DeclaredAccessibility: Accessibility.Public, MethodKind: MethodKind.Ordinary, Name: not "Dispose" })
            .ToList();
        Assert.True(acts.Count > 3, "The door has fewer acts than it must have.");
        House.None(acts.Where(act => !written.ContainsKey(act.GetDocumentationCommentId()!)).Select(act => act.ToDisplayString()));
    }

    private static List<INamedTypeSymbol> PublicTypes(string space)
    {
        var compilation = Compiling.Library("Reader", []);
        var assembly = compilation.SourceModule.ReferencedAssemblySymbols.Single(found => found.Name == "Mangrove.Vault");
        var scope = space.Split('.').Aggregate(assembly.GlobalNamespace, (parent, name) => parent.GetNamespaceMembers().Single(child => child.Name == name));
        return [.. scope.GetTypeMembers().Where(type => type.DeclaredAccessibility == Accessibility.Public)];
    }

    private static Dictionary<string, string> Written(string room) =>
        XDocument.Load(Path.ChangeExtension(House.AssemblyPath(room), ".xml")).Descendants("member")
            .Where(member => !string.IsNullOrWhiteSpace(member.Element("summary")?.Value) || member.Element("inheritdoc") is not null)
            .ToDictionary(member => member.Attribute("name")!.Value, member => member.Value, StringComparer.Ordinal);
}
