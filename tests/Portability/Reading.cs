using System.Text.Json;
using Mangrove.Portability.Fhir;
using Mangrove.Portability.Package;

namespace Mangrove.Tests.Portability;

/// <summary>Everything that came out of reading some paths, with the JSON still alive.</summary>
internal sealed class Reading : IDisposable
{
    private readonly List<IncomingBatch> batches = [];

    public Reading(params string[] paths)
        : this(new InputLimits(), paths)
    {
    }

    public Reading(InputLimits limits, params string[] paths)
    {
        foreach (var batch in new ResourceReader(limits).ReadAll(new InputFiles(limits).Open(paths)))
        {
            batches.Add(batch);
            Index.Add(batch);
        }
    }

    public ReferenceIndex Index { get; } = new();

    public IReadOnlyList<IncomingBatch> Batches => batches;

    public IReadOnlyList<IncomingResource> Resources => [.. batches.SelectMany(static b => b.Resources)];

    public IReadOnlyList<Rejection> Rejections => [.. batches.SelectMany(static b => b.Rejections)];

    public string Code => Assert.Single(Rejections).Code;

    /// <summary>Reads one text as a file of its own.</summary>
    public static Reading Of(string text, string name = "input.json", InputLimits? limits = null)
    {
        using var scratch = new Scratch();
        return new Reading(limits ?? new InputLimits(), scratch.Write(name, text));
    }

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    public void Dispose()
    {
        foreach (var batch in batches)
        {
            batch.Dispose();
        }
    }
}
