using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>Chooses from FHIR's list of names the one a person goes by, and the same name in another script.</summary>
internal static class Names
{
    private const string Translation = "http://hl7.org/fhir/StructureDefinition/translation";

    /// <summary>R4 HumanName.use, best first; an old or maiden name is taken only when there is no other.</summary>
    private static readonly string?[] Preference = ["official", "usual", null, "temp", "nickname", "anonymous", "old", "maiden"];

    public static PersonName Choose(Element patient)
    {
        var names = patient.Many("name", static e => (Use: e.Text("use"), Name: One(e)))
            .Where(static n => !n.Name.IsEmpty).OrderBy(static n => Array.IndexOf(Preference, n.Use)).ToList();
        if (names.Count == 0)
        {
            return PersonName.Unnamed;
        }

        var chosen = names[0].Name;
        var script = IsLatin(Whole(chosen));
        return chosen.Other is not null
            ? chosen
            : chosen with { Other = names.Skip(1).Where(static n => n.Use is not ("old" or "maiden" or "nickname")).Select(static n => Whole(n.Name)).FirstOrDefault(other => IsLatin(other) != script) };
    }

    public static PersonName One(Element name)
    {
        var family = name.Text("family");
        var given = name.Texts("given");
        return new PersonName(family, given, name.Text("text"), Translated(name));
    }

    private static string Whole(PersonName name) => name.Text ?? string.Join(' ', name.Given.Append(name.Family).Where(static part => part is not null));

    /// <summary>By the first letter: the scripts that need a second name beside them are not Latin.</summary>
    private static bool IsLatin(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetter(rune))
            {
                return rune.Value < 0x0250 || rune.Value is >= 0x1E00 and < 0x1F00;
            }
        }

        return true;
    }

    /// <summary>The translation extension on the text, or on the family and given parts.</summary>
    private static string? Translated(Element name)
    {
        if (name.One("_text", Content) is { Length: > 0 } whole)
        {
            return whole;
        }

        var parts = new List<string?>();
        if (name.Json.TryGetProperty("_given", out var given))
        {
            parts.AddRange(given.EnumerateArray().Where(static g => g.ValueKind == System.Text.Json.JsonValueKind.Object).Select(static g => Content(new Element(g))));
        }

        parts.Add(name.One("_family", Content));
        var text = string.Join(' ', parts.Where(static part => !string.IsNullOrEmpty(part)));
        return text.Length == 0 ? null : text;
    }

    private static string Content(Element companion) => companion.Many("extension", static e => e)
        .Where(static e => e.Text("url") == Translation)
        .SelectMany(static e => e.Many("extension", static inner => inner))
        .Where(static e => e.Text("url") == "content")
        .Select(static e => e.Text("valueString")).FirstOrDefault() ?? string.Empty;
}
