using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// The key schedule of HPKE (RFC 9180) for the one suite used here: mode base, DHKEM(P-256, HKDF-SHA256),
/// HKDF-SHA256, AES-256-GCM. What it writes is secret except where it says otherwise; the caller zeroes it.
/// </summary>
internal static class Hpke
{
    internal const int PublicKeySize = 65;
    internal const int LongestContext = 512;

    private const int HashSize = 32;

    // Section 7.1 to 7.3: DHKEM(P-256, HKDF-SHA256) is 0x0010, HKDF-SHA256 0x0001, AES-256-GCM 0x0002.
    private static ReadOnlySpan<byte> KemSuite => "KEM\x00\x10"u8;

    private static ReadOnlySpan<byte> Suite => "HPKE\x00\x10\x00\x01\x00\x02"u8;

    private static ReadOnlySpan<byte> Version => "HPKE-v1"u8;

    /// <summary>ExtractAndExpand (section 4.1): the KEM's shared secret, 32 bytes.</summary>
    /// <param name="agreed">The x-coordinate of the agreed point, 32 bytes.</param>
    /// <param name="sender">The sender's ephemeral public key (enc), 65 bytes.</param>
    /// <param name="recipient">The recipient's public key, 65 bytes.</param>
    /// <param name="destination">32 bytes.</param>
    internal static void SharedSecret(
        ReadOnlySpan<byte> agreed, ReadOnlySpan<byte> sender, ReadOnlySpan<byte> recipient, Span<byte> destination)
    {
        Span<byte> context = stackalloc byte[2 * PublicKeySize];
        sender.CopyTo(context);
        recipient.CopyTo(context[PublicKeySize..]);
        Span<byte> extracted = stackalloc byte[HashSize];
        try
        {
            Extract(KemSuite, [], "eae_prk"u8, agreed, extracted);
            Expand(KemSuite, extracted, "shared_secret"u8, context, destination);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(extracted);
        }
    }

    /// <summary>KeySchedule (section 5.1) in mode base: the AEAD key and the nonce of its first and only message.</summary>
    /// <param name="shared">The KEM's shared secret, 32 bytes.</param>
    /// <param name="context">The application's <c>info</c>, up to 512 bytes.</param>
    /// <param name="key">32 bytes.</param>
    /// <param name="first">12 bytes: the nonce of sequence number 0.</param>
    internal static void Schedule(ReadOnlySpan<byte> shared, ReadOnlySpan<byte> context, Span<byte> key, Span<byte> first)
    {
        // mode (0 for base) ‖ hash of the empty PSK id ‖ hash of info
        Span<byte> schedule = stackalloc byte[1 + (2 * HashSize)];
        schedule[0] = 0;
        Extract(Suite, [], "psk_id_hash"u8, [], schedule.Slice(1, HashSize));
        Extract(Suite, [], "info_hash"u8, context, schedule.Slice(1 + HashSize, HashSize));

        Span<byte> secret = stackalloc byte[HashSize];
        try
        {
            Extract(Suite, shared, "secret"u8, [], secret);
            Expand(Suite, secret, "key"u8, schedule, key);
            Expand(Suite, secret, "base_nonce"u8, schedule, first);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>LabeledExtract (section 4).</summary>
    private static void Extract(
        ReadOnlySpan<byte> suite, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label, ReadOnlySpan<byte> input,
        Span<byte> destination)
    {
        Span<byte> labelled = stackalloc byte[LongestContext + 64];
        labelled = labelled[..Join(labelled, Version, suite, label, input)];
        HKDF.Extract(HashAlgorithmName.SHA256, labelled, salt, destination);
        CryptographicOperations.ZeroMemory(labelled);
    }

    /// <summary>LabeledExpand (section 4); the length asked for is the destination's.</summary>
    private static void Expand(
        ReadOnlySpan<byte> suite, ReadOnlySpan<byte> extracted, ReadOnlySpan<byte> label, ReadOnlySpan<byte> info,
        Span<byte> destination)
    {
        Span<byte> labelled = stackalloc byte[256];
        BinaryPrimitives.WriteUInt16BigEndian(labelled, (ushort)destination.Length);
        labelled = labelled[..(2 + Join(labelled[2..], Version, suite, label, info))];
        HKDF.Expand(HashAlgorithmName.SHA256, extracted, destination, labelled);
    }

    private static int Join(
        Span<byte> destination, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third,
        ReadOnlySpan<byte> fourth)
    {
        first.CopyTo(destination);
        var at = first.Length;
        second.CopyTo(destination[at..]);
        at += second.Length;
        third.CopyTo(destination[at..]);
        at += third.Length;
        fourth.CopyTo(destination[at..]);
        return at + fourth.Length;
    }
}
