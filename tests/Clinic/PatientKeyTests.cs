using System.Diagnostics;
using Mangrove.Clinic;
using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic;

/// <summary>
/// Every patient gets a new key while the wards go on: at the end nothing is under an old one, everything opens, and nobody
/// who read waited for it (threat K7). Every sealed column of the model is in it, so a new column is tried too.
/// </summary>
public sealed class PatientKeyTests
{
    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Every_cell_of_every_column_is_sealed_anew_while_charts_are_read_and_records_are_written(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        hospital.Vault.Keys.Serve(new SealedTables(hospital.Clinics));
        var patients = new List<PatientRef>();
        for (var n = 0; n < 12; n++)
        {
            patients.Add((await hospital.Arrive()).Patient);
        }

        var cells = await CellSwapTests.Fill(hospital, [.. patients]);
        var before = await Envelopes(hospital, cells);
        var admin = await hospital.As(Role.Admin);
        var doctor = await hospital.As(Role.Doctor);

        using var over = new CancellationTokenSource();
        var (charts, longest) = (0, TimeSpan.Zero);
        var reading = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                var began = Stopwatch.GetTimestamp();
                Assert.True((await hospital.Use<OpenChart>().Run(patients[charts % patients.Count].Id, null, doctor, default)).Ok);
                var took = Stopwatch.GetElapsedTime(began);
                longest = took > longest ? took : longest;
                charts++;
            }
        });
        var come = new List<PatientRef>();
        var writing = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                come.Add((await hospital.Arrive()).Patient);
            }
        });

        var asked = (await hospital.Vault.Keys.RotatePatients(admin, default)).Value;
        Assert.True(asked >= 12);
        Assert.Equal("keys.rotating", (await hospital.Vault.Keys.RotatePatients(admin, default)).Error!.Code);
        while (!await hospital.Vault.Keys.Advance(default))
        {
            Assert.False(reading.IsFaulted || writing.IsFaulted);
        }

        await over.CancelAsync();
        await Task.WhenAll(reading, writing);
        Assert.True(charts > 20 && come.Count > 3, $"{charts} charts, {come.Count} newcomers");
        Assert.Null(await hospital.Vault.Keys.PatientTurn(default));

        // Every cell is other bytes, for the same place and the same version of its row, under version 2 of its patient's key.
        var after = await Envelopes(hospital, cells);
        Assert.True(cells.Select(cell => cell.Column).Distinct(StringComparer.Ordinal).Count() >= 20);
        foreach (var cell in cells)
        {
            var (envelope, version) = after[(cell.Row.Id, cell.Column)];
            Assert.Equal(before[(cell.Row.Id, cell.Column)].Version, version);
            Assert.Equal((1, 2), (Envelope.ReadHeader(before[(cell.Row.Id, cell.Column)].Envelope).KeyVersion, Envelope.ReadHeader(envelope).KeyVersion));
        }

        var request = new Request
        {
            Action = "ROTATION_TEST",
            Purpose = Purpose.Portability,
            Patients = patients,
            Reads = [.. cells.Select(cell => cell.Field.As(cell.Field.CategoryOf(cell.Row))).Distinct()],
        };
        using var opening = await hospital.Door.Open(admin, request, default);
        foreach (var cell in cells)
        {
            Assert.Null(CellSwapTests.Tampered(opening, await CellSwapTests.Fetch(hospital, cell), cell.Field));

            // The row of before, put back from an old copy, opens no more: its key is gone.
            Assert.NotNull(CellSwapTests.Tampered(opening, cell.Row, cell.Field));
        }

        foreach (var newcomer in come)
        {
            Assert.True((await hospital.Use<OpenChart>().Run(newcomer.Id, null, doctor, default)).Ok);
        }

        Assert.Equal([$"key:patients {asked} patients", "key:patients "], (await hospital.Entries("ROTATE_KEY")).Select(entry => $"{entry.Resource} {(entry.Outcome == Vault.Audit.AuditOutcome.Refused ? "" : entry.Reason)}"));
        Assert.EndsWith(" sealed anew", Assert.Single(await hospital.Entries("RETIRE_KEY")).Reason, StringComparison.Ordinal);
        Assert.All(await hospital.Entries("RENEW_SEALS"), entry => Assert.Equal("system:renewal", entry.Actor));
        TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: {cells.Count} cells, {charts} charts meanwhile, the longest {longest.TotalMilliseconds:F0} ms");
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_row_that_somebody_changes_meanwhile_keeps_their_change(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var tables = new SealedTables(hospital.Clinics);
        var patient = await hospital.Register();
        var rows = new List<StoredCells>();
        await foreach (var piece in tables.Read(typeof(Patient), 10, default))
        {
            rows.AddRange(piece);
        }

        var row = Assert.Single(rows, one => one.PatientId == patient.Id);
        Assert.Equal(Field.Of(typeof(Patient)).Count, row.Envelopes.Length);
        Assert.Equal(0, await tables.Replace(typeof(Patient), [row with { RowVersion = row.RowVersion + 1, Envelopes = [.. row.Envelopes.Select(_ => new byte[80])] }], default));
        Assert.Equal(1, await tables.Replace(typeof(Patient), [row], default));
        Assert.True((await hospital.Use<OpenChart>().Run((await hospital.Arrive()).Patient.Id, null, await hospital.As(Role.Doctor), default)).Ok);
        await using var clinic = hospital.Clinic();
        Assert.Equal(row.RowVersion, (await clinic.Patients.SingleAsync(one => one.PatientId == patient.Id)).RowVersion);
    }

    private static async Task<Dictionary<(Guid, string), (byte[] Envelope, int Version)>> Envelopes(TestHospital hospital, List<CellSwapTests.Cell> cells)
    {
        var tables = new SealedTables(hospital.Clinics);
        var found = new Dictionary<(Guid, string), (byte[], int)>();
        foreach (var type in tables.Rows)
        {
            var fields = Field.Of(type);
            await foreach (var piece in tables.Read(type, 7, default))
            {
                foreach (var row in piece)
                {
                    for (var at = 0; at < fields.Count; at++)
                    {
                        if (row.Envelopes[at] is { Length: > 0 } envelope)
                        {
                            found.Add((row.Id, $"{fields[at].Table}.{fields[at].Column}"), (envelope, row.RowVersion));
                        }
                    }
                }
            }
        }

        Assert.All(cells, cell => Assert.Contains((cell.Row.Id, cell.Column), found));
        return found;
    }
}
