using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

public class PasswordRulesTests
{
    [Theory]
    [InlineData(null, "password.too-short")]
    [InlineData("", "password.too-short")]
    [InlineData("14 characters!", "password.too-short")]
    [InlineData("🌊🌊🌊🌊🌊🌊🌊🌊", "password.too-short")]
    [InlineData("password1234567", "password.common")]
    [InlineData("Passwordpassword", "password.common")]
    [InlineData("P@$$w0rd!2024!!!", "password.common")]
    [InlineData("p a s s w o r d 2 0 2 4 1 2", "password.common")]
    [InlineData("Mypassword12345", "password.common")]
    [InlineData("qwertyuiopasdfghjkl", "password.common")]
    [InlineData("1qaz2wsx3edc4rfv", "password.common")]
    [InlineData("123456789012345", "password.common")]
    [InlineData("847261938475610293", "password.common")]
    [InlineData("aaaaaaaaaaaaaaaaaa", "password.common")]
    [InlineData("xkqxkqxkqxkqxkqxkq", "password.common")]
    [InlineData("abcdefghijklmnop", "password.common")]
    [InlineData("Liverpool-Liverpool-1", "password.common")]
    [InlineData("ManchesterUnited99", "password.common")]
    [InlineData("January2026January", "password.common")]
    [InlineData("ILoveYouForever123", "password.common")]
    [InlineData("Welcome2Clinic!!!", "password.common")]
    [InlineData("contraseña12345678", "password.common")]
    [InlineData("correct horse battery staple", "password.common")]
    [InlineData("hakunamatata2026!", "password.common")]
    [InlineData("nosuch-dr.ahmed-phrase", "password.contains-name")]
    [InlineData("nosuch DR AHM3D phrase", "password.contains-name")]
    [InlineData("phrase of Salim's own", "password.contains-name")]
    [InlineData("Welcome2Hospital!!", "password.contains-name")]
    [InlineData("kivuko tractor mumbles", "password.contains-name")]
    [InlineData("K1vuk0 tractor mumbles", "password.contains-name")]
    [InlineData("velvet tractor mumbles", null)]
    [InlineData("tractor mumbles 15", null)]
    [InlineData("7#9!k2@5&8^1%4*0x", null)]
    [InlineData("Xq7vLp2mZr9tKw4c", null)]
    [InlineData("maji ya kunywa yanapatikana", null)]
    [InlineData("пятнадцать разных букв", null)]
    [InlineData("薬局の窓口は午後五時に閉まります", null)]
    [InlineData("purple river morning guitar tiger pizza window", null)]
    public void The_rules_hold_as_the_table_says(string? password, string? code) =>
        Assert.Equal(code, PasswordRules.Check(password, "dr.ahmed", "Ahmed Salim", "Kivuko Referral Hospital")?.Code);

    [Fact]
    public void Half_a_character_is_refused() =>
        Assert.Equal("password.not-text", PasswordRules.Check("velvet\ud800 tractor mumbles", "dr.ahmed", "Ahmed Salim", "Kivuko")?.Code);

    [Fact]
    public void A_password_may_have_1024_bytes_and_no_more()
    {
        var words = string.Concat(Enumerable.Range(0, 200).Select(n => $"t{n}rq"));
        Assert.Null(PasswordRules.Check(words[..1024], "dr.ahmed", "Ahmed Salim", "Kivuko"));
        Assert.Equal("password.too-long", PasswordRules.Check(words[..1024] + "x", "dr.ahmed", "Ahmed Salim", "Kivuko")?.Code);
        Assert.Equal("password.too-long", PasswordRules.Check(new string('é', 513), "dr.ahmed", "Ahmed Salim", "Kivuko")?.Code);
    }

    [Fact]
    public void Random_passwords_are_taken()
    {
        // The same ones in each run: chance spells a name or a word now and then, and this asks about the rules, not about luck.
        var refused = Enumerable.Range(0, 2000).Select(n => DrawnText.Of("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", 20, n)).Where(password => PasswordRules.Check(password, "zq.admin", "Zq Admin", "Zzyzx") is not null).ToList();
        Assert.True(refused.Count <= 1, $"refused of 2,000: {string.Join(' ', refused)}");
    }

    [Fact]
    public void The_list_holds_more_than_a_thousand_pieces() => Assert.InRange(CommonPasswords.Count, 1000, 5000);
}

/// <summary>Text that looks drawn at random and is the same for the same number.</summary>
internal static class DrawnText
{
    public static string Of(string signs, int length, int number) =>
        string.Concat(System.Security.Cryptography.SHA512.HashData(BitConverter.GetBytes(number)).Take(length).Select(one => signs[one % signs.Length]));
}
