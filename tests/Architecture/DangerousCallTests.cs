using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Mangrove.Tests.Architecture;

/// <summary>
/// What the product does not do at all, so that the requirements about it are met by absence (docs/compliance): start
/// programs, run text as code, open itself to other origins, trust headers of a proxy, use broken ciphers.
/// </summary>
public partial class DangerousCallTests
{
    // Text of records and requests never becomes code; RowQuery compiles a list of the model's own columns.
    private static readonly string[] MayCompile = ["src/Clinic/RowQuery.cs"];

    // One-time codes: RFC 6238 and the apps that people have know no other hash.
    private static readonly string[] MayHashOld = ["src/Vault/Identity/SecondFactor.cs", "src/Sealing/Totp.cs"];

    // What a client of ours may bring for its own handshake, and a person's own authenticator for its answers, named to whoever brings less.
    private static readonly string[] MayNameOthersKeys = ["src/Vault/Clients/CertificateAsked.cs", "src/Vault/Identity/PasskeyCheck.cs"];

    // The bench starts servers; whoever installs, at the console and as root, starts useradd and systemctl without a shell.
    private static readonly string[] MayStart = ["src/Cli/Bench/", "src/Cli/Installing/SystemPrograms.cs", Runner];

    // Found in the system's own folders, without a shell, in an environment of its own: the tools of TPM and tokens.
    private const string Runner = "src/Vault/Keys/Hardware/ToolRun.cs";

    [Fact]
    public void Only_the_bench_the_installation_and_the_runner_of_the_root_keys_tools_start_a_program()
    {
        House.None(Found(Starts(), "src/", ".cs").Where(found => !MayStart.Any(may => found.StartsWith(may, StringComparison.Ordinal))));
        var runner = House.Read(Runner);
        Assert.Contains("UseShellExecute = false", runner, StringComparison.Ordinal);
        Assert.Contains("start.Environment.Clear();", runner, StringComparison.Ordinal);

        // Nothing but the two files of the protectors has it run anything, and what they run is named there.
        House.None(Found(AsksRunner(), "src/", ".cs").Where(found => !found.StartsWith("src/Vault/Keys/Hardware/", StringComparison.Ordinal)));
    }

    [Fact]
    public void No_text_becomes_code() => House.None(Found(Runs(), "src/", ".cs").Where(found => !MayCompile.Any(may => found.StartsWith(may, StringComparison.Ordinal))));

    [Fact]
    public void Every_regular_expression_is_a_constant_with_a_time_limit() =>
        House.None(Found(LooseRegex(), "src/", ".cs").Concat(House.Sources("src/", ".cs").SelectMany(file => Declared().Matches(House.Read(file))
            .Where(match => !match.Value.TrimEnd(')', ']').EndsWith('0')).Select(match => $"{file}: {match.Value}"))));

    [Fact]
    public void No_browser_script_makes_markup_or_code_of_text_or_takes_messages_of_another_window() =>
        House.None(Found(InBrowser(), "src/Web/wwwroot/js/", ".js"));

    [Fact]
    public void No_other_origin_is_let_in_and_no_header_of_a_proxy_is_believed() => House.None(Found(Origins(), "src/", ".cs"));

    [Fact]
    public void No_broken_cipher_mode_or_hash_is_named() =>
        House.None(Found(Broken(), "src/", ".cs").Where(found => !MayHashOld.Concat(MayNameOthersKeys).Any(may => found.StartsWith(may, StringComparison.Ordinal))));

    [Fact]
    public void No_room_turns_off_the_checks_of_memory_and_arithmetic()
    {
        Assert.Equal("true", XDocument.Parse(House.Read("Directory.Build.props")).Descendants("CheckForOverflowUnderflow").Single().Value);
        House.None(Found(Unchecked(), "src/", ".cs", ".csproj", ".props", ".targets"));
    }

    [Theory]
    [InlineData("Process.Start(\"sh\", text)")]
    [InlineData("Assembly.Load(bytes)")]
    [InlineData("new Regex(typed)")]
    [InlineData("box.innerHTML = text")]
    [InlineData("app.UseForwardedHeaders()")]
    [InlineData("aes.Mode = CipherMode.ECB")]
    [InlineData("public unsafe void Copy()")]
    public void Each_of_them_is_found(string code) =>
        Assert.Contains(new[] { Starts(), Runs(), LooseRegex(), InBrowser(), Origins(), Broken(), Unchecked() }, rule => rule.IsMatch(code));

    private static IEnumerable<string> Found(Regex rule, string folder, params string[] endings) =>
        House.Sources(folder, endings).SelectMany(file => rule.Matches(House.Read(file)).Select(match => $"{file}: {match.Value}"));

    [GeneratedRegex(@"Process\.Start\(|new ProcessStartInfo", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Starts();

    [GeneratedRegex(@"ToolRun\.Run\(", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex AsksRunner();

    [GeneratedRegex(@"Assembly\.Load\w*\(|DynamicMethod|AssemblyBuilder|CSharpScript|BinaryFormatter|TypeNameHandling|JsonDerivedType|\)\.Compile\(\)", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Runs();

    [GeneratedRegex(@"new Regex\(|\bRegex\.(Match|Matches|IsMatch|Replace|Split)\(", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex LooseRegex();

    [GeneratedRegex(@"\[GeneratedRegex\([^\r\n]*\)\]", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Declared();

    [GeneratedRegex(@"\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(|setHTMLUnsafe|addEventListener\('message', [^)]*window|window\.addEventListener\('message'|onmessage|jsonp", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 10_000)]
    private static partial Regex InBrowser();

    [GeneratedRegex(@"AddCors|UseCors|Access-Control-Allow|ForwardedHeaders|X-Forwarded|X-Real-IP|UseWebSockets|AcceptWebSocketAsync", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Origins();

    [GeneratedRegex(@"CipherMode|EncryptEcb|EncryptCbc|PaddingMode|\b(TripleDES|RC2|MD5|HMACMD5|SHA1|HMACSHA1|RSA)\b", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Broken();

    [GeneratedRegex(@"\bunsafe (void|static|class|struct|partial|\{)|AllowUnsafeBlocks|CheckForOverflowUnderflow>false", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Unchecked();
}
