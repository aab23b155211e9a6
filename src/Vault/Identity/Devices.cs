using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;

namespace Mangrove.Vault.Identity;

/// <summary>
/// The hospital's registered devices (seeds 3.1, threats S13). An administrator names one and its department and gets a
/// one-time code; typed at the device, its browser makes a key pair whose private half never leaves it, and shows at
/// every sign-in and resume that it still has it. The cookie only says which device claims to be there.
/// </summary>
public sealed partial class Devices
{
    private const int LongestName = 64;
    private const int LongestDepartment = 64;
    private const int CodeLength = 12;

    // Letters and digits that are not taken for each other: twelve of 31 are 59 bits, and tries are counted.
    private const string CodeSigns = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";

    /// <summary>How long an enrolment code is good.</summary>
    public static readonly TimeSpan CodeLife = TimeSpan.FromHours(24);

    private readonly Store store;
    private readonly Sessions sessions;
    private readonly Door door;
    private readonly AdministratorAct acts;
    private readonly Receipt.Log log;
    private readonly SignInThrottle throttle;
    private readonly SecondFactor factor;
    private readonly DeviceChallenges challenges;
    private readonly CertificateRegister certificates;
    private readonly Peppers pepper;
    private readonly TimeProvider clock;

    // By the hash of the cookie. What this process changes is here at once.
    private readonly ConcurrentDictionary<string, Known> known = new(StringComparer.Ordinal);
    private readonly Standings standings;

    internal Devices(Store store, Sessions sessions, Standings standings, Door door, Receipt.Log log, SignInThrottle throttle, SecondFactor factor, CertificateRegister certificates, Peppers pepper, TimeProvider clock)
    {
        this.store = store;
        this.sessions = sessions;
        this.standings = standings;
        this.door = door;
        acts = new AdministratorAct(sessions, door, log);
        this.log = log;
        this.throttle = throttle;
        this.factor = factor;
        this.certificates = certificates;
        this.pepper = pepper;
        this.clock = clock;
        challenges = new DeviceChallenges(pepper, clock);
    }

    /// <summary>Whether people sign in at registered devices only.</summary>
    public bool Required => standings.DevicesRequired;

    private static Error NoSuchDevice { get; } = new("device.unknown", "There is no such device. Look it up in the list.");

    private static Error BadCode { get; } = new("device.code", "This code has been used, replaced or has run out. Ask an administrator for a new one.");

    private static Error Unregistered { get; } = new("device.unregistered", "This device is not registered, or its browser has lost its key. An administrator gives you a code to register it.");

    /// <summary>Reads the devices and the rule, when the hospital is opened.</summary>
    internal async Task Load(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        await Load(connection, cancel);
    }

    /// <summary>Lets memory be what stands in the tables: what is not there any more is forgotten.</summary>
    internal async Task Load(System.Data.Common.DbConnection connection, CancellationToken cancel)
    {
        standings.DevicesRequired = await connection.Scalar("SELECT required FROM device_rule WHERE id = 1", cancel) is 1L;
        var browsers = await connection.Query(
            """
            SELECT device.token, device.id, device.name, device.department, device.public_key, account.name, device.enrolled
            FROM device LEFT JOIN account ON account.number = device.created_by WHERE device.token IS NOT NULL AND device.revoked IS NULL
            """,
            row => (Convert.ToHexString(row.Bytes(0)), new Known(row.Guid(1), row.GetString(2), row.GetString(3), row.Bytes(4), row.TextOrNull(5), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)))),
            cancel);
        foreach (var (token, device) in browsers)
        {
            Learn(token, device);
        }

        var desktops = await LoadCertified(connection, cancel);
        foreach (var gone in known.Keys.Except(browsers.Select(one => one.Item1), StringComparer.Ordinal))
        {
            known.TryRemove(gone, out _);
        }

        standings.RegisterOnly(browsers.Select(one => one.Item2.Name).Concat(desktops).ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>Names a device and its department; the code registers one browser as it.</summary>
    /// <returns>The code, or <c>device.name-invalid</c>, <c>device.name-taken</c>, <c>device.department-invalid</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<DeviceCode>> Register(Actor admin, string name, string department, CancellationToken cancel) => Change<DeviceCode>(
        admin,
        "REGISTER_DEVICE",
        name,
        async change =>
        {
            if (Malformed(name, department) is { } bad)
            {
                return (null, null, bad);
            }

            var code = NewCode();
            var expires = clock.GetUtcNow() + CodeLife;
            var added = await change.Connection.Run(
                """
                INSERT INTO device (id, name, login, department, code, code_expires, created, created_by)
                VALUES (@id, @name, @login, @department, @code, @expires, @now, @by) ON CONFLICT (login) DO NOTHING
                """,
                cancel,
                ("@id", Ids.New()),
                ("@name", name),
                ("@login", name.ToUpperInvariant()),
                ("@department", department.Trim().Normalize()),
                ("@code", pepper.Mac(Message(code)).Mac),
                ("@expires", expires.ToUnixTimeMilliseconds()),
                ("@now", Now),
                ("@by", admin.Staff.Number));
            return added == 0
                ? (null, null, new Error("device.name-taken", "Another device has this name, now or before. Choose another."))
                : (new DeviceCode(name, department, code, expires), $"none -> awaiting its browser, {department.Trim()}", null);
        },
        cancel);

    /// <summary>Gives a new code, for a browser that lost its key: the key of before is dead now, and its sessions end.</summary>
    /// <returns>The code, or <c>device.unknown</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<DeviceCode>> Renew(Actor admin, string name, CancellationToken cancel) => Change<DeviceCode>(
        admin,
        "RENEW_DEVICE",
        name,
        async change =>
        {
            if (await Find(change, name, cancel) is not { } device)
            {
                return (null, null, NoSuchDevice);
            }

            var code = NewCode();
            var expires = clock.GetUtcNow() + CodeLife;
            await change.Connection.Run(
                "UPDATE device SET code = @code, code_expires = @expires, token = NULL, public_key = NULL, enrolled = NULL WHERE id = @id",
                cancel,
                ("@code", pepper.Mac(Message(code)).Mac),
                ("@expires", expires.ToUnixTimeMilliseconds()),
                ("@id", device.Id));
            await Close(change, device, admin, cancel);
            return (new DeviceCode(device.Name, device.Department, code, expires), "key -> new code", null);
        },
        cancel);

    /// <summary>Takes a device out of the house for good: its key is dead now, its sessions end at once.</summary>
    /// <returns>The device as it was, or <c>device.unknown</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<RegisteredDevice>> Revoke(Actor admin, string name, CancellationToken cancel) => Change<RegisteredDevice>(
        admin,
        "REVOKE_DEVICE",
        name,
        async change =>
        {
            if (await Find(change, name, cancel) is not { } device)
            {
                return (null, null, NoSuchDevice);
            }

            await End(change, device, admin, cancel);
            return (device, "registered -> revoked", null);
        },
        cancel);

    /// <summary>Every device that is not revoked, by name. Looking is an entry.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<IReadOnlyList<RegisteredDevice>> List(Actor admin, CancellationToken cancel)
    {
        await door.Record(admin, Rights.Administration, Sessions.Act("LIST_DEVICES", "devices", null), cancel);
        await using var connection = await store.Open(cancel);
        return await connection.Query(Select + " WHERE device.revoked IS NULL ORDER BY device.login", Read, cancel);
    }

    /// <summary>A number to sign, good for ten minutes and once.</summary>
    public string Challenge() => challenges.New();

    /// <summary>Registers this browser by its code and its new public key.</summary>
    /// <param name="code">As the administrator gave it.</param>
    /// <param name="publicKey">SubjectPublicKeyInfo of a P-256 key, base64.</param>
    /// <param name="nonce">From <see cref="Challenge"/>.</param>
    /// <param name="signature">Of the nonce by that key, base64 of 64 bytes (IEEE P1363).</param>
    /// <param name="address">Where the request comes from: tries are counted by it.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The device and the value of its cookie, or <c>device.code</c>, <c>device.proof</c>, <c>signin.wait</c>.</returns>
    public async Task<Result<EnrolledDevice>> Enrol(string? code, string? publicKey, string? nonce, string? signature, string address, CancellationToken cancel)
    {
        var act = Sessions.Act("ENROL_DEVICE", "devices", null);
        var subject = throttle.Subject(":enrolment", address);
        if (await throttle.Count(subject, cancel) is { } waiting)
        {
            if (waiting.First)
            {
                await log.Refuse(Actor.Maker.Unknown(address), act, waiting.Refusal, cancel);
            }

            return waiting.Refusal;
        }

        var key = KeyOf(publicKey);
        if (key is null || !challenges.Signed(key, DeviceProof.Enrol, nonce, signature))
        {
            return await Refuse(DeviceChallenges.Refused);
        }

        var token = Token.New();
        var kept = Token.Hash(token)!;
        var device = await sessions.Change<RegisteredDevice?>(
            async change =>
            {
                // Compared and cleared by one statement: of two browsers with one code, one is registered.
                List<string> found = [];
                foreach (var hidden in pepper.MacsOf(Message(Cleaned(code))))
                {
                    found.AddRange(await change.Connection.Query(
                        "UPDATE device SET code = NULL, code_expires = NULL, token = @token, public_key = @key, enrolled = @now WHERE code = @code AND code_expires > @now AND revoked IS NULL RETURNING name",
                        row => row.GetString(0),
                        cancel,
                        ("@token", kept),
                        ("@key", key),
                        ("@now", Now),
                        ("@code", hidden)));
                }

                if (found is not [var name] || await Find(change, name, cancel) is not { } one)
                {
                    change.Keep = false;
                    return null;
                }

                await log.Note(Actor.Maker.Unknown(one.Name), Sessions.Act("ENROL_DEVICE", $"device:{one.Name}", "awaiting its browser -> registered"), cancel);
                change.AfterCommit = () => Learn(Convert.ToHexString(kept), new Known(one.Id, one.Name, one.Department, key, one.By, one.Enrolled ?? clock.GetUtcNow()));
                return one;
            },
            cancel);
        if (device is null)
        {
            return await Refuse(BadCode);
        }

        await throttle.Clear(subject, cancel);
        return new EnrolledDevice(device.Name, device.Department, token);

        async Task<Error> Refuse(Error refusal)
        {
            await log.Refuse(Actor.Maker.Unknown(address), act, refusal, cancel);
            return refusal;
        }
    }

    /// <summary>Which device a cookie claims to be; it proves nothing yet. Null for none that is registered.</summary>
    public KnownDevice? Claimed(string? token) => Of(token) is { } device ? new KnownDevice(device.Name, device.Department, device.By, device.Enrolled) : null;

    /// <summary>
    /// Where somebody signs in or resumes: the registered device that shows that it has its key, or, where the rule
    /// allows it, the address.
    /// </summary>
    /// <param name="token">The device's cookie.</param>
    /// <param name="use">For what it was signed.</param>
    /// <param name="nonce">From <see cref="Challenge"/>.</param>
    /// <param name="signature">Of the nonce, base64 of 64 bytes.</param>
    /// <param name="address">What an unregistered device is called.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The device's name as the log writes it, or <c>device.unregistered</c>, <c>device.proof</c>.</returns>
    public async Task<Result<string>> Prove(string? token, DeviceProof use, string? nonce, string? signature, string address, CancellationToken cancel)
    {
        var device = Of(token);
        var refusal = device is null
            ? Required ? Unregistered : null
            : challenges.Signed(device.PublicKey, use, nonce, signature) ? null : DeviceChallenges.Refused;
        if (refusal is null)
        {
            return device?.Name ?? address;
        }

        await log.Refuse(Actor.Maker.Unknown(address), Sessions.Act("SIGN_IN_REFUSED", device is null ? "sign-in" : $"device:{device.Name}", "device"), refusal, cancel);
        return refusal;
    }

    /// <summary>Whether a request of a session comes with the cookie of the device where it was begun.</summary>
    /// <param name="device">The session's device, as its actor carries it.</param>
    /// <param name="token">The cookie.</param>
    public bool Holds(string device, string? token) => Of(token) is { } claimed
        ? claimed.Name == device
        : !Required && !standings.Registered(device);

    /// <summary>
    /// Says whether people sign in at registered devices only. Asking for less needs the administrator's own second factor;
    /// asking for more needs a registered device to ask from, so that nobody shuts themselves out.
    /// </summary>
    /// <returns>The rule from now on, or <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>, <c>device.unregistered</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<bool>> Require(Actor admin, bool wanted, FactorProof proof, CancellationToken cancel)
    {
        var set = await Change<DeviceRule>(
            admin,
            "REQUIRE_DEVICES",
            null,
            async change =>
            {
                if (wanted && !standings.Registered(admin.Device))
                {
                    return (null, null, Unregistered);
                }

                if (!wanted && Required && await factor.Ask(change, admin, proof, FactorActs.Devices, cancel) is { } refused)
                {
                    return (null, null, refused);
                }

                await Keep(change.Connection, wanted, cancel);
                change.AfterCommit = () => standings.DevicesRequired = wanted;
                return (new DeviceRule(wanted), $"{Word(Required)} -> {Word(wanted)}", null);
            },
            cancel);
        return set.Error is { } refused ? refused : wanted;
    }

    /// <summary>The rule of a new hospital, and the code of its first device.</summary>
    public async Task<DeviceCode> Found(FirstSetUp setUp, CancellationToken cancel)
    {
        var code = (await Register(setUp.Setup, "First-Workstation", "Administration", cancel)).Value;
        await using var connection = await store.Open(cancel);
        await Keep(connection, true, cancel);
        standings.DevicesRequired = true;
        return code;
    }

    private const string Select = "SELECT device.id, device.name, device.department, device.created, account.name, device.enrolled, device.code_expires, CASE WHEN device.enrolled IS NOT NULL AND device.token IS NULL THEN 1 ELSE 0 END FROM device LEFT JOIN account ON account.number = device.created_by";

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private static string Word(bool required) => required ? "registered devices only" : "any device";

    private static Task<int> Keep(System.Data.Common.DbConnection connection, bool wanted, CancellationToken cancel) =>
        connection.Run("INSERT INTO device_rule (id, required) VALUES (1, @required) ON CONFLICT (id) DO UPDATE SET required = excluded.required", cancel, ("@required", wanted ? 1 : 0));

    private Known? Of(string? token) => Token.Hash(token) is { } hash ? known.GetValueOrDefault(Convert.ToHexString(hash)) : null;

    private void Learn(string token, Known device)
    {
        known[token] = device;
        standings.Register(device.Name, device.Department);
    }

    private async Task End(SessionChange change, RegisteredDevice device, Actor admin, CancellationToken cancel)
    {
        await change.Connection.Run(
            "UPDATE device SET revoked = @now, code = NULL, code_expires = NULL, token = NULL, public_key = NULL WHERE id = @id",
            cancel,
            ("@now", Now),
            ("@id", device.Id));
        await Close(change, device, admin, cancel);
    }

    /// <summary>Ends what goes on at a device, in the course of a change.</summary>
    private async Task Close(SessionChange change, RegisteredDevice device, Actor admin, CancellationToken cancel)
    {
        await change.EndAt(device.Name, SessionEnd.DeviceRevoked, admin, cancel);
        await certificates.EndOf(change, ClientKind.Device, device.Id, admin, cancel);
        change.AfterCommit += () =>
        {
            standings.Remove(device.Name);
            certified.TryRemove(device.Id, out _);
            foreach (var (token, one) in known)
            {
                if (one.Id == device.Id)
                {
                    known.TryRemove(token, out _);
                }
            }
        };
    }

    private Task<Result<T>> Change<T>(Actor admin, string action, string? name, Func<SessionChange, Task<(T? Value, string? Reason, Error? Refusal)>> act, CancellationToken cancel)
        where T : class
    {
        var resource = name is null || NameError(name) is not null ? "devices" : $"device:{name}";
        return acts.Run<T>(
            admin,
            action,
            resource,
            async change =>
            {
                var (value, reason, refusal) = await act(change);
                return new Acted<T>(value, resource, reason, refusal);
            },
            cancel);
    }

    private static async Task<RegisteredDevice?> Find(SessionChange change, string name, CancellationToken cancel) =>
        await change.Connection.Query(Select + " WHERE device.login = @login AND device.revoked IS NULL", Read, cancel, ("@login", name.ToUpperInvariant())) is [var device] ? device : null;

    private static RegisteredDevice Read(System.Data.Common.DbDataReader row) => new(
        row.Guid(0),
        row.GetString(1),
        row.GetString(2),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
        row.TextOrNull(4),
        row.LongOrNull(5) is { } enrolled ? DateTimeOffset.FromUnixTimeMilliseconds(enrolled) : null,
        row.LongOrNull(6) is { } expires ? DateTimeOffset.FromUnixTimeMilliseconds(expires) : null)
    {
        ByCertificate = Convert.ToInt64(row.GetValue(7), System.Globalization.CultureInfo.InvariantCulture) == 1,
    };

    private static Error? Malformed(string name, string department) => NameError(name) ?? (string.IsNullOrWhiteSpace(department) || department.Length > LongestDepartment || department.Any(char.IsControl)
        ? new Error("device.department-invalid", "A department has 1 to 64 characters on one line.")
        : null);

    // A colon would make it look like an address, which is what an unregistered device is called.
    private static Error? NameError(string? name) => name is { Length: >= 3 and <= LongestName } && name.All(sign => char.IsAsciiLetterOrDigit(sign) || sign is '-' or '_' or '.')
        ? null
        : new Error("device.name-invalid", "A device's name has 3 to 64 letters, digits, hyphens, dots or underscores, such as ER-Doctor-Tablet-03.");

    private static string NewCode() => RandomNumberGenerator.GetString(CodeSigns, CodeLength);

    private static string Cleaned(string? code) => code is { Length: <= 32 } ? string.Concat(code.Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant() : string.Empty;

    private static byte[] Message(string code) => [.. "mangrove enrolment code\0"u8, .. Encoding.ASCII.GetBytes(code)];

    private static byte[]? KeyOf(string? text)
    {
        Span<byte> bytes = stackalloc byte[256];
        if (text is not { Length: > 0 and <= 256 } || !Convert.TryFromBase64String(text, bytes, out var written))
        {
            return null;
        }

        // Read and written again: what is kept is a P-256 key in its one canonical form.
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(bytes[..written], out var read);
            return read == written && key.KeySize == 256 && key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == "1.2.840.10045.3.1.7" ? key.ExportSubjectPublicKeyInfo() : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private sealed record Known(Guid Id, string Name, string Department, byte[] PublicKey, string? By, DateTimeOffset Enrolled);

    private sealed record DeviceRule(bool Required);
}

/// <summary>A device as the pages in front of the house name it.</summary>
/// <param name="By">Name of who registered it; null for the set-up.</param>
/// <param name="Enrolled">When its browser took its code.</param>
public sealed record KnownDevice(string Name, string Department, string? By, DateTimeOffset Enrolled);

/// <summary>A device in the administrator's list.</summary>
/// <param name="By">Name of who registered it; null for the set-up.</param>
/// <param name="Enrolled">When its browser took its code; null while it is awaited.</param>
/// <param name="CodeExpires">When the code that is out runs out; null when none is out.</param>
public sealed record RegisteredDevice(Guid Id, string Name, string Department, DateTimeOffset Created, string? By, DateTimeOffset? Enrolled, DateTimeOffset? CodeExpires)
{
    /// <summary>Whether it is a desktop device, which shows a certificate instead of a browser's key.</summary>
    public bool ByCertificate { get; init; }
}

/// <summary>A one-time enrolment code, shown to the administrator once and kept as a hash only.</summary>
public sealed record DeviceCode(string Name, string Department, string Code, DateTimeOffset Expires)
{
    /// <summary>As it is read aloud and typed: three groups of four.</summary>
    public string Spaced => $"{Code[..4]}-{Code[4..8]}-{Code[8..]}";

    /// <summary>Without the code.</summary>
    public override string ToString() => $"{nameof(DeviceCode)} {Name}";
}

/// <summary>A browser that has just been registered.</summary>
/// <param name="Token">Value of its cookie, given out here and never again.</param>
public sealed record EnrolledDevice(string Name, string Department, string Token)
{
    /// <summary>Without the token.</summary>
    public override string ToString() => $"{nameof(EnrolledDevice)} {Name}";
}
