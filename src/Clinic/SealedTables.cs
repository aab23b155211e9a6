using System.Collections.Concurrent;
using System.Data.Common;
using System.Runtime.CompilerServices;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace Mangrove.Clinic;

/// <summary>
/// The clinic's tables as ciphertext only, for the vault's work on all of it. Table and column names and the forms of ids are
/// the mapper's; the statements go past it, because it would keep a picture of every row.
/// </summary>
public sealed class SealedTables(IClinicDatabase clinics) : ISealedRecords
{
    // Rows that travel to a server together.
    private const int Together = 250;

    private readonly ConcurrentDictionary<Type, Table> tables = new();
    private readonly Lazy<IReadOnlyList<Type>> rows = new(() =>
    {
        using var clinic = clinics.CreateDbContext();
        return [.. clinic.Model.GetEntityTypes().Select(entity => entity.ClrType).Where(type => typeof(SealedRow).IsAssignableFrom(type)).OrderBy(type => type.Name, StringComparer.Ordinal)];
    });

    public IReadOnlyList<Type> Rows => rows.Value;

    public async IAsyncEnumerable<IReadOnlyList<StoredCells>> Read(Type row, int most, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var clinic = clinics.CreateDbContext();
        var table = TableOf(clinic, row);
        await clinic.Database.OpenConnectionAsync(cancel);
        try
        {
            await using var command = clinic.Database.GetDbConnection().CreateCommand();
            object? last = null;
            var piece = new List<StoredCells>(most);
            do
            {
                // A statement for each piece: one that went on over the whole table would keep the log of changes from
                // being written back for as long.
                piece = new List<StoredCells>(most);
#pragma warning disable CA2100 // The names come from the model, the values travel as parameters.
                command.CommandText = table.Select(clinics.RowOrder, last is not null, most);
#pragma warning restore CA2100
                command.Parameters.Clear();
                if (last is not null)
                {
                    Add(command, "@last", last);
                }

                await using var reader = await command.ExecuteReaderAsync(cancel);
                while (await reader.ReadAsync(cancel))
                {
                    last = reader.GetValue(0);
                    piece.Add(table.Cells(reader));
                }

                if (piece.Count > 0)
                {
                    yield return piece;
                }
            }
            while (piece.Count == most);
        }
        finally
        {
            await clinic.Database.CloseConnectionAsync();
        }
    }

    public async Task<int> Replace(Type row, IReadOnlyList<StoredCells> cells, CancellationToken cancel)
    {
        await using var clinic = clinics.CreateDbContext();
        var table = TableOf(clinic, row);
        await using var transaction = await clinic.Database.BeginTransactionAsync(cancel);
        var connection = clinic.Database.GetDbConnection();
        var changed = connection.CanCreateBatch
            ? await Batched(table, connection, transaction.GetDbTransaction(), cells, cancel)
            : await OneByOne(table, connection, transaction.GetDbTransaction(), cells, cancel);

        // Nothing of the mapper's waits: this keeps the checkpoint.
        await clinic.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return changed;
    }

    private static async Task<int> OneByOne(Table table, DbConnection connection, DbTransaction transaction, IReadOnlyList<StoredCells> cells, CancellationToken cancel)
    {
        await using var update = connection.CreateCommand();
#pragma warning disable CA2100 // The names come from the model, the values travel as parameters.
        update.CommandText = table.Update;
#pragma warning restore CA2100
        update.Transaction = transaction;
        var changed = 0;
        foreach (var row in cells)
        {
            // Made with the first row; the others bring values only, so that the statement stays compiled.
            var at = 0;
            var made = update.Parameters.Count > 0;
            table.Bind(row, (name, value) =>
            {
                if (made)
                {
                    update.Parameters[at++].Value = value;
                }
                else
                {
                    Add(update, name, value);
                }
            });
            changed += await update.ExecuteNonQueryAsync(cancel);
        }

        return changed;
    }

    private static async Task<int> Batched(Table table, DbConnection connection, DbTransaction transaction, IReadOnlyList<StoredCells> cells, CancellationToken cancel)
    {
        var changed = 0;
        await using var maker = connection.CreateCommand();
        foreach (var some in cells.Chunk(Together))
        {
            await using var batch = connection.CreateBatch();
            batch.Transaction = transaction;
            foreach (var row in some)
            {
                var command = batch.CreateBatchCommand();
                command.CommandText = table.Update;
                table.Bind(row, (name, value) => command.Parameters.Add(Parameter(maker, name, value)));
                batch.BatchCommands.Add(command);
            }

            changed += await batch.ExecuteNonQueryAsync(cancel);
        }

        return changed;
    }

    private static void Add(DbCommand command, string name, object value) => command.Parameters.Add(Parameter(command, name, value));

    private static DbParameter Parameter(DbCommand maker, string name, object value)
    {
        var parameter = maker.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        return parameter;
    }

    private Table TableOf(ClinicContext clinic, Type row) => tables.GetOrAdd(row, static (type, model) => new Table(model, type), clinic.Model);

    /// <summary>One table as its statements name it.</summary>
    private sealed class Table
    {
        private readonly string place;
        private readonly string columns;
        private readonly Form id;
        private readonly Form patient;
        private readonly int count;

        public Table(IModel model, Type type)
        {
            var entity = model.FindEntityType(type) ?? throw new ArgumentException("Not a row of the clinic.", nameof(type));
            var store = StoreObjectIdentifier.Create(entity, StoreObjectType.Table)!.Value;
            place = store.Schema is { } schema ? $"\"{schema}\".\"{store.Name}\"" : $"\"{store.Name}\"";
            string Column(string property) => $"\"{entity.FindProperty(property)!.GetColumnName(store)}\"";
            var sealedColumns = entity.GetProperties()
                .Where(property => property.ClrType is { IsGenericType: true } of && of.GetGenericTypeDefinition() == typeof(Sealed<>))
                .ToDictionary(property => property.GetColumnName(store)!, StringComparer.Ordinal);

            // A field is found by the column that its cells are bound to. One without would be left under an old key for ever.
            var fields = Field.Of(type);
            if (fields.Count != sealedColumns.Count || fields.Any(field => field.Table != store.Name || !sealedColumns.ContainsKey(field.Column)))
            {
                throw new InvalidOperationException($"The sealed columns of {store.Name} are not its fields.");
            }

            count = fields.Count;
            id = new Form(entity.FindProperty(nameof(SealedRow.Id))!);
            patient = new Form(entity.FindProperty(nameof(SealedRow.PatientId))!);
            var version = Column(nameof(SealedRow.RowVersion));
            columns = string.Join(", ", [Column(nameof(SealedRow.Id)), Column(nameof(SealedRow.PatientId)), version, .. fields.Select(field => $"\"{field.Column}\"")]);
            Update = $"UPDATE {place} SET {string.Join(", ", fields.Select((field, at) => $"\"{field.Column}\" = @c{at}"))} WHERE {Column(nameof(SealedRow.Id))} = @id AND {version} = @version";
        }

        public string Update { get; }

        public string Select(string order, bool after, int most) =>
            FormattableString.Invariant($"SELECT {order}, {columns} FROM {place} {(after ? $"WHERE {order} > @last " : "")}ORDER BY {order} LIMIT {most}");

        public StoredCells Cells(DbDataReader reader)
        {
            var envelopes = new byte[]?[count];
            for (var at = 0; at < count; at++)
            {
                envelopes[at] = reader.IsDBNull(4 + at) ? null : reader.GetFieldValue<byte[]>(4 + at);
            }

            return new StoredCells((Guid)id.From(reader.GetValue(1)), (PatientId)patient.From(reader.GetValue(2)), reader.GetInt32(3), envelopes);
        }

        public void Bind(StoredCells row, Action<string, object> add)
        {
            add("@id", id.To(row.Id));
            add("@version", row.RowVersion);
            for (var at = 0; at < count; at++)
            {
                add($"@c{at}", row.Envelopes[at] ?? (object)DBNull.Value);
            }
        }
    }

    /// <summary>How the mapper stores an id.</summary>
    private sealed class Form(IProperty property)
    {
        private readonly Microsoft.EntityFrameworkCore.Storage.ValueConversion.ValueConverter? converter = property.GetRelationalTypeMapping().Converter;

        public object From(object stored) => converter is null ? stored : converter.ConvertFromProvider(stored)!;

        public object To(object value) => converter is null ? value : converter.ConvertToProvider(value)!;
    }
}
