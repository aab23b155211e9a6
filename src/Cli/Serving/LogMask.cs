using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Cli.Serving;

/// <summary>
/// What a log line may say of a value: nothing, unless its type is known to be harmless. A value that a sealed field holds is
/// written as its category, from the same register that drives sealing; any other as its type. Text is written only where
/// the parameter of the message stands in the list below, and only in the form that belongs there. A message that is not a
/// constant of a program's code is text too, so that a value written into it does not slip through.
/// </summary>
public static partial class LogMask
{
    private const string Template = "{OriginalFormat}";

    private static readonly string[] Sources = ["Mangrove.", "Microsoft.", "System."];

    /// <summary>The text parameters of our own messages. A test reads the sources and finds the one that is missing here.</summary>
    private static readonly FrozenDictionary<(string Source, string Parameter), Func<Regex>> Texts = new Dictionary<(string, string), Func<Regex>>
    {
        [("Mangrove.Web.AnswerInWords", "Id")] = ShortId,
        [("Mangrove.Web.AnswerInWords", "Code")] = Code,
        [("Mangrove.Web.AnswerInWords", "What")] = TypesAndStack,
        [("Mangrove.Web.Administration.LogCheck", "Code")] = Code,
        [("Mangrove.Web.Administration.LogCheck", "Type")] = TypeName,
        [("Mangrove.Vault.Identity.SessionSweep", "Fault")] = TypeName,
        [("Mangrove.Vault.Glass.GlassKeeper", "Fault")] = TypeName,
        [("Mangrove.Vault.Incidents.IncidentKeeper", "Fault")] = TypeName,
        [("Mangrove.Vault.KeyWork", "Fault")] = TypeName,
        [("Mangrove.Cli.Serving.LocalSocket", "Fault")] = TypeName,
        [("Mangrove.Cli.Serving.SpaceKeeper", "Fault")] = TypeName,
        [("Mangrove.Cli.Serving.ActKeeper", "Fault")] = Code,
        [("Mangrove.Cli.Serving.RetentionKeeper", "Fault")] = Code,
        [("Mangrove.Cli.Backups.BackupTimetable", "Fault")] = Code,
        [("Mangrove.Cli.Destruction.DestructionKeeper", "Fault")] = Code,
        [("Mangrove.Cli.Watch.HealthWatch", "Fault")] = Code,
        [("Mangrove.Cli.Watch.AccessWatch", "Fault")] = Code,
    }.ToFrozenDictionary();

    /// <summary>Values of the framework's messages that number a connection or a request.</summary>
    private static readonly FrozenSet<string> FrameworkIds = new[] { "ConnectionId", "TraceIdentifier", "RequestId" }.ToFrozenSet(StringComparer.Ordinal);

    // Built when the first unknown value is logged, which in an ordinary day is never.
    private static readonly Lazy<FrozenDictionary<Type, string>> Categories = new(CategoriesOfTypes);

    /// <summary>Source and parameter of every text that a message may carry.</summary>
    public static IEnumerable<(string Source, string Parameter)> AllowedTexts => Texts.Keys;

    /// <summary>The name of a logger, when it is the name of a type of ours or of the framework.</summary>
    public static string Source(string source) =>
        Sources.Any(known => source.StartsWith(known, StringComparison.Ordinal)) && TypeName().IsMatch(source) ? source : "[source]";

    /// <summary>The message with its values masked.</summary>
    /// <param name="source">Which logger it comes from.</param>
    /// <param name="state">What was logged, as the framework hands it on.</param>
    public static string Message(string source, object? state)
    {
        if (state is not IReadOnlyList<KeyValuePair<string, object?>> values)
        {
            return state is string text && IsConstant(text) ? text : "[text]";
        }

        return values.FirstOrDefault(value => value.Key == Template).Value is string template && IsConstant(template)
            ? Filled(source, template, values)
            : "[text]";
    }

    /// <summary>One value as a line may show it.</summary>
    public static string Value(string source, string parameter, object? value) => value switch
    {
        null => "(null)",
        bool or sbyte or byte or short or ushort or int or uint or long or ulong or nint or nuint => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        Guid or PatientId or StaffId or Mrn => value.ToString()!,
        DateTimeOffset time => time.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture),
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        string text => MayStand(source, parameter, text) ? text : "[text]",
        Type type => type.FullName ?? type.Name,
        Exception fault => string.Join(" in ", FaultLines.Types(fault)),
        Error error => Code().IsMatch(error.Code) ? error.Code : "[code]",
        Field field => $"[{CategoryOf(field)}]",
        FieldUse use => $"[{use.Category}]",
        Enum choice when !IsClinical(choice.GetType()) => choice.ToString(),
        _ => $"[{NameOf(value.GetType())}]",
    };

    private static string Filled(string source, string template, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        var line = new StringBuilder(template.Length);
        var at = 0;
        foreach (var hole in Hole().EnumerateMatches(template))
        {
            line.Append(template.AsSpan(at, hole.Index - at));
            at = hole.Index + hole.Length;
            var name = template.AsSpan(hole.Index + 1, hole.Length - 2);
            var end = name.IndexOfAny(',', ':');
            var key = (end < 0 ? name : name[..end]).ToString();
            var found = values.FirstOrDefault(value => value.Key.Equals(key, StringComparison.OrdinalIgnoreCase));
            line.Append(found.Key is null ? "[?]" : Value(source, key, found.Value));
        }

        return line.Append(template.AsSpan(at)).ToString();
    }

    private static bool MayStand(string source, string parameter, string text) => Texts.TryGetValue((source, parameter), out var form)
        ? form().IsMatch(text)
        : FrameworkIds.Contains(parameter) && source.StartsWith("Microsoft.AspNetCore.", StringComparison.Ordinal) && ConnectionNumber().IsMatch(text);

    /// <summary>Text that stands in the code of a loaded assembly. What was put together while the program runs is not among it.</summary>
    private static bool IsConstant(string text) => string.IsInterned(text) is not null;

    /// <summary>Choices such as a sex or a severity are values of records; those of accounts, access and the log are not.</summary>
    private static bool IsClinical(Type choice) => choice != typeof(Role)
        && choice.FullName!.StartsWith("Mangrove.", StringComparison.Ordinal)
        && choice.Namespace is not ("Mangrove.Vault.Access" or "Mangrove.Vault.Audit" or "Mangrove.Vault.Identity" or "Mangrove.Vault.Keys");

    private static string NameOf(Type type)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Sealed<>))
        {
            return Categories.Value.GetValueOrDefault(type.GetGenericArguments()[0], "sealed");
        }

        if (Categories.Value.TryGetValue(type, out var category))
        {
            return category;
        }

        // Of a generic type the name alone: its arguments tell nothing that is needed here.
        return type.Name.Split('`')[0];
    }

    private static string CategoryOf(Field field) => field.Fixed?.ToString() ?? field.Name;

    /// <summary>What sealed fields hold, and the rows that have them. Plain text and bytes are in no list: they are masked as what they are.</summary>
    private static FrozenDictionary<Type, string> CategoriesOfTypes()
    {
        var fields = typeof(ClinicContext).Assembly.GetTypes()
            .Where(type => type is { IsClass: true, IsAbstract: false } && typeof(ISealedRow).IsAssignableFrom(type))
            .SelectMany(Field.Of)
            .ToList();
        return fields.Where(field => field.Holds != typeof(string) && field.Holds != typeof(byte[]))
            .Select(field => (Type: field.Holds, Category: CategoryOf(field)))
            .Concat(fields.Select(field => (Type: field.Row, Category: CategoryOf(field))))
            .GroupBy(one => one.Type, one => one.Category)
            .ToFrozenDictionary(one => one.Key, one => string.Join(", ", one.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)));
    }

    /// <summary>A place for a value; a doubled brace is a brace.</summary>
    [GeneratedRegex(@"(?<!\{)\{[^{}]+\}", RegexOptions.None, 1_000)]
    private static partial Regex Hole();

    /// <summary>A dotted code such as <c>audit.chain-broken</c>.</summary>
    [GeneratedRegex(@"\A[a-z][a-z0-9-]*(\.[a-z0-9-]+)+\z", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Code();

    [GeneratedRegex(@"\A[0-9a-f]{12}\z", RegexOptions.None, 1_000)]
    private static partial Regex ShortId();

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*([.+`][A-Za-z0-9_]+)*\z", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex TypeName();

    /// <summary>The framework's own numbers, such as <c>0HN9S6J2QQ1K4:00000001</c>.</summary>
    [GeneratedRegex(@"\A[0-9A-Z]{13}(:[0-9A-F]{8})?\z", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex ConnectionNumber();

    /// <summary>Names of types in a namespace, each perhaps with a code, and lines of a stack.</summary>
    [GeneratedRegex(@"\A((([A-Za-z_][A-Za-z0-9_]*([.+`][A-Za-z0-9_]+)+(\[\[[^\r\n]*\]\])?)( \([a-z0-9.-]+\))?|   at [^\r\n]*|--- [^\r\n]* ---)(\r?\n|\z))+\z", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex TypesAndStack();
}
