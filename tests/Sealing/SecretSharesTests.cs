using System.Security.Cryptography;
using Mangrove.Sealing;

namespace Mangrove.Tests.Sealing;

public sealed class SecretSharesTests
{
    private static byte[] Hex(string hex) => Convert.FromHexString(hex);

    [Fact]
    public void The_field_is_that_of_fips_197()
    {
        // With two shares (x, y) and (x', 0) the secret is y · x' / (x + x'). FIPS 197, section 4.2: {57}·{83} = {c1} and
        // {57}·{13} = {fe}; {53} and {ca} are each other's inverse.
        Assert.Equal(Hex("c1fe"), SecretShares.Combine([Hex("568313"), Hex("570000")]));
        Assert.Equal(Hex("ca"), SecretShares.Combine([Hex("5201"), Hex("0100")]));
    }

    [Fact]
    public void Shares_that_another_implementation_made_combine()
    {
        // Made with logarithm tables over the generator 3, in Python, threshold 3, at x = 1, 2, 7, 16 and 255.
        byte[][] shares =
        [
            Hex("0133e2d9505fbef5bc6b5ad1e837762dd44e32e5247944d5cef370a3f2d94e606a"),
            Hex("02eb1dbb4e016cbae42888435659b9f9e7201b87fa0abb5a2066a2f1019a41622f"),
            Hex("0730c87e218d3212ab9979901e6385fadfb5e178f4521d7e21f869433d58f18f2e"),
            Hex("102dbc2bcf4db7f2fa87a800e78c2976b60e8a1f9f944ba1d6f98a561464627383"),
            Hex("ff242929e4bb5cbf894ca98484391ea19c51f55329fd4b5df3d8c54f0c3ae41658"),
        ];
        byte[] secret = [.. Hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), .. "mangrove shares!"u8];
        Assert.Equal(secret, SecretShares.Combine([shares[0], shares[1], shares[2]]));
        Assert.Equal(secret, SecretShares.Combine([shares[4], shares[0], shares[3]]));
        Assert.Equal(secret, SecretShares.Combine(shares));
        Assert.NotEqual(secret, SecretShares.Combine([shares[0], shares[4]]));
    }

    [Fact]
    public void Every_subset_of_the_threshold_combines_and_no_smaller_one_does()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        for (var count = 2; count <= 7; count++)
        {
            for (var threshold = 2; threshold <= count; threshold++)
            {
                var shares = SecretShares.Split(secret, threshold, count);
                Assert.Equal(count, shares.Length);
                for (var subset = 0; subset < 1 << count; subset++)
                {
                    var chosen = shares.Where((_, index) => (subset >> index & 1) == 1).Reverse().ToList();
                    if (chosen.Count < 2)
                    {
                        continue;
                    }

                    Assert.Equal(chosen.Count >= threshold, secret.AsSpan().SequenceEqual(SecretShares.Combine(chosen)));
                }
            }
        }
    }

    [Fact]
    public void Sixteen_of_sixteen_combine()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var shares = SecretShares.Split(secret, 16, 16);
        Assert.Equal(Enumerable.Range(1, 16).Select(x => (byte)x), shares.Select(share => share[0]));
        Assert.Equal(secret, SecretShares.Combine(shares));
        Assert.NotEqual(secret, SecretShares.Combine(shares[..15]));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Fewer_shares_than_the_threshold_tell_nothing(int threshold)
    {
        // Whatever the secret, what threshold - 1 shares interpolate to is uniform: 255 degrees of freedom, mean 255,
        // deviation 22.6. 480 is ten deviations off. The secret itself must come up as often as any other value: it
        // never would if the highest coefficient could not be zero.
        const int Draws = 32_768;
        foreach (var secret in new byte[] { 0x00, 0x5a, 0xff })
        {
            var single = new int[256];
            var joined = new int[256];
            for (var i = 0; i < Draws; i++)
            {
                var shares = SecretShares.Split([secret], threshold, 3);
                single[shares[1][1]]++;
                joined[threshold == 2 ? shares[2][1] : SecretShares.Combine(shares[..2])[0]]++;
            }

            Assert.All([single, joined], counts =>
            {
                var expected = Draws / 256.0;
                Assert.InRange(counts.Sum(count => (count - expected) * (count - expected) / expected), 60, 480);
                Assert.InRange(counts[secret], 30, 260);
            });
        }
    }

    [Fact]
    public void Two_splits_of_one_secret_do_not_mix()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var one = SecretShares.Split(secret, 2, 3);
        var two = SecretShares.Split(secret, 2, 3);
        Assert.NotEqual(one[0], two[0]);
        Assert.NotEqual(secret, SecretShares.Combine([one[0], two[1]]));
    }

    [Fact]
    public void What_cannot_be_shares_is_refused()
    {
        Assert.Throws<ArgumentException>(() => SecretShares.Combine([Hex("01aa"), Hex("01aa")]));
        Assert.Throws<ArgumentException>(() => SecretShares.Combine([Hex("01aa"), Hex("02bb"), Hex("01cc")]));
        Assert.Throws<ArgumentException>(() => SecretShares.Combine([Hex("01aa"), Hex("02bbbb")]));
        Assert.Throws<ArgumentException>(() => SecretShares.Combine([Hex("00aa"), Hex("02bb")]));
        Assert.Throws<ArgumentException>(() => SecretShares.Combine([Hex("01"), Hex("02")]));
        Assert.Throws<ArgumentException>(() => SecretShares.Combine([Hex("01aa")]));
        Assert.Throws<ArgumentException>(() => SecretShares.Combine([]));
        Assert.Throws<ArgumentException>(() => SecretShares.Combine([.. Enumerable.Range(1, 17).Select(x => new[] { (byte)x, (byte)1 })]));
    }

    [Theory]
    [InlineData(32, 1, 3)]
    [InlineData(32, 0, 3)]
    [InlineData(32, 4, 3)]
    [InlineData(32, 2, 17)]
    [InlineData(0, 2, 3)]
    [InlineData(1025, 2, 3)]
    public void What_cannot_be_split_is_refused(int length, int threshold, int count) =>
        Assert.ThrowsAny<ArgumentException>(() => SecretShares.Split(new byte[length], threshold, count));
}
