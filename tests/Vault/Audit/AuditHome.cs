using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Audit;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>A hospital's log on one database, with its key and its anchors: what outlives a restart.</summary>
internal abstract class AuditHome : IAsyncDisposable
{
    public Guid Facility { get; } = Ids.New();

    public CheckpointSigner Signer { get; } = CheckpointSigner.Generate();

    public MemoryAnchors Anchors { get; } = new();

    public static AuditDraft Act(int number = 0, params IReadOnlyCollection<Guid> patients) => new()
    {
        Actor = "dr.ahmed",
        StaffId = "S-0042",
        Action = "VIEW_PATIENT_RECORD",
        Resource = $"patient:P-{number}",
        Patients = patients,
        FieldsAccessed = ["name", "diagnosis", "medications"],
        Device = "ER-Doctor-Tablet-03",
        SessionId = "sess_abc123",
        Purpose = "treatment",
    };

    public abstract AuditStore Store();

    /// <summary>Runs statements as somebody who holds the database but not the log's key.</summary>
    public abstract void Attack(string sql);

    public Task<AuditLog> Open(AuditOptions? options = null, IAnchorSink? anchors = null) => AuditLog.Open(
        Store(), Facility, Signer, anchors ?? Anchors, TimeProvider.System, Ids.New(), options);

    public CheckpointVerifier Key() => CheckpointVerifier.From(Signer.ExportPublicKey());

    public virtual ValueTask DisposeAsync()
    {
        Signer.Dispose();
        return ValueTask.CompletedTask;
    }
}

internal sealed class SqliteHome : AuditHome
{
    private readonly string folder = Directory.CreateTempSubdirectory("mangrove-audit-").FullName;

    public string Folder => folder;

    public string File => Path.Combine(folder, "audit.db");

    public long? MostPages { get; set; }

    public override AuditStore Store() => new SqliteAuditStore(File, TimeSpan.FromMilliseconds(200), MostPages);

    public override void Attack(string sql)
    {
        using var connection = Mangrove.Vault.Storage.RawSqlite.Open(File, readOnly: false, create: false, TimeSpan.FromSeconds(5));
        connection.Triggers(on: false);
        connection.Execute(sql);
    }

    public override ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return base.DisposeAsync();
    }
}

internal sealed class PostgresHome(Mangrove.Tests.Shared.TestDatabase database) : AuditHome
{
    private readonly Guid log = Ids.New();

    public Mangrove.Tests.Shared.TestDatabase Database => database;

    public Guid Log => log;

    public static async Task<PostgresHome> Create()
    {
        var database = await Mangrove.Tests.Shared.TestPostgres.Create();
        await PostgresAuditSchema.Create(database.Owner, database.AuditRole);
        return new PostgresHome(database);
    }

    public override AuditStore Store() => new PostgresAuditStore(database.Audit, log);

    public override void Attack(string sql)
    {
        using var connection = new Npgsql.NpgsqlConnection(database.Owner);
        connection.Open();
        using var command = new Npgsql.NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
