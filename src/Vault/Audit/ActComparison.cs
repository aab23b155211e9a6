using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Audit;

/// <summary>
/// Compares the acts that the log announces with the records that were committed, and writes down each act that left none:
/// refused by the record's own rules after its entry, given up, or cut off by a crash between the two databases (threat A6).
/// A key that was made for a patient in between stays: it costs nothing, and were the records only an older copy put back
/// by mistake, the newer copy still opens.
/// </summary>
public sealed class ActComparison
{
    /// <summary>How the log says that no record followed an entry, which the resource names: <c>entry:4711</c>.</summary>
    public const string NothingRecorded = "NOTHING_RECORDED";

    private const string Resource = "entry:";

    private readonly AuditLog log;
    private readonly Receipt.Log receipts;

    internal ActComparison(AuditLog log, Receipt.Log receipts)
    {
        this.log = log;
        this.receipts = receipts;
    }

    /// <summary>
    /// Decides for every act that has ended since it was asked last. Each announced act then has exactly one of two: records
    /// that name it, or an entry that says there are none.
    /// </summary>
    /// <param name="marks">The clinic's side.</param>
    /// <param name="cancel">Gives up; what is decided by then is not decided twice.</param>
    /// <returns>How many acts left no record.</returns>
    /// <exception cref="AuditUnavailable">The log cannot be written.</exception>
    public async Task<int> Settle(IActMarks marks, CancellationToken cancel)
    {
        // Read before the marks: an act that ends meanwhile is for the next time.
        var upTo = receipts.Acts.Settled;
        var from = await marks.Settled(cancel);
        if (upTo <= from)
        {
            return 0;
        }

        var committed = await marks.Committed(from, cancel);
        var bare = new Dictionary<long, AuditEntry>();
        await foreach (var entry in log.List(new AuditFilter { Beyond = from, NewestFirst = false }, cancel))
        {
            if (entry.Records && entry.Seq <= upTo && !committed.Contains(entry.Seq))
            {
                bare.Add(entry.Seq, entry);
            }
            else if (entry.Action == NothingRecorded && entry.Resource.StartsWith(Resource, StringComparison.Ordinal)
                && long.TryParse(entry.Resource.AsSpan(Resource.Length), CultureInfo.InvariantCulture, out var said))
            {
                // Said already, by a run that ended before it could keep how far it had come.
                bare.Remove(said);
            }
        }

        foreach (var entry in bare.Values)
        {
            await Say(entry, cancel);
        }

        await marks.Settle(upTo, cancel);
        return bare.Count;
    }

    private Task Say(AuditEntry entry, CancellationToken cancel) => receipts.Note(
        SystemActors.Settlement,
        new Request
        {
            Action = NothingRecorded,
            Purpose = Purpose.System,
            Resource = string.Create(CultureInfo.InvariantCulture, $"{Resource}{entry.Seq}"),
            Patients = [.. entry.Patients.Select(patient => new PatientRef(new PatientId(patient), string.Empty))],
            Reason = entry.Action,
        },
        cancel);
}
