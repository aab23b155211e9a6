using Mangrove.Cli.Installing;

namespace Mangrove.Tests.Cli.Installing;

/// <summary>The program, its service and its first hospital come onto a system by one command, and go by one, without the data.</summary>
public sealed class InstallTests : IDisposable
{
    private const UnixFileMode Open = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly Folder folder = new();

    private string Root => folder["root"];

    private string Program => folder["unpacked"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task It_is_installed_into_a_folder_serves_and_goes_without_its_data()
    {
        Unpack("1", "docs/old.md");
        var planned = await Install("--plan", "--facility", "Kivuko Hospital");
        Assert.Equal((0, 6), (planned.Exit, planned.Json.GetProperty("steps").GetArrayLength()));
        Assert.False(Directory.Exists(Root));

        var done = await Install("--facility", "Kivuko Hospital");

        Assert.True(done.Exit == 0, done.Out + done.Error);
        Assert.StartsWith($"https://{Environment.MachineName}:8443/welcome#code=", done.Json.GetProperty("setupLink").GetString(), StringComparison.OrdinalIgnoreCase);
        Assert.False(done.Json.GetProperty("started").GetBoolean());
        Assert.Equal("program 1", await File.ReadAllTextAsync(At("/opt/mangrove/mangrove"), TestContext.Current.CancellationToken));
        Assert.Equal(UnixFileMode.UserExecute | UnixFileMode.OtherExecute, Mode(At("/opt/mangrove/mangrove")) & (UnixFileMode.UserExecute | UnixFileMode.OtherExecute));
        Assert.Equal(Open, Mode(At("/opt/mangrove/docs/old.md")) & Open);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, Mode(At("/srv/mangrove")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, Mode(At("/etc/mangrove/passphrase")));
        Assert.Equal(Open, Mode(At("/etc/systemd/system/mangrove.service")) & Open);
        Assert.Contains("LogNamespace=mangrove\n", await File.ReadAllTextAsync(At("/etc/systemd/system/mangrove.service"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("MaxRetentionSec=1year\n", await File.ReadAllTextAsync(At("/etc/systemd/journald@mangrove.conf"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var passphrase = await File.ReadAllTextAsync(At("/etc/mangrove/passphrase"), TestContext.Current.CancellationToken);
        Assert.Matches("^([a-z2-9]{5}-){5}[a-z2-9]{5}\n$", passphrase);
        Assert.DoesNotContain(passphrase.Trim(), done.Out + done.Error, StringComparison.Ordinal);
        await using (var server = await Served.Start(At("/srv/mangrove"), "--passphrase-file", At("/etc/mangrove/passphrase")))
        {
            using var client = server.Client();
            using var page = await client.GetAsync(new Uri("/device", UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(System.Net.HttpStatusCode.OK, page.StatusCode);
            Assert.Equal("data.in-use", (await Uninstall()).Code);
            Assert.Equal(0, await server.Stop());
        }

        await File.WriteAllTextAsync(At("/opt/mangrove/mine.txt"), "a note of the administrator", TestContext.Current.CancellationToken);
        var gone = await Uninstall();
        Assert.True(gone.Exit == 0, gone.Out + gone.Error);
        Assert.Equal(["mine.txt"], Directory.EnumerateFileSystemEntries(At("/opt/mangrove")).Select(Path.GetFileName));
        Assert.False(File.Exists(At("/etc/systemd/system/mangrove.service")));
        Assert.False(File.Exists(At("/etc/systemd/journald@mangrove.conf")));
        Assert.True(File.Exists(At("/srv/mangrove/root.json")));
        Assert.Equal(passphrase, await File.ReadAllTextAsync(At("/etc/mangrove/passphrase"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_newer_archive_takes_the_place_of_the_older_one_and_the_hospital_stays()
    {
        Unpack("1", "docs/old.md");
        var first = await Install("--facility", "Kivuko Hospital", "--passphrase-file", folder.Secret("pass", "seven brown herons wade slowly"));
        Assert.True(first.Exit == 0, first.Out + first.Error);
        var hospital = await File.ReadAllBytesAsync(At("/srv/mangrove/root.json"), TestContext.Current.CancellationToken);
        await File.AppendAllTextAsync(At("/etc/systemd/system/mangrove.service"), "# changed here\n", TestContext.Current.CancellationToken);
        Directory.Delete(Program, recursive: true);
        Unpack("2", "docs/new.md");

        var second = await Install();

        Assert.True(second.Exit == 0, second.Out + second.Error);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, second.Json.GetProperty("setupLink").ValueKind);
        Assert.Equal("program 2", await File.ReadAllTextAsync(At("/opt/mangrove/mangrove"), TestContext.Current.CancellationToken));
        Assert.Equal((false, true), (File.Exists(At("/opt/mangrove/docs/old.md")), File.Exists(At("/opt/mangrove/docs/new.md"))));
        Assert.Equal(hospital, await File.ReadAllBytesAsync(At("/srv/mangrove/root.json"), TestContext.Current.CancellationToken));
        Assert.Equal("seven brown herons wade slowly\n", await File.ReadAllTextAsync(At("/etc/mangrove/passphrase"), TestContext.Current.CancellationToken));
        Assert.EndsWith("# changed here\n", await File.ReadAllTextAsync(At("/etc/systemd/system/mangrove.service.before"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.DoesNotContain("# changed here", await File.ReadAllTextAsync(At("/etc/systemd/system/mangrove.service"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_data_go_only_when_somebody_types_the_name_of_the_hospital()
    {
        Unpack("1");
        Assert.Equal(0, (await Install("--facility", "Kivuko Hospital")).Exit);
        foreach (var name in (string[][])[[], ["--confirm", "kivuko"], ["--confirm", "yes"]])
        {
            var refused = await Uninstall(["--remove-data", .. name]);
            Assert.Equal((2, "uninstall.confirm"), (refused.Exit, refused.Code));
            Assert.True(File.Exists(At("/opt/mangrove/mangrove")));
        }

        var gone = await Uninstall("--remove-data", "--confirm", "Kivuko Hospital");
        Assert.True(gone.Exit == 0, gone.Out + gone.Error);
        Assert.Equal((false, false, false), (Directory.Exists(At("/srv/mangrove")), File.Exists(At("/etc/mangrove/passphrase")), Directory.Exists(At("/opt/mangrove"))));

        // Nothing is left to take away, and that is no failure.
        Assert.Equal(0, (await Uninstall()).Exit);
    }

    [Fact]
    public async Task What_would_mean_something_else_in_the_service_is_refused_and_nothing_is_made()
    {
        Unpack("1");
        foreach (var (arguments, code) in (IEnumerable<(string[], string)>)
        [
            (["--facility", "Kivuko Hospital", "--data", "/srv/man grove"], "install.path"),
            (["--facility", "Kivuko Hospital", "--data", "/srv/../etc"], "install.path"),
            (["--facility", "Kivuko Hospital", "--prefix", "/opt/x\nUser=root"], "install.path"),
            (["--facility", "Kivuko Hospital", "--user", "Root;"], "install.user"),
            (["--facility", "Kivuko Hospital", "--urls", "http://0.0.0.0:80"], "serve.address"),
            (["--facility", "Kivuko Hospital", "--protector", "none"], "keys.protector"),
            ([], "install.facility"),
        ])
        {
            var refused = await Install(arguments);
            Assert.Equal((2, code), (refused.Exit, refused.Code));
            Assert.False(Directory.Exists(Root));
        }
    }

    [Fact]
    public void The_service_is_the_one_that_the_documentation_shows()
    {
        var plan = new InstallPlan { Root = "/", Prefix = "/opt/mangrove", Data = "/srv/mangrove", User = "mangrove", Address = new Uri("https://0.0.0.0:8443") };
        var shown = ServiceUnit.Template().Split('\n').Where(line => line.Length > 0 && line[0] != '#').ToList();
        Assert.Contains("NoNewPrivileges=true", shown);
        Assert.Equal(shown, ServiceUnit.Of(plan).Split('\n').Where(line => line.Length > 0 && line[0] != '#'));

        var other = ServiceUnit.Of(plan with { Prefix = "/usr/lib/mangrove", Data = "/data/hospital", User = "clinic", Address = new Uri("https://clinic.example:9443"), KeyFile = "/media/key/root.key" });
        Assert.Contains("ExecStart=/usr/lib/mangrove/mangrove serve --data /data/hospital --urls https://clinic.example:9443\n", other, StringComparison.Ordinal);
        Assert.Contains("User=clinic\nGroup=clinic\n", other, StringComparison.Ordinal);
        Assert.Contains("RequiresMountsFor=/data/hospital /media/key\n", other, StringComparison.Ordinal);
        Assert.Contains("ReadWritePaths=/data/hospital\n", other, StringComparison.Ordinal);
        Assert.DoesNotContain("/srv/mangrove", other, StringComparison.Ordinal);
        Assert.DoesNotContain("passphrase", other, StringComparison.OrdinalIgnoreCase);
    }

    private string At(string path) => Root + path;

    private static UnixFileMode Mode(string path) => OperatingSystem.IsWindows() ? throw new PlatformNotSupportedException("install.ps1 is for Windows.") : File.GetUnixFileMode(path);

    private Task<Ran> Install(params string[] more) => Executable.Run(["install", "--root", Root, "--from", Program, "--json", .. more]);

    private Task<Ran> Uninstall(params string[] more) => Executable.Run(["uninstall", "--root", Root, "--json", .. more]);

    /// <summary>Stands for the unpacked archive: what is copied is not looked into.</summary>
    private void Unpack(string version, params string[] pages)
    {
        Directory.CreateDirectory(Path.Combine(Program, "docs"));
        File.WriteAllText(Path.Combine(Program, "mangrove"), "program " + version);
        foreach (var page in pages)
        {
            File.WriteAllText(Path.Combine(Program, page), "page");
        }
    }
}
