using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;

namespace Mangrove.Tests.Clinic.Terminology;

public sealed class DiagnosisListTest : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("mangrove-diagnoses-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_release_takes_the_place_of_the_starter_set_at_once_and_after_a_restart()
    {
        var list = new DiagnosisList(folder);
        Assert.Same(Icd10Catalogue.Load(), list.Current);
        Assert.Null(Take(list, "Code,Description\nW5922XA,\"Struck by turtle, initial encounter\"\n").Error);
        Assert.Equal("Struck by turtle, initial encounter", list.Current.Find("W59.22XA")?.Name);
        Assert.Equal(1, new DiagnosisList(folder).Current.Count);
    }

    [Fact]
    public void What_is_refused_changes_nothing_and_leaves_no_file()
    {
        var list = new DiagnosisList(folder);
        Assert.Null(Take(list, "Code,Description\nA00,Cholera\n").Error);
        Assert.NotNull(Take(list, "Code,Description\nnonsense\n").Error);
        Assert.Equal("Cholera", list.Current.Find("A00")?.Name);
        Assert.Equal("Cholera", new DiagnosisList(folder).Current.Find("A00")?.Name);
        Assert.Single(Directory.GetFiles(Path.Combine(folder, "terminology")));
    }

    [Fact]
    public void A_damaged_list_is_refused_with_what_to_do()
    {
        Assert.Null(Take(new DiagnosisList(folder), "Code,Description\nA00,Cholera\n").Error);
        File.WriteAllText(Directory.GetFiles(Path.Combine(folder, "terminology")).Single(), "PK");
        var refused = Assert.Throws<RefusedInput>(() => new DiagnosisList(folder).Current);
        Assert.Equal("terminology.unreadable", refused.Code);
        Assert.Contains("terminology load", refused.Message, StringComparison.Ordinal);
    }

    private Result<Icd10Catalogue> Take(DiagnosisList list, string text)
    {
        var path = Path.Combine(folder, "given.csv");
        File.WriteAllText(path, text);
        using var file = File.OpenRead(path);
        return list.Take(file);
    }
}
