using System.Security.Cryptography;
using Mangrove.Sealing;
using Mangrove.Vault.Destruction;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Holds;
using Mangrove.Vault.Incidents;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Identity;

/// <summary>
/// What hangs from the pepper, counted by version and moved where that can be done without its owner. Sealed secrets of
/// phones and public keys of passkeys are sealed anew; hashes of passwords, PINs and recovery codes wait for the person who
/// knows what was hashed. Everything runs as a change of Identity, one after the other, so that nothing is being stored
/// under an old version while it is counted.
/// </summary>
internal sealed class Peppered(Sessions sessions, Peppers pepper, TimeProvider clock)
{
    private const int BatchSize = 200;

    public IEnumerable<HangingKind> Kinds()
    {
        yield return new HangingKind(
            KeyPurpose.Pepper,
            "passwords",
            cancel => Hashes("SELECT hash FROM account WHERE hash IS NOT NULL AND state <> @revoked", cancel),
            null);
        yield return new HangingKind(
            KeyPurpose.Pepper,
            "PINs",
            cancel => Hashes("SELECT pin.hash FROM pin JOIN account ON account.id = pin.account WHERE account.state <> @revoked", cancel),
            null);
        yield return new HangingKind(KeyPurpose.Pepper, "recovery codes", CountRecoveryCodes, null);
        yield return new HangingKind(KeyPurpose.Pepper, "enrolment codes", CountEnrolmentCodes, null);
        yield return new HangingKind(
            KeyPurpose.Pepper,
            "secrets of phones",
            cancel => Seals("SELECT secret FROM authenticator", cancel),
            (old, after, cancel) => Move("SELECT account, secret, account FROM authenticator WHERE account > @after ORDER BY account LIMIT @most", "UPDATE authenticator SET secret = @new WHERE account = @id", Kind.Phone, old, after, cancel));
        yield return new HangingKind(
            KeyPurpose.Pepper,
            "passkeys",
            cancel => Seals("SELECT public_key FROM passkey", cancel),
            (old, after, cancel) => Move("SELECT id, public_key, account FROM passkey WHERE id > @after ORDER BY id LIMIT @most", "UPDATE passkey SET public_key = @new WHERE id = @id", Kind.Passkey, old, after, cancel));
        yield return new HangingKind(
            KeyPurpose.Pepper,
            "words of emergency access",
            cancel => Seals("SELECT words FROM glass_words", cancel),
            (old, after, cancel) => Move("SELECT id, words, glass FROM glass_words WHERE id > @after ORDER BY id LIMIT @most", "UPDATE glass_words SET words = @new WHERE id = @id", Kind.Glass, old, after, cancel));
        yield return new HangingKind(
            KeyPurpose.Pepper,
            "words of legal holds",
            cancel => Seals("SELECT words FROM hold_words", cancel),
            (old, after, cancel) => Move("SELECT id, words, hold FROM hold_words WHERE id > @after ORDER BY id LIMIT @most", "UPDATE hold_words SET words = @new WHERE id = @id", Kind.Hold, old, after, cancel));
        yield return new HangingKind(
            KeyPurpose.Pepper,
            "words of incidents",
            cancel => Seals("SELECT words FROM incident_words", cancel),
            (old, after, cancel) => Move("SELECT id, words, incident FROM incident_words WHERE id > @after ORDER BY id LIMIT @most", "UPDATE incident_words SET words = @new WHERE id = @id", Kind.Incident, old, after, cancel));
        yield return new HangingKind(
            KeyPurpose.Pepper,
            "words of destruction orders",
            cancel => Seals("SELECT words FROM destruction_order WHERE words IS NOT NULL", cancel),
            (old, after, cancel) => Move("SELECT id, words, id FROM destruction_order WHERE words IS NOT NULL AND id > @after ORDER BY id LIMIT @most", "UPDATE destruction_order SET words = @new WHERE id = @id", Kind.Destruction, old, after, cancel));
    }

    private enum Kind
    {
        Phone = 1,
        Passkey = 2,
        Glass = 3,
        Hold = 4,
        Incident = 5,
        Destruction = 6,
    }

    private Task<IReadOnlyList<Hanging>> Hashes(string sql, CancellationToken cancel) => Alone<IReadOnlyList<Hanging>>(
        async connection => Hanging.ByVersion((await connection.Query(sql, row => row.GetString(0), cancel, ("@revoked", (int)AccountState.Revoked)))
            .Select(hash => PasswordHasher.PepperOf(hash)).OfType<int>()),
        cancel);

    private Task<IReadOnlyList<Hanging>> Seals(string sql, CancellationToken cancel) => Alone<IReadOnlyList<Hanging>>(
        async connection => Hanging.ByVersion((await connection.Query(sql, row => row.Bytes(0), cancel)).Select(Hanging.VersionIn)),
        cancel);

    private Task<IReadOnlyList<Hanging>> CountRecoveryCodes(CancellationToken cancel) => Alone<IReadOnlyList<Hanging>>(
        async connection => await connection.Query(
            "SELECT recovery_code.pepper, COUNT(*) FROM recovery_code JOIN account ON account.id = recovery_code.account WHERE recovery_code.used IS NULL AND account.state <> @revoked GROUP BY recovery_code.pepper",
            row => new Hanging((int)row.GetInt64(0), row.GetInt64(1)),
            cancel,
            ("@revoked", (int)AccountState.Revoked)),
        cancel);

    // A code does not say its version, but when it runs out, and so when it was made: under the version of that moment.
    private Task<IReadOnlyList<Hanging>> CountEnrolmentCodes(CancellationToken cancel) => Alone<IReadOnlyList<Hanging>>(
        async connection =>
        {
            var made = (await connection.Query(
                "SELECT code_expires FROM device WHERE code IS NOT NULL AND code_expires > @now AND revoked IS NULL",
                row => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)) - Devices.CodeLife,
                cancel,
                ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()))).ToList();

            // At the very moment of a new version it may be either: the older one is the safe answer.
            return Hanging.ByVersion(made.Select(at => (pepper.Versions.FirstOrDefault(one => one.Created < at) ?? pepper.Versions[^1]).Version));
        },
        cancel);

    private Task<MovedBatch> Move(string select, string update, Kind kind, PurposeKey old, byte[]? after, CancellationToken cancel) => sessions.Change(
        async change =>
        {
            var rows = await change.Connection.Query(
                select,
                row => (Id: row.Guid(0), Envelope: row.Bytes(1), Account: row.Guid(2)),
                cancel,
                ("@after", after ?? []),
                ("@most", BatchSize));
            var (moved, broken) = (0, 0);
            foreach (var (id, envelope, account) in rows.Where(row => Hanging.VersionIn(row.Envelope) == old.Version))
            {
                var (use, place) = kind switch
                {
                    Kind.Phone => (SecondFactors.Sealing.ToArray(), SecondFactors.Address(account)),
                    Kind.Passkey => (PasskeyFactors.Sealing.ToArray(), PasskeyFactors.Address(account)),
                    Kind.Hold => (HoldSealing.Use.ToArray(), HoldSealing.Address(id, account)),
                    Kind.Incident => (IncidentSealing.Use.ToArray(), IncidentSealing.Address(id, account)),
                    Kind.Destruction => (DestructionStore.Use.ToArray(), DestructionStore.Address(id)),
                    _ => (GlassSealing.Use.ToArray(), GlassSealing.Address(id, account)),
                };
                byte[] plain;
                try
                {
                    plain = pepper.Open(use, envelope, place);
                }
                catch (SealBroken)
                {
                    broken++;
                    continue;
                }

                moved += await change.Connection.Run(update, cancel, ("@new", pepper.Seal(use, plain, place)), ("@id", id));
                CryptographicOperations.ZeroMemory(plain);
            }

            return new MovedBatch(moved, broken, rows.Count < BatchSize ? null : rows[^1].Id.ToByteArray(bigEndian: true));
        },
        cancel);

    private Task<T> Alone<T>(Func<System.Data.Common.DbConnection, Task<T>> read, CancellationToken cancel) => sessions.Change(
        async change =>
        {
            change.Keep = false;
            return await read(change.Connection);
        },
        cancel);
}
