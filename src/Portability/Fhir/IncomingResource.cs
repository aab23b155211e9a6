using System.Text.Json;
using Mangrove.Portability.Package;

namespace Mangrove.Portability.Fhir;

/// <summary>What the sender asks to be done with a resource (Bundle.entry.request). Deleting by import is refused.</summary>
public enum RequestIntent
{
    /// <summary>Nothing is asked: the resource is simply there.</summary>
    None = 0,

    /// <summary>POST: a new resource.</summary>
    Create = 1,

    /// <summary>POST with If-None-Exist: a new resource unless the query finds one.</summary>
    CreateUnlessFound = 2,

    /// <summary>PUT to Type/id.</summary>
    Update = 3,

    /// <summary>PUT to Type?query: update the one that the query finds, otherwise create.</summary>
    UpdateFound = 4,
}

/// <summary>
/// A resource that holds against R4, with its place in the input. Lives as long as its <see cref="IncomingBatch"/>.
/// </summary>
/// <param name="File">Name of the file. MUST NOT be logged, see <see cref="Rejection.File"/>.</param>
/// <param name="Entry">Position in the bundle or line, from 1.</param>
/// <param name="FullUrl">Bundle.entry.fullUrl, or null.</param>
/// <param name="Type">Resource type, one of R4's.</param>
/// <param name="Id">Logical id, or null.</param>
/// <param name="Json">The resource as it came.</param>
/// <param name="Intent">What the sender asks for.</param>
/// <param name="Query">The query of a conditional create or update, without <c>Type?</c>; otherwise null.</param>
public sealed record IncomingResource(
    string File, int Entry, string? FullUrl, string Type, string? Id, JsonElement Json, RequestIntent Intent, string? Query)
{
    /// <summary>The exact bytes of the resource, valid while the batch lives.</summary>
    public ReadOnlySpan<byte> Original => System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(Json);

    /// <summary>Nothing of the content: a resource never reaches a log by accident.</summary>
    public override string ToString() => Type;
}

/// <summary>
/// What was read together: one bundle, one resource, or a run of NDJSON lines. References inside a bundle are resolved in
/// it first. Dispose it when the resources are done with; their JSON must not be touched afterwards.
/// </summary>
public sealed class IncomingBatch : IDisposable
{
    private readonly List<JsonDocument> documents;

    internal IncomingBatch(string file, string? bundleType, IReadOnlyList<IncomingResource> resources, IReadOnlyList<Rejection> rejections, List<JsonDocument> documents)
    {
        File = file;
        BundleType = bundleType;
        Resources = resources;
        Rejections = rejections;
        this.documents = documents;
    }

    public string File { get; }

    /// <summary>Bundle.type, or null when this was not a bundle.</summary>
    public string? BundleType { get; }

    public IReadOnlyList<IncomingResource> Resources { get; }

    public IReadOnlyList<Rejection> Rejections { get; }

    /// <summary>Resources that waited, from several files: together once more, with the documents that they live in.</summary>
    internal static IncomingBatch Of(IReadOnlyList<IncomingResource> resources, List<JsonDocument> documents) => new(resources[0].File, null, resources, [], documents);

    public void Dispose()
    {
        foreach (var document in documents)
        {
            document.Dispose();
        }

        documents.Clear();
    }
}
