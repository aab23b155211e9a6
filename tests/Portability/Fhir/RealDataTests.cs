using Mangrove.Portability.Fhir;
using Mangrove.Portability.Package;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Portability.Fhir;

public sealed class RealDataTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("data/fhir-synthea/smart-synthea-r4-100.tar.gz")]
    [InlineData("data/fhir-odd/hl7-fhir-r4-examples.tar.gz")]
    [InlineData("data/fhir-odd/us-core-examples.tar.gz")]
    public void Explore(string path)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var n = 0;
        foreach (var batch in new ResourceReader().ReadAll(new InputFiles().Open([SharedData.Require(path)])))
        {
            n += batch.Resources.Count;
            foreach (var r in batch.Rejections)
            {
                output.WriteLine($"{r.File[(r.File.IndexOf('!') + 1)..]} {r.Entry} {r.Code} {r.Message}");
            }

            batch.Dispose();
        }

        output.WriteLine($"{n} in {watch.ElapsedMilliseconds}");
    }
}
