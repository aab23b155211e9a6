using System.Security.Cryptography;
using System.Text;
using Mangrove.Sealing;

namespace Mangrove.Tests.Sealing;

/// <summary>Test vectors out of the specifications themselves, so that a clone without the shared folder proves each algorithm.</summary>
public sealed class OwnVectorTests
{
    private static byte[] Hex(string hex) => Convert.FromHexString(hex);

    [Fact]
    public void Aes_256_gcm_meets_test_case_16_of_its_specification()
    {
        // McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test case 16.
        using var gcm = new AesGcm(Hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"), Envelope.TagSize);
        var text = Hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
        var tag = new byte[16];
        gcm.Encrypt(Hex("cafebabefacedbaddecaf888"), text, text, tag, Hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
        Assert.Equal("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662", Convert.ToHexStringLower(text));
        Assert.Equal("76fc6ece0f4e1768cddf8853bb2d551b", Convert.ToHexStringLower(tag));
    }

    [Fact]
    public void Aes_kwp_meets_rfc_5649_section_6()
    {
        using var aes = Aes.Create();
        aes.SetKey(Hex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8"));
        Assert.Equal("138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a", Convert.ToHexStringLower(aes.EncryptKeyWrapPadded(Hex("c37b7e6492584340bed12207808941155068f738"))));
        Assert.Equal("466f7250617369", Convert.ToHexStringLower(aes.DecryptKeyWrapPadded(Hex("afbeb0f07dfbf5419200f2ccb50bb24f"))));
    }

    [Fact]
    public void Hkdf_meets_rfc_5869_test_case_1()
    {
        var output = new byte[42];
        KeyDerivation.Hkdf(Enumerable.Repeat((byte)0x0b, 22).ToArray(), Hex("000102030405060708090a0b0c"), Hex("f0f1f2f3f4f5f6f7f8f9"), output);
        Assert.Equal("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865", Convert.ToHexStringLower(output));
    }

    [Fact]
    public void Hmac_sha_256_meets_rfc_4231_test_case_2() =>
        Assert.Equal(
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            Convert.ToHexStringLower(HMACSHA256.HashData("Jefe"u8, "what do ya want for nothing?"u8)));

    [Fact]
    public void Pbkdf2_meets_rfc_7914_section_11()
    {
        var output = new byte[64];
        KeyDerivation.Pbkdf2("passwd"u8, "salt"u8, 1, output);
        Assert.Equal("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783", Convert.ToHexStringLower(output));
    }

    [Fact]
    public void Ecdsa_verifies_the_signature_of_rfc_6979_appendix_a_2_5()
    {
        using var signer = CheckpointSigner.Import(Hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"));
        var publicKey = signer.ExportPublicKey();
        Assert.Equal("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299", Convert.ToHexStringLower(publicKey.AsSpan(^64..)));
        using var verifier = CheckpointVerifier.From(publicKey);
        Assert.True(verifier.Verify("sample"u8, Hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8")));
    }

    [Theory]
    [InlineData(59, "94287082", "46119246", "90693936")]
    [InlineData(1111111109, "07081804", "68084774", "25091201")]
    [InlineData(1111111111, "14050471", "67062674", "99943326")]
    [InlineData(1234567890, "89005924", "91819424", "93441116")]
    [InlineData(2000000000, "69279037", "90698825", "38618901")]
    [InlineData(20000000000, "65353130", "77737706", "47863826")]
    public void Totp_meets_rfc_6238_appendix_b(long unixTime, string sha1, string sha256, string sha512)
    {
        static byte[] Secret(int length) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("1234567890", 7)))[..length];
        var step = unixTime / Totp.StepSeconds;
        Assert.Equal(sha1, Totp.Code(Secret(20), step, 8));
        Assert.Equal(sha256, Totp.Code(Secret(32), step, 8, TotpHash.Sha256));
        Assert.Equal(sha512, Totp.Code(Secret(64), step, 8, TotpHash.Sha512));
        Assert.True(Totp.Matches(Secret(20), step, sha1.AsSpan(2)));
        Assert.False(Totp.Matches(Secret(20), step + 1, sha1.AsSpan(2)));
        Assert.False(Totp.Matches(Secret(20), step, sha1));
    }

    [Fact]
    public void Shared_one_time_code_vectors_are_met()
    {
        var root = VectorFile.Read("rfc/totp-hotp.json");
        var judged = 0;
        foreach (var test in root.GetProperty("totp").EnumerateArray())
        {
            var hash = Enum.Parse<TotpHash>(test.Text("alg"), ignoreCase: true);
            var step = test.GetProperty("unixTime").GetInt64() / test.Int("step");
            Assert.Equal(test.Text("code"), Totp.Code(test.Hex("keyHex"), step, test.Int("digits"), hash));
            Assert.Equal(test.Text("code6"), Totp.Code(test.Hex("keyHex"), step, 6, hash));
            judged++;
        }

        foreach (var test in root.GetProperty("hotp").EnumerateArray())
        {
            Assert.Equal(test.Text("code"), Totp.Code(test.Hex("keyHex"), test.GetProperty("counter").GetInt64(), test.Int("digits")));
            judged++;
        }

        Assert.Equal(28, judged);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Base32_meets_rfc_4648_section_10(string text, string encoded)
    {
        Assert.Equal(encoded, Base32.Encode(Encoding.ASCII.GetBytes(text)));
        foreach (var form in new[] { encoded, encoded.PadRight((encoded.Length + 7) / 8 * 8, '='), encoded.ToLowerInvariant() })
        {
            Assert.True(Base32.TryDecode(form, out var bytes));
            Assert.Equal(text, Encoding.ASCII.GetString(bytes));
        }
    }

    [Theory]
    [InlineData("M")]
    [InlineData("MZ1")]
    [InlineData("MZXW60==")]
    [InlineData("MZ")]
    [InlineData("MY=")]
    [InlineData("========")]
    [InlineData("MZ XQ")]
    [InlineData("ſZXQ")]
    public void Base32_refuses_what_no_bytes_give(string text) => Assert.False(Base32.TryDecode(text, out _));

    [Fact]
    public void A_passphrase_makes_the_same_key_in_either_composition_and_never_with_few_rounds()
    {
        var salt = new byte[16];
        using var one = KeyDerivation.FromPassphrase("cafe\u0301", salt, KeyDerivation.FewestIterations);
        using var two = KeyDerivation.FromPassphrase("caf\u00e9", salt, KeyDerivation.FewestIterations);
        Assert.True(one.Bytes.SequenceEqual(two.Bytes));
        Assert.Equal(Rfc2898DeriveBytes.Pbkdf2("caf\u00e9"u8, salt, 600_000, HashAlgorithmName.SHA256, 32), one.Bytes.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => KeyDerivation.FromPassphrase("p", salt, 599_999));
        Assert.Throws<ArgumentOutOfRangeException>(() => KeyDerivation.FromPassphrase("p", salt, int.MaxValue));
        Assert.Throws<ArgumentException>(() => KeyDerivation.FromPassphrase("p", salt.AsSpan(1), 600_000));
        Assert.Throws<ArgumentException>(() => KeyDerivation.FromPassphrase("", salt, 600_000));
        Assert.Throws<ArgumentException>(() => KeyDerivation.FromPassphrase("\ud800", salt, 600_000));
    }

    [Fact]
    public void Derived_keys_differ_by_purpose()
    {
        using var key = KeyMaterial.Generate();
        using var one = KeyDerivation.Derive(key, [], "a"u8);
        using var again = KeyDerivation.Derive(key, [], "a"u8);
        using var two = KeyDerivation.Derive(key, [], "b"u8);
        Assert.True(one.Bytes.SequenceEqual(again.Bytes));
        Assert.False(one.Bytes.SequenceEqual(two.Bytes));
        Assert.Equal(8, KeyDerivation.Fingerprint(key, "x"u8, 8).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => KeyDerivation.Fingerprint(key, "x"u8, 3));
    }
}
