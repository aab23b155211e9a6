using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Portability.Fhir;

public sealed class R4DefinitionTests
{
    [Fact]
    public void The_embedded_definitions_are_what_the_official_package_says()
    {
        var derived = R4DefinitionText.Derive(SharedData.Require("data/fhir-definitions/hl7.fhir.core-4.0.1.tar.gz"));
        var file = Path.Combine(Repository.Root, "src", "Portability", "Fhir", "Definitions", "r4.txt");
        if (Environment.GetEnvironmentVariable("MANGROVE_UPDATE") == "1")
        {
            File.WriteAllText(file, derived);
        }

        Assert.Equal(derived, File.ReadAllText(file));
    }
}
