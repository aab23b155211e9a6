using System.Data.Common;
using Mangrove.Vault.Audit;

namespace Mangrove.Clinic;

/// <summary>Keeps the audit log's checkpoints among the clinic's records, outside the log's own file (threat A1).</summary>
public sealed class LogAnchors(IClinicDatabase clinics) : IAnchorSink
{
    // Old anchors prove nothing that newer ones do not; some stay so that damage to the newest row is not the end.
    private const string Forget = "DELETE FROM log_anchor WHERE size <= (SELECT size FROM log_anchor ORDER BY size DESC LIMIT 1 OFFSET 1000)";
    private const string Keep = "INSERT INTO log_anchor (size, checkpoint, at) VALUES (@size, @checkpoint, @at) ON CONFLICT (size) DO NOTHING";
    private const string Newer = "SELECT checkpoint FROM log_anchor ORDER BY size DESC LIMIT 1";

    public async Task Anchor(Checkpoint checkpoint, CancellationToken cancellation)
    {
        await using var connection = await clinics.Connect(cancellation);
        await using (var keep = Command(connection, Keep))
        {
            Give(keep, "@size", checkpoint.Size);
            Give(keep, "@checkpoint", checkpoint.ToBytes());
            Give(keep, "@at", checkpoint.Time.UtcTicks);
            await keep.ExecuteNonQueryAsync(cancellation);
        }

        await using var forget = Command(connection, Forget);
        await forget.ExecuteNonQueryAsync(cancellation);
    }

    public async Task<Checkpoint?> Newest(CancellationToken cancellation)
    {
        await using var connection = await clinics.Connect(cancellation);
        await using var newest = Command(connection, Newer);
        return await newest.ExecuteScalarAsync(cancellation) is not byte[] bytes
            ? null
            : Checkpoint.TryParse(bytes, out var checkpoint)
                ? checkpoint
                : throw new Kernel.RefusedInput("audit.anchor-damaged", "The newest checkpoint of the audit log in clinic.db is damaged. Restore clinic.db from a backup.");
    }

    private static DbCommand Command(DbConnection connection, string sql)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every statement is a constant of this class.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }

    private static void Give(DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }
}
