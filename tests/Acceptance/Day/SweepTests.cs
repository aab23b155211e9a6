using System.Text;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>Nothing that was typed of anybody's health stands in a file, a log or a browser's profile, in any form.</summary>
public sealed class SweepTests(DayHospital hospital)
{
    public static TheoryData<string> Forms() => [.. Sweeper.FormsOf("Zleakedword1").Concat(Sweeper.FormsOf("Жутечка")).Select(form => form.Name).Distinct(StringComparer.Ordinal)];

    [Fact]
    public async Task After_a_whole_day_no_marker_stands_in_the_data_the_logs_the_temporary_folder_or_a_browser_profile()
    {
        var day = await hospital.Day;
        var markers = day.Markers.All;
        Assert.True(markers.Count >= 25, $"Only {markers.Count} fields were marked.");
        var sweeper = new Sweeper(markers);

        var data = sweeper.SweepFolder(hospital.Data);
        var temporary = sweeper.SweepFolder(hospital.Temporary);
        var profiles = sweeper.SweepFolder(hospital.Profiles);
        var said = sweeper.Sweep("what the processes said", Encoding.UTF8.GetBytes(hospital.Product.Said));

        Assert.True(data.Files >= 5 && profiles.Files >= 70, $"{data.Files} files of data and {profiles.Files} of profiles are too few to prove anything.");
        Assert.Equal([], data.Leaks.Concat(temporary.Leaks).Concat(profiles.Leaks).Concat(said).Select(leak => leak.ToString()));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_planted_leak_is_found_in_every_form_wherever_it_stands(string form)
    {
        foreach (var text in (string[])["Zleakedword1", "Жутечка"])
        {
            var sweeper = new Sweeper(new Dictionary<string, string>(StringComparer.Ordinal) { ["planted"] = text });
            foreach (var (name, bytes) in Sweeper.FormsOf(text).Where(one => one.Name == form))
            {
                var folder = Directory.CreateTempSubdirectory("mangrove-sweep-");
                try
                {
                    File.WriteAllBytes(Path.Combine(folder.CreateSubdirectory("deep").FullName, "page.db"), [.. new byte[4093], .. bytes, .. "tail"u8]);
                    Assert.True(sweeper.SweepFolder(folder.FullName).Leaks.Count > 0, $"{text} as {name} was not found.");
                }
                finally
                {
                    folder.Delete(recursive: true);
                }
            }
        }
    }

    [Fact]
    public void A_planted_leak_is_found_inside_base64_of_something_longer_and_in_a_file_name()
    {
        var sweeper = new Sweeper(new Dictionary<string, string>(StringComparer.Ordinal) { ["planted"] = "Zleakedword1" });
        foreach (var before in (string[])["", "a", "ab", "abc"])
        {
            var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{before}Zleakedword1, and more"));
            Assert.NotEmpty(sweeper.Sweep("base64", Encoding.ASCII.GetBytes(encoded)));
            var wide = Convert.ToBase64String(Encoding.Unicode.GetBytes($"{before}Zleakedword1, and more"));
            Assert.NotEmpty(sweeper.Sweep("base64", Encoding.ASCII.GetBytes(wide)));
        }

        var folder = Directory.CreateTempSubdirectory("mangrove-sweep-");
        try
        {
            File.WriteAllBytes(Path.Combine(folder.FullName, "report-zleakedword1.txt"), []);
            Assert.Single(sweeper.SweepFolder(folder.FullName).Leaks.DistinctBy(leak => leak.Place));
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        Assert.Empty(sweeper.Sweep("nothing", Encoding.UTF8.GetBytes("Zleakedword2 and Zleaked word1")));
    }
}
