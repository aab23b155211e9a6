using System.Text.Json;
using System.Text.Unicode;
using Mangrove.Kernel;
using Mangrove.Portability.Package;

namespace Mangrove.Portability.Fhir;

/// <summary>
/// Reads FHIR R4 JSON strictly: UTF-8, bounded depth and size, no duplicate keys, and every resource held against R4.
/// Whatever is wrong becomes a <see cref="Rejection"/>; nothing in the input makes it throw.
/// </summary>
public sealed class ResourceReader(InputLimits limits)
{
    private const int LinesTogether = 500;
    private const int BytesTogether = 4 << 20;

    private readonly StructureCheck check = new(limits);
    private readonly JsonDocumentOptions strict = new()
    {
        MaxDepth = limits.Depth,
        AllowDuplicateProperties = false,
        AllowTrailingCommas = false,
        CommentHandling = JsonCommentHandling.Disallow,
    };

    public ResourceReader()
        : this(new InputLimits())
    {
    }

    /// <summary>Everything in <paramref name="files"/>, in order. Each batch is the caller's to dispose.</summary>
    public IEnumerable<IncomingBatch> ReadAll(IEnumerable<InputFile> files) => files.SelectMany(Read);

    /// <summary>Everything in one file. Each batch is the caller's to dispose.</summary>
    public IEnumerable<IncomingBatch> Read(InputFile file) => file switch
    {
        { Rejection: { } rejection } => [new IncomingBatch(file.Name, null, [], [rejection], [])],
        { Kind: InputKind.Ndjson } => Lines(file),
        _ => [Whole(file)],
    };

    private static IncomingBatch Refused(string file, Error error) => new(file, null, [], [new Rejection(file, 0, error)], []);

    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> text) => text.Span.StartsWith("\uFEFF"u8) ? text[3..] : text;

    private static Error? Caught(Exception error) => error switch
    {
        RefusedInput refused => refused.Error,
        InvalidDataException or NotSupportedException => InputErrors.BadArchive,
        IOException or UnauthorizedAccessException => InputErrors.Unreadable,
        _ => null,
    };

    /// <summary>Says why a text did not parse; the framework's messages quote the text and are not passed on.</summary>
    private static Error Diagnose(ReadOnlySpan<byte> text, int depth)
    {
        try
        {
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = depth + 1 });
            while (reader.Read())
            {
                if (reader.CurrentDepth >= depth && reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject && reader.CurrentDepth == depth)
                {
                    return InputErrors.TooDeep;
                }
            }

            return InputErrors.DuplicateKey;
        }
        catch (JsonException)
        {
            return InputErrors.NotJson;
        }
    }

    private IncomingBatch Whole(InputFile file)
    {
        ReadOnlyMemory<byte> text;
        try
        {
            using var memory = new MemoryStream();
            file.Content!.CopyTo(memory);
            text = memory.GetBuffer().AsMemory(0, (int)memory.Length);
        }
        catch (Exception error) when (Caught(error) is not null)
        {
            return Refused(file.Name, Caught(error)!);
        }

        var (document, refused) = Parse(WithoutMark(text));
        if (document is null)
        {
            return Refused(file.Name, refused!);
        }

        var root = document.RootElement;
        if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty(ExportManifest.Mark, out _))
        {
            // Our own export lies beside its resources with a list of them; the list is not a resource.
            document.Dispose();
            return new IncomingBatch(file.Name, null, [], [], []);
        }

        if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("resourceType", out var type) && ResourceType.Of(type) == "Bundle")
        {
            return Bundle(file.Name, document);
        }

        var resources = new List<IncomingResource>(1);
        var rejections = new List<Rejection>(1);
        Take(file.Name, 1, null, root, RequestIntent.None, null, resources, rejections);
        return new IncomingBatch(file.Name, null, resources, rejections, [document]);
    }

    private IEnumerable<IncomingBatch> Lines(InputFile file)
    {
        using var lines = new LineReader(file.Content!, limits.EntryBytes);
        var number = 0;
        var more = true;
        while (more)
        {
            var resources = new List<IncomingResource>();
            var rejections = new List<Rejection>();
            var documents = new List<JsonDocument>();
            long size = 0;
            while (more && documents.Count < LinesTogether && rejections.Count < LinesTogether && size < BytesTogether)
            {
                ReadOnlyMemory<byte> line = default;
                Error? broken = null;
                try
                {
                    more = lines.Next(out line, out var tooLong);
                    broken = tooLong ? InputErrors.TooLarge : null;
                }
                catch (Exception error) when (Caught(error) is not null)
                {
                    rejections.Add(new Rejection(file.Name, number + 1, Caught(error)!));
                    more = false;
                }

                if (!more)
                {
                    break;
                }

                number++;
                line = number == 1 ? WithoutMark(line) : line;
                if (broken is not null)
                {
                    rejections.Add(new Rejection(file.Name, number, broken));
                    continue;
                }

                if (!line.Span.ContainsAnyExcept(" \t\r"u8))
                {
                    continue;
                }

                size += line.Length;
                var (document, refused) = Parse(line);
                if (document is null)
                {
                    rejections.Add(new Rejection(file.Name, number, refused!));
                    continue;
                }

                documents.Add(document);
                Take(file.Name, number, null, document.RootElement, RequestIntent.None, null, resources, rejections);
            }

            if (documents.Count > 0 || rejections.Count > 0)
            {
                yield return new IncomingBatch(file.Name, null, resources, rejections, documents);
            }
        }
    }

    private (JsonDocument? Document, Error? Error) Parse(ReadOnlyMemory<byte> text)
    {
        if (!Utf8.IsValid(text.Span))
        {
            return (null, InputErrors.NotUtf8);
        }

        try
        {
            return (JsonDocument.Parse(text, strict), null);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a key with half of a surrogate pair, met while keys are compared.
            return (null, error is JsonException ? Diagnose(text.Span, limits.Depth) : InputErrors.NotJson);
        }
    }

    private IncomingBatch Bundle(string file, JsonDocument document)
    {
        var bundle = document.RootElement;
        if (check.Envelope(bundle, "Bundle") is { } fault)
        {
            document.Dispose();
            return Refused(file, fault.ToError());
        }

        var type = bundle.TryGetProperty("type", out var code) ? code.GetString()! : "collection";
        var entries = bundle.TryGetProperty("entry", out var list) ? list : default;
        var error = entries.ValueKind is not (JsonValueKind.Array or JsonValueKind.Undefined) ? Fault.WrongType.In("Bundle.entry").ToError()
            : entries.ValueKind == JsonValueKind.Array && entries.GetArrayLength() > limits.BundleEntries ? InputErrors.TooMany
            : BundleEntry.Refusal(type, entries);
        if (error is not null)
        {
            document.Dispose();
            return Refused(file, error);
        }

        var resources = new List<IncomingResource>();
        var rejections = new List<Rejection>();
        var number = 0;
        foreach (var entry in entries.ValueKind == JsonValueKind.Array ? entries.EnumerateArray() : default)
        {
            number++;
            if (check.Envelope(entry, "Bundle.entry") is { } broken)
            {
                rejections.Add(new Rejection(file, number, broken.ToError()));
                continue;
            }

            var read = BundleEntry.Read(entry, type);
            if (read.Error is { } refused)
            {
                rejections.Add(new Rejection(file, number, refused));
                continue;
            }

            var (fullUrl, resource, intent, query) = read.Value;
            Take(file, number, fullUrl, resource, intent, query, resources, rejections);
        }

        return new IncomingBatch(file, type, resources, rejections, [document]);
    }

    private void Take(
        string file, int entry, string? fullUrl, JsonElement resource, RequestIntent intent, string? query,
        List<IncomingResource> resources, List<Rejection> rejections)
    {
        var fault = check.Resource(resource);
        if (fault is not null)
        {
            rejections.Add(new Rejection(file, entry, fault.ToError()));
            return;
        }

        var type = resource.GetProperty("resourceType").GetString()!;
        if (type == "Bundle")
        {
            rejections.Add(new Rejection(file, entry, BundleEntry.Nested));
            return;
        }

        var id = resource.TryGetProperty("id", out var text) ? text.GetString() : null;
        resources.Add(new IncomingResource(file, entry, fullUrl, type, id, resource, intent, query));
    }
}
