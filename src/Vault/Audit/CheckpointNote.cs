using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Sealing;

namespace Mangrove.Vault.Audit;

/// <summary>
/// The log's newest root as a signed note (c2sp.org/tlog-checkpoint), for places and people outside the hospital:
/// docs/formats/checkpoint-note.md. Signed by the log's own key; the text begins otherwise than a checkpoint, so neither signature
/// means anything in the other's place.
/// </summary>
internal static class CheckpointNote
{
    // ECDSA as c2sp.org/signed-note has it: the key's id is the beginning of its hash, and the signature is DER.
    private const byte Kind = 0x02;

    /// <summary>Name of the log in notes and keys: <c>mangrove/FACILITY/LOG</c>.</summary>
    public static string Origin(LogIdentity log) => $"mangrove/{log.Facility:n}/{log.Log:n}";

    /// <summary>The log's public key as one line.</summary>
    public static string Key(LogIdentity log, CheckpointSigner signer)
    {
        var key = signer.ExportPublicKey();
        return $"{Origin(log)}+{Convert.ToHexStringLower(SHA256.HashData(key).AsSpan(0, 4))}+{Convert.ToBase64String([Kind, .. key])}";
    }

    /// <summary>The checkpoint as a note.</summary>
    public static string Of(Checkpoint checkpoint, CheckpointSigner signer)
    {
        var log = new LogIdentity(checkpoint.Facility, checkpoint.LogId);
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{Origin(log)}\n{checkpoint.Size}\n{Convert.ToBase64String(checkpoint.Root.Span)}\ntime {checkpoint.Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\n");
        var signature = Der(signer.Sign(Encoding.UTF8.GetBytes(text)));
        return $"{text}\n\u2014 {Origin(log)} {Convert.ToBase64String([.. SHA256.HashData(signer.ExportPublicKey()).AsSpan(0, 4), .. signature])}\n";
    }

    /// <summary>The signature as a sequence of r and s (RFC 3279, 2.2.3).</summary>
    public static byte[] Der(ReadOnlySpan<byte> signature)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(new BigInteger(signature[..32], isUnsigned: true, isBigEndian: true));
            writer.WriteInteger(new BigInteger(signature[32..], isUnsigned: true, isBigEndian: true));
        }

        return writer.Encode();
    }
}
