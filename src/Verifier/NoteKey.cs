using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Mangrove.Verifier;

/// <summary>
/// A public key as one line, the verifier key of c2sp.org/signed-note: name, key id in hex, and base64 of the kind and the
/// key, with plus signs between. Two kinds: of a log (ECDSA, 0x02 of that page) and of a witness (0xff and our own name of the kind, because
/// the page has no ECDSA cosignature). The key is P-256 as DER SubjectPublicKeyInfo.
/// </summary>
public sealed class NoteKey : IDisposable
{
    private const byte LogKind = 0x02;
    private const string P256 = "1.2.840.10045.3.1.7";
    private readonly ECDsa key;
    private readonly byte[] id;
    private readonly Lock gate = new();

    private NoteKey(string name, bool ofWitness, byte[] id, byte[] publicKey, ECDsa key)
    {
        Name = name;
        OfWitness = ofWitness;
        this.id = id;
        PublicKey = publicKey;
        this.key = key;
    }

    /// <summary>Whose key: of a log <c>mangrove/FACILITY/LOG</c>, both 32 hex digits.</summary>
    public string Name { get; }

    public bool OfWitness { get; }

    /// <summary>The key itself: P-256 as DER SubjectPublicKeyInfo.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo => PublicKey;

    internal byte[] PublicKey { get; }

    internal ReadOnlySpan<byte> Id => id;

    private static byte[] WitnessKind => [0xff, .. "mangrove.cosignature/v1"u8];

    /// <summary>The keys of a file, one a line; empty lines and lines that begin with # say nothing.</summary>
    /// <exception cref="VerifierRefusal"><c>verifier.key</c>: a line is no key, or there is none.</exception>
    public static IReadOnlyList<NoteKey> ReadAll(string text)
    {
        var keys = text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').Select(Read).ToList();
        return keys.Count > 0 ? keys : throw Bad();
    }

    /// <exception cref="VerifierRefusal"><c>verifier.key</c>.</exception>
    public static NoteKey Read(string line)
    {
        var parts = line.Split('+', 3);
        var packed = parts.Length == 3 ? Base64(parts[2]) : null;
        if (packed is null || packed.Length == 0 || !IsName(parts[0]))
        {
            throw Bad();
        }

        var kind = WitnessKind;
        var ofWitness = packed.AsSpan().StartsWith(kind);
        if (!ofWitness && packed[0] != LogKind)
        {
            throw Bad();
        }

        var made = Of(parts[0], packed[(ofWitness ? kind.Length : 1)..], ofWitness);
        if (!Convert.ToHexStringLower(made.id).Equals(parts[1], StringComparison.OrdinalIgnoreCase))
        {
            made.Dispose();
            throw Bad();
        }

        return made;
    }

    /// <summary>The key of that name.</summary>
    /// <exception cref="VerifierRefusal"><c>verifier.key</c>: the bytes are not exactly one public key on P-256.</exception>
    internal static NoteKey Of(string name, byte[] publicKey, bool ofWitness)
    {
        var imported = ECDsa.Create();
        try
        {
            imported.ImportSubjectPublicKeyInfo(publicKey, out var read);
            if (read == publicKey.Length && imported.ExportParameters(false).Curve.Oid.Value == P256)
            {
                // The kinds differ in what the id is made of: c2sp.org/signed-note, signature types 0x02 and 0xff.
                var derived = SHA256.HashData(ofWitness ? [.. Encoding.UTF8.GetBytes(name + "\n"), .. WitnessKind, .. publicKey] : publicKey)[..4];
                return new NoteKey(name, ofWitness, derived, publicKey, imported);
            }
        }
        catch (CryptographicException)
        {
            // Said below, the same for every way of not being a key.
        }

        imported.Dispose();
        throw Bad();
    }

    /// <summary>The line.</summary>
    public override string ToString() =>
        $"{Name}+{Convert.ToHexStringLower(id)}+{Convert.ToBase64String(OfWitness ? [.. WitnessKind, .. PublicKey] : [LogKind, .. PublicKey])}";

    public void Dispose() => key.Dispose();

    /// <summary>Key names are not empty and hold no space, control or plus sign (c2sp.org/signed-note).</summary>
    internal static bool IsName(string name) => name.Length is > 0 and <= 200 && !name.Any(letter => letter == '+' || char.IsWhiteSpace(letter) || char.IsControl(letter));

    internal static byte[]? Base64(string text)
    {
        var bytes = new byte[(text.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(text, bytes, out var written) && Convert.ToBase64String(bytes, 0, written) == text ? bytes[..written] : null;
    }

    /// <summary>A signature of a checkpoint of the log: r and s, 32 bytes each.</summary>
    internal bool VerifyFixed(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        lock (gate)
        {
            return key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    /// <summary>A signature of a note: DER, as 0x02 of c2sp.org/signed-note has it.</summary>
    internal bool VerifyDer(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        lock (gate)
        {
            return key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
    }

    /// <summary>Facility and log of a log's name, 16 bytes each; null when the name is none of a log.</summary>
    internal (byte[] Facility, byte[] Log)? LogIdentity()
    {
        var parts = Name.Split('/');
        return parts is ["mangrove", { Length: 32 } facility, { Length: 32 } log]
            && UInt128.TryParse(facility, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _)
            && UInt128.TryParse(log, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _)
                ? (Convert.FromHexString(facility), Convert.FromHexString(log))
                : null;
    }

    private static VerifierRefusal Bad() => new("verifier.key", "A line of the key file is no public key of a log or a witness. Get the file anew: 'mangrove audit key' writes a log's, and a witness shows its own.");
}
