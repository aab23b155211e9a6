using System.Text.Json;

namespace Mangrove.Tests.Cli;

public sealed class InitTests : IDisposable
{
    private const string Passphrase = "seven brown herons wade slowly";

    private readonly Folder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_hospital_is_made_and_its_link_given_once()
    {
        var made = await Executable.Run("init", "--data", folder.Data, "--facility", "Kivuko Hospital", "--passphrase-file", folder.Secret("pass", Passphrase), "--url", "https://hospital.test:8443", "--json");
        Assert.Equal(0, made.Exit);
        Assert.Equal(folder.Data, made.Json.GetProperty("data").GetString());
        Assert.Equal("Kivuko Hospital", made.Json.GetProperty("facility").GetString());
        Assert.StartsWith("https://hospital.test:8443/welcome#code=", made.Json.GetProperty("setupLink").GetString(), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder.Data, "founding.json")));
        foreach (var file in Directory.EnumerateFiles(folder.Data))
        {
            Assert.DoesNotContain(Passphrase, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
            Assert.True(Folder.IsForItsOwnerAlone(file), file);
        }

        // Bytes 18 and 19 of a database (its file format): 2 is the write-ahead log, in which readers and the writer do not wait for each other.
        foreach (var database in Directory.EnumerateFiles(folder.Data, "*.db"))
        {
            Assert.Equal([2, 2], (await File.ReadAllBytesAsync(database))[18..20]);
        }

        var again = await Executable.Run("init", "--data", folder.Data, "--facility", "Other", "--passphrase-file", folder["pass"], "--json");
        Assert.Equal((2, "init.already"), (again.Exit, again.Code));
    }

    [Fact]
    public async Task The_wrong_passphrase_opens_nothing()
    {
        await Executable.Run("init", "--data", folder.Data, "--facility", "Kivuko Hospital", "--passphrase-file", folder.Secret("pass", Passphrase));
        var refused = await Executable.Run("audit", "verify", "--data", folder.Data, "--passphrase-file", folder.Secret("wrong", "seven brown herons wade quickly"), "--json");
        Assert.Equal((2, "keys.passphrase-wrong"), (refused.Exit, refused.Code));
        var nobody = await Executable.Run("audit", "verify", "--data", folder.Data, "--json");
        Assert.Equal((2, "keys.passphrase-needed"), (nobody.Exit, nobody.Code));
        var right = await Executable.Run("audit", "verify", "--data", folder.Data, "--passphrase-file", folder["pass"], "--json");
        Assert.True(right.Json.GetProperty("ok").GetBoolean());
    }

    [Fact]
    public async Task A_key_file_beside_the_data_needs_the_risk_accepted_and_is_kept_apart_from_foreign_ones()
    {
        var beside = await Executable.Run("init", "--data", folder.Data, "--facility", "One", "--protector", "keyfile:" + folder["one.key"], "--json");
        Assert.Equal((2, "keys.same-volume"), (beside.Exit, beside.Code));
        Assert.False(Directory.Exists(folder.Data), "a refused init left its folder");
        Assert.False(File.Exists(folder["one.key"]));

        foreach (var name in new[] { "one", "two" })
        {
            var made = await Executable.Run("init", "--data", folder[name], "--facility", name, "--protector", "keyfile:" + folder[name + ".key"], "--accept-same-volume", "--json");
            Assert.Equal(0, made.Exit);
        }

        var foreign = await Executable.Run("serve", "--data", folder["one"], "--urls", "https://localhost:0", "--key-file", folder["two.key"], "--json");
        Assert.Equal((2, "keys.file-foreign"), (foreign.Exit, foreign.Code));
        File.Move(folder["one.key"], folder["gone.key"]);
        var missing = await Executable.Run("serve", "--data", folder["one"], "--urls", "https://localhost:0", "--json");
        Assert.Equal((2, "keys.file-missing"), (missing.Exit, missing.Code));
        var moved = await Executable.Run("audit", "verify", "--data", folder["one"], "--key-file", folder["gone.key"], "--json");
        Assert.Equal(0, moved.Exit);
    }

    [Fact]
    public async Task An_existing_key_file_is_never_touched_and_survives_the_refusal()
    {
        await File.WriteAllTextAsync(folder["old.key"], "somebody's key");
        var refused = await Executable.Run("init", "--data", folder.Data, "--facility", "One", "--protector", "keyfile:" + folder["old.key"], "--accept-same-volume", "--json");
        Assert.Equal((2, "keys.file-exists"), (refused.Exit, refused.Code));
        Assert.Equal("somebody's key", await File.ReadAllTextAsync(folder["old.key"]));
    }

    [Fact]
    public async Task What_a_killed_init_left_is_refused_and_then_replaced()
    {
        Directory.CreateDirectory(folder.Data);
        await File.WriteAllTextAsync(Path.Combine(folder.Data, "founding.json"), "{\"KeyFile\":null}");
        await File.WriteAllTextAsync(Path.Combine(folder.Data, "clinic.db"), "half");
        await File.WriteAllTextAsync(Path.Combine(folder.Data, "root.json"), "half");
        var half = await Executable.Run("serve", "--data", folder.Data, "--json");
        Assert.Equal((2, "data.half-made"), (half.Exit, half.Code));
        var made = await Executable.Run("init", "--data", folder.Data, "--facility", "One", "--passphrase-file", folder.Secret("pass", Passphrase), "--json");
        Assert.Equal(0, made.Exit);
    }

    [Fact]
    public async Task Databases_without_their_root_are_not_written_over()
    {
        Directory.CreateDirectory(folder.Data);
        await File.WriteAllTextAsync(Path.Combine(folder.Data, "clinic.db"), "precious");
        var refused = await Executable.Run("init", "--data", folder.Data, "--facility", "One", "--passphrase-file", folder.Secret("pass", Passphrase), "--json");
        Assert.Equal((2, "init.not-empty"), (refused.Exit, refused.Code));
        Assert.Equal("precious", await File.ReadAllTextAsync(Path.Combine(folder.Data, "clinic.db")));
    }

    [Theory]
    [InlineData("keys.passphrase-short", "init", "--facility", "One", "--passphrase-file", "SHORT")]
    [InlineData("init.currency", "init", "--facility", "One", "--passphrase-file", "PASS", "--currency", "dollars")]
    [InlineData("serve.address", "init", "--facility", "One", "--passphrase-file", "PASS", "--url", "http://plain")]
    [InlineData("keys.no-secret", "init", "--facility", "One")]
    [InlineData("keys.protector", "init", "--facility", "One", "--protector", "magic")]
    [InlineData("keys.no-recovery", "init", "--facility", "One", "--protector", "tpm")]
    [InlineData("token.module-bad", "init", "--facility", "One", "--protector", "pkcs11:one", "--passphrase-file", "PASS")]
    [InlineData("secret.file-missing", "init", "--facility", "One", "--passphrase-file", "NOFILE")]
    [InlineData("storage.connection-file-missing", "init", "--facility", "One", "--passphrase-file", "PASS", "--storage", "postgres")]
    [InlineData("usage", "init")]
    [InlineData("usage", "init", "--facility", "One", "--nonsense")]
    [InlineData("data.not-initialised", "serve")]
    [InlineData("data.not-initialised", "audit", "verify")]
    public async Task Bad_arguments_are_refused_by_their_code_and_leave_nothing(string code, params string[] arguments)
    {
        folder.Secret("short", "too short");
        folder.Secret("pass", Passphrase);
        var typed = arguments.Select(one => one switch { "SHORT" => folder["short"], "PASS" => folder["pass"], "NOFILE" => folder["none"], _ => one });
        var refused = await Executable.Run([.. typed, "--data", folder.Data, "--json"]);
        Assert.Equal((2, code), (refused.Exit, refused.Code));
        Assert.Contains(code, refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.Data));
    }

    [Fact]
    public async Task An_unknown_verb_is_bad_usage_and_help_is_not()
    {
        Assert.Equal(2, (await Executable.Run("levitate")).Exit);
        Assert.Equal(2, (await Executable.Run("audit")).Exit);
        var help = await Executable.Run("audit", "list", "--help");
        Assert.Equal(0, help.Exit);
        Assert.Contains("--password-file", help.Out, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Object, (await Executable.Run("audit", "list", "--json")).Json.ValueKind);
    }
}
