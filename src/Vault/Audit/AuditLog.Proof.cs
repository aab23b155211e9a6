using System.Globalization;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Vault.Audit;

/// <summary>What the log gives to those outside who keep it honest: its public key, its root signed, and proofs.</summary>
internal sealed partial class AuditLog
{
    /// <summary>The log's public key as one line of docs/formats/checkpoint-note.md. It stays the same for the log's life: a rotation wraps it anew.</summary>
    public string PublicKey => CheckpointNote.Key(identity, signer);

    /// <summary>The newest checkpoint as a signed note.</summary>
    /// <exception cref="RefusedInput"><c>audit.empty</c>.</exception>
    public (string Note, Checkpoint Checkpoint) Note()
    {
        var checkpoint = newest ?? throw Empty();
        return (CheckpointNote.Of(checkpoint, signer), checkpoint);
    }

    /// <summary>A request to a witness that knows the log at a size: that the log only grew since, and the newest root signed.</summary>
    /// <param name="known">What the witness knows; 0 for nothing.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="RefusedInput"><c>audit.since</c>: the log is smaller. <c>audit.empty</c>.</exception>
    public Task<(string Request, Checkpoint Checkpoint)> Request(long known, CancellationToken cancellation) => Task.Run(
        () =>
        {
            var (note, checkpoint) = Note();
            if (known < 0 || known > checkpoint.Size)
            {
                throw new RefusedInput("audit.since", string.Create(CultureInfo.InvariantCulture, $"The log has {checkpoint.Size} entries. Give with --since the size that the witness knows. If it knows more than that, the log went back: tell your security officer."));
            }

            using var source = store.Read();
            var hashes = TreeRanges.Roots(source, TreeRanges.Consistency(known, checkpoint.Size), cancellation);
            return (string.Create(CultureInfo.InvariantCulture, $"old {known}\n{Lines(hashes)}\n{note}"), checkpoint);
        },
        cancellation);

    /// <summary>One entry with the proof that the log has it, as a file that whoever has the public key can check (c2sp.org/tlog-proof).</summary>
    /// <param name="sequence">Number of the entry.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="RefusedInput"><c>audit.no-entry</c>.</exception>
    public Task<(string Proof, Checkpoint Checkpoint)> Prove(long sequence, CancellationToken cancellation) => Task.Run(
        () =>
        {
            var (note, checkpoint) = Note();
            if (sequence < 1 || sequence > checkpoint.Size)
            {
                throw NoEntry();
            }

            using var source = store.Read();
            if (source.Find(new AuditFilter { NewestFirst = false, Beyond = sequence - 1 }, 1) is not [var body])
            {
                throw NoEntry();
            }

            var path = TreeRanges.Roots(source, TreeRanges.Inclusion(sequence - 1, checkpoint.Size), cancellation);
            return (string.Create(CultureInfo.InvariantCulture, $"c2sp.org/tlog-proof@v1\nextra {Convert.ToBase64String(body)}\nindex {sequence - 1}\n{Lines(path)}\n{note}"), checkpoint);
        },
        cancellation);

    /// <summary>The whole log as one file of its own.</summary>
    /// <returns>Entries copied.</returns>
    public Task<long> Copy(string path, CancellationToken cancellation) => Task.Run(
        () =>
        {
            using var source = store.Read();
            return LogCopy.Write(source, path, cancellation);
        },
        cancellation);

    /// <inheritdoc cref="AuditReview.SignExport"/>
    public byte[] SignExport(ReadOnlySpan<byte> file) => file.StartsWith(AuditReview.CsvBegins) || file.StartsWith(AuditReview.FhirBegins) || file.StartsWith(AuditReview.EvidenceBegins)
        ? CheckpointNote.Der(signer.Sign(file))
        : throw new ArgumentException("A file of entries begins with its own words; nothing else is signed.", nameof(file));

    /// <summary>The public key as PEM.</summary>
    public string PublicKeyPem => System.Security.Cryptography.PemEncoding.WriteString("PUBLIC KEY", signer.ExportPublicKey()) + "\n";

    private static string Lines(IReadOnlyList<byte[]> hashes)
    {
        var text = new StringBuilder();
        foreach (var hash in hashes)
        {
            text.Append(Convert.ToBase64String(hash)).Append('\n');
        }

        return text.ToString();
    }

    private static RefusedInput Empty() => new("audit.empty", "The audit log has no entry yet, so there is nothing to sign. Start the server once.");

    private static RefusedInput NoEntry() => new("audit.no-entry", "The log has no entry of this number. 'mangrove audit list' shows the numbers.");
}
