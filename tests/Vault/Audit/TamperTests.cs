using System.Buffers.Binary;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Storage;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>
/// The attacker holds the log's database and can write every byte of it, but neither the signing key nor the anchor.
/// Every change of every column of every row has to be found (threats A1, A3, A11).
/// </summary>
public sealed class TamperTests
{
    private static readonly (string Table, string Key, string[] Columns)[] Tables =
    [
        ("entry", "seq", ["seq", "at", "actor", "action", "outcome", "hash", "body"]),
        ("checkpoint", "size", ["size", "signed", "frontier"]),
        ("entry_patient", "", ["patient", "seq"]),
        ("log", "one", ["facility", "log"]),
    ];

    [Fact]
    public async Task Ten_thousand_mutants_of_a_log_are_all_found()
    {
        await using var home = new SqliteHome();
        await using var other = new SqliteHome();
        var log = await Filled(home);
        var foreign = await Filled(other);
        using var campaign = await Campaign.Of(home, log);
        await log.DisposeAsync();
        await foreign.DisposeAsync();
        await campaign.Baseline();
        await EveryCell(campaign);
        TestContext.Current.TestOutputHelper?.WriteLine($"{campaign.Tried} mutants");
        Assert.Empty(campaign.Survivors);
        Assert.True(campaign.Tried >= 10_000, $"only {campaign.Tried} mutants were made");
    }

    [Fact]
    public async Task A_log_cut_anywhere_with_its_checkpoints_and_lookups_is_found_by_the_anchor()
    {
        await using var home = new SqliteHome();
        var log = await Filled(home);
        using var campaign = await Campaign.Of(home, log);
        await log.DisposeAsync();
        for (var left = 0; left < campaign.Size; left++)
        {
            await campaign.Try($"cut to {left}", () => campaign.Execute(
                $"DELETE FROM entry WHERE seq > {left}; DELETE FROM entry_patient WHERE seq > {left}; DELETE FROM checkpoint WHERE size > {left}"));
        }

        Assert.Empty(campaign.Survivors);
        Assert.Equal(campaign.Size, campaign.Tried);
    }

    [Fact]
    public async Task Rows_spliced_in_from_another_hospital_or_another_log_of_this_one_are_found()
    {
        await using var home = new SqliteHome();
        await using var other = new SqliteHome();
        var log = await Filled(home);
        var foreign = await Filled(other);
        var sibling = await Filled(home, new SqliteAuditStore(home.File + "2", TimeSpan.FromSeconds(1)));
        using var campaign = await Campaign.Of(home, log);
        using var foreignCampaign = await Campaign.Of(other, foreign);
        await log.DisposeAsync();
        await foreign.DisposeAsync();
        await sibling.DisposeAsync();
        using var siblingFile = RawSqlite.Open(home.File + "2", readOnly: true, create: false, TimeSpan.FromSeconds(1));
        foreach (var (table, key, columns) in Tables.Where(table => table.Key.Length > 0))
        {
            var mine = campaign.Read(table, columns);
            foreach (var theirs in (List<object[]>[])[foreignCampaign.Read(table, columns), Campaign.Read(siblingFile, table, columns)])
            {
                for (var row = 0; row < Math.Min(mine.Count, theirs.Count); row++)
                {
                    await campaign.Try($"splice {table}[{row}]", () =>
                    {
                        campaign.Delete(table, columns, mine[row]);
                        campaign.Delete(table, columns, theirs[row]);
                        campaign.Insert(table, columns, theirs[row]);
                    });
                }
            }
        }

        Assert.Empty(campaign.Survivors);
        Assert.True(campaign.Tried > 120);
    }

    [Fact]
    public async Task An_attacker_who_recomputes_every_hash_but_cannot_sign_is_found_wherever_he_begins()
    {
        await using var home = new SqliteHome();
        var log = await Filled(home);
        using var campaign = await Campaign.Of(home, log);
        await log.DisposeAsync();
        using var own = CheckpointSigner.Generate();
        for (var from = 1; from <= campaign.Size; from++)
        {
            await campaign.Try($"rewrite from {from}, old signatures", () => Rewrite(campaign, from, null));
            await campaign.Try($"rewrite from {from}, own signatures", () => Rewrite(campaign, from, own));
        }

        Assert.Empty(campaign.Survivors);
        Assert.Equal(2 * campaign.Size, campaign.Tried);
    }

    [Fact]
    public async Task Rewriting_with_the_stolen_key_is_found_by_the_anchor()
    {
        await using var home = new SqliteHome();
        var log = await Filled(home);
        using var campaign = await Campaign.Of(home, log);
        await log.DisposeAsync();
        await campaign.Try("rewrite", () => Rewrite(campaign, 5, home.Signer));

        Assert.Empty(campaign.Survivors);
        Assert.Equal(["audit.rolled-back"], campaign.LastCodes);
    }

    [Fact]
    public async Task A_definition_that_was_changed_is_found()
    {
        await using var home = new SqliteHome();
        var log = await Filled(home);
        using var campaign = await Campaign.Of(home, log);
        await log.DisposeAsync();
        foreach (var change in (string[])["DROP TRIGGER entry_no_delete", "DROP INDEX entry_actor", "CREATE TABLE extra (x)", "CREATE VIEW v AS SELECT 1",
            "ALTER TABLE entry RENAME TO hidden; CREATE VIEW entry AS SELECT * FROM hidden"])
        {
            await campaign.Try(change, () => campaign.Execute(change));
            Assert.Contains("audit.schema", campaign.LastCodes);
        }
    }

    /// <summary>Every column of every row flipped, copied and swapped; every row deleted, moved, and cut off with all after it.</summary>
    internal static async Task EveryCell(Campaign campaign)
    {
        foreach (var (table, _, columns) in Tables)
        {
            var rows = campaign.Read(table, columns);
            for (var row = 0; row < rows.Count; row++)
            {
                for (var column = 0; column < columns.Length; column++)
                {
                    foreach (var value in Flips(rows[row][column]))
                    {
                        await campaign.Try($"flip {table}[{row}].{columns[column]}", () => campaign.Set(table, columns, rows[row], column, value));
                    }

                    var next = rows[(row + 1) % rows.Count];
                    await campaign.Try($"copy {table}[{row}].{columns[column]}", () => campaign.Set(table, columns, rows[row], column, next[column]));
                    if (row + 1 < rows.Count && column > 0)
                    {
                        await campaign.Try($"swap {table}[{row}].{columns[column]}", () =>
                        {
                            campaign.Set(table, columns, rows[row], column, next[column]);
                            campaign.Set(table, columns, next, column, rows[row][column]);
                        });
                    }
                }

                await campaign.Try($"delete {table}[{row}]", () => campaign.Delete(table, columns, rows[row]));
                if (row + 1 < rows.Count)
                {
                    await campaign.Try($"swap rows {table}[{row}]", () => Reorder(campaign, table, columns, rows, row, row + 1));
                    await campaign.Try($"delete from {table}[{row}]", () => rows.Skip(row).ToList().ForEach(gone => campaign.Delete(table, columns, gone)));
                }

                if (row + 2 < rows.Count)
                {
                    await campaign.Try($"rotate rows {table}[{row}]", () => Reorder(campaign, table, columns, rows, row, row + 1, row + 2));
                }
            }
        }
    }

    internal static async Task<AuditLog> Filled(AuditHome home, AuditStore? store = null, int rounds = 8, int each = 8)
    {
        var log = store is null
            ? await home.Open(new AuditOptions { AnchorEvery = TimeSpan.FromMinutes(1) })
            : await AuditLog.Open(store, home.Facility, home.Signer, new MemoryAnchors(), TimeProvider.System, Ids.New());
        for (var round = 0; round < rounds; round++)
        {
            var number = round;
            await Task.WhenAll(Enumerable.Range(0, each).Select(index => log.Append(AuditHome.Act((number * each) + index, Ids.New()) with
            {
                Actor = index % 2 == 0 ? "dr.ahmed" : "nurse.li",
                Action = index % 3 == 0 ? "SAVE_VITALS" : "VIEW_PATIENT_RECORD",
                Outcome = index % 5 == 0 ? AuditOutcome.Refused : AuditOutcome.Allowed,
            }).AsTask()));
        }

        return log;
    }

    // One bit of every byte, another bit in the next byte; every bit of numbers.
    private static IEnumerable<object> Flips(object value)
    {
        switch (value)
        {
            case long number:
                for (var bit = 0; bit < 63; bit += 7)
                {
                    yield return number ^ (1L << bit);
                }

                yield return -number;
                break;
            case string text:
                yield return text + "x";
                yield return text[1..];
                yield return text.ToUpperInvariant();
                yield return text.ToLowerInvariant();
                break;
            case byte[] bytes:
                for (var at = 0; at < bytes.Length; at += bytes.Length > 64 ? 3 : 2)
                {
                    var copy = bytes.ToArray();
                    copy[at] ^= (byte)(1 << (at % 8));
                    yield return copy;
                }

                yield return bytes[..^1];
                yield return (byte[])[.. bytes, 0];
                yield return Array.Empty<byte>();
                break;
        }
    }

    // Each of the rows gets what the next one holds, but keeps its key; the last gets the first's.
    private static void Reorder(Campaign campaign, string table, string[] columns, List<object[]> rows, params int[] which)
    {
        foreach (var row in which)
        {
            campaign.Delete(table, columns, rows[row]);
        }

        var keep = table == "entry_patient" ? 1 : 0;
        for (var index = 0; index < which.Length; index++)
        {
            var moved = rows[which[(index + 1) % which.Length]].ToArray();
            moved[keep] = rows[which[index]][keep];
            campaign.Insert(table, columns, moved);
        }
    }

    internal static void Rewrite(Campaign campaign, long from, CheckpointSigner? own)
    {
        var entries = campaign.Read("entry", ["seq", "at", "actor", "action", "outcome", "hash", "body"]);
        var checkpoints = campaign.Read("checkpoint", ["size", "signed", "frontier"]);
        var tree = new MerkleFrontier();
        var head = new byte[32];
        var link = new byte[32];
        campaign.Execute("DELETE FROM entry; DELETE FROM checkpoint");
        foreach (var row in entries)
        {
            var body = ((byte[])row[6]).ToArray();
            if ((long)row[0] == from)
            {
                // dr.ahmed was never there.
                var actor = body.AsSpan().IndexOf(Encoding.UTF8.GetBytes((string)row[2]));
                Encoding.UTF8.GetBytes("dr.nobody"[..((string)row[2]).Length]).CopyTo(body, actor);
                row[2] = "dr.nobody"[..((string)row[2]).Length];
            }

            head.CopyTo(body, 65);
            head = MerkleTree.LeafHash(body);
            tree.Append(head);
            campaign.Insert("entry", ["seq", "at", "actor", "action", "outcome", "hash", "body"], [row[0], row[1], row[2], row[3], row[4], head, body]);
            if (checkpoints.Find(checkpoint => (long)checkpoint[0] == tree.Size) is not { } found)
            {
                continue;
            }

            Assert.True(Checkpoint.TryParse((byte[])found[1], out var old));
            byte[] signed;
            if (own is null)
            {
                signed = old.ToBytes();
                head.CopyTo(signed, 66);
                tree.Root().CopyTo(signed, 98);
                link.CopyTo(signed, 154);
            }
            else
            {
                signed = Checkpoint.Sign(
                    own, new LogIdentity(old.Facility, old.LogId), tree.Size, head, tree.Root(), old.Time.ToUnixTimeMilliseconds(), old.Boot, link).ToBytes();
            }

            Assert.True(Checkpoint.TryParse(signed, out var made));
            link = made.Link();
            campaign.Insert("checkpoint", ["size", "signed", "frontier"], [found[0], signed, tree.ToBytes()]);
        }

        Assert.Equal(campaign.Size, BinaryPrimitives.ReadInt64BigEndian(tree.ToBytes().AsSpan(1)));
    }
}
