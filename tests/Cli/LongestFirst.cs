using Mangrove.Tests.Cli;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace Mangrove.Tests.Cli;

/// <summary>
/// Classes that take a minute or more begin first: one of them left for the end would keep one thread busy while the others have nothing to do.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    // By what a run on two cores took; a name that is gone only loses its place.
    private static readonly string[] Long =
    [
        ".BackupOnPostgresTests ", ".UpgradeTests ", ".KeysVerbOnPostgresTests ", ".KeysVerbOnSqliteTests ", ".NonInterferenceOnSqliteTests ", ".InjectionOnPostgresTests ",
        ".DemoTests ", ".BackupFaultTests ", ".PlausibleSampleTests ", ".BackupOnSqliteTests ", ".MailVerbOnSqliteTests ", ".KillOnSqliteTests ", ".InitTests ",
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(Place).ThenBy(collection => collection.UniqueID, StringComparer.Ordinal)];

    private static int Place<TTestCollection>(TTestCollection collection)
        where TTestCollection : ITestCollection
    {
        var at = Array.FindIndex(Long, name => collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal));
        return at < 0 ? Long.Length : at;
    }
}
