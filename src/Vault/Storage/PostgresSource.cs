using Npgsql;

namespace Mangrove.Vault.Storage;

/// <summary>Opens PostgreSQL for one of the vault's own stores, each by its own role.</summary>
internal static class PostgresSource
{
    /// <summary>A pool of connections with the settings that every store of the vault needs.</summary>
    public static NpgsqlDataSource Open(string connectionString) => NpgsqlDataSource.Create(Settings(connectionString));

    /// <summary>
    /// The person's settings, with ours on top: error detail stays off because it quotes row values, and commits wait for
    /// the disk whatever the server's default is.
    /// </summary>
    public static NpgsqlConnectionStringBuilder Settings(string connectionString) => new(connectionString)
    {
        IncludeErrorDetail = false,
        LogParameters = false,
        PersistSecurityInfo = false,
        Options = "-c synchronous_commit=on",
        ApplicationName = "mangrove",
    };
}
