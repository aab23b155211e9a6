using Mangrove.Vault.Storage;

namespace Mangrove.Vault.Audit;

/// <summary>
/// A log as one file of its own, in the tables of docs/formats/audit-log.md, whatever it is stored in: for a verifier
/// elsewhere. Rows are copied as they stand, wrong ones too, so that what is judged there is what is here.
/// </summary>
internal static class LogCopy
{
    /// <param name="source">One look at the log, so the copy is of one moment.</param>
    /// <param name="path">A file that is not there yet.</param>
    /// <param name="cancellation">Gives up; nothing is left behind.</param>
    /// <returns>Entries copied.</returns>
    public static long Write(AuditSource source, string path, CancellationToken cancellation)
    {
        if (File.Exists(path))
        {
            throw new Kernel.RefusedInput("audit.out-file", "The file for the copy is there already and is not replaced. Name another one.");
        }

        try
        {
            // Made first, so that only this account may read it; SQLite takes an empty file for a new database.
            using (Kernel.Durable.NewFile(path, 0))
            {
            }

            using var copy = RawSqlite.Open(path, readOnly: false, create: false, TimeSpan.Zero);
            SqliteAuditSchema.Create(copy, source.Identity() ?? throw new Kernel.RefusedInput("audit.identity", "The log does not say whose it is. Run 'mangrove audit verify'."));
            copy.Execute("BEGIN");
            var entries = Fill(source, copy, cancellation);
            copy.Execute("COMMIT");
            return entries;
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    private static long Fill(AuditSource source, RawSqlite copy, CancellationToken cancellation)
    {
        using var entry = copy.Prepare("INSERT INTO entry (seq, at, actor, action, outcome, hash, body) VALUES (?, ?, ?, ?, ?, ?, ?)");
        using var checkpoint = copy.Prepare("INSERT INTO checkpoint (size, signed, frontier) VALUES (?, ?, ?)");
        using var patient = copy.Prepare("INSERT INTO entry_patient (patient, seq) VALUES (?, ?)");
        var entries = 0L;
        var chunk = new EntryChunk();
        source.Start(long.MinValue, long.MaxValue);
        while (source.Fill(chunk))
        {
            cancellation.ThrowIfCancellationRequested();
            for (var index = 0; index < chunk.Count; index++)
            {
                var row = chunk[index];
                entry.Bind(1, row.Seq).Bind(2, row.At).BindText(3, chunk.Bytes(row.Actor)).BindText(4, chunk.Bytes(row.Action)).Bind(5, row.Outcome)
                    .BindBlob(6, chunk.Bytes(row.Hash)).BindBlob(7, chunk.Bytes(row.Body)).Run();
                entries++;
            }

            foreach (var row in chunk.Checkpoints)
            {
                checkpoint.Bind(1, row.Size).BindBlob(2, row.Signed).BindBlob(3, row.Frontier).Run();
            }
        }

        source.Patients((id, seq) => patient.BindBlob(1, id).Bind(2, seq).Run());
        return entries;
    }
}
