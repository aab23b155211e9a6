using System.Security.Cryptography;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// What is typed into fields of health information: each text is unique to its field and this run, and looks like nothing
/// else, so that finding it in a file says which field leaked.
/// </summary>
internal sealed class Markers
{
    private readonly Dictionary<string, string> all = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> All => all;

    /// <summary>A word of Latin letters.</summary>
    public string Word(string field) => Add(field, "Z" + RandomNumberGenerator.GetString("bcdfghjklmnpqrstvwxz", 13));

    /// <summary>A word of another script, which files hold in other bytes.</summary>
    public string Script(string field) => Add(field, "Ж" + RandomNumberGenerator.GetString("бвгджзклмнпрстфхцчшщ", 11));

    /// <summary>Figures, for telephone numbers.</summary>
    public string Figures(string field) => Add(field, "7" + RandomNumberGenerator.GetString("0123456789", 12));

    private string Add(string field, string text)
    {
        all.Add(field, text);
        return text;
    }
}
