using System.Runtime.InteropServices;
using System.Text;
using Mangrove.Sealing;

namespace Mangrove.Tests.Sealing;

public sealed partial class BcryptTests
{
    // From the self-test table of crypt_blowfish (public domain): bytes of the password in hex, then the hash.
    [Theory]
    [InlineData("552a55", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("552a552a", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK")]
    [InlineData("552a552a55", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a")]
    [InlineData("ffffa3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e")]
    [InlineData("ffffa3", "$2b$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e")]
    [InlineData("ffffa3", "$2a$05$/OK.fbVrR/bpIqNJ5ianF.nqd1wy.pTMdcvrRWxyiGL2eMz.2a85.")]
    [InlineData("a3", "$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq")]
    [InlineData("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy")]
    public void Published_hashes_are_met(string passwordHex, string hash)
    {
        Assert.True(Bcrypt.Verify(Convert.FromHexString(passwordHex), hash));
        Assert.False(Bcrypt.Verify([.. Convert.FromHexString(passwordHex), (byte)'x'], hash));
    }

    [Fact]
    public void All_published_vectors_are_judged_and_the_faulty_variant_is_refused()
    {
        var judged = 0;
        foreach (var test in VectorFile.Read("bcrypt-openwall/bcrypt.json").GetProperty("tests").EnumerateArray())
        {
            var hash = test.Text("hash");
            if (test.Text("expect") == "match")
            {
                var expected = !hash.StartsWith("$2x$", StringComparison.Ordinal);
                Assert.True(Bcrypt.Verify(test.Hex("passwordHex"), hash) == expected, hash);
            }
            else
            {
                Assert.False(Bcrypt.Verify([], hash));
                Assert.Null(Bcrypt.CostOf(test.Text("setting") + new string('.', 31)));
            }

            judged++;
        }

        Assert.Equal(35, judged);
    }

    [Fact]
    public void A_hash_made_here_is_one_of_its_own_password_only()
    {
        var hash = Bcrypt.Hash("correct horse"u8, 4);
        Assert.StartsWith("$2b$04$", hash, StringComparison.Ordinal);
        Assert.Equal(60, hash.Length);
        Assert.True(Bcrypt.Verify("correct horse"u8, hash));
        Assert.False(Bcrypt.Verify("correct horsf"u8, hash));
        Assert.NotEqual(hash, Bcrypt.Hash("correct horse"u8, 4));
    }

    [Fact]
    public void A_byte_beyond_the_72nd_is_refused_and_never_silently_cut()
    {
        var hash = Bcrypt.Hash(new byte[72].Select(_ => (byte)'a').ToArray(), 4);
        Assert.True(Bcrypt.Verify(Encoding.ASCII.GetBytes(new string('a', 72)), hash));
        Assert.False(Bcrypt.Verify(Encoding.ASCII.GetBytes(new string('a', 71)), hash));
        Assert.Throws<ArgumentException>(() => Bcrypt.Hash(Encoding.ASCII.GetBytes(new string('a', 73)), 4));
        Assert.Throws<ArgumentException>(() => Bcrypt.Hash([1, 0, 2], 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bcrypt.Hash([1], 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bcrypt.Hash([1], 32));
    }

    [Fact]
    public void A_hash_that_is_not_exactly_well_formed_matches_nothing()
    {
        const string good = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        string[] bad =
        [
            "", good[..59], good + "a", " " + good[..59], good.Replace("$2a$", "$2x$", StringComparison.Ordinal),
            good.Replace("$2a$", "$2$0", StringComparison.Ordinal), good.Replace("$05$", "$5$0", StringComparison.Ordinal),
            good.Replace("$05$", "$03$", StringComparison.Ordinal), good.Replace("$05$", "$32$", StringComparison.Ordinal),
            good.Replace("$05$", "$٠٥$", StringComparison.Ordinal), good.Replace("CC.E5", "CC/E5", StringComparison.Ordinal),
            good.Replace("yOeW", "yOeX", StringComparison.Ordinal), good.Replace("yOeW", "yOe=", StringComparison.Ordinal),
            good.Replace('$', '£'), good.Replace("yOeW", "yOe\0", StringComparison.Ordinal),
        ];
        Assert.True(Bcrypt.Verify("U*U"u8, good));
        Assert.All(bad, hash => Assert.False(Bcrypt.Verify("U*U"u8, hash)));
        Assert.All(bad, hash => Assert.Null(Bcrypt.CostOf(hash)));
    }

    [Fact]
    public void Random_passwords_give_the_hashes_of_the_systems_library_where_there_is_one()
    {
        Assert.SkipUnless(NativeLibrary.TryLoad("libcrypt.so.1", out var library), "This machine has no libcrypt.so.1 to compare with.");
        NativeLibrary.Free(library);
        var seeds = new SeededBytes(1999);
        for (var round = 0; round < 200; round++)
        {
            var password = seeds.Bytes(seeds.Below(73));
            for (var i = 0; i < password.Length; i++)
            {
                password[i] |= (byte)(password[i] == 0 ? 1 : 0);
            }

            var hash = Bcrypt.Hash(password, 4);
            foreach (var variant in new[] { "$2b$", "$2y$", "$2a$" })
            {
                var theirs = SystemHash(password, variant + hash[4..29]);
                Assert.True(Bcrypt.Verify(password, theirs), Convert.ToHexString(password) + " " + theirs);
                Assert.True(variant == "$2a$" || theirs[4..] == hash[4..]);
            }
        }
    }

    private static string SystemHash(byte[] password, string setting)
    {
        var data = new byte[32768]; // struct crypt_data of libxcrypt
        return Marshal.PtrToStringAnsi(Crypt([.. password, 0], [.. Encoding.ASCII.GetBytes(setting), 0], data))!;
    }

    [DllImport("libcrypt.so.1", EntryPoint = "crypt_r")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern nint Crypt(byte[] password, byte[] setting, byte[] data);
}
