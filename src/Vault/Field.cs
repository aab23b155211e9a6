using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mangrove.Kernel;
using Mangrove.Vault.Access;

namespace Mangrove.Vault;

/// <summary>A row that holds sealed fields of one patient.</summary>
public interface ISealedRow
{
    Guid Id { get; }

    PatientId PatientId { get; }

    /// <summary>Counts sealings of the row, from 1; part of every cell's associated data. Changed by the door only.</summary>
    int RowVersion { get; set; }

    /// <summary>The audit entry under which this version was written. Changed by the door only.</summary>
    long EntrySeq { get; set; }
}

/// <summary>
/// A sealed column: where it lies, what kind of information it holds, how its value becomes bytes. Declared once, as a
/// static member of the row's class; all of them together are the data-location register.
/// </summary>
public abstract class Field
{
    private static readonly ConcurrentDictionary<Type, Field[]> Register = new();

    private protected Field(Type row, string table, string column, string name, int width)
    {
        Row = row;
        Table = table;
        Column = column;
        Name = name;
        Width = width;
        Register.AddOrUpdate(row, _ => [this], (_, fields) => [.. fields, this]);
    }

    /// <summary>The class of the row.</summary>
    public Type Row { get; }

    public string Table { get; }

    public string Column { get; }

    /// <summary>How the audit log names the field.</summary>
    public string Name { get; }

    /// <summary>The type of the value when it is open. With the category it tells a log line what to mask.</summary>
    public abstract Type Holds { get; }

    /// <summary>The category, where it is the same for every row.</summary>
    public Category? Fixed { get; private protected init; }

    /// <summary>Plaintexts are padded to a multiple of this many bytes; 0 means Padmé buckets.</summary>
    internal int Width { get; }

    /// <summary>Every sealed field of <paramref name="row"/>.</summary>
    public static IReadOnlyList<Field> Of(Type row)
    {
        RuntimeHelpers.RunClassConstructor(row.TypeHandle);
        return Register.TryGetValue(row, out var fields) ? fields : [];
    }

    public abstract Category CategoryOf(ISealedRow row);

    internal abstract byte[]? Envelope(ISealedRow row);

    internal abstract void Replace(ISealedRow row, byte[]? envelope);

    /// <summary>The field used as <paramref name="category"/>, for columns whose category depends on the row.</summary>
    public FieldUse As(Category category) => new(this, category);
}

/// <inheritdoc cref="Field"/>
public sealed class Field<TRow, T> : Field
    where TRow : class, ISealedRow
    where T : class
{
    private readonly Func<TRow, Category> category;
    private readonly Func<TRow, Sealed<T>> get;
    private readonly Action<TRow, Sealed<T>> set;
    private readonly JsonTypeInfo<T>? json;

    /// <param name="table">Table name, part of the associated data: MUST NOT change once rows exist.</param>
    /// <param name="column">Column name, likewise.</param>
    /// <param name="name">Name in the audit log.</param>
    /// <param name="category">Category by row.</param>
    /// <param name="get">Reads the sealed property.</param>
    /// <param name="set">Writes the sealed property.</param>
    /// <param name="json">How the value is written; null for text and bytes.</param>
    /// <param name="width">Padding width in bytes for short coded values; 0 for Padmé.</param>
    public Field(
        string table,
        string column,
        string name,
        Func<TRow, Category> category,
        Func<TRow, Sealed<T>> get,
        Action<TRow, Sealed<T>> set,
        JsonTypeInfo<T>? json = null,
        int width = 0)
        : base(typeof(TRow), table, column, name, width)
    {
        if (json is null && typeof(T) != typeof(string) && typeof(T) != typeof(byte[]))
        {
            throw new ArgumentNullException(nameof(json));
        }

        this.category = category;
        this.get = get;
        this.set = set;
        this.json = json;
    }

    public Field(
        string table,
        string column,
        string name,
        Category category,
        Func<TRow, Sealed<T>> get,
        Action<TRow, Sealed<T>> set,
        JsonTypeInfo<T>? json = null,
        int width = 0)
        : this(table, column, name, _ => category, get, set, json, width) => Fixed = category;

    public override Type Holds => typeof(T);

    public static implicit operator FieldUse(Field<TRow, T> field) => field.ToFieldUse();

    public FieldUse ToFieldUse() => new(this, Fixed ?? throw new InvalidOperationException($"{Table}.{Column} has a category by row: say As(category)."));

    public override Category CategoryOf(ISealedRow row) => category((TRow)row);

    internal override byte[]? Envelope(ISealedRow row) => get((TRow)row).Envelope;

    internal override void Replace(ISealedRow row, byte[]? envelope) => set((TRow)row, new Sealed<T>(envelope));

    internal byte[] Encode(T value) => value switch
    {
        string text => System.Text.Encoding.UTF8.GetBytes(text),
        byte[] bytes => bytes,
        _ => JsonSerializer.SerializeToUtf8Bytes(value, json!),
    };

    internal T Decode(ReadOnlySpan<byte> plain)
    {
        if (typeof(T) == typeof(string))
        {
            return (T)(object)System.Text.Encoding.UTF8.GetString(plain);
        }

        return typeof(T) == typeof(byte[])
            ? (T)(object)plain.ToArray()
            : JsonSerializer.Deserialize(plain, json!) ?? throw new InvalidOperationException($"{Table}.{Column} holds no value.");
    }
}

/// <summary>A field as an act names it, with the category that the policy decides on.</summary>
public readonly record struct FieldUse(Field Field, Category Category)
{
    public string Name => Field.Name;
}
