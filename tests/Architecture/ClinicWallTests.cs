using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Mangrove.Tests.Architecture;

/// <summary>
/// The folders of Clinic are slices. A slice may use its own types, the records, the terminologies and the root of the
/// room; what two slices share belongs into one of those, so that a slice can be read and changed alone.
/// </summary>
public class ClinicWallTests
{
    private const string Room = "Mangrove.Clinic";

    private static readonly string[] Shared = [Room, $"{Room}.Records", $"{Room}.Terminology"];

    [Fact]
    public void No_slice_of_the_clinic_uses_another_slice()
    {
        var sources = House.Sources("src/Clinic/", ".cs").Select(file => (file, House.Read(file))).ToArray();
        Assert.NotEmpty(sources);
        House.None(Breaches(sources));
    }

    [Fact]
    public void A_slice_that_reaches_into_another_is_found()
    {
        (string, string)[] sources =
        [
            ("Triage/Vitals.cs", "namespace Mangrove.Clinic.Triage; public static class Vitals { public static int Count() => 1; }"),
            ("Records/Visit.cs", "namespace Mangrove.Clinic.Records; public class Visit;"),
            ("Queue/Next.cs", "using Mangrove.Clinic.Triage; using Mangrove.Clinic.Records; namespace Mangrove.Clinic.Queue; public class Next { public Visit? Visit; public int N => Vitals.Count(); }"),
        ];
        var breach = Assert.Single(Breaches(sources));
        Assert.Equal("Queue/Next.cs: Mangrove.Clinic.Queue uses Mangrove.Clinic.Triage.Vitals", breach);
    }

    private static string[] Breaches(IEnumerable<(string Path, string Text)> sources)
    {
        var compilation = Compiling.Library(Room, sources);
        var breaches = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var tree in compilation.SyntaxTrees)
        {
            var model = compilation.GetSemanticModel(tree);
            foreach (var declaration in tree.GetRoot().DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>())
            {
                var own = declaration.Name.ToString();
                if (own == Room || !own.StartsWith(Room + ".", StringComparison.Ordinal))
                {
                    continue;
                }

                foreach (var name in declaration.DescendantNodes().OfType<SimpleNameSyntax>())
                {
                    var info = model.GetSymbolInfo(name);
                    var symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
                    var type = symbol as INamedTypeSymbol ?? symbol?.ContainingType;
                    var used = type?.ContainingNamespace?.ToDisplayString();
                    if (used is not null && !type!.IsAnonymousType && SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, compilation.Assembly)
                        && Folder(used) != Folder(own) && !Shared.Contains(Folder(used)))
                    {
                        breaches.Add($"{tree.FilePath}: {own} uses {type.ToDisplayString()}");
                    }
                }
            }
        }

        return [.. breaches];
    }

    /// <summary>A folder inside a slice belongs to the slice.</summary>
    private static string Folder(string space) => string.Join('.', space.Split('.').Take(3));
}
