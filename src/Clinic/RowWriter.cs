using System.Collections.Concurrent;
using System.Data.Common;
using System.Runtime.CompilerServices;
using Mangrove.Clinic.Records;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace Mangrove.Clinic;

/// <summary>
/// Inserts many new rows with one statement for each table that stays compiled, or as one batch where every statement is
/// a journey to a server. The mapper keeps a picture of every row and writes a statement for each, which costs ten times
/// the insert. Columns and conversions are the mapper's own.
/// </summary>
public static class RowWriter
{
    // Rows that travel to a server together.
    private const int Together = 500;

    private static readonly ConditionalWeakTable<IModel, ConcurrentDictionary<Type, (string Text, Column[] Columns)>> Tables = [];

    /// <summary>Writes the rows, each into the table of its class, and the log's newest checkpoint in one transaction.</summary>
    public static async Task Insert(ClinicContext clinic, IEnumerable<object> rows, CancellationToken cancel)
    {
        await using var transaction = await clinic.Database.BeginTransactionAsync(cancel);
        var acts = new HashSet<long>();
        foreach (var sameClass in rows.GroupBy(static row => row.GetType()))
        {
            await Insert(clinic, transaction.GetDbTransaction(), sameClass.Key, [.. sameClass], cancel);
            acts.UnionWith(sameClass.OfType<SealedRow>().Select(static row => row.EntrySeq).Where(static entry => entry > 0));
        }

        foreach (var act in acts)
        {
            await clinic.Mark(act, cancel);
        }

        // Nothing of the mapper's waits: this keeps the checkpoint.
        await clinic.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    private static async Task Insert(ClinicContext clinic, DbTransaction transaction, Type type, IReadOnlyList<object> rows, CancellationToken cancel)
    {
        var (text, columns) = Tables.GetValue(clinic.Model, static _ => new()).GetOrAdd(type, static (one, model) => Statement(model, one), clinic.Model);
        var connection = clinic.Database.GetDbConnection();
        await using var insert = connection.CreateCommand();
        if (connection.CanCreateBatch)
        {
            foreach (var some in rows.Chunk(Together))
            {
                await using var batch = connection.CreateBatch();
                batch.Transaction = transaction;
                foreach (var row in some)
                {
                    var command = batch.CreateBatchCommand();
                    command.CommandText = text;
                    foreach (var column in columns)
                    {
                        command.Parameters.Add(column.Parameter(insert, row));
                    }

                    batch.BatchCommands.Add(command);
                }

                await batch.ExecuteNonQueryAsync(cancel);
            }

            return;
        }

#pragma warning disable CA2100 // The names come from the model, the values travel as parameters.
        insert.CommandText = text;
#pragma warning restore CA2100
        insert.Transaction = transaction;
        insert.Parameters.AddRange(columns.Select(column => column.Parameter(insert, rows[0])).ToArray());
        foreach (var row in rows)
        {
            for (var at = 0; at < columns.Length; at++)
            {
                insert.Parameters[at].Value = columns[at].Value(row) ?? DBNull.Value;
            }

            await insert.ExecuteNonQueryAsync(cancel);
        }
    }

    private static (string Text, Column[] Columns) Statement(IModel model, Type type)
    {
        var entity = model.FindEntityType(type) ?? throw new ArgumentException("Not a row of the clinic.", nameof(type));
        var table = StoreObjectIdentifier.Create(entity, StoreObjectType.Table)!.Value;
        var columns = entity.GetProperties().Select((property, at) => new Column(property, $"@p{at}")).ToArray();
        var names = columns.Select(column => $"\"{column.Property.GetColumnName(table)}\"");
        var place = table.Schema is { } schema ? $"\"{schema}\".\"{table.Name}\"" : $"\"{table.Name}\"";
        return ($"INSERT INTO {place} ({string.Join(", ", names)}) VALUES ({string.Join(", ", columns.Select(static column => column.Name))})", columns);
    }

    /// <summary>A column as the mapper writes it.</summary>
    private sealed class Column(IProperty property, string name)
    {
        private readonly RelationalTypeMapping mapping = property.GetRelationalTypeMapping();
        private readonly IClrPropertyGetter getter = property.GetGetter();

        public IProperty Property => property;

        public string Name => name;

        public DbParameter Parameter(DbCommand command, object row) => mapping.CreateParameter(command, name, getter.GetClrValue(row), property.IsNullable);

        /// <summary>The value as the database takes it; null when there is none.</summary>
        public object? Value(object row) => mapping.Converter is { } converter ? converter.ConvertToProvider(getter.GetClrValue(row)) : getter.GetClrValue(row);
    }
}
