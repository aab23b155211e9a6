using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Keys;

/// <summary>
/// Gives every patient a new key of their own and seals every cell of every record anew under it, while the hospital works.
/// Like the rotation of purpose keys it remembers no steps: what is left to do is what is found under an older key. Order: new
/// keys, in use at once; every table is walked through and what is under an older key is sealed anew, piece by piece, each one
/// transaction; everybody who held an older key goes; the tables are walked through again until nothing is found; only
/// then the older keys are deleted (threat K7).
/// </summary>
internal sealed class PatientRotation(KeyRing ring, Door door, Receipt.Log log, SpaceWatch? space, TimeProvider clock) : IDisposable
{
    public const string Resource = "key:patients";
    public const string RenewAction = "RENEW_SEALS";

    private const int MostPasses = 4;

    private readonly SemaphoreSlim turn = new(1, 1);
    private ISealedRecords? records;
    private long renewed;
    private long looked;

    /// <summary>Patients in one transaction of keys.db: some milliseconds.</summary>
    public int BatchSize { get; init; } = 500;

    /// <summary>Rows in one transaction of the clinic: a ward that wants to store something waits no longer than for these.</summary>
    public int PieceSize { get; init; } = 1_000;

    /// <inheritdoc cref="KeyRotations.LongestDrain"/>
    public TimeSpan LongestDrain { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long older keys stay at least after everything was sealed anew: an act may have read a row before it asked
    /// the door, and the door must still find the key that the row names. Acts take milliseconds between the two.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <inheritdoc cref="KeyRotations.Between"/>
    public Action<string>? Between { get; init; }

    /// <summary>Cells looked at and sealed anew since the rotation went on, for whoever watches it.</summary>
    public (long Looked, long Renewed) Progress => (Interlocked.Read(ref looked), Interlocked.Read(ref renewed));

    /// <summary>Whose tables are sealed anew. Before that, no rotation of patients' keys begins.</summary>
    public void Serve(ISealedRecords tables) => records = tables;

    /// <summary>Asks for new keys for everybody. The work itself is <see cref="Advance"/>'s.</summary>
    /// <param name="note">Writes the entry, given the act in words.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>How many patients there are, or <c>keys.rotating</c>.</returns>
    public async Task<Result<long>> Begin(Func<string, Task> note, CancellationToken cancel)
    {
        if ((await ring.PatientTurn(cancel))?.Asked is not null)
        {
            return new Error("keys.rotating", "Patients' keys are being changed already. Wait until that has ended (keys status), then begin again.");
        }

        Step("before it is asked");
        return await ring.AskPatientTurn(patients => note(string.Create(CultureInfo.InvariantCulture, $"{patients} patients")), cancel);
    }

    /// <summary>Does everything that can be done now.</summary>
    /// <returns>Whether nothing is left that another look in a minute could finish.</returns>
    public async Task<bool> Advance(CancellationToken cancel)
    {
        if (records is not { } tables || await ring.PatientTurn(cancel) is null)
        {
            return true;
        }

        if (space?.Level == SpaceLevel.ClinicalOnly)
        {
            // Goes on when there is room: sealing everything anew writes as much as there is.
            return false;
        }

        await turn.WaitAsync(cancel);
        try
        {
            Interlocked.Exchange(ref looked, 0);
            Interlocked.Exchange(ref renewed, 0);
            Step("before new keys");
            while (await ring.TurnPatients(BatchSize, cancel) > 0)
            {
                Step("after a batch of keys");
                await Task.Yield();
            }

            var first = await Walk(tables, cancel);
            if (!await ring.Drain(LongestDrain, cancel))
            {
                return false;
            }

            if (first.Renewed > 0 && Grace > TimeSpan.Zero)
            {
                await Task.Delay(Grace, clock, cancel);
            }

            for (var pass = 1; ; pass++)
            {
                // What an act had begun to seal under an older key before the new one came, and stored after the first walk.
                var again = await Walk(tables, cancel);
                if (again.Renewed == 0)
                {
                    await Retire(again.Broken, again.BrokenCells, cancel);
                    return true;
                }

                if (pass == MostPasses || !await ring.Drain(LongestDrain, cancel))
                {
                    return false;
                }
            }
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private async Task Retire(IReadOnlySet<PatientId> broken, long cells, CancellationToken cancel)
    {
        Step("before retiring");
        if (cells > 0)
        {
            var words = string.Create(CultureInfo.InvariantCulture, $"{cells} cells of {broken.Count} patients do not open; the older keys of these patients are kept.");
            await log.Refuse(SystemActors.Keys, Act(KeyRotations.RetireAction, null), new Error("keys.unreadable", words), cancel);
        }

        await ring.RetirePatientKeys(
            broken,
            gone => log.Note(SystemActors.Keys, Act(KeyRotations.RetireAction, string.Create(CultureInfo.InvariantCulture, $"{gone} older keys of patients retired, 0 cells left under them, {Interlocked.Read(ref renewed)} sealed anew")), cancel),
            cancel);
        Step("retired");
    }

    /// <summary>Goes through every sealed cell once and seals anew what is under an older key.</summary>
    private async Task<Found> Walk(ISealedRecords tables, CancellationToken cancel)
    {
        // A field whose category stands in its row is named once: this work is granted every category, and shows none.
        var request = new Request
        {
            Action = RenewAction,
            Purpose = Purpose.System,
            Everyone = true,
            Writes = [.. tables.Rows.SelectMany(Field.Of).Select(field => field.As(field.Fixed ?? Category.Name))],
        };
        using var opening = await door.Open(SystemActors.Renewal, request, cancel);
        var found = new Found();
        foreach (var row in tables.Rows)
        {
            var ofRow = Field.Of(row);
            var storing = Task.CompletedTask;
            try
            {
                await foreach (var piece in tables.Read(row, PieceSize, cancel))
                {
                    // One piece is sealed on every processor while the one before is stored.
                    var anew = await Anew(opening, ofRow, piece, found, cancel);
                    await storing;
                    storing = Task.CompletedTask;
                    if (anew.Count > 0)
                    {
                        Step("before a piece");
                        storing = Store(tables, row, anew, cancel);
                    }
                }
            }
            finally
            {
                await storing;
            }
        }

        return found;
    }

    private async Task Store(ISealedRecords tables, Type row, List<StoredCells> anew, CancellationToken cancel)
    {
        await tables.Replace(row, anew, cancel);
        Step("after a piece");
    }

    private async Task<List<StoredCells>> Anew(Opening opening, IReadOnlyList<Field> fields, IReadOnlyList<StoredCells> piece, Found found, CancellationToken cancel)
    {
        // By patient, so that a patient's keys are unwrapped once and no two threads have the same patient.
        var shares = Math.Max(1, Math.Min(Environment.ProcessorCount, piece.Count / 64));
        var parts = piece.GroupBy(row => (row.PatientId.GetHashCode() & int.MaxValue) % shares).Select(share => Task.Run(
            async () =>
            {
                using var part = await opening.Part([.. share.Select(row => row.PatientId).Distinct()], cancel);
                var anew = new List<StoredCells>();
                foreach (var row in share)
                {
                    if (One(part, fields, row, found) is { } changed)
                    {
                        anew.Add(changed);
                    }
                }

                return anew;
            },
            cancel)).ToList();
        return [.. (await Task.WhenAll(parts)).SelectMany(part => part)];
    }

    private StoredCells? One(Opening part, IReadOnlyList<Field> fields, StoredCells row, Found found)
    {
        byte[]?[]? envelopes = null;
        for (var at = 0; at < fields.Count; at++)
        {
            if (row.Envelopes[at] is not { Length: > 0 } envelope)
            {
                continue;
            }

            Interlocked.Increment(ref looked);
            try
            {
                if (part.Renew(fields[at], row.Id, row.PatientId, row.RowVersion, envelope) is { } anew)
                {
                    (envelopes ??= [.. row.Envelopes])[at] = anew;
                    Interlocked.Increment(ref renewed);
                    found.CountRenewed();
                }
            }
            catch (Exception broken) when (broken is SealBroken or RefusedInput { Code: "keys.patient-key-missing" })
            {
                // Left as it is, with the key that it may belong to; a restore of the row may still bring it back.
                found.CountBroken(row.PatientId);
            }
        }

        return envelopes is null ? null : row with { Envelopes = envelopes };
    }

    internal static Request Act(string action, string? reason) => new() { Action = action, Purpose = Purpose.System, Resource = Resource, Reason = reason };

    private void Step(string name) => Between?.Invoke(name);

    /// <summary>What one walk came to.</summary>
    private sealed class Found
    {
        private readonly Lock gate = new();
        private readonly HashSet<PatientId> broken = [];
        private long renewed;

        public long Renewed => Interlocked.Read(ref renewed);

        public long BrokenCells { get; private set; }

        public IReadOnlySet<PatientId> Broken => broken;

        public void CountRenewed() => Interlocked.Increment(ref renewed);

        public void CountBroken(PatientId patient)
        {
            lock (gate)
            {
                broken.Add(patient);
                BrokenCells++;
            }
        }
    }
}
