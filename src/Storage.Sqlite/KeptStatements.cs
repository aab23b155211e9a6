using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Mangrove.Storage.Sqlite;

/// <summary>
/// Runs a command's text on the statement that this connection compiled for the same text before: the object mapper
/// makes a new command for each query, and the provider compiles each command anew, which takes longer than most of our
/// queries run. A text whose statement is being read at the moment runs as its own command.
/// </summary>
internal sealed class KeptStatements : DbCommandInterceptor
{
    // Lists of different length are different texts, and those that come once need no place.
    private const int Most = 128;
    private const int LongestText = 4_000;

    private readonly ConditionalWeakTable<SqliteConnection, Dictionary<string, Kept>> byConnection = [];

    public override InterceptionResult<DbDataReader> ReaderExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result) =>
        For(command) is { } kept ? InterceptionResult<DbDataReader>.SuppressWithResult(Run(kept, command, static same => same.ExecuteReader())) : result;

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(ReaderExecuting(command, eventData, result));

    public override InterceptionResult<object> ScalarExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<object> result) =>
        For(command) is { } kept ? InterceptionResult<object>.SuppressWithResult(Run(kept, command, static same => same.ExecuteScalar()!)) : result;

    public override ValueTask<InterceptionResult<object>> ScalarExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<object> result, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(ScalarExecuting(command, eventData, result));

    public override InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result) =>
        For(command) is { } kept ? InterceptionResult<int>.SuppressWithResult(Run(kept, command, static same => same.ExecuteNonQuery())) : result;

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(NonQueryExecuting(command, eventData, result));

    /// <summary>
    /// From here on the statements of this connection are kept. It must stay open for its life: closing hands its handle
    /// to somebody else, and a statement that was compiled for it with it.
    /// </summary>
    public void Follow(SqliteConnection connection) => byConnection.Add(connection, []);

    private Kept? For(DbCommand command)
    {
        if (command.Connection is not SqliteConnection connection || command.CommandText.Length > LongestText || !byConnection.TryGetValue(connection, out var statements))
        {
            return null;
        }

        if (!statements.TryGetValue(command.CommandText, out var kept))
        {
            // The first time the text runs as its own command: most of a start's texts come once.
            if (statements.Count >= Most)
            {
                Forget(statements);
            }

            statements.Add(command.CommandText, new Kept());
            return null;
        }

        kept.Command ??= new SqliteCommand(command.CommandText, connection);
        return kept.Reader is { IsClosed: false } ? null : kept;
    }

    private static TResult Run<TResult>(Kept kept, DbCommand asked, Func<SqliteCommand, TResult> execute)
    {
        var same = kept.Command!;
        same.Parameters.Clear();
        foreach (SqliteParameter parameter in asked.Parameters)
        {
            same.Parameters.Add(parameter);
        }

        same.Transaction = (SqliteTransaction?)asked.Transaction;
        same.CommandTimeout = asked.CommandTimeout;
        var result = execute(same);
        kept.Reader = result as SqliteDataReader;
        return result;
    }

    private static void Forget(Dictionary<string, Kept> statements)
    {
        foreach (var (text, kept) in statements)
        {
            if (kept.Reader is not { IsClosed: false })
            {
                kept.Command?.Dispose();
                statements.Remove(text);
            }
        }
    }

    private sealed class Kept
    {
        public SqliteCommand? Command { get; set; }

        public SqliteDataReader? Reader { get; set; }
    }
}
