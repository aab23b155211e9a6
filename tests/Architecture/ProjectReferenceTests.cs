using System.Xml.Linq;

namespace Mangrove.Tests.Architecture;

/// <summary>Which room may use which. An assembly stands where the compiler must say no, so the list is the architecture.</summary>
public class ProjectReferenceTests
{
    private static readonly string[] Served = ["Kernel", "Vault", "Clinic", "Portability"];

    /// <summary>The complete list, rooms to come included. A room exists when its folder does, and never as an empty shell.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Kernel"] = [],
        ["Sealing"] = ["Kernel"],
        ["Vault"] = ["Kernel", "Sealing"],
        ["Clinic"] = ["Kernel", "Vault"],
        ["Governance"] = ["Kernel", "Vault", "Clinic"],
        ["Portability"] = ["Kernel", "Vault", "Clinic"],
        ["Continuity"] = ["Kernel", "Sealing"],
        ["Federation"] = ["Kernel", "Sealing"],
        ["Verifier"] = [],
        ["Relay"] = ["Federation", "Sealing", "Kernel"],
        ["Storage.Sqlite"] = ["Kernel", "Vault", "Clinic"],
        ["Storage.Postgres"] = ["Kernel", "Vault", "Clinic"],
        ["Api"] = Served,
        ["Web"] = [.. Served, "Governance"],
        ["Desktop"] = ["Kernel", "Sealing"],
        ["Cli"] = ["Kernel", "Sealing", "Vault", "Clinic", "Governance", "Portability", "Continuity", "Federation", "Storage.Sqlite", "Storage.Postgres", "Api", "Web", "Verifier"],
    };

    public static TheoryData<string> Rooms => [.. House.Rooms];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_references_exactly_the_rooms_of_the_list(string room)
    {
        Assert.True(Allowed.TryGetValue(room, out var allowed), $"{room} is not in the list of rooms.");
        var expected = allowed.Where(House.Rooms.Contains).Order(StringComparer.Ordinal);
        Assert.Equal(expected, References($"src/{room}/{room}.csproj").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_room_does_not_see_what_the_rooms_it_references_see()
    {
        var shared = XDocument.Parse(House.Read("Directory.Build.props"));
        Assert.Equal("true", shared.Descendants("DisableTransitiveProjectReferences").Single().Value);
        House.None(House.Files
            .Where(file => file.EndsWith(".csproj", StringComparison.Ordinal) && House.Read(file).Contains("DisableTransitiveProjectReferences", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_room_holds_more_than_its_project_file()
    {
        // Rooms whose first code lands with another change would show here; an empty shell is a promise, not a room.
        House.None(House.Rooms.Where(room => !House.Sources($"src/{room}/", ".cs", ".razor").Any()));
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var listed = XDocument.Parse(House.Read("Mangrove.slnx")).Descendants("Project").Select(project => project.Attribute("Path")!.Value);
        var present = House.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal));
        Assert.Equal(present.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Only_the_clinic_and_its_storage_know_the_object_mapper()
    {
        Assert.Equal(["Clinic", "Storage.Postgres", "Storage.Sqlite"], House.Rooms
            .Where(room => XDocument.Parse(House.Read($"src/{room}/{room}.csproj")).Descendants("PackageReference")
                .Any(package => package.Attribute("Include")!.Value.Contains("EntityFrameworkCore", StringComparison.Ordinal))));
    }

    [Fact]
    public void Package_versions_stand_in_one_file_only()
    {
        House.None(House.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal)
            && XDocument.Parse(House.Read(file)).Descendants("PackageReference")
                .Any(package => package.Attribute("Version") is not null || package.Attribute("VersionOverride") is not null)));
        var loose = XDocument.Parse(House.Read("Directory.Packages.props")).Descendants("PackageVersion")
            .Where(package => package.Attribute("Version")!.Value.IndexOfAny(['*', '[', '(', ',']) >= 0);
        House.None(loose.Select(package => package.ToString()));
    }

    private static IEnumerable<string> References(string project) =>
        XDocument.Parse(House.Read(project)).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
}
