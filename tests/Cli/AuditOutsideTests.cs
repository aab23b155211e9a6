using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Tests.Cli;

/// <summary>What leaves the hospital for those who keep its log honest, from the command line: key, anchor, copy, proof, witness, and the verification elsewhere.</summary>
public abstract class AuditOutsideTests(SampleHospital sample) : IDisposable
{
    private const string Passphrase = "keep the hospital honest";

    private readonly Folder folder = new();

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_log_is_copied_anchored_witnessed_and_verified_elsewhere_and_one_entry_is_proven_to_a_stranger()
    {
        var (admin, password) = sample.Login(Role.Admin);
        string[] acting = ["--as", admin, "--password-file", folder.Secret("admin", password)];
        await Done("key", "--out", folder["log.key"]);
        await Done("anchor", "--out", folder["1.note"]);
        await Done("anchor", "--since", "0", "--out", folder["ask"]);
        await Done(["copy", "--out", folder["log.db"], .. acting]);
        string[] keeping = ["--state", folder["witness.json"], "--passphrase-file", folder.Secret("witness", Passphrase)];
        var cosigned = await Alone(["witness", .. keeping, "--name", "witness.north.example", "--key", folder["log.key"], "--request", folder["ask"], "--out", folder["2.note"]]);
        Assert.True(cosigned.Exit == 0, cosigned.Out + cosigned.Error);
        await File.WriteAllTextAsync(folder["witness.key"], cosigned.Json.GetProperty("witness").GetString());

        var here = await Hospital("verify");
        var there = await Offline("--anchor", folder["1.note"], "--anchor", folder["2.note"]);
        Assert.True(there.Exit == 0, there.Out + there.Error);
        Assert.Equal(here.Json.EnumerateObject().Select(one => one.Name), there.Json.EnumerateObject().Select(one => one.Name));
        Assert.Equal(2, there.Json.GetProperty("anchors").GetInt32());
        Assert.Equal(0, (await Offline("--anchor", folder["2.note"], "--witness", folder["witness.key"], "--every-signature", "--progress")).Exit);
        var alone = await Offline("--anchor", folder["1.note"], "--witness", folder["witness.key"]);
        Assert.Equal((1, "audit.anchor-unwitnessed"), (alone.Exit, alone.Json.GetProperty("problems")[0].GetProperty("code").GetString()));

        // The copy holds the entry about itself.
        var copying = (await Hospital(["list", .. acting, "--action", "COPY_AUDIT_LOG"])).Json[0].GetProperty("seq").GetInt64();
        Assert.True(copying <= there.Json.GetProperty("entries").GetInt64());
        var seq = copying.ToString(CultureInfo.InvariantCulture);
        await Done(["prove", "--seq", seq, "--out", folder["entry.proof"], .. acting]);
        var proven = await Alone("check-proof", folder["entry.proof"], "--key", folder["log.key"]);
        Assert.True(proven.Exit == 0, proven.Out + proven.Error);
        Assert.Equal("COPY_AUDIT_LOG", proven.Json.GetProperty("entry").GetProperty("action").GetString());
        var changed = (await File.ReadAllTextAsync(folder["entry.proof"])).Replace("index ", "index 1", StringComparison.Ordinal);
        await File.WriteAllTextAsync(folder["changed.proof"], changed);
        Assert.Equal(1, (await Alone("check-proof", folder["changed.proof"], "--key", folder["log.key"])).Exit);
        await Done("anchor", "--since", cosigned.Json.GetProperty("size").GetRawText(), "--out", folder["ask2"]);
        var broken = (await File.ReadAllTextAsync(folder["ask2"])).Split('\n');
        broken[1] = Convert.ToBase64String(new byte[32]);
        await File.WriteAllTextAsync(folder["broken"], string.Join('\n', broken));
        Assert.Equal((1, "witness.inconsistent"), Came(await Alone(["witness", .. keeping, "--request", folder["broken"], "--out", folder["never.note"]])));
        using (var state = System.Text.Json.JsonDocument.Parse(await File.ReadAllBytesAsync(folder["witness.json"])))
        {
            Assert.Equal(1, state.RootElement.GetProperty("Forks").GetArrayLength());
        }

        // Two runs at once: the second finds the file that the first is making.
        await File.WriteAllTextAsync(folder["witness.json.new"], "");
        Assert.Equal((2, "witness.state-unwritable"), Came(await Alone(["witness", .. keeping, "--request", folder["ask2"], "--out", folder["3.note"]])));
        File.Delete(folder["witness.json.new"]);
        Assert.Equal(0, (await Alone(["witness", .. keeping, "--request", folder["ask2"], "--out", folder["3.note"]])).Exit);
        Assert.False(File.Exists(folder["never.note"]) || File.Exists(folder["witness.json.new"]));
        Assert.Equal((2, "witness.old-size"), Came(await Alone(["witness", .. keeping, "--request", folder["ask2"], "--out", folder["4.note"]])));
        var newer = await Offline("--anchor", folder["3.note"]);
        Assert.Equal((1, "audit.rolled-back"), (newer.Exit, newer.Json.GetProperty("problems")[0].GetProperty("code").GetString()));

        var acts = await Hospital(["list", .. acting, "--action", "PROVE_AUDIT_ENTRY"]);
        Assert.Contains(acts.Json.EnumerateArray(), one => one.GetProperty("resource").GetString() == $"audit:entry:{seq}" && one.GetProperty("outcome").GetString() == "allowed");
    }

    [Fact]
    public async Task What_is_missing_wrong_or_not_allowed_is_said_and_nothing_is_written()
    {
        Assert.Equal((2, "audit.offline-needed"), Came(await Hospital("verify", "--log", folder["x"])));
        Assert.Equal((2, "audit.offline-incomplete"), Came(await Alone("verify", "--offline", "--log", folder["x"])));
        await Done("key", "--out", folder["own.key"]);
        Assert.Equal((2, "audit.out-file"), Came(await Hospital("key", "--out", folder["own.key"])));
        Assert.Equal((2, "audit.file-unreadable"), Came(await Alone("verify", "--offline", "--log", folder["x"], "--key", folder["own.key"], "--anchor", folder["none"])));
        await Done("anchor", "--out", folder["own.note"]);
        Assert.Equal((2, "verifier.log-missing"), Came(await Alone("verify", "--offline", "--log", folder["x"], "--key", folder["own.key"], "--anchor", folder["own.note"])));
        Assert.Equal((2, "verifier.log-file"), Came(await Alone("verify", "--offline", "--log", folder["own.key"], "--key", folder["own.key"], "--anchor", folder["own.note"])));
        Assert.Equal((2, "verifier.key"), Came(await Alone("verify", "--offline", "--log", folder["x"], "--key", folder["own.note"], "--anchor", folder["own.note"])));
        Assert.Equal((2, "audit.since"), Came(await Hospital("anchor", "--since", "99999999", "--out", folder["no"])));
        var (nurse, password) = sample.Login(Role.Nurse);
        string[] acting = ["--as", nurse, "--password-file", folder.Secret("nurse", password)];
        Assert.Equal((2, "access.role"), Came(await Hospital(["copy", "--out", folder["no"], .. acting])));
        Assert.Equal((2, "access.role"), Came(await Hospital(["prove", "--seq", "1", "--out", folder["no"], .. acting])));
        await Done("anchor", "--since", "0", "--out", folder["own.ask"]);
        string[] witness = ["witness", "--state", folder["no"], "--request", folder["own.ask"], "--out", folder["no2"]];
        Assert.Equal((2, "witness.state-missing"), Came(await Alone([.. witness, "--passphrase-file", folder.Secret("long", Passphrase)])));
        Assert.Equal((2, "witness.passphrase-short"), Came(await Alone([.. witness, "--name", "w.example", "--passphrase-file", folder.Secret("short", "short")])));
        Assert.Equal((2, "witness.unknown-log"), Came(await Alone([.. witness, "--name", "w.example", "--passphrase-file", folder["long"]])));
        Assert.False(File.Exists(folder["no"]) || File.Exists(folder["no2"]));
    }

    private static (int Exit, string? Code) Came(Ran ran) => (ran.Exit, ran.Code);

    private static Task<Ran> Alone(params string[] words) => Executable.Run(["audit", .. words, "--json"]);

    private Task<Ran> Offline(params string[] words) => Alone(["verify", "--offline", "--log", folder["log.db"], "--key", folder["log.key"], .. words]);

    private Task<Ran> Hospital(params string[] words) => Executable.Run(["audit", .. words, "--data", sample.Data, "--json", .. sample.StorageArguments]);

    private async Task Done(params string[] words)
    {
        var ran = await Hospital(words);
        Assert.True(ran.Exit == 0, ran.Out + ran.Error);
    }
}

public sealed class AuditOutsideOnSqliteTests(SampleHospital sample) : AuditOutsideTests(sample), IClassFixture<SampleHospital>;

public sealed class AuditOutsideOnPostgresTests(SampleOnPostgres sample) : AuditOutsideTests(sample), IClassFixture<SampleOnPostgres>;
