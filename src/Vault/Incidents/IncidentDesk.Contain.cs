using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;

namespace Mangrove.Vault.Incidents;

/// <summary>What is to be shut, all of it at once.</summary>
/// <param name="Accounts">Whose sessions end and whose accounts are frozen.</param>
/// <param name="Devices">Names of devices whose sessions end and whose enrolments and certificates are revoked.</param>
/// <param name="Programs">Client ids of programs that stop, with their tokens and certificates.</param>
/// <param name="Keys">Purposes of the keys that are rotated, as the page Keys names them.</param>
public sealed record Containment(IReadOnlyList<StaffId> Accounts, IReadOnlyList<string> Devices, IReadOnlyList<string> Programs, IReadOnlyList<string> Keys);

/// <summary>Containment in one act, and what goes on behind it by itself: the rotation of keys and the copy of the log.</summary>
public sealed partial class IncidentDesk
{
    /// <summary>Most accounts, devices and programs of one containment.</summary>
    public const int MostTargets = 500;

    private readonly SemaphoreSlim copying = new(1, 1);

    /// <summary>
    /// Shuts everything named, in one transaction: it happens whole or not at all. The size and the signed root of the log are
    /// written down beside it; the rotation of keys begins then, and the copy of the log is made and verified behind it
    /// (<see cref="Turn"/>). May be done again for what is found later.
    /// </summary>
    /// <param name="admin">An administrator.</param>
    /// <param name="number">The incident.</param>
    /// <param name="asked">What is shut.</param>
    /// <param name="proof">The administrator's own second factor.</param>
    /// <param name="cancel">Gives up; before the commit nothing has happened.</param>
    /// <returns>
    /// The incident's number, or <c>not-found</c>, <c>incident.closed</c>, <c>incident.administrator</c>, <c>incident.nothing</c>,
    /// <c>incident.own-account</c>, <c>incident.own-device</c>, <c>staff.unknown</c>, <c>staff.last-admin</c>, <c>device.unknown</c>,
    /// <c>integration.unknown</c>, <c>keys.purpose-unknown</c>, <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>,
    /// <c>passkey.expired</c>, <c>passkey.count</c>.
    /// </returns>
    /// <exception cref="Refused">Neither an administrator nor a privacy officer.</exception>
    public async Task<Result<int>> Contain(Actor admin, int number, Containment asked, FactorProof proof, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(asked);
        var contained = await On(
            admin,
            "CONTAIN_INCIDENT",
            number,
            async (change, incident) =>
            {
                if (Unwilling(admin, asked) is { } unwilling)
                {
                    return unwilling;
                }

                if (await identity.SecondFactor.Ask(change, admin, proof, FactorActs.Containment, cancel) is { } refused)
                {
                    return refused;
                }

                if (await Shut(change, incident, admin, asked, cancel) is { } impossible)
                {
                    return impossible;
                }

                foreach (var purpose in asked.Keys.Distinct(StringComparer.Ordinal))
                {
                    await change.Connection.Run(
                        "INSERT INTO incident_key (incident, purpose, asked) VALUES (@id, @purpose, @now) ON CONFLICT (incident, purpose) DO UPDATE SET version = NULL, ended = NULL, asked = excluded.asked",
                        cancel,
                        ("@id", incident.Id),
                        ("@purpose", purpose),
                        ("@now", Now));
                }

                // What the log was at this moment; what came after is in the copy too, but is not what this vouches for.
                var size = journal.Newest?.Size ?? 0;
                await change.Connection.Run(
                    "UPDATE incident SET contained = COALESCE(contained, @now), log = COALESCE(log, @log), log_size = COALESCE(log_size, @size) WHERE id = @id",
                    cancel,
                    ("@now", Now),
                    ("@log", journal.Identity.Log),
                    ("@size", size),
                    ("@id", incident.Id));
                return Done(incident, string.Create(CultureInfo.InvariantCulture, $"{(incident.Contained is null ? "open" : "contained")} -> contained, {asked.Accounts.Count} accounts, {asked.Devices.Count} devices, {asked.Programs.Count} programs, keys {(asked.Keys.Count == 0 ? "none" : string.Join(' ', asked.Keys))}, log at {size} entries; this hospital has no tunnels"));
            },
            cancel);
        if (contained.Ok)
        {
            await BeginKeys(admin, number, cancel);
        }

        return contained;
    }

    /// <summary>Begins the rotations that were asked for and could not begin yet, because one was under way.</summary>
    /// <returns>How many wait still.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<int> BeginKeys(Actor admin, int number, CancellationToken cancel)
    {
        await Require(admin, Sessions.Act("CONTAIN_INCIDENT", Resource(number), null), cancel);
        List<(Guid Incident, string Purpose)> waiting;
        await using (var connection = await store.Open(cancel))
        {
            waiting = await connection.Query(
                "SELECT incident_key.incident, incident_key.purpose FROM incident_key JOIN incident ON incident.id = incident_key.incident WHERE incident.number = @number AND incident_key.version IS NULL ORDER BY incident_key.purpose",
                row => (row.Guid(0), row.GetString(1)),
                cancel,
                ("@number", (long)number));
        }

        var left = 0;
        foreach (var (incident, purpose) in waiting)
        {
            // Its own entry, refused or not, is that of every rotation.
            if (await keys.Rotate(admin, purpose, cancel) is not { Error: null } begun)
            {
                left++;
                continue;
            }

            await sessions.Change(
                change => change.Connection.Run("UPDATE incident_key SET version = @version WHERE incident = @id AND purpose = @purpose AND version IS NULL", cancel, ("@version", (long)begun.Value), ("@id", incident), ("@purpose", purpose)),
                cancel);
        }

        return left;
    }

    /// <summary>
    /// One look, each few seconds: copies and verifies the log of what was contained here, and says which rotations have ended.
    /// What a stop cut off is done anew. Called by <see cref="IncidentKeeper"/>.
    /// </summary>
    /// <returns>Whether anything was done.</returns>
    public async Task<bool> Turn(CancellationToken cancel)
    {
        List<Incident> copies;
        List<(Guid Incident, int Number, string Purpose, int Version)> rotations;
        await using (var connection = await store.Open(cancel))
        {
            copies = await Read(connection, "WHERE contained IS NOT NULL AND log_kept IS NULL AND log = @log ORDER BY number", cancel, ("@log", journal.Identity.Log));
            rotations = await connection.Query(
                "SELECT incident_key.incident, incident.number, incident_key.purpose, incident_key.version FROM incident_key JOIN incident ON incident.id = incident_key.incident WHERE incident_key.version IS NOT NULL AND incident_key.ended IS NULL",
                row => (row.Guid(0), (int)row.GetInt64(1), row.GetString(2), (int)row.GetInt64(3)),
                cancel);
        }

        var done = false;
        foreach (var (incident, number, purpose, version) in rotations.Where(one => keys.HasEnded(one.Purpose, one.Version)))
        {
            done |= await sessions.Change(
                async change =>
                {
                    change.Keep = await change.Connection.Run("UPDATE incident_key SET ended = @now WHERE incident = @id AND purpose = @purpose AND version = @version AND ended IS NULL", cancel, ("@now", Now), ("@id", incident), ("@purpose", purpose), ("@version", (long)version)) == 1;
                    if (change.Keep)
                    {
                        await log.Note(SystemActors.Incidents, Sessions.Act("END_INCIDENT_ROTATION", Resource(number), string.Create(CultureInfo.InvariantCulture, $"{purpose}: version {version} begun -> nothing older is left")), cancel);
                    }

                    return change.Keep;
                },
                cancel);
        }

        await copying.WaitAsync(cancel);
        try
        {
            foreach (var incident in copies)
            {
                await KeepLog(incident, cancel);
                done = true;
            }
        }
        finally
        {
            copying.Release();
        }

        return done;
    }

    /// <summary>Where the kept log of an incident lies.</summary>
    public string FolderOf(int number) => Path.Combine(folder, "incidents", number.ToString(CultureInfo.InvariantCulture));

    private static Error? Unwilling(Actor admin, Containment asked) =>
        !admin.May(Rights.Administration) ? new Error("incident.administrator", "An administrator contains it: accounts, devices and keys are theirs.")
        : asked.Accounts.Count + asked.Devices.Count + asked.Programs.Count is 0 or > MostTargets ? new Error("incident.nothing", string.Create(CultureInfo.InvariantCulture, $"Choose 1 to {MostTargets} accounts, devices or programs that are shut."))
        : asked.Accounts.Contains(admin.Staff) ? new Error("incident.own-account", "This is your own account. Another administrator freezes it.")
        : asked.Devices.Contains(admin.Device, StringComparer.OrdinalIgnoreCase) ? new Error("incident.own-device", "You sit at this device. Contain it from another one.")
        : asked.Keys.FirstOrDefault(purpose => !KeyDesk.Purposes.Contains(purpose, StringComparer.Ordinal)) is not null ? new Error("keys.purpose-unknown", $"Name the key to rotate: {string.Join(", ", KeyDesk.Purposes)}.")
        : null;

    /// <summary>
    /// Shuts what is named. Everything is looked for before anything is done: an entry about a session that ended cannot be taken
    /// back, and must not be written for an act that then does not happen.
    /// </summary>
    private async Task<Error?> Shut(SessionChange change, Incident incident, Actor admin, Containment asked, CancellationToken cancel)
    {
        foreach (var staff in asked.Accounts)
        {
            if (await StaffDirectory.Unfrozen(change, staff, cancel) is { } error)
            {
                return error;
            }
        }

        foreach (var device in asked.Devices)
        {
            if (await Devices.Unshut(change, device, cancel) is { } error)
            {
                return error;
            }
        }

        foreach (var program in asked.Programs)
        {
            if (await IntegrationDirectory.Unstopped(change, program, cancel) is { } error)
            {
                return error;
            }
        }

        foreach (var staff in asked.Accounts.Distinct())
        {
            var frozen = await identity.Staff.Freeze(change, staff, admin, incident.Name, cancel);
            if (frozen.Error is { } error)
            {
                return error;
            }

            await Keep(TargetKind.Account, frozen.Value.User, frozen.Value.Outcome);
        }

        foreach (var device in asked.Devices.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            var shut = await identity.Devices.Shut(change, device, admin, incident.Name, cancel);
            if (shut.Error is { } error)
            {
                return error;
            }

            await Keep(TargetKind.Device, shut.Value.Name, "registered -> revoked");
        }

        foreach (var program in asked.Programs.Distinct(StringComparer.Ordinal))
        {
            var stopped = await programs.Stop(change, program, admin, incident.Name, cancel);
            if (stopped.Error is { } error)
            {
                return error;
            }

            await Keep(TargetKind.Program, program, stopped.Value);
        }

        return null;

        Task<int> Keep(TargetKind kind, string name, string outcome) => change.Connection.Run(
            "INSERT INTO incident_target (incident, kind, name, at, staff, outcome) VALUES (@id, @kind, @name, @now, @by, @outcome) ON CONFLICT (incident, kind, name) DO UPDATE SET at = excluded.at, staff = excluded.staff, outcome = excluded.outcome",
            cancel,
            ("@id", incident.Id),
            ("@kind", (long)kind),
            ("@name", name),
            ("@now", Now),
            ("@by", (long)admin.Staff.Number),
            ("@outcome", outcome));
    }

    /// <summary>Copies the log, proves the copy from its first entry against this log, and only then counts it as kept.</summary>
    private async Task KeepLog(Incident incident, CancellationToken cancel)
    {
        var place = FolderOf(incident.Number);
        Directory.CreateDirectory(place);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(place, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var (part, whole) = (Path.Combine(place, "audit.part"), Path.Combine(place, "audit.db"));
        foreach (var left in new[] { part, part + "-journal", whole }.Where(File.Exists))
        {
            File.Delete(left);
        }

        var entries = await journal.Copy(part, cancel);
        var proven = await journal.LeftAt(part, cancel);
        if (proven.Error is { } broken)
        {
            throw new RefusedInput(broken.Code, broken.Message);
        }

        if (proven.Value < incident.LogSize)
        {
            throw new RefusedInput("audit.rolled-back", "The log is shorter now than when the incident was contained. Keep the server as it is and verify the log: 'mangrove audit verify'.");
        }

        byte[] hash;
        await using (var copy = new FileStream(part, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.Asynchronous))
        {
            hash = await SHA256.HashDataAsync(copy, cancel);
        }

        File.Move(part, whole, overwrite: true);
        await Put(Path.Combine(place, "root.note"), journal.Note().Note, cancel);
        await Put(Path.Combine(place, "audit.db.sha256"), $"{Convert.ToHexStringLower(hash)}  audit.db\n", cancel);
        Durable.FlushFolder(place);
        await sessions.Change(
            async change =>
            {
                change.Keep = await change.Connection.Run("UPDATE incident SET log_kept = @now, log_hash = @hash WHERE id = @id AND log_kept IS NULL", cancel, ("@now", Now), ("@hash", hash), ("@id", incident.Id)) == 1;
                if (change.Keep)
                {
                    await log.Note(SystemActors.Incidents, Sessions.Act("KEEP_INCIDENT_LOG", incident.Name, string.Create(CultureInfo.InvariantCulture, $"{entries} entries, verified up to {proven.Value}, sha256 {Convert.ToHexStringLower(hash)}")), cancel);
                }

                return change.Keep;
            },
            cancel);
    }

    private static async Task Put(string path, string text, CancellationToken cancel)
    {
        File.Delete(path);
        await using var file = Durable.NewFile(path);
        await file.WriteAsync(Encoding.UTF8.GetBytes(text), cancel);
        await file.FlushAsync(cancel);
        RandomAccess.FlushToDisk(file.SafeFileHandle);
    }
}
