using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Incidents;

/// <summary>Whom an incident touches, from the log: asked once, kept sealed with its hash, so that what was known then stays what was known then.</summary>
public sealed partial class IncidentDesk
{
    private const string Format = "mangrove-impact-1";

    /// <summary>Asks the log whose records were opened, and keeps the answer.</summary>
    /// <param name="actor">Administrator or privacy officer.</param>
    /// <param name="number">The incident.</param>
    /// <param name="question">An account or a program, a device or an address, a patient; and a time.</param>
    /// <param name="cancel">Gives up; nothing is kept.</param>
    /// <returns>What was found, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.question</c>, <c>incident.window</c>, <c>incident.too-much</c>.</returns>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    public async Task<Result<IncidentImpact>> Examine(Actor actor, int number, ExposureQuestion question, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(question);
        var act = Sessions.Act("EXAMINE_INCIDENT", Resource(number), null);
        await Require(actor, act, cancel);
        var unwilling = !question.IsNarrow ? new Error("incident.question", "Ask for an account, a device, a program or a patient.")
            : question.Until <= question.Since ? new Error("incident.window", "The time ends before it begins.")
            : null;
        Exposure? found = null;
        if (unwilling is null)
        {
            try
            {
                // Beside everybody's work: no transaction is open meanwhile.
                found = await journal.Expose(question, ExposureQuestion.MostRows, cancel);
            }
            catch (RefusedInput refused) when (refused.Code == "incident.too-much")
            {
                unwilling = new Error(refused.Code, refused.Message);
            }
        }

        if (unwilling is not null)
        {
            await log.Refuse(actor, act, unwilling, cancel);
            return unwilling;
        }

        var (packed, hash) = Pack(question, found!);
        var id = Ids.New();
        var kept = await On(
            actor,
            "EXAMINE_INCIDENT",
            number,
            async (change, incident) =>
            {
                await Write(change.Connection, id, incident.Id, IncidentWriting.Impact, actor, packed, cancel);
                await change.Connection.Run(
                    "INSERT INTO incident_impact (id, incident, question, hash, log_size, patients, acts, everybody) VALUES (@id, @incident, @question, @hash, @size, @patients, @acts, @everybody)",
                    cancel,
                    ("@id", id),
                    ("@incident", incident.Id),
                    ("@question", question.InWords),
                    ("@hash", hash),
                    ("@size", found!.LogSize),
                    ("@patients", (long)found.Count),
                    ("@acts", found.Acts),
                    ("@everybody", (long)found.Everybody.Count));
                return Done(incident, string.Create(CultureInfo.InvariantCulture, $"{question.InWords}: {found.Count} patients, {found.Acts} acts, {found.Everybody.Count} over everybody, log at {found.LogSize} entries, sha256 {Convert.ToHexStringLower(hash)}"));
            },
            cancel);
        CryptographicOperations.ZeroMemory(packed);
        return kept.Error is { } error ? error
            : new IncidentImpact(id, clock.GetUtcNow(), actor.Staff, question.InWords, Convert.ToHexStringLower(hash), found!.LogSize, found.Count, found.Acts, found.Everybody.Count);
    }

    /// <summary>A kept answer, opened. The look is one entry.</summary>
    /// <param name="actor">Administrator or privacy officer.</param>
    /// <param name="number">The incident.</param>
    /// <param name="impact">Which answer.</param>
    /// <param name="leaves">Whether it leaves the hospital as a file.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The answer, or <c>not-found</c>.</returns>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    /// <exception cref="Sealing.SealBroken">It was changed in the database.</exception>
    public async Task<Result<Exposure>> Impact(Actor actor, int number, Guid impact, bool leaves, CancellationToken cancel)
    {
        var act = Sessions.Act(leaves ? "EXPORT_INCIDENT_IMPACT" : "VIEW_INCIDENT_IMPACT", Resource(number), null);
        await Require(actor, act, cancel);
        await using var connection = await store.Open(cancel);
        var rows = await connection.Query(
            "SELECT incident_words.words, incident_words.incident, incident_impact.hash FROM incident_words JOIN incident_impact ON incident_impact.id = incident_words.id JOIN incident ON incident.id = incident_words.incident WHERE incident_words.id = @id AND incident.number = @number",
            row => (Words: row.Bytes(0), Incident: row.Guid(1), Hash: row.Bytes(2)),
            cancel,
            ("@id", impact),
            ("@number", (long)number));
        if (rows is not [var kept])
        {
            return Missing;
        }

        await log.Note(actor, act with { NamedFields = ["incident_patients"] }, cancel);
        var packed = identity.Pepper.Open(IncidentSealing.Use, kept.Words, IncidentSealing.Address(impact, kept.Incident));
        return Unpack(packed, kept.Hash);
    }

    // Tabs and line ends stand in no text of the log: it escapes what is not printable.
    private static (byte[] Packed, byte[] Hash) Pack(ExposureQuestion question, Exposure found)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Format}\t{found.LogSize}\t{found.Acts}\t{question.Since.ToUnixTimeMilliseconds()}\t{question.Until.ToUnixTimeMilliseconds()}\t{question.Actor}\t{question.Device}\t{question.Patient:N}\n");
        foreach (var one in found.Everybody)
        {
            text.Append(CultureInfo.InvariantCulture, $"*\t{one.Seq}\t{one.At.ToUnixTimeMilliseconds()}\t{one.Actor}\t{one.Device}\t{one.Action}\t{one.Count}\n");
        }

        foreach (var one in found.Patients)
        {
            text.Append(CultureInfo.InvariantCulture, $"{one.Patient:N}\t{one.Actor}\t{one.Device}\t{one.Acts}\t{one.First.ToUnixTimeMilliseconds()}\t{one.Last.ToUnixTimeMilliseconds()}\t{string.Join(' ', one.Actions)}\t{string.Join('\u001f', one.Fields)}\n");
        }

        var plain = Encoding.UTF8.GetBytes(text.ToString());
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(plain);
        }

        return (packed.ToArray(), SHA256.HashData(plain));
    }

    private static Exposure Unpack(byte[] packed, byte[] hash)
    {
        using var plain = new MemoryStream();
        using (var zip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress))
        {
            zip.CopyTo(plain);
        }

        // The seal holds it to its place; the hash holds it to the entry that was made about it.
        if (!SHA256.HashData(plain.GetBuffer().AsSpan(0, (int)plain.Length)).AsSpan().SequenceEqual(hash))
        {
            throw new Sealing.SealBroken();
        }

        var lines = Encoding.UTF8.GetString(plain.GetBuffer(), 0, (int)plain.Length).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var head = lines[0].Split('\t');
        var everybody = new List<ExposedEverybody>();
        var patients = new List<ExposedPatient>();
        foreach (var parts in lines.Skip(1).Select(line => line.Split('\t')))
        {
            if (parts[0] == "*")
            {
                everybody.Add(new ExposedEverybody(Long(parts[1]), Wall(Long(parts[2])), parts[3], parts[4], parts[5], (int)Long(parts[6])));
            }
            else
            {
                patients.Add(new ExposedPatient(Guid.ParseExact(parts[0], "N"), parts[1], parts[2], (int)Long(parts[3]), Wall(Long(parts[4])), Wall(Long(parts[5])), parts[6].Split(' ', StringSplitOptions.RemoveEmptyEntries), parts[7].Split('\u001f', StringSplitOptions.RemoveEmptyEntries)));
            }
        }

        return new Exposure(patients, everybody, Long(head[2]), Long(head[1]));
    }

    private static long Long(string digits) => long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
}
