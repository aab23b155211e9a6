using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Verifier;
using Note = Mangrove.Verifier.Note;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>What the log gives to those outside: notes, proofs of entries, requests to a witness. Written by the log, read by the verifier.</summary>
public abstract class ProofTests
{
    private protected abstract Task<AuditHome> Home();

    [Fact]
    public async Task Every_entry_of_logs_of_every_small_size_is_proven_and_says_what_it_says()
    {
        await using var home = await Home();
        await using var log = await home.Open();
        var keys = NoteKey.ReadAll(log.PublicKey);
        for (var size = 1; size <= 18; size++)
        {
            var patient = Ids.New();
            await log.Append(AuditHome.Act(size, patient));
            for (var seq = 1; seq <= size; seq++)
            {
                var proof = EntryProof.Read(Encoding.UTF8.GetBytes((await log.Prove(seq, default)).Proof));
                Assert.Empty(proof.Check(keys, []));
                Assert.Equal((seq, $"patient:P-{seq}", size), (proof.Entry()!.Seq, proof.Entry()!.Resource, proof.Note.Size));
            }

            Assert.Equal([patient.ToString("n")], EntryProof.Read(Encoding.UTF8.GetBytes((await log.Prove(size, default)).Proof)).Entry()!.Patients);
        }

        Assert.Equal("audit.no-entry", (await Assert.ThrowsAsync<RefusedInput>(() => log.Prove(19, default))).Error.Code);
        Assert.Equal("audit.no-entry", (await Assert.ThrowsAsync<RefusedInput>(() => log.Prove(0, default))).Error.Code);
    }

    [Fact]
    public async Task A_proof_of_which_any_letter_was_changed_proves_nothing()
    {
        await using var home = await Home();
        await using var log = await TamperTests.Filled(home, rounds: 2);
        var keys = NoteKey.ReadAll(log.PublicKey);
        var whole = (await log.Prove(7, default)).Proof;
        Assert.Empty(EntryProof.Read(Encoding.UTF8.GetBytes(whole)).Check(keys, []));
        for (var at = 0; at < whole.Length; at++)
        {
            var changed = whole.ToCharArray();
            changed[at] = changed[at] == 'A' ? 'B' : 'A';
            try
            {
                Assert.NotEmpty(EntryProof.Read(Encoding.UTF8.GetBytes(new string(changed))).Check(keys, []));
            }
            catch (VerifierRefusal refusal)
            {
                Assert.True(refusal.Code is "verifier.proof" or "verifier.note", refusal.Code);
            }
        }
    }

    [Fact]
    public async Task A_witness_cosigns_what_grew_and_nothing_else_and_keeps_both_notes_of_a_fork()
    {
        await using var home = await Home();
        await using var log = await home.Open();
        var keys = NoteKey.ReadAll(log.PublicKey);
        using var witness = Witness.Create("witness.north.example", "a long passphrase");
        long known = 0;
        for (var step = 0; step < 12; step++)
        {
            for (var more = 0; more <= step; more++)
            {
                await log.Append(AuditHome.Act(step));
            }

            var cosigned = witness.Cosign(await Ask(log, known), known == 0 ? keys : [], TimeProvider.System);
            Assert.True(cosigned.SignedBy(witness.Key) && cosigned.SignedBy(keys[0]));
            known = cosigned.Size;
            Assert.Equal(known, witness.Known(cosigned.Origin));
        }

        // Another size than the witness knows, a proof that was changed, and a key that it does not know.
        await log.Append(AuditHome.Act(1));
        Assert.Equal("witness.old-size", await Refusal(witness, await Ask(log, known - 1), []));
        var text = (await log.Request(known, default)).Request.Split('\n');
        text[1] = Convert.ToBase64String(new byte[32]);
        Assert.Equal("witness.inconsistent", await Refusal(witness, WitnessRequest.Read(Encoding.UTF8.GetBytes(string.Join('\n', text))), []));
        using var stranger = Witness.Create("stranger.example", "a long passphrase");
        Assert.Equal("witness.unknown-log", await Refusal(stranger, await Ask(log, 0), []));
        Assert.Single(witness.Forks);

        // The state opens under its own passphrase only, and goes on where it was.
        Assert.Equal("witness.passphrase", Assert.Throws<VerifierRefusal>(() => Witness.Open(witness.State(), "another passphrase")).Code);
        Assert.DoesNotContain("PRIVATE KEY-----\nMIGH", Encoding.UTF8.GetString(witness.State()), StringComparison.Ordinal);
        using var again = Witness.Open(witness.State(), "a long passphrase");
        Assert.Equal(witness.Key.ToString(), again.Key.ToString());
        Assert.Equal(known + 1, again.Cosign(await Ask(log, known), [], TimeProvider.System).Size);
    }

    [Fact]
    public async Task A_log_that_went_back_and_grew_differently_is_a_fork_whatever_it_asks_with()
    {
        await using var home = await Home();
        var log = await TamperTests.Filled(home, rounds: 3);
        var keys = NoteKey.ReadAll(log.PublicKey);
        using var witness = Witness.Create("witness.north.example", "a long passphrase");
        var known = witness.Cosign(await Ask(log, 0), keys, TimeProvider.System);
        await log.DisposeAsync();

        // The attacker has the log's key and a machine of his own: another past of the same hospital and log.
        foreach (var (entries, old, code) in ((int, long, string)[])[(20, 0, "witness.fork"), (24, 24, "witness.fork"), (40, 24, "witness.inconsistent")])
        {
            var forged = new ForgedLog(log.Identity, home.Signer, entries);
            Assert.Equal(code, await Refusal(witness, forged.Request(old), []));
            Assert.Equal(known.ToString(), witness.Forks[^1].Known);
            Assert.True(Note.Read(witness.Forks[^1].Offered).SignedBy(keys[0]));
        }

        Assert.Equal(3, witness.Forks.Count);
        Assert.Equal(known.Size, witness.Known(known.Origin));
    }

    [Fact]
    public async Task A_note_is_believed_only_as_it_was_signed_and_a_key_only_as_it_was_written()
    {
        await using var home = await Home();
        await using var log = await TamperTests.Filled(home, rounds: 1);
        var key = NoteKey.Read(log.PublicKey);
        Assert.Equal(log.PublicKey, key.ToString());
        var (text, checkpoint) = log.Note();
        var note = Note.Read(text);
        Assert.True(note.SignedBy(key));
        Assert.Equal((checkpoint.Size, checkpoint.Time.ToUnixTimeMilliseconds(), text), (note.Size, note.Time, note.ToString()));
        Assert.Equal(checkpoint.Root.ToArray(), note.RootBytes);
        Assert.Equal(2, Note.ReadAll(text + "\n" + text).Count);
        Assert.True(Note.Read(text.Replace("\n", "\r\n", StringComparison.Ordinal)).SignedBy(key));
        var other = text.Replace("\n8\n", "\n9\n", StringComparison.Ordinal);
        Assert.NotEqual(text, other);
        Assert.Equal("verifier.note-signature", Assert.Throws<VerifierRefusal>(() => Note.Read(other).SignedBy(key)).Code);
        foreach (var bad in (string[])["", "\n\n", text[..^20], text + text, "x", text.Replace("\n8\n", "\n08\n", StringComparison.Ordinal), text.Replace("time ", "time x", StringComparison.Ordinal)])
        {
            Assert.Equal("verifier.note", Assert.Throws<VerifierRefusal>(() => Note.Read(bad)).Code);
        }

        foreach (var bad in (string[])["", "x", log.PublicKey[..^4], log.PublicKey.Replace("mangrove/", "mangrove /", StringComparison.Ordinal), "a+00000000+" + log.PublicKey.Split('+', 3)[2]])
        {
            Assert.Equal("verifier.key", Assert.Throws<VerifierRefusal>(() => NoteKey.Read(bad)).Code);
        }
    }

    private static async Task<WitnessRequest> Ask(AuditLog log, long known) => WitnessRequest.Read(Encoding.UTF8.GetBytes((await log.Request(known, default)).Request));

    private static Task<string> Refusal(Witness witness, WitnessRequest request, IReadOnlyList<NoteKey> keys) =>
        Task.FromResult(Assert.Throws<VerifierRefusal>(() => witness.Cosign(request, keys, TimeProvider.System)).Code);
}

public sealed class ProofOnSqliteTests : ProofTests
{
    private protected override Task<AuditHome> Home() => Task.FromResult<AuditHome>(new SqliteHome());
}

public sealed class ProofOnPostgresTests : ProofTests
{
    private protected override async Task<AuditHome> Home() => await PostgresHome.Create();
}

/// <summary>Another past of a log, signed by its own key: leaves that the attacker made up.</summary>
internal sealed class ForgedLog(LogIdentity log, Mangrove.Sealing.CheckpointSigner signer, int entries)
{
    private readonly byte[][] leaves = [.. Enumerable.Range(0, entries).Select(index => Mangrove.Sealing.MerkleTree.LeafHash(BitConverter.GetBytes(index)))];

    /// <summary>The request of a forger who proves as well as he can that his log grew from the size.</summary>
    public WitnessRequest Request(long old)
    {
        var checkpoint = Checkpoint.Sign(
            signer, log, entries, leaves[^1], Mangrove.Sealing.MerkleTree.Root(leaves), TimeProvider.System.GetUtcNow().AddMinutes(1).ToUnixTimeMilliseconds(), Ids.New(), new byte[32]);
        var proof = old == 0 || old == entries ? [] : Mangrove.Sealing.MerkleTree.ConsistencyProof(leaves, (int)old);
        return WitnessRequest.Read(Encoding.UTF8.GetBytes($"old {old}\n{string.Concat(proof.Select(hash => Convert.ToBase64String(hash) + "\n"))}\n{CheckpointNote.Of(checkpoint, signer)}"));
    }
}
