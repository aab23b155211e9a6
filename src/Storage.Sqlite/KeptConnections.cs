using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Mangrove.Storage.Sqlite;

/// <summary>
/// Connections that stay open while their contexts wait for the next use: opened anew, a connection has to be set up
/// again and to compile every statement again, which costs a short request more than its reading does.
/// </summary>
internal sealed class KeptConnections(string connectionString, KeptStatements statements) : DbConnectionInterceptor, IDisposable
{
    // Each has its own page cache and statements. Contexts beyond these open and close theirs at every use.
    private const int Most = 64;

    private const string Pragmas = "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA busy_timeout=30000";

    private readonly ConcurrentBag<SqliteConnection> kept = [];
    private int count;

    /// <summary>Opens the connection of a context's life, or of this one use.</summary>
    public void OpenFor(SqliteClinicContext context)
    {
        if (context.KeepsConnection)
        {
            return;
        }

        // Asked first: a number that grew with every use beyond the limit would run over one day and let all of them stay.
        if (Volatile.Read(ref count) >= Most || Interlocked.Increment(ref count) > Most)
        {
            context.Database.OpenConnection();
            return;
        }

        var connection = new SqliteConnection(connectionString);
        try
        {
            connection.Open();
            Set(connection);
        }
        catch
        {
            Interlocked.Decrement(ref count);
            connection.Dispose();
            throw;
        }

        kept.Add(connection);
        statements.Follow(connection);
        context.Keep(connection);
    }

    /// <summary>Every connection waits for its turn, syncs each commit and overwrites what is deleted.</summary>
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Set(connection);

    /// <inheritdoc cref="ConnectionOpened"/>
    public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        // The provider's calls are not asynchronous in truth.
        Set(connection);
        return Task.CompletedTask;
    }

    /// <summary>Closes what is kept: SQLite folds its write-ahead log in with the last connection. None may be in use.</summary>
    public void Dispose()
    {
        while (kept.TryTake(out var connection))
        {
            connection.Dispose();
        }
    }

    /// <inheritdoc cref="ConnectionOpened"/>
    public static void Set(DbConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        command.ExecuteNonQuery();
    }
}
