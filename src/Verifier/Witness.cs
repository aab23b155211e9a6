using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace Mangrove.Verifier;

/// <summary>
/// A witness of logs, on a machine of its own (c2sp.org/tlog-witness). It cosigns a checkpoint only when it is proven that
/// the log grew from the one it cosigned last, so that whoever later holds the log's key cannot show another past. What
/// does not fit is kept with both signed notes: each is signed by the log, and together they prove what it did.
/// </summary>
public sealed class Witness : IDisposable
{
    private const string Format = "mangrove-witness-1";

    // Of the key under the passphrase: PBKDF2 with SHA-256 as OWASP asks for since 2023, then AES-256-CBC inside PKCS #8.
    private static readonly PbeParameters Sealing = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 600_000);
    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true };

    private readonly ECDsa signer;
    private readonly string sealedKey;
    private readonly List<KnownLog> logs;
    private readonly List<Fork> forks;

    private Witness(ECDsa signer, string sealedKey, NoteKey key, List<KnownLog> logs, List<Fork> forks)
    {
        this.signer = signer;
        this.sealedKey = sealedKey;
        Key = key;
        this.logs = logs;
        this.forks = forks;
    }

    /// <summary>The public key, for whoever trusts this witness.</summary>
    public NoteKey Key { get; }

    /// <summary>Pairs of signed notes that cannot both be true of one log that only grows.</summary>
    public IReadOnlyList<Fork> Forks => forks;

    /// <summary>A new witness with a new key.</summary>
    /// <exception cref="VerifierRefusal"><c>witness.name</c>.</exception>
    public static Witness Create(string name, ReadOnlySpan<char> passphrase)
    {
        if (!NoteKey.IsName(name))
        {
            throw new VerifierRefusal("witness.name", "A witness's name is one word without spaces or plus signs, such as witness.north-hospital.example.");
        }

        var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new Witness(made, made.ExportEncryptedPkcs8PrivateKeyPem(passphrase, Sealing), NoteKey.Of(name, made.ExportSubjectPublicKeyInfo(), ofWitness: true), [], []);
    }

    /// <summary>The witness of a state that <see cref="State"/> wrote.</summary>
    /// <exception cref="VerifierRefusal"><c>witness.state</c>, <c>witness.passphrase</c>.</exception>
    public static Witness Open(byte[] state, ReadOnlySpan<char> passphrase)
    {
        Stored stored;
        try
        {
            stored = JsonSerializer.Deserialize<Stored>(state) is { Format: Format, Name: not null, Key: not null, Logs: not null, Forks: not null } read && NoteKey.IsName(read.Name)
                ? read
                : throw BadState();
            foreach (var log in stored.Logs)
            {
                NoteKey.Read(log.Key).Dispose();
                _ = Note.Read(log.Note);
            }
        }
        catch (JsonException)
        {
            throw BadState();
        }

        var opened = ECDsa.Create();
        try
        {
            opened.ImportFromEncryptedPem(stored.Key, passphrase);
            return new Witness(opened, stored.Key, NoteKey.Of(stored.Name, opened.ExportSubjectPublicKeyInfo(), ofWitness: true), [.. stored.Logs], [.. stored.Forks]);
        }
        catch (CryptographicException)
        {
            opened.Dispose();
            throw new VerifierRefusal("witness.passphrase", "The witness's key does not open: the passphrase is another one, or the state file was damaged.");
        }
        catch (ArgumentException)
        {
            opened.Dispose();
            throw BadState();
        }
    }

    /// <summary>The state, to be kept before anything signed leaves the machine. The key in it is under the passphrase.</summary>
    public byte[] State() => JsonSerializer.SerializeToUtf8Bytes(new Stored(Format, Key.Name, Key.ToString(), sealedKey, logs, forks), Written);

    /// <summary>The size that the witness knows of a log; 0 when it never saw it.</summary>
    public long Known(string origin) => Find(origin) is { } known ? Note.Read(known.Note).Size : 0;

    /// <summary>Cosigns the new checkpoint, or refuses. Either way keep <see cref="State"/> before the answer goes out.</summary>
    /// <param name="request">What the log asks.</param>
    /// <param name="keys">Public keys of logs; needed once for each log, which the witness then keeps.</param>
    /// <param name="clock">The witness's own clock; its time is what is cosigned.</param>
    /// <exception cref="VerifierRefusal">A <c>witness.</c> code; <c>witness.fork</c> when the two notes prove by themselves that the log went back, <c>witness.inconsistent</c> when the proof beside the note does not hold; both notes are kept then.</exception>
    public Note Cosign(WitnessRequest request, IReadOnlyList<NoteKey> keys, TimeProvider clock)
    {
        var note = request.Note;
        var known = Find(note.Origin);
        using var kept = known is null ? null : NoteKey.Read(known.Key);
        var key = kept ?? keys.FirstOrDefault(one => !one.OfWitness && one.Name == note.Origin && one.LogIdentity() is not null)
            ?? throw new VerifierRefusal("witness.unknown-log", "This witness does not know the log yet. Name its public key with --key, after comparing it with the hospital by another way.");
        if (!note.SignedBy(key))
        {
            throw new VerifierRefusal("witness.not-signed", "The checkpoint is not signed by the key of the log that it names. Nothing was cosigned.");
        }

        var now = clock.GetUtcNow();
        if (known is not null)
        {
            var last = Note.Read(known.Note);
            if (note.Size < last.Size && note.Time > last.Time)
            {
                throw Forked(last, note, now, "the log was larger at an earlier time");
            }

            if (request.Old != last.Size)
            {
                throw new VerifierRefusal("witness.old-size", $"This witness knows the log at {last.Size.ToString(System.Globalization.CultureInfo.InvariantCulture)} entries. Make the request anew with --since {last.Size.ToString(System.Globalization.CultureInfo.InvariantCulture)}.");
            }

            if (!HashTree.Extends(last.Size, last.Root, note.Size, note.Root, request.Proof))
            {
                throw note.Size == last.Size
                    ? Forked(last, note, now, "two roots at one size")
                    : Kept(last, note, now, "witness.inconsistent", "the larger tree is not proven to begin with the smaller one");
            }
        }
        else if (request.Old != 0 || request.Proof.Count > 0)
        {
            throw new VerifierRefusal("witness.old-size", "This witness knows nothing of the log yet. Make the request anew with --since 0.");
        }

        var seconds = now.ToUnixTimeSeconds();
        var signature = new byte[8 + 64];
        BinaryPrimitives.WriteInt64BigEndian(signature, seconds);
        signer.SignData(note.CosignedBytes(seconds), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation).CopyTo(signature, 8);
        var cosigned = note.With(Key, signature);
        logs.RemoveAll(log => log.Origin == note.Origin);
        logs.Add(new KnownLog(note.Origin, key.ToString(), cosigned.ToString()));
        return cosigned;
    }

    public void Dispose()
    {
        Key.Dispose();
        signer.Dispose();
    }

    private static VerifierRefusal BadState() => new("witness.state", "The file is not the state of a witness, or it was damaged. Put it back from a copy; without it the witness cannot tell a fork.");

    private KnownLog? Find(string origin) => logs.Find(log => log.Origin == origin);

    private VerifierRefusal Forked(Note known, Note offered, DateTimeOffset now, string why) => Kept(known, offered, now, "witness.fork", why);

    private VerifierRefusal Kept(Note known, Note offered, DateTimeOffset now, string code, string why)
    {
        var fork = new Fork(now.ToUniversalTime(), why, known.ToString(), offered.ToString());
        if (!forks.Exists(one => one.Known == fork.Known && one.Offered == fork.Offered))
        {
            forks.Add(fork);
        }

        return new VerifierRefusal(code, $"The log does not grow from what this witness cosigned: {why}. Nothing was cosigned; both signed checkpoints were kept as proof. Tell the hospital's security officer.");
    }

    private sealed record Stored(string Format, string Name, string PublicKey, string Key, IReadOnlyList<KnownLog> Logs, IReadOnlyList<Fork> Forks);

    private sealed record KnownLog(string Origin, string Key, string Note);
}

/// <summary>Two checkpoints of one log, each signed by it, that do not go together.</summary>
/// <param name="At">When the second was offered, by the witness's clock.</param>
/// <param name="Why">In what way they do not.</param>
/// <param name="Known">The note that the witness had cosigned.</param>
/// <param name="Offered">The one that it was then asked to cosign.</param>
public sealed record Fork(DateTimeOffset At, string Why, string Known, string Offered);
