using System.Data.Common;
using System.Globalization;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;

namespace Mangrove.Clinic;

/// <summary>
/// A query for whole rows of one table that the pages everybody waits for run all the time. The object mapper translates
/// it once for each database and says how each column becomes a property; the runs go past it, because it takes longer to
/// prepare a run than the database takes to answer. Rows come untracked.
/// </summary>
/// <param name="query">The query for one value.</param>
public sealed class RowQuery<TValue, TRow>(Func<ClinicContext, TValue, IQueryable<TRow>> query)
    where TValue : struct
    where TRow : class, new()
{
    private readonly ConditionalWeakTable<IModel, Translation> rows = [];
    private readonly ConditionalWeakTable<IModel, Translation> counts = [];

    /// <summary>The rows of this value.</summary>
    public ValueTask<List<TRow>> On(ClinicContext clinic, TValue value, CancellationToken cancel) =>
        Run(clinic, rows, "{0}", value, static async (translation, command, cancel) =>
        {
            await using var reader = await command.ExecuteReaderAsync(cancel);
            var found = new List<TRow>();
            while (await reader.ReadAsync(cancel))
            {
                found.Add(translation.Row(reader));
            }

            return found;
        }, cancel);

    /// <summary>How many rows this value has.</summary>
    public ValueTask<int> CountOn(ClinicContext clinic, TValue value, CancellationToken cancel) =>
        Run(clinic, counts, "SELECT COUNT(*) FROM ({0}) AS counted", value, static async (_, command, cancel) =>
            Convert.ToInt32(await command.ExecuteScalarAsync(cancel), CultureInfo.InvariantCulture), cancel);

    private async ValueTask<TResult> Run<TResult>(
        ClinicContext clinic, ConditionalWeakTable<IModel, Translation> byModel, string frame, TValue value, Func<Translation, DbCommand, CancellationToken, ValueTask<TResult>> finish, CancellationToken cancel)
    {
        if (!byModel.TryGetValue(clinic.Model, out var translation))
        {
            translation = byModel.GetValue(clinic.Model, _ => new Translation(clinic, query(clinic, value), query.Method.GetParameters()[^1].Name!, frame));
        }

        var connection = clinic.Database.GetDbConnection();
        if (clinic.KeepsConnection)
        {
            return await finish(translation, translation.Kept(clinic, connection, value), cancel);
        }

        await clinic.Database.OpenConnectionAsync(cancel);
        try
        {
            await using var command = translation.Once(clinic, connection, value);
            return await finish(translation, command, cancel);
        }
        finally
        {
            await clinic.Database.CloseConnectionAsync();
        }
    }

    /// <summary>The query as one kind of database takes it.</summary>
    private sealed class Translation
    {
        private readonly ConditionalWeakTable<DbConnection, DbCommand> kept = [];
        private readonly IEntityType type;
        private readonly RelationalTypeMapping mapping;
        private readonly string text;
        private readonly string name;
        private readonly List<(string Name, object? Value)> others = [];
        private Func<DbDataReader, TRow>? read;

        public Translation(ClinicContext clinic, IQueryable<TRow> query, string variable, string frame)
        {
            type = clinic.Model.FindEntityType(typeof(TRow)) ?? throw new InvalidOperationException($"{typeof(TRow).Name} is no table.");

            // A kind of value is stored in the same way wherever it stands.
            mapping = clinic.Model.GetEntityTypes().SelectMany(one => one.GetProperties())
                .First(property => (Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType) == typeof(TValue)).GetRelationalTypeMapping();
            using var command = query.CreateDbCommand();
            text = string.Format(CultureInfo.InvariantCulture, frame, command.CommandText);
            name = "@" + variable;

            // What else the mapper passes is the same at every run: how many rows are wanted at most.
            foreach (DbParameter parameter in command.Parameters)
            {
                if (parameter.ParameterName != name)
                {
                    others.Add((parameter.ParameterName, parameter.Value));
                }
            }

            if (others.Count == command.Parameters.Count)
            {
                throw new InvalidOperationException($"The query does not ask for '{variable}'.");
            }
        }

        /// <summary>The command that stays compiled with its connection, which is one request's at a time.</summary>
        public DbCommand Kept(ClinicContext clinic, DbConnection connection, TValue value) =>
            Set(kept.TryGetValue(connection, out var command) ? command : kept.GetValue(connection, Make), clinic, value);

        public DbCommand Once(ClinicContext clinic, DbConnection connection, TValue value) => Set(Make(connection), clinic, value);

        public TRow Row(DbDataReader reader) => (read ??= Reading(reader))(reader);

        private DbCommand Set(DbCommand command, ClinicContext clinic, TValue value)
        {
            command.Parameters[0].Value = mapping.Converter is { } converter ? converter.ConvertToProvider(value) : value;
            command.Transaction = clinic.Database.CurrentTransaction?.GetDbTransaction();
            return command;
        }

        private DbCommand Make(DbConnection connection)
        {
            var command = connection.CreateCommand();
            command.CommandText = text;
            command.Parameters.Add(mapping.CreateParameter(command, name, default(TValue), nullable: false));
            foreach (var (other, value) in others)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = other;
                parameter.Value = value;
                command.Parameters.Add(parameter);
            }

            return command;
        }

        /// <summary>Makes a row of the record that the reader stands on, by the mapper's own rules for each column.</summary>
        private Func<DbDataReader, TRow> Reading(DbDataReader shape)
        {
            var columns = Enumerable.Range(0, shape.FieldCount).ToDictionary(shape.GetName, StringComparer.Ordinal);
            var table = StoreObjectIdentifier.Create(type, StoreObjectType.Table)!.Value;
            var reader = Expression.Parameter(typeof(DbDataReader));
            var members = new List<MemberBinding>();
            foreach (var property in type.GetProperties())
            {
                var at = Expression.Constant(columns[property.GetColumnName(table)!]);
                var column = property.GetRelationalTypeMapping();
                Expression value = column.CustomizeDataReaderExpression(Expression.Call(reader, column.GetDataReaderMethod(), at));
                if (column.Converter is { } converter)
                {
                    var from = converter.ConvertFromProviderExpression;
                    value = ReplacingExpressionVisitor.Replace(from.Parameters[0], As(value, from.Parameters[0].Type), from.Body);
                }

                value = As(value, property.ClrType);
                members.Add(Expression.Bind(
                    property.PropertyInfo!,
                    property.IsNullable ? Expression.Condition(Expression.Call(reader, nameof(DbDataReader.IsDBNull), null, at), Expression.Default(property.ClrType), value) : value));
            }

            return Expression.Lambda<Func<DbDataReader, TRow>>(Expression.MemberInit(Expression.New(typeof(TRow)), members), reader).Compile();
        }

        private static Expression As(Expression value, Type type) => value.Type == type ? value : Expression.Convert(value, type);
    }
}
