using System.Text.Json;

namespace Mangrove.Cli.Evidence;

/// <summary>What the program is made of, as a CycloneDX 1.6 bill of materials, from the lock files that it was built with.</summary>
internal static class Components
{
    private const string Libraries = "packages.lock.json";
    private const string Assets = "package-lock.json";
    private const string Installed = "node_modules/";

    /// <summary>Tools of the build; nothing of them is in the program.</summary>
    private static readonly string[] BuildOnly = ["Meziantou.Analyzer", "Microsoft.CodeAnalysis.BannedApiAnalyzers", "Microsoft.CodeAnalysis.NetAnalyzers"];

    public static object Bill(string version, DateTimeOffset made, Guid serial)
    {
        var components = Nuget().Concat(Npm()).ToList();
        return new
        {
            bomFormat = "CycloneDX",
            specVersion = "1.6",
            serialNumber = $"urn:uuid:{serial:D}",
            version = 1,
            metadata = new { timestamp = made.UtcDateTime, component = new Dictionary<string, object> { ["type"] = "application", ["name"] = "mangrove", ["version"] = version, ["bom-ref"] = "mangrove" } },
            components,
        };
    }

    private static IEnumerable<object> Nuget()
    {
        using var locked = Read(Libraries);
        foreach (var group in locked.RootElement.GetProperty("dependencies").EnumerateObject().Take(1))
        {
            foreach (var package in group.Value.EnumerateObject())
            {
                // A room of our own has no version there.
                if (package.Value.TryGetProperty("resolved", out var resolved) && resolved.GetString() is { } version)
                {
                    yield return Component(
                        package.Name,
                        version,
                        $"pkg:nuget/{package.Name}@{version}",
                        package.Value.TryGetProperty("contentHash", out var hash) ? hash.GetString() : null,
                        BuildOnly.Contains(package.Name, StringComparer.Ordinal));
                }
            }
        }
    }

    private static IEnumerable<object> Npm()
    {
        using var locked = Read(Assets);
        foreach (var package in locked.RootElement.GetProperty("packages").EnumerateObject())
        {
            if (package.Name.StartsWith(Installed, StringComparison.Ordinal) && package.Value.GetProperty("version").GetString() is { } version)
            {
                var name = package.Name[(package.Name.LastIndexOf(Installed, StringComparison.Ordinal) + Installed.Length)..];
                const string algorithm = "sha512-";
                var integrity = package.Value.TryGetProperty("integrity", out var said) && said.GetString() is { } hash && hash.StartsWith(algorithm, StringComparison.Ordinal) ? hash[algorithm.Length..] : null;
                yield return Component(name, version, $"pkg:npm/{name.Replace("@", "%40", StringComparison.Ordinal)}@{version}", integrity, package.Value.TryGetProperty("dev", out var dev) && dev.GetBoolean());
            }
        }
    }

    private static Dictionary<string, object> Component(string name, string version, string address, string? sha512, bool buildOnly)
    {
        var component = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["type"] = "library",
            ["bom-ref"] = address,
            ["name"] = name,
            ["version"] = version,
            ["purl"] = address,
            ["scope"] = buildOnly ? "excluded" : "required",
        };
        if (sha512 is not null)
        {
            component["hashes"] = new[] { new { alg = "SHA-512", content = Convert.ToHexStringLower(Convert.FromBase64String(sha512)) } };
        }

        return component;
    }

    private static JsonDocument Read(string name)
    {
        using var stream = typeof(Components).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not in the program.");
        return JsonDocument.Parse(stream);
    }
}
