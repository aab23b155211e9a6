using Mangrove.Kernel;
using Npgsql;

namespace Mangrove.Vault;

/// <summary>
/// Where a drill restores a backup of a hospital on PostgreSQL: the empty database that the line <c>drill</c> of the connection
/// file names, with one role that owns it and has no right to the hospital's own. The four schemas are made there with a mark
/// in one transaction and taken away in one; a lock that ends with its process tells a drill that runs from what a killed one
/// left. Anything without the mark is somebody else's and is never touched.
/// </summary>
public sealed class DrillGround : IAsyncDisposable
{
    /// <summary>The line of the connection file.</summary>
    public const string Line = "drill";

    private const string NoRight = "42501";

    // Signed 64-bit "mangrove" in ASCII: advisory locks are a database's own, and no log's lock is hashed to it but by a chance of 2^-64.
    private const long Lock = 0x6D616E67726F7665;

    private const int KeepAliveSeconds = 60;

    // No hospital's attempt has it: those are random.
    private static readonly Guid Mark = new("64726c6c-0000-4000-8000-6d616e67726f");

    // The mark stands in the first one, under the name of every attempt's: so no hospital is made or restored on top of it.
    private static readonly string[] Schemas = ["keys", "vault", "clinic", "audit"];

    private readonly NpgsqlConnection held;

    private DrillGround(StorageOptions storage, NpgsqlConnection held)
    {
        Storage = storage;
        this.held = held;
    }

    /// <summary>The place of the restored hospital.</summary>
    public StorageOptions Storage { get; }

    /// <summary>Whether the connection file of a hospital on PostgreSQL names a database for drills.</summary>
    /// <param name="hospital">The hospital.</param>
    public static bool IsNamed(StorageOptions hospital)
    {
        ArgumentNullException.ThrowIfNull(hospital);
        return hospital.Connections.ContainsKey(Line);
    }

    /// <summary>Takes the database for one drill, first removing what a killed one left there.</summary>
    /// <param name="hospital">A hospital on PostgreSQL.</param>
    /// <param name="folder">The drill's own folder, for what is in no database.</param>
    /// <param name="cancel">Gives up; nothing is left.</param>
    /// <exception cref="RefusedInput">
    /// <c>drill.postgres</c>: no database is named; <c>drill.unreachable</c>, <c>drill.busy</c>: another server proves a restore;
    /// <c>drill.not-empty</c>, <c>drill.rights</c>.
    /// </exception>
    public static async Task<DrillGround> Take(StorageOptions hospital, string folder, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(hospital);
        var connection = await Open(hospital, cancel);
        try
        {
            if (!await Locked(connection, cancel))
            {
                throw new RefusedInput("drill.busy", "Another server of this hospital is proving a restore in the drill's database. Try again when it has ended.");
            }

            await Clear(connection, cancel);
            if (await Trouble(connection, cancel) is { } trouble)
            {
                throw new RefusedInput(trouble);
            }

            await using (var transaction = await connection.BeginTransactionAsync(cancel))
            {
                foreach (var schema in Schemas)
                {
                    await Run(connection, $"CREATE SCHEMA {schema}", cancel);
                }

                await Run(connection, $"CREATE TABLE keys.{PostgresGround.Mark} (id uuid NOT NULL, made text NOT NULL)", cancel);
                await Run(connection, $"INSERT INTO keys.{PostgresGround.Mark} (id, made) VALUES ('{Mark}', '')", cancel);
                await transaction.CommitAsync(cancel);
            }

            // Not pooled: when the drill has ended nobody of it is connected there.
            var line = new NpgsqlConnectionStringBuilder(hospital.Connections[Line]) { Pooling = false }.ToString();
            var storage = new StorageOptions
            {
                Kind = StorageKind.Postgres,
                Folder = Path.GetFullPath(folder),
                Connections = Schemas.Append("owner").ToDictionary(name => name, _ => line, StringComparer.Ordinal),
            };
            var taken = new DrillGround(storage, connection);
            connection = null;
            return taken;
        }
        finally
        {
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }
        }
    }

    /// <summary>Removes what a killed drill left; one that runs is let alone.</summary>
    /// <param name="hospital">A hospital on PostgreSQL that names a database for drills.</param>
    /// <param name="cancel">Gives up; the next sweep or drill goes on.</param>
    /// <returns>Whether there was something.</returns>
    /// <exception cref="RefusedInput"><c>drill.unreachable</c>.</exception>
    public static async Task<bool> Sweep(StorageOptions hospital, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(hospital);
        await using var connection = await Open(hospital, cancel);
        return await Locked(connection, cancel) && await Clear(connection, cancel);
    }

    /// <summary>What would keep a drill from running, as far as it can be told without one.</summary>
    /// <param name="hospital">A hospital on PostgreSQL.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Null, or a code of <see cref="Take"/>.</returns>
    public static async Task<Error?> Look(StorageOptions hospital, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(hospital);
        try
        {
            await using var connection = await Open(hospital, cancel);
            return await IsMarked(connection, cancel) ? null : await Trouble(connection, cancel);
        }
        catch (RefusedInput refused)
        {
            return refused.Error;
        }
    }

    /// <summary>Takes away what the drill made, and lets the next one in. Whoever used <see cref="Storage"/> has closed it before.</summary>
    public async ValueTask DisposeAsync()
    {
        await using (held)
        {
            await Clear(held, CancellationToken.None);
        }
    }

    private static async Task<NpgsqlConnection> Open(StorageOptions hospital, CancellationToken cancel)
    {
        if (!IsNamed(hospital))
        {
            throw new RefusedInput(
                "drill.postgres",
                "A drill beside the hospital needs an empty database of its own. Make one with a role that owns it, add the line drill=CONNECTION STRING to the connection file, and restart the server (docs/operations/backup.md). Until then restore by hand into an empty database now and then.");
        }

        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(hospital.ConnectionString(Line)) { Pooling = false, KeepAlive = KeepAliveSeconds }.ToString());
        try
        {
            await connection.OpenAsync(cancel);
            return connection;
        }
        catch (Exception away) when (away is NpgsqlException or TimeoutException or System.ComponentModel.Win32Exception)
        {
            await connection.DisposeAsync();
            throw new RefusedInput("drill.unreachable", "The database that the line drill of the connection file names cannot be reached. Look whether it is there and lets that role in.");
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task<bool> Locked(NpgsqlConnection connection, CancellationToken cancel) =>
        await connection.Scalar("SELECT pg_try_advisory_lock(@lock)", cancel, ("@lock", Lock)) is true;

    /// <summary>Whether a drill made what is there.</summary>
    private static async Task<bool> IsMarked(NpgsqlConnection connection, CancellationToken cancel)
    {
        // Asking for a schema of somebody else is refused, and a table there that has the name is no mark of ours.
        if (await connection.Scalar(
            "SELECT COUNT(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'keys' AND c.relname = @mark AND pg_get_userbyid(c.relowner) = current_user AND pg_get_userbyid(n.nspowner) = current_user",
            cancel,
            ("@mark", PostgresGround.Mark)) is not 1L)
        {
            return false;
        }

        return await connection.Scalar($"SELECT COUNT(*) FROM keys.{PostgresGround.Mark} WHERE id = '{Mark}'", cancel) is > 0L;
    }

    private static async Task<bool> Clear(NpgsqlConnection connection, CancellationToken cancel)
    {
        if (!await IsMarked(connection, cancel))
        {
            return false;
        }

        await Run(connection, $"DROP SCHEMA IF EXISTS {string.Join(", ", Schemas)} CASCADE", cancel);
        return true;
    }

    private static async Task<Error?> Trouble(NpgsqlConnection connection, CancellationToken cancel) =>
        await connection.Scalar("SELECT COUNT(*) FROM pg_namespace WHERE nspname = ANY (@schemas)", cancel, ("@schemas", Schemas)) is not 0L
            ? new Error("drill.not-empty", "The database that the line drill of the connection file names holds schemas of a hospital that no drill made. Name an empty one; nothing there was touched.")
        : await connection.Scalar("SELECT has_database_privilege(current_database(), 'CREATE') AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)", cancel) is not true
            ? new Error("drill.rights", "The role of the line drill of the connection file has to be an ordinary one that may make schemas in its database: make it the database's owner, and no superuser.")
        : null;

    private static async Task Run(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        try
        {
            await connection.Run(sql, cancel);
        }
        catch (PostgresException refused) when (refused.SqlState == NoRight)
        {
            throw new RefusedInput("drill.rights", "The role of the line drill of the connection file may not make or remove schemas in its database. Make it the database's owner.");
        }
    }
}
