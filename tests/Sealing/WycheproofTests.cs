using System.Security.Cryptography;
using Mangrove.Sealing;

namespace Mangrove.Tests.Sealing;

/// <summary>Project Wycheproof's vectors over the algorithms in the form in which Sealing uses them.</summary>
public sealed class WycheproofTests
{
    [Fact]
    public void Aes_gcm_with_a_256_bit_key_a_96_bit_nonce_and_a_128_bit_tag()
    {
        var judged = 0;
        foreach (var (group, test) in VectorFile.Wycheproof("aes_gcm"))
        {
            if (group.Int("keySize") != 256 || group.Int("ivSize") != 96 || group.Int("tagSize") != 128)
            {
                continue;
            }

            using var gcm = new AesGcm(test.Hex("key"), Envelope.TagSize);
            var (message, cipher, tag) = (test.Hex("msg"), test.Hex("ct"), test.Hex("tag"));
            var opened = new byte[cipher.Length];
            var valid = true;
            try
            {
                gcm.Decrypt(test.Hex("iv"), cipher, tag, opened, test.Hex("aad"));
            }
            catch (AuthenticationTagMismatchException)
            {
                valid = false;
            }

            Assert.True(valid == test.Valid(), $"tcId {test.Int("tcId")}");
            if (valid)
            {
                Assert.Equal(message, opened);

                // In place, as the envelope encrypts.
                gcm.Encrypt(test.Hex("iv"), opened, opened, tag, test.Hex("aad"));
                Assert.Equal(cipher, opened);
                Assert.Equal(test.Hex("tag"), tag);
            }

            judged++;
        }

        Assert.True(judged > 60, $"{judged} judged");
    }

    [Fact]
    public void Hkdf_sha_256()
    {
        foreach (var (_, test) in VectorFile.Wycheproof("hkdf_sha256"))
        {
            var size = test.Int("size");
            var output = new byte[size];
            if (test.Valid())
            {
                KeyDerivation.Hkdf(test.Hex("ikm"), test.Hex("salt"), test.Hex("info"), output);
                Assert.Equal(test.Hex("okm"), output);
            }
            else
            {
                Assert.ThrowsAny<ArgumentException>(() => KeyDerivation.Hkdf(test.Hex("ikm"), test.Hex("salt"), test.Hex("info"), output));
            }
        }
    }

    [Fact]
    public void Hmac_sha_256_whole_and_cut()
    {
        var fingerprints = 0;
        foreach (var (group, test) in VectorFile.Wycheproof("hmac_sha256"))
        {
            var length = group.Int("tagSize") / 8;
            var (secret, message, tag) = (test.Hex("key"), test.Hex("msg"), test.Hex("tag"));
            Assert.Equal(test.Valid(), HMACSHA256.HashData(secret, message).AsSpan(0, length).SequenceEqual(tag));
            if (secret.Length == KeyMaterial.Size)
            {
                using var key = KeyMaterial.From(secret);
                Assert.Equal(test.Valid(), KeyDerivation.Fingerprint(key, message, length).AsSpan().SequenceEqual(tag));
                fingerprints++;
            }
        }

        Assert.True(fingerprints > 20, $"{fingerprints} judged as fingerprints");
    }

    [Fact]
    public void Pbkdf2_hmac_sha_256()
    {
        foreach (var (_, test) in VectorFile.Wycheproof("pbkdf2_hmacsha256"))
        {
            var output = new byte[test.Int("dkLen")];
            KeyDerivation.Pbkdf2(test.Hex("password"), test.Hex("salt"), test.Int("iterationCount"), output);
            Assert.True(output.AsSpan().SequenceEqual(test.Hex("dk")) == test.Valid(), $"tcId {test.Int("tcId")}");
        }
    }

    [Fact]
    public void Aes_kwp_with_a_256_bit_key()
    {
        var judged = 0;
        foreach (var (group, test) in VectorFile.Wycheproof("aes_kwp"))
        {
            var (message, wrapped) = (test.Hex("msg"), test.Hex("ct"));
            var name = $"tcId {test.Int("tcId")}";
            using var aes = Aes.Create();
            aes.SetKey(test.Hex("key"));
            byte[]? plain = null;
            try
            {
                plain = aes.DecryptKeyWrapPadded(wrapped);
            }
            catch (Exception refused) when (refused is CryptographicException or ArgumentException)
            {
                Assert.False(test.Valid(), name);
            }

            Assert.True(test.Valid() == (plain is not null && plain.AsSpan().SequenceEqual(message)), name);
            if (group.Int("keySize") == 256)
            {
                using var wrapping = KeyMaterial.From(test.Hex("key"));
                if (test.Valid() && message.Length > 0)
                {
                    Assert.Equal(wrapped, KeyWrap.Wrap(wrapping, message));
                }

                if (test.Valid() && message.Length == KeyMaterial.Size)
                {
                    using var key = KeyWrap.Unwrap(wrapping, wrapped);
                    Assert.Equal(message, key.Bytes.ToArray());
                }
                else
                {
                    Assert.Throws<SealBroken>(() => KeyWrap.Unwrap(wrapping, wrapped));
                }

                judged++;
            }
        }

        Assert.True(judged > 60, $"{judged} judged");
    }

    [Fact]
    public void Ecdsa_p_256_in_p1363_form()
    {
        foreach (var (group, test) in VectorFile.Wycheproof("ecdsa_secp256r1_sha256_p1363"))
        {
            using var verifier = CheckpointVerifier.From(group.Hex("publicKeyDer"));
            Assert.True(verifier.Verify(test.Hex("msg"), test.Hex("sig")) == test.Valid(), $"tcId {test.Int("tcId")}");
        }
    }
}
