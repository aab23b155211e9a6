using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Tests.Acceptance.Look;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// What a locked screen leaves in the server (threat S8): a doctor types, looks, comes back and locks, and stays before the
/// dark screen with the connection open; a minute later a picture of the whole process shows none of it.
/// </summary>
public sealed class MemoryTests(LookHost look) : ProductDay(look)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_minute_after_the_lock_nothing_of_the_screen_is_in_the_memory_of_the_server()
    {
        var cancel = TestContext.Current.CancellationToken;
        await Product.Run("demo", "--patients", "8", "--seed", "8", "--data", Data, "--json");
        var (user, password) = DayHospital.AccountIn(Data, "doctor", Root);
        var address = (await Product.Serve(["--data", Data], "localhost")).ToString();
        await using var room = await Host.Browser.NewContextAsync(Contexts.Window(address));
        var page = await room.NewPageAsync();
        await page.GotoAsync("/");
        await page.GetByTestId("username").FillAsync(user);
        await page.GetByTestId("password").FillAsync(await File.ReadAllTextAsync(password, cancel));
        await page.GetByTestId("sign-in").ClickAsync();
        var first = page.Locator("a[href*='/consultation/']").First;
        await first.WaitForAsync();
        var consultation = (await first.GetAttributeAsync("href"))!;

        // Short notes and long ones take different ways through the buffers of the server.
        var mark = "quokka" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        foreach (var pieces in (int[])[1, 40, 200])
        {
            await page.GotoAsync(consultation);
            var note = string.Concat(Enumerable.Repeat($"{mark} walks well. ", pieces)).TrimEnd();
            var kept = page.WaitForResponseAsync(answer => answer.Request.Method == "POST" && answer.Request.Url.Contains("draft", StringComparison.Ordinal));
            await page.GetByTestId("soap-s").FillAsync(note);
            await page.GetByTestId("soap-s").BlurAsync();
            Assert.True((await kept).Ok);
            await page.ReloadAsync();
            await Assertions.Expect(page.GetByTestId("soap-s")).ToHaveValueAsync(note);
        }

        Assert.True(Found(mark) > 0, "The search finds nothing while the screen is open: it looks in the wrong place.");

        await page.Keyboard.PressAsync("Alt+l");
        await page.WaitForURLAsync("**/locked**");
        var locked = Stopwatch.StartNew();
        var left = int.MaxValue;
        while (left > 0 && locked.Elapsed < Bound)
        {
            await Task.Delay(TimeSpan.FromSeconds(2), cancel);
            left = Found(mark);
        }

        Assert.True(left == 0, $"{left} copies are left after {locked.Elapsed.TotalSeconds.ToString("F0", CultureInfo.InvariantCulture)} seconds.");
        TestContext.Current.TestOutputHelper?.WriteLine($"gone {locked.Elapsed.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture)} s after the lock");
    }

    /// <summary>How often the mark stands in what the process can write to, as bytes of UTF-8 or as a string of the runtime.</summary>
    private int Found(string mark)
    {
        byte[][] shapes = [Encoding.UTF8.GetBytes(mark), Encoding.Unicode.GetBytes(mark)];
        var longest = shapes.Max(shape => shape.Length);
        var found = 0;
        using var memory = File.OpenHandle($"/proc/{Product.Id.ToString(CultureInfo.InvariantCulture)}/mem", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var part = new byte[4 * 1024 * 1024];
        foreach (var line in File.ReadLines($"/proc/{Product.Id.ToString(CultureInfo.InvariantCulture)}/maps"))
        {
            var words = line.Split(' ', 3);
            if (!words[1].StartsWith("rw", StringComparison.Ordinal))
            {
                continue;
            }

            var range = words[0].Split('-');
            var end = long.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var at = long.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            while (at < end)
            {
                int read;
                try
                {
                    read = RandomAccess.Read(memory, part.AsSpan(0, (int)Math.Min(part.Length, end - at)), at);
                }
                catch (IOException)
                {
                    // Given back to the system since the list was read.
                    break;
                }

                if (read <= longest)
                {
                    break;
                }

                found += shapes.Sum(shape => part.AsSpan(0, read).Count(shape));

                // The parts overlap by one byte less than the mark is long, so that none is missed.
                at += at + read == end ? read : read - longest + 1;
            }
        }

        return found;
    }
}
