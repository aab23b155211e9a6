using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>What a log does on every database.</summary>
public abstract class AuditLogTests
{
    private protected abstract Task<AuditHome> Home();

    [Fact]
    public async Task An_entry_is_numbered_from_one_and_readable_by_another_connection_when_the_receipt_comes()
    {
        await using var home = await Home();
        await using var log = await home.Open();
        for (var number = 1; number <= 20; number++)
        {
            var receipt = await log.Append(AuditHome.Act(number));

            Assert.Equal(number, receipt.Seq);
            await using var store = home.Store();
            using var source = store.Read();
            Assert.Equal(number, source.LastSequence());
            Assert.Equal(number, source.CheckpointAt(number)!.Size);
        }
    }

    [Fact]
    public async Task Sixty_four_writers_share_checkpoints_and_the_log_is_whole()
    {
        await using var home = await Home();
        await using var log = await home.Open();
        var receipts = await Task.WhenAll(Enumerable.Range(0, 64).Select(writer => Task.Run(async () =>
        {
            var mine = new List<Appended>();
            for (var number = 0; number < 50; number++)
            {
                mine.Add(await log.Append(AuditHome.Act(number, Ids.New())));
            }

            return mine;
        })));

        var all = receipts.SelectMany(mine => mine).ToList();
        Assert.Equal(Enumerable.Range(1, 3200).Select(seq => (long)seq), all.Select(receipt => receipt.Seq).Order());
        foreach (var mine in receipts)
        {
            Assert.Equal(mine.Select(receipt => receipt.Seq), mine.Select(receipt => receipt.Seq).Order());
        }

        var report = await log.Verify();
        Assert.Empty(report.Problems);
        Assert.Equal(3200, report.Entries);
        Assert.Equal(3200, report.Size);
        Assert.InRange(report.Checkpoints, 2, 3000);
        Assert.Equal(3200, log.Newest!.Size);
        var entries = await log.List(new AuditFilter { NewestFirst = false }).ToListAsync();
        Assert.All(all, receipt => Assert.Equal(receipt.Hash.ToArray(), entries[(int)receipt.Seq - 1].EntryHash.ToArray()));
        for (var index = 1; index < entries.Count; index++)
        {
            Assert.Equal(entries[index - 1].EntryHash.ToArray(), entries[index].PrevHash.ToArray());
        }
    }

    [Fact]
    public async Task A_restart_goes_on_where_the_log_ended()
    {
        await using var home = await Home();
        for (var run = 0; run < 5; run++)
        {
            await using var log = await home.Open();
            for (var number = 1; number <= 7; number++)
            {
                Assert.Equal((run * 7) + number, (await log.Append(AuditHome.Act(number))).Seq);
            }
        }

        await using var last = await home.Open();
        var report = await last.Verify();
        Assert.Empty(report.Problems);
        Assert.Equal(35, report.Entries);
        Assert.Equal(5, (await last.List(new AuditFilter()).ToListAsync()).Select(entry => entry.Boot).Distinct().Count());
    }

    [Fact]
    public async Task Who_looked_at_this_patient_is_answered_with_every_field_of_the_act()
    {
        await using var home = await Home();
        await using var log = await home.Open();
        var patient = Ids.New();
        await log.Append(AuditHome.Act(1, Ids.New()));
        var receipt = await log.Append(AuditHome.Act(2, patient, Ids.New(), patient) with
        {
            Reason = "review", Count = 3, Outcome = AuditOutcome.Refused, Kind = AuditKind.Security,
        });
        await log.Append(AuditHome.Act(3) with { Actor = "nurse.li", Action = "SEARCH" });
        await log.Append(AuditHome.Act(4, patient) with { Actor = "nurse.li" });

        var found = await log.List(new AuditFilter { Patient = patient, NewestFirst = false }).ToListAsync();
        Assert.Equal([2L, 4L], found.Select(entry => entry.Seq));
        var entry = found[0];
        Assert.Equal("dr.ahmed", entry.Actor);
        Assert.Equal("S-0042", entry.StaffId);
        Assert.Equal("VIEW_PATIENT_RECORD", entry.Action);
        Assert.Equal("patient:P-2", entry.Resource);
        Assert.Equal(["name", "diagnosis", "medications"], entry.FieldsAccessed);
        Assert.Equal("ER-Doctor-Tablet-03", entry.Device);
        Assert.Equal("sess_abc123", entry.SessionId);
        Assert.Equal("treatment", entry.Purpose);
        Assert.Equal("review", entry.Reason);
        Assert.Equal(3, entry.Count);
        Assert.Equal(AuditOutcome.Refused, entry.Outcome);
        Assert.Equal(AuditKind.Security, entry.Kind);
        Assert.Equal(2, entry.Patients.Count);
        Assert.Contains(patient, entry.Patients);
        Assert.Equal(home.Facility, entry.Facility);
        Assert.Equal(receipt.Hash.ToArray(), entry.EntryHash.ToArray());
        Assert.InRange(entry.Timestamp, TimeProvider.System.GetUtcNow().AddMinutes(-5), TimeProvider.System.GetUtcNow());

        Assert.Equal([4L, 3L], await Seqs(log, new AuditFilter { Actor = "nurse.li" }));
        Assert.Equal([3L], await Seqs(log, new AuditFilter { Action = "SEARCH" }));
        Assert.Equal([4L], await Seqs(log, new AuditFilter { Patient = patient, Actor = "nurse.li" }));
        Assert.Equal([3L, 2L], await Seqs(log, new AuditFilter { Beyond = 4, Most = 2 }));
        Assert.Equal([3L, 4L], await Seqs(log, new AuditFilter { Beyond = 2, NewestFirst = false }));
        Assert.Empty(await Seqs(log, new AuditFilter { Since = entry.Timestamp.AddHours(1) }));
        Assert.Empty(await Seqs(log, new AuditFilter { Until = entry.Timestamp.AddHours(-1) }));
        Assert.Equal(4, (await Seqs(log, new AuditFilter { Since = entry.Timestamp.AddHours(-1), Until = entry.Timestamp.AddHours(1) })).Count);
    }

    [Fact]
    public async Task A_list_longer_than_a_page_comes_whole_and_in_order()
    {
        await using var home = await Home();
        await using var log = await home.Open();
        await Task.WhenAll(Enumerable.Range(0, 1203).Select(number => log.Append(AuditHome.Act(number)).AsTask()));

        Assert.Equal(Enumerable.Range(1, 1203).Select(seq => (long)seq), await Seqs(log, new AuditFilter { NewestFirst = false }));
        Assert.Equal(1203, (await Seqs(log, new AuditFilter())).Count);
        Assert.Equal(700, (await Seqs(log, new AuditFilter { Most = 700 })).Count);
    }

    [Fact]
    public async Task The_newest_checkpoint_is_anchored_at_the_latest_when_the_log_closes()
    {
        await using var home = await Home();
        await using (var log = await home.Open(new AuditOptions { AnchorEvery = TimeSpan.FromMinutes(1) }))
        {
            for (var number = 0; number < 30; number++)
            {
                await log.Append(AuditHome.Act(number));
            }
        }

        Assert.Equal(30, (await home.Anchors.Newest(default))!.Size);
        Assert.InRange(home.Anchors.Taken, 1, 2);
    }

    [Fact]
    public async Task A_sink_that_fails_is_reported_and_tried_again_and_the_log_goes_on()
    {
        await using var home = await Home();
        await using var log = await home.Open(new AuditOptions { AnchorEvery = TimeSpan.FromMilliseconds(50) });
        home.Anchors.Broken = true;
        await log.Append(AuditHome.Act());
        await Until(() => log.AnchorFailure?.Code == "audit.anchor-failed");
        home.Anchors.Broken = false;
        await Until(() => log.Anchored?.Size == 1 && log.AnchorFailure is null);
    }

    [Fact]
    public async Task Hostile_text_makes_one_entry_without_any_active_character()
    {
        await using var home = await Home();
        await using var log = await home.Open();
        string[] corpus =
        [
            "a\rb", "a\nb", "a\r\n{\"actor\":\"admin\"}", "\u001b[2Jx", "a\u2028b", "a\u2029b", "evil\u202Egnp.exe", "\u2066x\u2069",
            "nul\0byte", "</script><script>alert(1)</script>", "\uD800lone", "\uFEFFbom", "\u200Fmark", "back\\slash", "\\u{202e}", "\x85next",
            "عبد الله", "李小龍", "'; DROP TABLE entry; --", "%n%s", "${jndi:x}", new string('x', 100_000), new string('\n', 100_000),
        ];
        foreach (var text in corpus)
        {
            await log.Append(AuditHome.Act() with
            {
                Actor = text, StaffId = text, Resource = text, Device = text, SessionId = text, Purpose = text, Reason = text, FieldsAccessed = [text],
            });
        }

        var entries = await log.List(new AuditFilter { NewestFirst = false }).ToListAsync();
        Assert.Equal(corpus.Length, entries.Count);
        Assert.Empty((await log.Verify()).Problems);
        var stored = entries.SelectMany(entry => (string[])[entry.Actor, entry.Resource, entry.Reason, entry.Device, .. entry.FieldsAccessed]).ToList();
        Assert.All(stored, text => Assert.All(text, character => Assert.False(
            char.IsControl(character) || char.IsSurrogate(character) || "\u2028\u2029\u202E\u2066\u2069\uFEFF\u200F".Contains(character, StringComparison.Ordinal))));
        Assert.All(stored, text => Assert.InRange(text.Length, 1, 512 + 10));
        Assert.Equal(corpus.Length, entries.Select(entry => entry.Reason).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("a\\u{000d}b", entries[0].Actor);
        Assert.Equal("evil\\u{202e}gnp.exe", entries[6].Actor);
        Assert.Equal("\\\\u{202e}", entries[14].Actor);
        Assert.Equal("عبد الله", entries[16].Actor);
        Assert.Equal(new string('x', 64) + "\\+99936", entries[21].Actor);
    }

    [Fact]
    public async Task A_draft_that_breaks_a_rule_of_code_is_a_bug_and_leaves_no_entry()
    {
        await using var home = await Home();
        await using var log = await home.Open();
        foreach (var action in (string[])["", "view", "VIEW RECORD", "_X", "VIEW\n", new string('A', 65)])
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await log.Append(AuditHome.Act() with { Action = action }));
        }

        var many = Enumerable.Range(0, EntryEncoder.MostPatients + 1).Select(_ => Ids.New()).ToList();
        await Assert.ThrowsAsync<ArgumentException>(async () => await log.Append(AuditHome.Act() with { Patients = many }));
        await Assert.ThrowsAsync<ArgumentException>(async () => await log.Append(AuditHome.Act() with { Outcome = default }));
        Assert.Null(log.Newest);
        Assert.Equal(1, (await log.Append(AuditHome.Act() with { Patients = many[1..] })).Seq);
        Assert.Empty((await log.Verify()).Problems);
    }

    [Fact]
    public async Task A_closed_log_refuses_and_says_why()
    {
        await using var home = await Home();
        var log = await home.Open();
        await log.Append(AuditHome.Act());
        await log.DisposeAsync();

        var refused = await Assert.ThrowsAsync<AuditUnavailable>(async () => await log.Append(AuditHome.Act()));
        Assert.Equal("audit.unavailable", refused.Code);
        Assert.False(await log.Recover());
    }

    private protected static async Task<List<long>> Seqs(AuditLog log, AuditFilter filter) =>
        await log.List(filter).Select(entry => entry.Seq).ToListAsync();

    private protected static async Task Until(Func<bool> holds)
    {
        for (var tries = 0; tries < 500 && !holds(); tries++)
        {
            await Task.Delay(10);
        }

        Assert.True(holds());
    }
}

public sealed class SqliteAuditLogTests : AuditLogTests
{
    private protected override Task<AuditHome> Home() => Task.FromResult<AuditHome>(new SqliteHome());
}

public sealed class PostgresAuditLogTests : AuditLogTests
{
    private protected override async Task<AuditHome> Home() => await PostgresHome.Create();
}

public sealed class EntryFormatTests
{
    [Fact]
    public void Entries_of_the_first_and_second_format_read_as_before()
    {
        var log = new LogIdentity(Ids.New(), Ids.New());
        var body = EntryEncoder.Encode(AuditHome.Act(7, Ids.New()) with { Department = "" }).Body;
        EntryEncoder.Complete(body, log, Ids.New(), 9, 1_790_000_000_000, new byte[EntryEncoder.HashSize]);
        Assert.True(EntryParser.TryParse(body, out var third));
        var now = third.ToEntry();
        Assert.False(now.Records);

        // The second format did not say whether a record follows.
        const int Flag = 103;
        byte[] middle = [2, .. body[1..Flag], .. body[(Flag + 1)..]];
        Assert.True(EntryParser.TryParse(middle, out var second));
        var then = second.ToEntry();
        Assert.Equal((now.Actor, now.Reason, now.Device, now.Department, false), (then.Actor, then.Reason, then.Device, then.Department, then.Records));

        // What an earlier version wrote: eight texts, where the empty ninth is now.
        var fields = 2 + now.FieldsAccessed.Sum(field => 2 + field.Length);
        var ninth = middle.Length - (2 + (16 * now.Patients.Count)) - fields - 2;
        byte[] old = [1, .. middle[1..ninth], .. middle[(ninth + 2)..]];

        Assert.True(EntryParser.TryParse(old, out var first));
        var before = first.ToEntry();
        Assert.Equal(("", now.Actor, now.Reason, now.Device), (before.Department, before.Actor, before.Reason, before.Device));
        Assert.Equal(now.FieldsAccessed, before.FieldsAccessed);
        Assert.Equal(now.Patients, before.Patients);
        old[0] = 2;
        Assert.False(EntryParser.TryParse(old, out _));
        body[0] = 4;
        Assert.False(EntryParser.TryParse(body, out _));
        body[0] = 3;
        body[Flag] = 1;
        Assert.True(EntryParser.TryParse(body, out var announced));
        Assert.True(announced.ToEntry().Records);
        body[Flag] = 2;
        Assert.False(EntryParser.TryParse(body, out _));
    }
}
