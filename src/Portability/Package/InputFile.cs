namespace Mangrove.Portability.Package;

public enum InputKind
{
    /// <summary>One JSON text: a bundle or a resource.</summary>
    Json = 1,

    /// <summary>One resource a line.</summary>
    Ndjson = 2,
}

/// <summary>
/// One step of reading the input: a file to read, or the reason why one is not read. <see cref="Content"/> lives until
/// the next step is asked for, and reading it may throw <see cref="Kernel.RefusedInput"/> when a cap is passed on the way.
/// </summary>
public sealed record InputFile
{
    private InputFile(string name) => Name = name;

    /// <summary>As the person gave it; inside an archive <c>archive!entry</c>. MUST NOT be logged, see <see cref="Rejection.File"/>.</summary>
    public string Name { get; }

    public InputKind Kind { get; private init; }

    public Stream? Content { get; private init; }

    public Rejection? Rejection { get; private init; }

    internal static InputFile Readable(string name, InputKind kind, Stream content) => new(name) { Kind = kind, Content = content };

    internal static InputFile Refused(string name, Kernel.Error error) => new(name) { Rejection = new Rejection(name, 0, error) };
}
