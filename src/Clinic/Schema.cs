using System.Data;
using System.Data.Common;
using System.Reflection;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Mangrove.Clinic;

/// <summary>Whether a database has every migration of this version, asked without the mapper, whose model takes a second to build.</summary>
public static class Schema
{
    /// <param name="connection">To the database; opened here if it is not yet, disposed by the caller.</param>
    /// <param name="history">The quoted table of the migrations that ran.</param>
    /// <param name="context">The context whose assembly holds the migrations.</param>
    /// <param name="cancel">Ends the wait.</param>
    public static async Task<bool> IsCurrent(DbConnection connection, string history, Type context, CancellationToken cancel)
    {
        var ran = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            if (connection.State != ConnectionState.Open)
            {
                await connection.OpenAsync(cancel);
            }

            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The table is a constant of the storage.
            command.CommandText = $"SELECT \"MigrationId\" FROM {history}";
#pragma warning restore CA2100
            await using var reader = await command.ExecuteReaderAsync(cancel);
            while (await reader.ReadAsync(cancel))
            {
                ran.Add(reader.GetString(0));
            }
        }
        catch (DbException)
        {
            // A new database has no such table yet. Whatever else is wrong, the migration runs into it and says it.
            return false;
        }

        return Migrations(context).All(ran.Contains);
    }

    /// <summary>The newest migration that this version knows: what a backup says of the tables in it.</summary>
    public static string Newest(Type context) => Migrations(context).Max(StringComparer.Ordinal) ?? string.Empty;

    private static IEnumerable<string> Migrations(Type context) =>
        context.Assembly.GetTypes().Select(type => type.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>();
}
