namespace Mangrove.Cli.Bench;

/// <summary>One bench: what it measures of the product, and in the same run what it measures it against.</summary>
internal interface IBench
{
    /// <summary>As --only names it.</summary>
    string Name { get; }

    /// <summary>What a person reads while it runs.</summary>
    string Work { get; }

    Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel);
}
