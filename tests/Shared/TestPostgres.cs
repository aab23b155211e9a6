using System.Diagnostics;
using System.Security.Cryptography;

namespace Mangrove.Tests.Shared;

/// <summary>
/// A PostgreSQL cluster of this test process: made in a temporary folder, reached through a socket in it only, stopped and
/// deleted when the process ends, also when it is killed. Where PostgreSQL is not installed the test is skipped by name,
/// and with CI=true it fails. MANGROVE_TEST_PG_BIN names the folder of its programs.
/// </summary>
internal static class TestPostgres
{
    private static readonly Lazy<Task<string>> Cluster = new(Start);
    private static int databases;

    private static bool IsRoot => string.Equals(Environment.UserName, "root", StringComparison.Ordinal);

    /// <summary>
    /// A fresh database with four schemas and a role for each. The roles of clinic, vault and keys own their schemas; the
    /// audit schema belongs to the owner, so that the audit role has only what it is granted.
    /// </summary>
    public static async Task<TestDatabase> Create()
    {
        RequireInstalled();
        return await Create(await Cluster.Value);
    }

    private static void RequireInstalled()
    {
        if (Programs() is null)
        {
            const string Missing = "PostgreSQL is not installed here: install it or set MANGROVE_TEST_PG_BIN.";
            if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
            {
                Assert.Fail(Missing);
            }

            Assert.Skip(Missing);
        }
    }

    /// <summary>As <see cref="Create()"/>, in a cluster of its own that the test may kill.</summary>
    public static async Task<TestDatabase> CreateAlone()
    {
        RequireInstalled();
        return await Create(await Start());
    }

    /// <summary>
    /// Readies a database for the product's own set-up, as at a hospital: the tables of the clinic belong to the owner, and
    /// set-up lets the clinic's role use them.
    /// </summary>
    /// <returns>What the connection file says.</returns>
    public static async Task<string> ForProduct(TestDatabase database)
    {
        await Sql(database.Folder, database.Name, $"ALTER SCHEMA clinic OWNER TO {database.Roles}_owner");
        return Connections(database);
    }

    /// <summary>An empty database in the same cluster for drills, with a role that owns it and may nothing else.</summary>
    /// <returns>The line of the connection file.</returns>
    public static async Task<string> ForDrills(TestDatabase database)
    {
        var name = $"t{Interlocked.Increment(ref databases)}_drill";
        await Sql(database.Folder, "postgres", $"CREATE ROLE {name} LOGIN");
        await Sql(database.Folder, "postgres", $"CREATE DATABASE {name} OWNER {name}");
        await Sql(database.Folder, name, "REVOKE ALL ON SCHEMA public FROM PUBLIC");
        return $"drill=Host={database.Folder};Username={name};Database={name}";
    }

    /// <returns>What the connection file says.</returns>
    public static string Connections(TestDatabase database) =>
        $"clinic={database.Clinic}\nvault={database.Vault}\nkeys={database.Keys}\naudit={database.Audit}\nowner={database.Owner}";

    /// <summary>Ends every process of a cluster without a word, as the kernel does when memory is short, and starts it again.</summary>
    public static async Task KillAndRestart(string folder)
    {
        var data = Path.Combine(folder, "data");
        var first = (await File.ReadAllLinesAsync(Path.Combine(data, "postmaster.pid")))[0];
        await Run("sh", ["-c", "all=\"$1 $(ps -o pid= --ppid \"$1\")\"; kill -9 $all; for one in $all; do while [ -d /proc/$one ] && ! grep -q '^State:.Z' /proc/$one/status; do :; done; done 2>/dev/null; true", "sh", first], asServer: false);

        // Where nobody reaps the dead, a number of theirs still counts as a running server.
        foreach (var stale in Directory.EnumerateFiles(folder, "*.lock", SearchOption.AllDirectories).Append(Path.Combine(data, "postmaster.pid")).ToList())
        {
            File.Delete(stale);
        }

        await Run(Path.Combine(Programs()!, "pg_ctl"), ["-D", data, "-w", "-s", "-l", Path.Combine(folder, "server.log"), "start"], asServer: true);
    }

    private static async Task<TestDatabase> Create(string folder)
    {
        var name = $"t{Interlocked.Increment(ref databases)}";
        var database = new TestDatabase(folder, name, name);
        await Sql(folder, "postgres", $"CREATE ROLE {name}_owner LOGIN; CREATE ROLE {name}_clinic LOGIN; CREATE ROLE {name}_vault LOGIN; CREATE ROLE {name}_keys LOGIN; CREATE ROLE {name}_audit LOGIN");
        await Sql(folder, "postgres", $"CREATE DATABASE {name} OWNER {name}_owner");
        await Sql(folder, name, $"REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE SCHEMA clinic AUTHORIZATION {name}_clinic; CREATE SCHEMA vault AUTHORIZATION {name}_vault; CREATE SCHEMA keys AUTHORIZATION {name}_keys; CREATE SCHEMA audit AUTHORIZATION {name}_owner");
        return database;
    }

    /// <summary>A second database with everything that is in this one, for the same roles, while nobody is connected to it.</summary>
    public static async Task<TestDatabase> Copy(TestDatabase database)
    {
        var copy = database with { Name = $"t{Interlocked.Increment(ref databases)}" };
        await Sql(database.Folder, "postgres", $"CREATE DATABASE {copy.Name} TEMPLATE {database.Name} OWNER {database.Roles}_owner");
        return copy;
    }

    /// <summary>Runs statements as the cluster's superuser.</summary>
    public static Task Sql(string folder, string database, string sql) =>
        Run(Path.Combine(Programs()!, "psql"), ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", folder, "-U", "postgres", "-d", database, "-c", sql], asServer: false);

    private static async Task<string> Start()
    {
        var programs = Programs()!;
        var folder = Path.Combine(Path.GetTempPath(), "mangrove-pg-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)));
        Directory.CreateDirectory(folder);
        if (IsRoot)
        {
            // PostgreSQL refuses to run as root.
            await Run("chown", ["postgres", folder], asServer: false);
        }

        var data = Path.Combine(folder, "data");
        await Run(Path.Combine(programs, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], asServer: true);
        await File.AppendAllTextAsync(
            Path.Combine(data, "postgresql.conf"),
            $"listen_addresses = ''\nunix_socket_directories = '{folder}'\nfsync = off\nfull_page_writes = off\nmax_connections = 200\nshared_buffers = 64MB\n");
        await Run(Path.Combine(programs, "pg_ctl"), ["-D", data, "-w", "-s", "-l", Path.Combine(folder, "server.log"), "start"], asServer: true);
        Watch(folder, data, programs);
        return folder;
    }

    // A process of its own, so that the cluster goes also when this one is killed.
    private static void Watch(string folder, string data, string programs)
    {
        // It watches as the same user: to another one a live process looks like none.
        var script = $"while kill -0 {Environment.ProcessId} 2>/dev/null; do sleep 1; done; \"$@\"; cd /; rm -rf '{folder}'";
        var start = new ProcessStartInfo("setsid") { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] stop = AsServer([Path.Combine(programs, "pg_ctl"), "-D", data, "-m", "immediate", "-s", "stop"]);
        foreach (var argument in (string[])["sh", "-c", script, "sh", .. stop])
        {
            start.ArgumentList.Add(argument);
        }

        using var watcher = Process.Start(start) ?? throw new InvalidOperationException("the watcher did not start");
    }

    private static async Task Run(string program, string[] arguments, bool asServer)
    {
        string[] command = asServer ? AsServer([program, .. arguments]) : [program, .. arguments];
        var start = new ProcessStartInfo(command[0])
        {
            UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/",
        };
        foreach (var argument in command[1..])
        {
            start.ArgumentList.Add(argument);
        }

        // The server inherits the pipe, so its end is not waited for: what a failed command says is read when it has failed.
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{Path.GetFileName(program)}: {await process.StandardError.ReadToEndAsync()}");
        }
    }

    private static string[] AsServer(string[] command) =>
        IsRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", .. command] : command;

    private static string? Programs()
    {
        if (Environment.GetEnvironmentVariable("MANGROVE_TEST_PG_BIN") is { Length: > 0 } named)
        {
            return named;
        }

        const string Debian = "/usr/lib/postgresql";
        var installed = Directory.Exists(Debian)
            ? Directory.GetDirectories(Debian).OrderDescending(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin"))
            : [];
        return installed.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")));
    }
}

/// <summary>One database of the cluster, with a connection string for each role.</summary>
/// <param name="Folder">Of the cluster.</param>
/// <param name="Name">Of the database.</param>
/// <param name="Roles">What the names of its roles begin with.</param>
internal sealed record TestDatabase(string Folder, string Name, string Roles)
{
    /// <summary>Owns the database and the audit schema.</summary>
    public string Owner => As("owner");

    public string Clinic => As("clinic");

    public string Vault => As("vault");

    public string Keys => As("keys");

    public string Audit => As("audit");

    public string AuditRole => $"{Roles}_audit";

    private string As(string role) => $"Host={Folder};Username={Roles}_{role};Database={Name};Maximum Pool Size=20;Search Path={role}";
}
