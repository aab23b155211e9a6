using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Verifier;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>
/// The stand-alone verifier, which has a file, a public key and an anchor, and shares no code with the log (threats A1, A2,
/// A3, A11). The attacker can write every byte of the file, and in some tests sign with the log's own key.
/// </summary>
public sealed class OfflineTests
{
    // In the suite a share of each campaign; all of it with MANGROVE_FULL=1.
    private static readonly bool Full = Environment.GetEnvironmentVariable("MANGROVE_FULL") == "1";

    [Fact]
    public async Task Ten_thousand_mutants_of_a_log_are_all_found_by_the_verifier_that_shares_no_code()
    {
        await using var home = new SqliteHome();
        var log = await TamperTests.Filled(home);
        using var judge = new OfflineJudge(home, log);
        using var campaign = await Campaign.Of(home, log, judge, Full ? 1 : 9);
        await log.DisposeAsync();
        await campaign.Baseline();
        await TamperTests.EveryCell(campaign);

        TestContext.Current.TestOutputHelper?.WriteLine($"{campaign.Tried} mutants");
        Assert.Empty(campaign.Survivors);
        Assert.True(campaign.Tried >= (Full ? 10_000 : 1_100), $"only {campaign.Tried} mutants were made");
    }

    [Fact]
    public async Task A_log_cut_at_any_length_is_found()
    {
        await using var home = new SqliteHome();
        var log = await TamperTests.Filled(home);
        using var judge = new OfflineJudge(home, log);
        using var campaign = await Campaign.Of(home, log, judge);
        await log.DisposeAsync();
        for (var left = 0; left < campaign.Size; left++)
        {
            await campaign.Try($"cut to {left}", () => campaign.Execute(
                $"DELETE FROM entry WHERE seq > {left}; DELETE FROM entry_patient WHERE seq > {left}; DELETE FROM checkpoint WHERE size > {left}"));
            Assert.Contains("audit.rolled-back", campaign.LastCodes);
        }

        Assert.Empty(campaign.Survivors);
        Assert.Equal(campaign.Size, campaign.Tried);
    }

    [Fact]
    public async Task Whatever_is_taken_out_of_the_middle_is_found()
    {
        await using var home = new SqliteHome();
        var log = await TamperTests.Filled(home);
        using var judge = new OfflineJudge(home, log);
        using var campaign = await Campaign.Of(home, log, judge, Full ? 1 : 7);
        await log.DisposeAsync();
        for (var from = 1; from < campaign.Size; from++)
        {
            for (var length = 1; from + length < campaign.Size; length++)
            {
                await campaign.Try($"{length} from {from}", () => campaign.Execute(
                    $"DELETE FROM entry WHERE seq >= {from} AND seq < {from + length}; DELETE FROM entry_patient WHERE seq >= {from} AND seq < {from + length}; DELETE FROM checkpoint WHERE size >= {from} AND size < {from + length}"));
            }
        }

        Assert.Empty(campaign.Survivors);
        Assert.True(campaign.Tried > 200);
    }

    [Fact]
    public async Task A_rewrite_from_any_entry_with_the_current_key_in_the_attackers_hands_is_found()
    {
        await using var home = new SqliteHome();
        var log = await TamperTests.Filled(home);
        using var judge = new OfflineJudge(home, log);
        using var campaign = await Campaign.Of(home, log, judge);
        await log.DisposeAsync();
        for (var from = 1; from <= campaign.Size; from++)
        {
            await campaign.Try($"rewrite from {from}", () => TamperTests.Rewrite(campaign, from, home.Signer));
            Assert.Equal(["audit.rolled-back"], campaign.LastCodes);
        }

        Assert.Empty(campaign.Survivors);
        Assert.Equal(campaign.Size, campaign.Tried);
    }

    [Fact]
    public async Task An_anchor_that_the_attacker_signed_himself_with_the_stolen_key_is_no_anchor_where_a_witness_is_asked_for()
    {
        await using var home = new SqliteHome();
        await using var log = await TamperTests.Filled(home);
        using var judge = new OfflineJudge(home, log);
        using var witness = Witness.Create("witness.example", "a long passphrase");
        var cosigned = witness.Cosign(WitnessRequest.Read(Encoding.UTF8.GetBytes((await log.Request(0, default)).Request)), judge.Keys, TimeProvider.System);
        judge.Witnesses = [NoteKey.Read(witness.Key.ToString())];
        Assert.Equal(["audit.anchor-unwitnessed"], await judge.JudgeOwn());
        judge.Anchors = Anchor.ReadAll(Encoding.UTF8.GetBytes(cosigned.ToString()));
        Assert.Empty(await judge.JudgeOwn());
    }

    [Fact]
    public async Task An_older_file_put_back_is_found_also_when_it_grew_again()
    {
        await using var home = new SqliteHome();
        var log = await TamperTests.Filled(home, rounds: 3);
        await log.DisposeAsync();
        var older = home.File + ".older";
        File.Copy(home.File, older);
        log = await TamperTests.Filled(home, rounds: 2);
        using var judge = new OfflineJudge(home, log);
        await log.DisposeAsync();
        Assert.Empty(await judge.JudgeOwn());

        File.Copy(older, home.File, overwrite: true);
        Assert.Equal(["audit.rolled-back"], await judge.JudgeOwn());
        var again = await AuditLog.Open(home.Store(), home.Facility, home.Signer, new MemoryAnchors(), TimeProvider.System, Ids.New());
        for (var number = 0; number < 40; number++)
        {
            await again.Append(AuditHome.Act(number));
        }

        await again.DisposeAsync();
        Assert.Equal(["audit.rolled-back"], await judge.JudgeOwn());
    }

    [Fact]
    public async Task Rows_spliced_in_from_another_hospital_are_found()
    {
        await using var home = new SqliteHome();
        await using var other = new SqliteHome();
        var log = await TamperTests.Filled(home);
        var foreign = await TamperTests.Filled(other);
        using var judge = new OfflineJudge(home, log);
        using var campaign = await Campaign.Of(home, log, judge);
        using var theirs = await Campaign.Of(other, foreign);
        await log.DisposeAsync();
        await foreign.DisposeAsync();
        foreach (var (table, columns) in ((string, string[])[])[("entry", ["seq", "at", "actor", "action", "outcome", "hash", "body"]), ("checkpoint", ["size", "signed", "frontier"]), ("entry_patient", ["patient", "seq"])])
        {
            var mine = campaign.Read(table, columns);
            foreach (var (own, strange) in mine.Zip(theirs.Read(table, columns)))
            {
                await campaign.Try($"splice {table}", () =>
                {
                    campaign.Delete(table, columns, own);
                    campaign.Delete(table, columns, strange);
                    campaign.Insert(table, columns, strange);
                });
            }
        }

        Assert.Empty(campaign.Survivors);
        Assert.True(campaign.Tried > 120);
    }

    [Fact]
    public async Task The_file_and_what_lies_beside_it_stay_as_they_are_also_with_a_write_ahead_log()
    {
        await using var home = new SqliteHome();
        await using var log = await TamperTests.Filled(home);
        using var judge = new OfflineJudge(home, log);
        Assert.True(new FileInfo(home.File + "-wal").Length > 0);
        var before = Bytes(home.Folder);
        var verdict = await judge.Run(home.File);
        Assert.Empty(verdict.Findings);
        Assert.Equal((64, 64, 1), (verdict.Entries, verdict.Size, verdict.Anchors));
        Assert.Equal(before, Bytes(home.Folder));
    }

    [Fact]
    public async Task A_copy_of_the_log_says_the_same_as_the_log_itself()
    {
        await using var home = new SqliteHome();
        await using var log = await TamperTests.Filled(home);
        using var judge = new OfflineJudge(home, log);
        Assert.Equal(64, await log.Copy(judge.File, default));
        var verdict = await judge.Run(judge.File);
        var report = await log.Verify();
        Assert.Empty(verdict.Findings);
        Assert.Equal((report.Entries, report.Head, report.Size, report.Root, report.Checkpoints), (verdict.Entries, verdict.Head, verdict.Size, verdict.Root, verdict.Checkpoints));
        Assert.Equal("audit.out-file", (await Assert.ThrowsAsync<RefusedInput>(() => log.Copy(judge.File, default))).Error.Code);
        Assert.False(File.Exists(judge.File + "-wal"));
    }

    [Fact]
    public async Task A_file_that_is_damaged_or_no_log_is_said_and_never_whole()
    {
        await using var home = new SqliteHome();
        await using var log = await TamperTests.Filled(home, rounds: 40);
        using var judge = new OfflineJudge(home, log);
        await log.Copy(judge.File, default);
        var bytes = await File.ReadAllBytesAsync(judge.File);
        for (var page = 0; page < bytes.Length / 4096; page += 7)
        {
            var damaged = bytes.ToArray();
            RandomNumberGenerator.Fill(damaged.AsSpan(page * 4096, 4096));
            await File.WriteAllBytesAsync(judge.File, damaged);
            try
            {
                var found = (await judge.Run(judge.File)).Findings;
                Assert.True(found.Count > 0 || OfIndex(bytes, page), $"page {page} was thrown away and nothing was said");
            }
            catch (VerifierRefusal refusal)
            {
                Assert.Equal("verifier.log-file", refusal.Code);
            }
        }

        Assert.Equal("verifier.log-missing", (await Assert.ThrowsAsync<VerifierRefusal>(() => judge.Run(judge.File + "x"))).Code);
        judge.Anchors = [];
        Assert.Equal("verifier.anchor-needed", (await Assert.ThrowsAsync<VerifierRefusal>(() => judge.Run(judge.File))).Code);
    }

    [Theory]
    [InlineData("DROP TRIGGER entry_no_delete")]
    [InlineData("DROP INDEX entry_actor")]
    [InlineData("CREATE VIEW v AS SELECT 1")]
    [InlineData("ALTER TABLE entry RENAME TO hidden; CREATE VIEW entry AS SELECT * FROM hidden")]
    public async Task A_definition_that_was_changed_is_found(string change)
    {
        await using var home = new SqliteHome();
        var log = await TamperTests.Filled(home, rounds: 1);
        using var judge = new OfflineJudge(home, log);
        using var campaign = await Campaign.Of(home, log, judge);
        await log.DisposeAsync();
        await campaign.Try(change, () => campaign.Execute(change));
        Assert.Contains("audit.schema", campaign.LastCodes);
    }

    // Pages of the three indexes hold nothing that the log is: docs/formats/audit-log.md says that they are not read.
    private static bool OfIndex(byte[] file, int page) => page > 0 && file[page * 4096] is 0x02 or 0x0a;

    private static List<(string Name, string Hash)> Bytes(string folder)
    {
        var found = new List<(string, string)>();
        foreach (var name in Directory.GetFiles(folder).Where(name => !name.EndsWith("-shm", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var stream = new FileStream(name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            found.Add((name, Convert.ToHexString(SHA256.HashData(stream))));
        }

        return found;
    }
}
