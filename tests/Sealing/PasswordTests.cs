using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Tests.Sealing;

public sealed class PasswordTests : IDisposable
{
    private readonly KeyMaterial pepper = KeyMaterial.Generate();
    private readonly PasswordHasher hasher;

    public PasswordTests() => hasher = new PasswordHasher(pepper, 4);

    public void Dispose() => pepper.Dispose();

    public static TheoryData<string> Passwords =>
    [
        new string('a', 72), new string('a', 73), "before\0after", "\0", "👩‍⚕️🩺 doctor", "пароль", "كلمة السر", "日本語",
        new string('x', 1024 * 1024), " ", "password with  spaces ",
    ];

    [Theory]
    [MemberData(nameof(Passwords))]
    public void Every_character_of_a_password_counts(string password)
    {
        var hash = hasher.Hash(password);
        Assert.Equal(64, hash.Length);
        Assert.StartsWith("mg1$$2b$04$", hash, StringComparison.Ordinal);
        Assert.Equal(new PasswordCheck(true, false), hasher.Verify(password, hash));
        Assert.False(hasher.Verify(password.AsSpan(0, password.Length - 1), hash).Matches);
        Assert.False(hasher.Verify(string.Concat(password.AsSpan(0, password.Length - 1), "z"), hash).Matches);
        if (password.Length < PasswordHasher.LongestPassword)
        {
            Assert.False(hasher.Verify(password + "a", hash).Matches);
            Assert.False(hasher.Verify(password + "\0", hash).Matches);
        }
    }

    [Fact]
    public void The_hash_is_what_the_format_document_says()
    {
        var hash = hasher.Hash("Straße");
        var mac = HMACSHA384.HashData(pepper.Bytes, Encoding.UTF8.GetBytes("Straße"));
        Assert.True(Bcrypt.Verify(Encoding.ASCII.GetBytes(Convert.ToBase64String(mac)), hash.AsSpan(4)));
    }

    [Fact]
    public void Composed_and_decomposed_letters_are_the_same_password() =>
        Assert.True(hasher.Verify("cafe\u0301", hasher.Hash("caf\u00e9")).Matches);

    [Fact]
    public void Half_of_a_surrogate_pair_is_refused()
    {
        foreach (var broken in new[] { "\ud83d", "ab\udc69", "\udc69\ud83d", "a\ud83db" })
        {
            Assert.Equal("password.not-text", Assert.Throws<RefusedInput>(() => hasher.Hash(broken)).Code);
            Assert.False(hasher.Verify(broken, hasher.Hash("\ufffd")).Matches);
        }

        Assert.Equal("password.empty", Assert.Throws<RefusedInput>(() => hasher.Hash("")).Code);
        Assert.Equal("password.too-long", Assert.Throws<RefusedInput>(() => hasher.Hash(new string('a', PasswordHasher.LongestPassword + 1))).Code);
    }

    [Fact]
    public void Without_the_pepper_the_right_password_cannot_be_confirmed()
    {
        var hash = hasher.Hash("482913");
        using var other = KeyMaterial.Generate();
        Assert.False(new PasswordHasher(other, 4).Verify("482913", hash).Matches);
        Assert.False(Bcrypt.Verify("482913"u8, hash.AsSpan(4)));
    }

    [Fact]
    public void A_hash_of_another_cost_matches_and_asks_to_be_renewed()
    {
        var hash = new PasswordHasher(pepper, 5).Hash("correct horse");
        Assert.Equal(new PasswordCheck(true, true), hasher.Verify("correct horse", hash));
        Assert.Equal(new PasswordCheck(false, false), hasher.Verify("wrong horse", hash));
    }

    [Fact]
    public void A_hash_of_another_format_or_of_a_ruinous_cost_matches_nothing()
    {
        var hash = hasher.Hash("p");
        foreach (var other in new[] { "", "mg1$", hash[4..], "mg2$" + hash[4..], "MG1$" + hash[4..], hash[..^1], hash + "a", hash.Replace("$04$", "$31$", StringComparison.Ordinal) })
        {
            Assert.Equal(default, hasher.Verify("p", other));
        }

        Assert.False(hasher.VerifyNobody("p").Matches);
    }

    [Fact]
    public void A_hash_names_its_pepper_opens_under_that_one_alone_and_asks_to_be_renewed_under_the_newest()
    {
        using var second = KeyMaterial.Generate();
        var newest = 1;
        var rotated = new PasswordHasher(() => newest == 1 ? (1, pepper) : (2, second), version => version switch { 1 => pepper, 2 => second, _ => null }, 4);
        var first = rotated.Hash("correct horse");
        newest = 2;
        var hash = rotated.Hash("correct horse");

        Assert.StartsWith("mg1$$2b$04$", first, StringComparison.Ordinal);
        Assert.StartsWith("mg2$2$$2b$04$", hash, StringComparison.Ordinal);
        Assert.Equal((1, 2), (PasswordHasher.PepperOf(first), PasswordHasher.PepperOf(hash)));
        Assert.Equal(new PasswordCheck(true, true), rotated.Verify("correct horse", first));
        Assert.Equal(new PasswordCheck(true, false), rotated.Verify("correct horse", hash));
        Assert.Equal(default, rotated.Verify("wrong horse", first));

        // The digest is that pepper's, and there is one way to write a version.
        Assert.Equal(default, rotated.Verify("correct horse", "mg1$" + hash["mg2$2$".Length..]));
        foreach (var beginning in new[] { "mg2$1$", "mg2$02$", "mg2$3$", "mg2$$", "mg2$+2$", "mg2$ 2$", "mg2$2", "mg2$1000000$", "mg2$-2$" })
        {
            Assert.Equal(default, rotated.Verify("correct horse", beginning + hash["mg2$2$".Length..]));
        }
    }

    [Fact]
    public void The_standard_cost_is_twelve() =>
        Assert.StartsWith("mg1$$2b$12$", new PasswordHasher(pepper).Hash("p"), StringComparison.Ordinal);
}
