using System.Data.Common;
using Mangrove.Clinic;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Mangrove.Cli.Demo;

/// <summary>
/// Inserts many new rows of one table with one statement that stays compiled. The mapper keeps a picture of every row and
/// writes a statement for each, which costs ten times the insert. Columns and conversions are the mapper's own.
/// </summary>
internal static class RowWriter
{
    /// <summary>Writes the rows and the log's newest checkpoint in one transaction.</summary>
    public static async Task Insert<TRow>(ClinicContext clinic, IReadOnlyList<TRow> rows, CancellationToken cancel)
        where TRow : class
    {
        var entity = clinic.Model.FindEntityType(typeof(TRow))!;
        var table = StoreObjectIdentifier.Create(entity, StoreObjectType.Table)!.Value;
        var properties = entity.GetProperties().ToArray();
        await using var transaction = await clinic.Database.BeginTransactionAsync(cancel);
        await using (var insert = clinic.Database.GetDbConnection().CreateCommand())
        {
            var columns = properties.Select(property => $"\"{property.GetColumnName(table)}\"");
#pragma warning disable CA2100 // The names come from the model, the values travel as parameters.
            insert.CommandText = $"INSERT INTO \"{table.Name}\" ({string.Join(", ", columns)}) VALUES ({string.Join(", ", properties.Select((_, at) => $"@p{at}"))})";
#pragma warning restore CA2100
            insert.Transaction = Microsoft.EntityFrameworkCore.Storage.DbContextTransactionExtensions.GetDbTransaction(transaction);
            var values = properties.Select((property, at) => Parameter(insert, property, $"@p{at}")).ToArray();
            foreach (var row in rows)
            {
                foreach (var (parameter, value) in values)
                {
                    parameter.Value = value(row) ?? DBNull.Value;
                }

                await insert.ExecuteNonQueryAsync(cancel);
            }
        }

        // Nothing of the mapper's waits: this keeps the checkpoint.
        await clinic.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    private static (DbParameter Parameter, Func<object, object?> Value) Parameter(DbCommand insert, IProperty property, string name)
    {
        var mapping = property.GetRelationalTypeMapping();
        var parameter = mapping.CreateParameter(insert, name, null, nullable: property.IsNullable);
        insert.Parameters.Add(parameter);
        var getter = property.GetGetter();
        var convert = mapping.Converter?.ConvertToProvider;
        return (parameter, convert is null ? getter.GetClrValue : row => convert(getter.GetClrValue(row)));
    }
}
