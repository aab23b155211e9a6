namespace Mangrove.Kernel;

/// <summary>
/// A protected value as it is stored: an authenticated envelope, bound to its place (docs/formats/sealed-field.md).
/// It can be carried, copied and backed up by anybody and opened by the vault's door only. The default value is an
/// absent field, which is not the same as a sealed empty one.
/// </summary>
public readonly struct Sealed<T> : IEquatable<Sealed<T>>
{
    private readonly byte[]? bytes;

    public Sealed(byte[]? envelope) => bytes = envelope is { Length: 0 } ? null : envelope;

    public bool IsAbsent => bytes is null;

    /// <summary>The envelope, or null when the field is absent. MUST NOT be changed by the caller.</summary>
    public byte[]? Envelope => bytes;

    public static bool operator ==(Sealed<T> left, Sealed<T> right) => left.Equals(right);

    public static bool operator !=(Sealed<T> left, Sealed<T> right) => !left.Equals(right);

    /// <summary>Equality of the stored bytes; equal plaintexts never have equal envelopes.</summary>
    public bool Equals(Sealed<T> other) => bytes.AsSpan().SequenceEqual(other.bytes);

    public override bool Equals(object? obj) => obj is Sealed<T> other && Equals(other);

    public override int GetHashCode() => bytes is null ? 0 : HashCode.Combine(bytes.Length, bytes[^1], bytes[^2]);

    public override string ToString() => bytes is null ? "absent" : "sealed";
}

/// <summary>Says why a column of text or bytes may be stored unsealed. The model test refuses any other.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PublicAttribute(string reason) : Attribute
{
    public string Reason { get; } = reason;
}
