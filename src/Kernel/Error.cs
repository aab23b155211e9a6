namespace Mangrove.Kernel;

/// <summary>An expected failure: a stable code for machines and a sentence that tells the person what to do.</summary>
/// <param name="Code">Stable, dotted, lower case, such as <c>import.not-json</c>. Scripts rely on it.</param>
/// <param name="Message">Says what to do. MUST NOT contain protected health information: it is shown and logged.</param>
public sealed record Error(string Code, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Code}: {Message}";
}

/// <summary>The outcome of an act that may fail for a reason the caller can show. A bug is an exception instead.</summary>
public readonly struct Result<T>
{
    private readonly T? value;

    private Result(T? value, Error? error)
    {
        this.value = value;
        Error = error;
    }

    /// <summary>The reason, or null on success.</summary>
    public Error? Error { get; }

    public bool Ok => Error is null;

    /// <summary>The value of a success.</summary>
    /// <exception cref="RefusedInput">The outcome was a failure; the exception carries its code.</exception>
    public T Value => Error is null ? value! : throw new RefusedInput(Error);

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(Error error) => new(default, error);
}

/// <summary>
/// An expected failure that crosses several calls, with its stable code. The message tells the person what to do and
/// never carries protected health information.
/// </summary>
public class RefusedInput(Error error) : Exception(error.Message)
{
    public RefusedInput(string code, string message)
        : this(new Error(code, message))
    {
    }

    public Error Error { get; } = error;

    public string Code => Error.Code;
}
