using System.Reflection;
using System.Security.Cryptography;
using Mangrove.Sealing;

namespace Mangrove.Tests.Sealing;

public sealed class RecoverySealTests
{
    // Mode base, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM in test-vectors.json of the CFRG's HPKE draft, from
    // which the appendix of RFC 9180 was made (the appendix itself prints P-256 with AES-128-GCM only). Both this vector
    // and that of A.3.1 were opened with OpenSSL (python cryptography 48) before they were written here.
    private const string Private = "317f915db7bc629c48fe765587897e01e282d3e8445f79f27f65d031a88082b2";
    private const string Public = "04abc7e49a4c6b3566d77d0304addc6ed0e98512ffccf505e6a8e3eb25c685136f853148544876de76c0f2ef99cdc3a05ccf5ded7860c7c021238f9e2073d2356c";
    private const string Enc = "04c06b4f6bebc7bb495cb797ab753f911aff80aefb86fd8b6fcc35525f3ab5f03e0b21bd31a86c6048af3cb2d98e0d3bf01da5cc4c39ff5370d331a4f1f7d5a4e0";

    private static readonly Type Schedule = typeof(RecoverySeal).Assembly.GetType("Mangrove.Sealing.Hpke", throwOnError: true)!;

    private delegate void SharedSecretOf(ReadOnlySpan<byte> agreed, ReadOnlySpan<byte> sender, ReadOnlySpan<byte> recipient, Span<byte> destination);

    private delegate void ScheduleOf(ReadOnlySpan<byte> shared, ReadOnlySpan<byte> context, Span<byte> key, Span<byte> first);

    private static byte[] Hex(string hex) => Convert.FromHexString(hex);

    private static T Inner<T>(string name)
        where T : Delegate => Schedule.GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!.CreateDelegate<T>();

    private static byte[] Agreed(string privateKey, string publicKey)
    {
        using var mine = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = Hex(privateKey) });
        var point = Hex(publicKey);
        using var other = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = point[1..33], Y = point[33..] } });
        return mine.DeriveRawSecretAgreement(other.PublicKey);
    }

    [Fact]
    public void The_kem_meets_rfc_9180_appendix_a_3_1()
    {
        const string Recipient = "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2";
        const string RecipientPublic = "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0";
        const string Sender = "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb";
        const string SenderPublic = "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4";
        using var recipient = RecoveryKey.FromPrivate(Hex(Recipient));
        using var sender = RecoveryKey.FromPrivate(Hex(Sender));
        Assert.Equal(RecipientPublic, Convert.ToHexStringLower(recipient.PublicKey));
        Assert.Equal(SenderPublic, Convert.ToHexStringLower(sender.PublicKey));

        var shared = new byte[32];
        foreach (var agreed in new[] { Agreed(Recipient, SenderPublic), Agreed(Sender, RecipientPublic) })
        {
            shared.AsSpan().Clear();
            Inner<SharedSecretOf>("SharedSecret")(agreed, Hex(SenderPublic), Hex(RecipientPublic), shared);
            Assert.Equal("c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8", Convert.ToHexStringLower(shared));
        }
    }

    [Fact]
    public void The_whole_suite_meets_the_vector_of_the_cfrg()
    {
        var shared = new byte[32];
        Inner<SharedSecretOf>("SharedSecret")(Agreed(Private, Enc), Hex(Enc), Hex(Public), shared);
        Assert.Equal("48893fecd82f7c3456af6a42d8f56325d21e08c10fa81299986aaff54cde7b49", Convert.ToHexStringLower(shared));

        var (key, first) = (new byte[32], new byte[12]);
        Inner<ScheduleOf>("Schedule")(shared, "Ode on a Grecian Urn"u8, key, first);
        Assert.Equal("ee16802a936d5f544771131900ee6973d0551de9e852ece2ef34bf0d5f9e1d1d", Convert.ToHexStringLower(key));
        Assert.Equal("9bc50980832a7b4b58c40161", Convert.ToHexStringLower(first));

        var sealedText = Hex("58c61a45059d0c5704560e9d88b564a8b63f1364b8d1fcb3c4c6ddc1d291742465e902cd216f8908da49f8f96f");
        var text = new byte[sealedText.Length - 16];
        using var cipher = new AesGcm(key, 16);
        cipher.Decrypt(first, sealedText.AsSpan(..^16), sealedText.AsSpan(^16..), text, "Count-0"u8);
        Assert.Equal("Beauty is truth, truth beauty"u8, text);
    }

    [Fact]
    public void A_key_that_openssl_sealed_opens()
    {
        // python cryptography 48: Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM).encrypt(bytes(range(32)), public, info=b"mangrove/backup/1")
        var sealedKey = Hex(
            "04289e231579515171eb5ff2673966cd55105a5f01b56949dbeab357f185ec623f93d52f9ee559766893a783dbb9d7cdcdc90638615b602aeec4a84ecb026f5577"
            + "c539fe6fdb376baa48065e8fe388c90e71988e572e632ce908ae405c7b9ecf560782afd2266a58f6404d4b068eef930f");
        using var recipient = RecoveryKey.FromPrivate(Hex(Private));
        using var key = recipient.Open(sealedKey, "mangrove/backup/1"u8);
        Assert.Equal(Enumerable.Range(0, 32).Select(value => (byte)value), key.Bytes.ToArray());
    }

    [Fact]
    public void A_sealed_key_opens_for_its_recipient_in_its_context_only()
    {
        using var recipient = RecoveryKey.Generate();
        using var other = RecoveryKey.Generate();
        using var key = KeyMaterial.Generate();
        var sealedKey = RecoverySeal.Seal(recipient.PublicKey, key, "backup-1"u8);
        Assert.Equal(RecoverySeal.Size, sealedKey.Length);
        using var back = recipient.Open(sealedKey, "backup-1"u8);
        Assert.Equal(key.Bytes.ToArray(), back.Bytes.ToArray());

        Assert.Throws<SealBroken>(() => recipient.Open(sealedKey, "backup-2"u8));
        Assert.Throws<SealBroken>(() => recipient.Open(sealedKey, ""u8));
        Assert.Throws<SealBroken>(() => recipient.Open(sealedKey, new byte[513]));
        Assert.Throws<SealBroken>(() => other.Open(sealedKey, "backup-1"u8));
        Assert.NotEqual(sealedKey, RecoverySeal.Seal(recipient.PublicKey, key, "backup-1"u8));
        Assert.Throws<ArgumentException>(() => RecoverySeal.Seal(recipient.PublicKey, key, new byte[513]));
        using var longest = recipient.Open(RecoverySeal.Seal(recipient.PublicKey, key, new byte[512]), new byte[512]);
        Assert.Equal(key.Bytes.ToArray(), longest.Bytes.ToArray());
    }

    [Fact]
    public void A_changed_or_cut_seal_does_not_open()
    {
        using var recipient = RecoveryKey.Generate();
        using var key = KeyMaterial.Generate();
        var sealedKey = RecoverySeal.Seal(recipient.PublicKey, key, "backup"u8);
        for (var bit = 0; bit < sealedKey.Length * 8; bit++)
        {
            var mutant = (byte[])sealedKey.Clone();
            mutant[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<SealBroken>(() => recipient.Open(mutant, "backup"u8));
        }

        for (var length = 0; length < sealedKey.Length; length++)
        {
            var cut = sealedKey[..length];
            Assert.Throws<SealBroken>(() => recipient.Open(cut, "backup"u8));
        }

        Assert.Throws<SealBroken>(() => recipient.Open([.. sealedKey, 0], "backup"u8));
    }

    [Fact]
    public void What_is_no_point_of_the_curve_is_no_recipient()
    {
        using var recipient = RecoveryKey.Generate();
        using var key = KeyMaterial.Generate();
        var point = recipient.PublicKey;
        foreach (var bad in Bad(point))
        {
            Assert.Throws<SealBroken>(() => RecoverySeal.Seal(bad, key, "backup"u8));
            if (bad.Length == 65)
            {
                Assert.Throws<SealBroken>(() => recipient.Open([.. bad, .. new byte[48]], "backup"u8));
            }
        }

        static IEnumerable<byte[]> Bad(byte[] point)
        {
            yield return [];
            yield return point[..64];
            yield return [.. point, 0];
            yield return new byte[65]; // the point at infinity, padded
            yield return [0x04, .. new byte[64]];
            yield return [(byte)(2 + (point[^1] & 1)), .. point[1..33]]; // the same point, compressed
            yield return [0x06, .. point[1..]];
            byte[] off = [.. point];
            off[64] ^= 1;
            yield return off;

            // x at or above the field's prime is another writing of a smaller one.
            yield return [0x04, .. Enumerable.Repeat((byte)0xff, 32), .. point[33..]];
        }
    }

    [Fact]
    public void A_scalar_out_of_range_is_no_private_key()
    {
        // The order of the group (FIPS 186-5, P-256): itself and everything above is refused, one less is taken.
        var order = Hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
        Assert.Throws<SealBroken>(() => RecoveryKey.FromPrivate(new byte[32]));
        Assert.Throws<SealBroken>(() => RecoveryKey.FromPrivate(order));
        Assert.Throws<SealBroken>(() => RecoveryKey.FromPrivate(Enumerable.Repeat((byte)0xff, 32).ToArray()));
        Assert.Throws<SealBroken>(() => RecoveryKey.FromPrivate(new byte[31]));
        Assert.Throws<SealBroken>(() => RecoveryKey.FromPrivate(new byte[33]));
        order[^1]--;
        using var largest = RecoveryKey.FromPrivate(order);
        using var smallest = RecoveryKey.FromPrivate([.. new byte[31], 1]);
        Assert.Equal(largest.PublicKey[1..33], smallest.PublicKey[1..33]);
    }

    [Fact]
    public void A_recovery_key_comes_back_from_its_private_key_and_is_gone_after_it_is_disposed()
    {
        var recipient = RecoveryKey.Generate();
        using var key = KeyMaterial.Generate();
        var sealedKey = RecoverySeal.Seal(recipient.PublicKey, key, "backup"u8);
        using (var back = RecoveryKey.FromPrivate(recipient.Private.Bytes))
        using (var opened = back.Open(sealedKey, "backup"u8))
        {
            Assert.Equal(recipient.PublicKey, back.PublicKey);
            Assert.Equal(key.Bytes.ToArray(), opened.Bytes.ToArray());
        }

        var view = recipient.Private.Bytes;
        Assert.Equal("recovery key", recipient.ToString());
        recipient.Dispose();
        Assert.False(view.ContainsAnyExcept((byte)0));
        Assert.Throws<ObjectDisposedException>(() => recipient.Open(sealedKey, "backup"u8));
    }
}
