using System.Globalization;
using System.Threading.Channels;

namespace Mangrove.Verifier;

/// <summary>
/// Judges a log from its file, the public key and what somebody kept of it elsewhere. Needs no hospital, no secret and no
/// network, and shares no code with what wrote the log.
/// </summary>
public static class LogVerification
{
    /// <summary>How many signatures are checked one by one unless more are asked for.</summary>
    public const long SignaturesByDefault = 2_048;

    // The tables of docs/formats/audit-log.md, byte for byte. What looks like a table must not be something else.
    private static readonly string[] Tables =
    [
        "CREATE TABLE log (one INTEGER PRIMARY KEY CHECK (one = 1), facility BLOB NOT NULL, log BLOB NOT NULL) STRICT",
        "CREATE TABLE entry (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, outcome INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL) STRICT",
        "CREATE TABLE entry_patient (patient BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (patient, seq)) STRICT, WITHOUT ROWID",
        "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, signed BLOB NOT NULL, frontier BLOB NOT NULL) STRICT",
    ];

    private static readonly string[] Names = ["log", "entry", "entry_patient", "checkpoint"];
    private static readonly string[] Indexed = ["at", "actor", "action"];
    private static readonly string[] Refused = ["update", "delete"];

    /// <summary>Verifies the whole log, from its first entry.</summary>
    /// <param name="path">The log's file, or a copy of it with the -wal file beside it.</param>
    /// <param name="keys">Public keys; the one of this log is found by its name.</param>
    /// <param name="anchors">What was kept elsewhere, one at least: without any, a log proves only that it fits itself.</param>
    /// <param name="witnesses">With any, one of them must have cosigned each anchor.</param>
    /// <param name="signatures">How many signatures to check one by one.</param>
    /// <param name="clock">For the duration.</param>
    /// <param name="progress">Told the number of entries now and then.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="VerifierRefusal">The file cannot be judged.</exception>
    public static async Task<Verdict> Run(
        string path,
        IReadOnlyList<NoteKey> keys,
        IReadOnlyList<Anchor> anchors,
        IReadOnlyList<NoteKey> witnesses,
        long signatures,
        TimeProvider clock,
        IProgress<long>? progress,
        CancellationToken cancel)
    {
        if (anchors.Count == 0)
        {
            throw new VerifierRefusal("verifier.anchor-needed", "Name at least one anchor: without one, a log that was cut short or written anew fits itself and looks whole.");
        }

        var started = clock.GetTimestamp();
        var findings = new FindingList();
        using var file = LogFile.Open(path);
        var readable = CompareDefinitions(file, findings);
        var said = readable ? file.Identity() : null;
        var key = KeyFor(keys, said, anchors, findings);
        var identity = key.LogIdentity()!.Value;
        var checks = new SignatureChecks(key, Math.Max(signatures, 1), findings);
        var walk = new LogWalk(identity.Facility, identity.Log, anchors.Select(anchor => anchor.Size), findings, checks);
        if (readable)
        {
            try
            {
                await Walk(file, walk, checks, progress, cancel);
                walk.End();
                await checks.Send(all: true);
                ComparePatients(file, walk, findings);
            }
            catch (LogDamaged damage)
            {
                findings.Add("audit.file-damaged", walk.Last + 1, string.Create(CultureInfo.InvariantCulture, $"the database in the file is damaged (SQLite error {damage.SqliteCode}); what follows entry {walk.Last} was not read"));
            }

            file.RequireUnchanged();
        }

        await checks.Send(all: true);
        foreach (var anchor in anchors)
        {
            Compare(anchor, walk, key, witnesses, findings);
        }

        return new Verdict(
            walk.Entries,
            Convert.ToHexStringLower(walk.Head),
            walk.Covered,
            Convert.ToHexStringLower(walk.Root()),
            walk.Checkpoints,
            checks.Checked,
            anchors.Count,
            clock.GetElapsedTime(started).TotalSeconds,
            findings.ToList());
    }

    // False when the tables themselves are not the log's: what stands under their names may be anything then.
    private static bool CompareDefinitions(LogFile file, FindingList findings)
    {
        var expected = Tables
            .Concat(Indexed.Select(column => $"CREATE INDEX entry_{column} ON entry ({column})"))
            .Concat(Names.SelectMany(table => Refused.Select(act => $"CREATE TRIGGER {table}_no_{act} BEFORE {act.ToUpperInvariant()} ON {table} BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END")))
            .ToHashSet(StringComparer.Ordinal);
        IReadOnlyList<(string Type, string Name, string Sql)> found;
        try
        {
            found = file.Definitions();
        }
        catch (LogDamaged damage)
        {
            findings.Add("audit.file-damaged", null, string.Create(CultureInfo.InvariantCulture, $"the database in the file is damaged (SQLite error {damage.SqliteCode})"));
            return false;
        }

        foreach (var (_, name, sql) in found)
        {
            // An index that SQLite makes for a key has no definition of its own.
            if (!expected.Remove(sql) && !(sql.Length == 0 && name.StartsWith("sqlite_autoindex_", StringComparison.Ordinal)))
            {
                findings.Add("audit.schema", null, $"{Printable(name)} is not part of an audit log");
            }
        }

        foreach (var missing in expected)
        {
            findings.Add("audit.schema", null, $"missing or changed: {missing.Split(" (", 2)[0]}");
        }

        return !Tables.Any(expected.Contains);
    }

    private static string Printable(string name) => string.Concat(name.Take(64).Select(letter => letter is >= ' ' and <= '~' ? letter : '?'));

    private static NoteKey KeyFor(IReadOnlyList<NoteKey> keys, (byte[] Facility, byte[] Log)? said, IReadOnlyList<Anchor> anchors, FindingList findings)
    {
        var ofLogs = keys.Where(key => !key.OfWitness && key.LogIdentity() is not null).ToList();
        if (ofLogs.Count == 0)
        {
            throw new VerifierRefusal("verifier.key", "The key file holds no public key of a log. Use the file that 'mangrove audit key' wrote.");
        }

        var own = said is { } identity
            ? ofLogs.Find(key => key.LogIdentity()!.Value is var named && named.Facility.AsSpan().SequenceEqual(identity.Facility) && named.Log.AsSpan().SequenceEqual(identity.Log))
            : null;
        if (own is null)
        {
            findings.Add("audit.identity", null, "the log does not say that it is the log that the key is of");
        }

        // Where the file says nothing true of itself, it is judged as the log that was anchored.
        return own ?? ofLogs.Find(key => anchors.Any(anchor => anchor.IsOf(key))) ?? ofLogs[0];
    }

    private static async Task Walk(LogFile file, LogWalk walk, SignatureChecks checks, IProgress<long>? progress, CancellationToken cancel)
    {
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var full = Channel.CreateBounded<RowChunk>(8);
        var empty = Channel.CreateUnbounded<RowChunk>();
        for (var spare = 0; spare < 8; spare++)
        {
            empty.Writer.TryWrite(new RowChunk());
        }

        var reading = Task.Run(() => Read(file, full.Writer, empty.Reader, stopped.Token), CancellationToken.None);
        try
        {
            await foreach (var chunk in full.Reader.ReadAllAsync(cancel))
            {
                walk.Take(chunk);
                empty.Writer.TryWrite(chunk);
                await checks.Send(all: false);
                progress?.Report(walk.Entries);
            }
        }
        finally
        {
            await stopped.CancelAsync();
            await reading;
        }
    }

    // Ends by itself or by the token, and hands its fault to whoever takes the chunks.
    private static async Task Read(LogFile file, ChannelWriter<RowChunk> full, ChannelReader<RowChunk> empty, CancellationToken stopped)
    {
        Exception? fault = null;
        try
        {
            while (true)
            {
                var chunk = await empty.ReadAsync(stopped);
                if (!file.Fill(chunk))
                {
                    break;
                }

                chunk.Hash();
                await full.WriteAsync(chunk, stopped);
            }
        }
        catch (Exception error) when (error is LogDamaged or VerifierRefusal or OperationCanceledException)
        {
            fault = error;
        }
        finally
        {
            full.TryComplete(fault);
        }
    }

    private static void ComparePatients(LogFile file, LogWalk walk, FindingList findings)
    {
        var named = walk.Named;
        named.Sort();
        var next = 0;
        foreach (var (patient, seq) in file.Patients())
        {
            if (patient is not { } listed)
            {
                findings.Add("audit.patient-extra", seq, "the lookup by patient lists an entry that does not name the patient");
                continue;
            }

            while (next < named.Count && named[next].CompareTo((listed, seq)) < 0)
            {
                findings.Add("audit.patient-missing", named[next++].Seq, "the lookup by patient lacks an entry that names the patient");
            }

            if (next < named.Count && named[next] == (listed, seq))
            {
                next++;
            }
            else
            {
                findings.Add("audit.patient-extra", seq, "the lookup by patient lists an entry that does not name the patient");
            }
        }

        for (; next < named.Count; next++)
        {
            findings.Add("audit.patient-missing", named[next].Seq, "the lookup by patient lacks an entry that names the patient");
        }
    }

    private static void Compare(Anchor anchor, LogWalk walk, NoteKey key, IReadOnlyList<NoteKey> witnesses, FindingList findings)
    {
        if (!anchor.IsOf(key))
        {
            findings.Add("audit.anchor", anchor.Size, "the anchor is not a checkpoint of this log signed by its key");
        }
        else if (witnesses.Count > 0 && !anchor.IsWitnessed(witnesses))
        {
            findings.Add("audit.anchor-unwitnessed", anchor.Size, "the anchor is not cosigned by a witness whose key was given");
        }
        else if (walk.Last < anchor.Size)
        {
            findings.Add("audit.rolled-back", anchor.Size, string.Create(CultureInfo.InvariantCulture, $"the log had {anchor.Size} entries when it was anchored and now ends at {walk.Last}"));
        }
        else if (walk.Mark(anchor.Size) is not { } mark || !mark.Root.AsSpan().SequenceEqual(anchor.Root) || (anchor.Time is { } time && time != mark.Time))
        {
            findings.Add("audit.rolled-back", anchor.Size, "the log does not contain what was anchored: it went back and grew differently, or was written anew");
        }
    }
}
