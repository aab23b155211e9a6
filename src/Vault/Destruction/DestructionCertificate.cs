using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Destruction;

/// <summary>
/// What the hospital certifies of an order that was carried out: one line of JSON, and one with its signature by the key of the audit
/// log in Base64. It names record ids and no person. docs/formats/destruction.md.
/// </summary>
public sealed record DestructionCertificate
{
    public int Format { get; init; } = 1;

    public Guid Facility { get; init; }

    public string FacilityName { get; init; } = string.Empty;

    /// <summary>Name of the order.</summary>
    public string Order { get; init; } = string.Empty;

    public Guid OrderId { get; init; }

    /// <summary>Whether nothing is outstanding. A certificate of an order with targets outstanding is replaced when they were seen.</summary>
    public bool Complete { get; init; }

    public string Reason { get; init; } = string.Empty;

    public string ProposedBy { get; init; } = string.Empty;

    public string ApprovedBy { get; init; } = string.Empty;

    public DateTimeOffset Started { get; init; }

    public DateTimeOffset Certified { get; init; }

    public IReadOnlyList<CertifiedPatient> Patients { get; init; } = [];

    public DestructionFacts Facts { get; init; } = new();

    /// <summary>What software cannot promise, in words.</summary>
    public IReadOnlyList<string> Limits { get; init; } = [];

    /// <summary>The log's entry that says what was destroyed, with the proof that the log has it (c2sp.org/tlog-proof).</summary>
    public string Proof { get; init; } = string.Empty;

    /// <summary>Number of that entry.</summary>
    public long Entry { get; init; }

    internal byte[] Signed(CheckpointSigner signer)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(this, DestructionJson.Default.DestructionCertificate);
        return [.. line, (byte)'\n', .. Encoding.ASCII.GetBytes(Convert.ToBase64String(signer.Sign(line))), (byte)'\n'];
    }

    /// <summary>Reads a stored certificate of this hospital's own table. Whoever got a file checks it first: <see cref="Check"/>.</summary>
    /// <exception cref="RefusedInput"><c>destruction.certificate-bad</c>.</exception>
    public static DestructionCertificate Parse(ReadOnlySpan<byte> stored)
    {
        var end = stored.IndexOf((byte)'\n');
        try
        {
            return end > 0 && JsonSerializer.Deserialize(stored[..end], DestructionJson.Default.DestructionCertificate) is { Format: 1 } read ? read : throw Bad();
        }
        catch (JsonException)
        {
            throw Bad();
        }
    }

    /// <summary>Whether the signature is by this key and nothing was changed.</summary>
    /// <param name="stored">The file.</param>
    /// <param name="publicKey">DER SubjectPublicKeyInfo of the log's key.</param>
    /// <exception cref="RefusedInput"><c>destruction.certificate-bad</c>.</exception>
    public static DestructionCertificate Check(ReadOnlySpan<byte> stored, ReadOnlySpan<byte> publicKey)
    {
        var end = stored.IndexOf((byte)'\n');
        var signature = new byte[CheckpointSigner.SignatureSize];
        if (end < 0 || end + 2 > stored.Length || stored[^1] != (byte)'\n' || !Convert.TryFromBase64String(Encoding.ASCII.GetString(stored[(end + 1)..^1]), signature, out var written) || written != signature.Length)
        {
            throw Bad();
        }

        CheckpointVerifier verifier;
        try
        {
            verifier = CheckpointVerifier.From(publicKey);
        }
        catch (SealBroken)
        {
            throw Bad();
        }

        using (verifier)
        {
            return verifier.Verify(stored[..end], signature) ? Parse(stored) : throw Bad();
        }
    }

    /// <summary>SHA-256 of the stored certificate, hexadecimal: the log has it.</summary>
    public static string DigestOf(ReadOnlySpan<byte> stored) => Convert.ToHexStringLower(SHA256.HashData(stored));

    private static RefusedInput Bad() => new("destruction.certificate-bad", "This is no certificate of destruction that this key signed, or it was changed.");
}

/// <summary>A patient in a certificate.</summary>
/// <param name="Record">The record's id.</param>
/// <param name="Salt">Hexadecimal.</param>
/// <param name="MrnSha256">SHA-256 of the salt's bytes and the hospital number in ASCII, hexadecimal.</param>
public sealed record CertifiedPatient(Guid Record, string Salt, string MrnSha256);
