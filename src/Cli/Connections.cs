using Microsoft.Data.Sqlite;
using Npgsql;

namespace Mangrove.Cli;

/// <summary>The pools of database connections, which outlive their users.</summary>
internal static class Connections
{
    /// <summary>Closes what is idle, so that SQLite folds its write-ahead logs in and the folder can be moved or removed.</summary>
    public static void Close()
    {
        SqliteConnection.ClearAllPools();
        NpgsqlConnection.ClearAllPools();
    }
}
