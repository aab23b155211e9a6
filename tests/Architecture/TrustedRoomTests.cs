using System.Xml.Linq;

namespace Mangrove.Tests.Architecture;

/// <summary>The ways around the compiler that would open the vault's inside to another room. None may be taken.</summary>
public class TrustedRoomTests
{
    [Fact]
    public void The_vault_opens_its_inside_to_no_assembly()
    {
        House.None(House.Load("Vault").GetCustomAttributesData()
            .Where(attribute => attribute.AttributeType.Name == "InternalsVisibleToAttribute")
            .Select(attribute => attribute.ToString()));
        House.None(House.Sources("src/Vault/", ".cs", ".csproj")
            .Where(file => House.Read(file).Contains("InternalsVisibleTo", StringComparison.Ordinal)));
        Assert.DoesNotContain(XDocument.Parse(House.Read("Directory.Build.props")).Descendants(), element => element.Name.LocalName == "InternalsVisibleTo");
    }

    [Fact]
    public void No_assembly_helps_itself_to_the_inside_of_another()
    {
        string[] ways = ["IgnoresAccess" + "ChecksTo", "Unsafe" + "Accessor"];
        House.None(House.Files
            .Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".csproj", StringComparison.Ordinal) || file.EndsWith(".props", StringComparison.Ordinal))
            .Where(file => ways.Any(way => House.Read(file).Contains(way, StringComparison.Ordinal))));
    }

    [Fact]
    public void No_room_reaches_private_members_by_reflection()
    {
        string way = "BindingFlags.Non" + "Public";
        House.None(House.Sources("src/", ".cs", ".razor").Where(file => House.Read(file).Contains(way, StringComparison.Ordinal)));
    }
}
