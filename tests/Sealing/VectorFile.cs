using System.Text.Json;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Sealing;

/// <summary>Reads a file of published test vectors from the shared folder.</summary>
internal static class VectorFile
{
    public static JsonElement Read(string relative)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require("vectors/" + relative)));
        return document.RootElement.Clone();
    }

    /// <summary>Every case of a Wycheproof file with its group; the file's own count is checked.</summary>
    public static IEnumerable<(JsonElement Group, JsonElement Case)> Wycheproof(string name)
    {
        var root = Read($"wycheproof/{name}_test.json");
        var cases = root.GetProperty("testGroups").EnumerateArray()
            .SelectMany(group => group.GetProperty("tests").EnumerateArray().Select(test => (group, test))).ToList();
        Assert.Equal(root.GetProperty("numberOfTests").GetInt32(), cases.Count);
        return cases;
    }

    public static byte[] Hex(this JsonElement element, string name) =>
        Convert.FromHexString(element.GetProperty(name).GetString()!);

    public static int Int(this JsonElement element, string name) => element.GetProperty(name).GetInt32();

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    public static bool Valid(this JsonElement element) => element.Text("result") == "valid";
}
