namespace Mangrove.Cli.Installing;

/// <summary>
/// The service's definition for systemd. Its text is docs/operations/systemd/mangrove.service, which is in the program; what
/// a plan has otherwise takes the place of what stands there.
/// </summary>
public static class ServiceUnit
{
    // As the page has them.
    private const string Data = "/srv/mangrove";
    private const string Program = "/opt/mangrove/mangrove";
    private const string Address = "https://0.0.0.0:8443";
    private const string User = "User=mangrove\nGroup=mangrove\n";
    private const string Passphrase = " --passphrase-file ${CREDENTIALS_DIRECTORY}/passphrase";

    /// <summary>The text that stands in the documentation.</summary>
    public static string Template() => Shown("mangrove.service");

    /// <summary>How long the service's own journal is kept, likewise.</summary>
    public static string Journal() => Shown("journald@mangrove.conf");

    /// <summary>The text for a plan.</summary>
    public static string Of(InstallPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var lines = Template().Split('\n').AsEnumerable();

        // What is said to somebody who copies the file by hand.
        lines = lines.SkipWhile(line => line.StartsWith('#')).Where(line => !line.StartsWith("# The passphrase, where there is one", StringComparison.Ordinal));
        if (plan.KeyFile is { } key)
        {
            lines = lines.Where(line => !line.StartsWith("LoadCredential=", StringComparison.Ordinal))
                .Select(line => line.StartsWith("RequiresMountsFor=", StringComparison.Ordinal) ? $"{line} {key[..Math.Max(1, key.LastIndexOf('/'))]}" : line);
        }

        var text = string.Join('\n', lines);
        text = plan.KeyFile is null ? text : Replaced(text, Passphrase, string.Empty);
        text = Replaced(text, User, $"User={plan.User}\nGroup={plan.User}\n");
        text = Replaced(text, Address, plan.Address.GetLeftPart(UriPartial.Authority));
        text = Replaced(text, Program, plan.Prefix + "/mangrove");
        return $"# Written by 'mangrove install'. Put changes of yours beside it: systemctl edit mangrove\n{Replaced(text, Data, plan.Data)}";
    }

    private static string Shown(string name)
    {
        using var stream = typeof(ServiceUnit).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not in the program.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static string Replaced(string text, string old, string with) => text.Contains(old, StringComparison.Ordinal)
        ? text.Replace(old, with, StringComparison.Ordinal)
        : throw new InvalidOperationException($"The unit has no '{old}' any more.");
}
