using System.Net;
using System.Security.Cryptography;
using Mangrove.Cli;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Keys;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Mangrove.Tests.Cli;

/// <summary>
/// The server dies while records are opened in an emergency, one after the other: whatever is open afterwards, everybody who answers
/// for it was told of it, and the log has it. A hundred rounds with MANGROVE_FULL=1.
/// </summary>
public abstract class GlassKillTests(SampleHospital sample)
{
    private static readonly bool Full = string.Equals(Environment.GetEnvironmentVariable("MANGROVE_FULL"), "1", StringComparison.Ordinal);

    [Fact]
    public async Task After_a_kill_at_any_moment_no_access_is_without_its_notices_and_its_entry()
    {
        var (codes, closed) = await Prepare();
        var acknowledged = new HashSet<Guid>();
        for (var round = 0; round < (Full ? 100 : 4); round++)
        {
            await using (var server = await Served.Start(sample.Data, [.. sample.StorageArguments]))
            {
                var left = new Queue<string>(codes);
                var (user, password) = sample.Login(Role.Doctor);
                using var doctor = await Browser.SignIn(server.Address, user, password, left.Dequeue);

                // In turns within the very first one, which is slow, and among those that follow it.
                var warm = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var (first, most) = (round % 2 == 0, round % 2 == 0 ? 400 : 150);
                var breaking = Break(doctor, closed, left, acknowledged, warm);
                await (first ? Task.CompletedTask : warm.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
                await Task.Delay(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(1, most)), TestContext.Current.CancellationToken);
                await server.Kill();
                await breaking;
            }

            await Whole(round, acknowledged);
            await Forget();
        }

        Assert.NotEmpty(acknowledged);
    }

    /// <summary>Runs a statement in the vault's store, past everything.</summary>
    protected abstract Task Run(string sql);

    private static async Task Break(Browser doctor, IReadOnlyList<PatientId> closed, Queue<string> codes, HashSet<Guid> acknowledged, TaskCompletionSource warm)
    {
        foreach (var patient in closed)
        {
            try
            {
                var form = new Dictionary<string, string>(StringComparer.Ordinal) { ["reason"] = "life-at-risk", ["words"] = "Collapsed in corridor B, pulse 38.", ["code"] = codes.Dequeue() };
                var answer = await doctor.Send("POST", $"/patients/{patient}/glass", form);
                Assert.True(answer.Status == HttpStatusCode.SeeOther, $"{answer.Status}: {answer.Text}");
                Assert.True(doctor.Enter(answer));
                acknowledged.Add(patient.Value);
                warm.TrySetResult();
            }
            catch (Exception gone) when (gone is HttpRequestException or IOException)
            {
                return;
            }
        }
    }

    private async Task Whole(int round, HashSet<Guid> acknowledged)
    {
        await using var left = await Open();
        var log = await left.Vault.Review.Verify(null, TestContext.Current.CancellationToken);
        Assert.True(log.Ok, $"round {round}: {string.Join(", ", log.Problems.Select(problem => problem.Code))}");
        var (user, password) = sample.Login(Role.Admin);
        var admin = (await left.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
        var entries = (await left.Vault.Review.List(admin, new AuditFilter { Action = "BREAK_GLASS" }, null, default)).Select(entry => entry.Reason.Split(' ')[0]).ToHashSet(StringComparer.Ordinal);
        var all = await left.Vault.Glass.List(admin, default);
        foreach (var access in all)
        {
            var file = (await left.Vault.Glass.Open(admin, access.Id, default)).Value;
            Assert.Equal(admin.DisplayName, Assert.Single(file.Notices).To);
            Assert.Equal(GlassWriting.Reason, Assert.Single(file.Texts).Kind);
            Assert.Contains($"glass:{access.Number}", entries);
        }

        // What was answered is there; what the blow cut off is there whole, or not at all.
        Assert.Subset(all.Select(access => access.Patient.Id.Value).ToHashSet(), acknowledged);
        Assert.Equal(all.Count, await left.Vault.Glass.Unseen(admin, default));
    }

    /// <summary>Gives the doctor a phone, and finds whose records are closed.</summary>
    private async Task<(IReadOnlyList<string> Codes, IReadOnlyList<PatientId> Closed)> Prepare()
    {
        await using var hospital = await Open();
        var (user, password) = sample.Login(Role.Doctor);
        var desk = hospital.Vault.Identity;
        var session = (await desk.SignIn.Password(user, password, "address:10.0.0.7", default)).Value.Session!;
        Assert.True(Base32.TryDecode((await desk.SecondFactor.Begin(session.Token, password, default, default)).Value.Secret, out var secret));
        var renewed = (await desk.SecondFactor.Confirm(session.Token, Totp.Code(secret, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds), default)).Value;
        var codes = desk.SecondFactor.TakeCodes(renewed.Actor)!;
        await using var clinic = await hospital.Clinics.CreateDbContextAsync();
        var everybody = await clinic.Patients.AsNoTracking().Select(row => row.PatientId).ToListAsync();
        var open = await hospital.Vault.Door.OpenTo(renewed.Actor, everybody, default);
        PatientId[] closed = [.. everybody.Where(patient => !open.Contains(patient)).Take(codes.Count - 1)];
        Assert.True(closed.Length > 2, $"Only {closed.Length} records are closed: nothing could be cut off between them.");
        return (codes, closed);
    }

    /// <summary>Makes the codes good once more, and ends what is open, so that the next round opens the same records.</summary>
    private async Task Forget()
    {
        await Run("UPDATE recovery_code SET used = NULL");
        await Run("UPDATE glass SET ended = opened, ended_by = 2 WHERE ended IS NULL");
        await Run("DELETE FROM throttle");
    }

    private Task<Hospital> Open() => Hospital.Open(sample.Storage, new RootSecret { KeyFile = Path.Combine(sample.Data, "demo.key") }, TimeProvider.System, TestContext.Current.CancellationToken);

    private protected SampleHospital Sample => sample;
}

public sealed class GlassKillOnSqliteTests(SampleHospital sample) : GlassKillTests(sample), IClassFixture<SampleHospital>
{
    protected override async Task Run(string sql)
    {
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(Sample.Data, "vault.db"), Pooling = false }.ToString());
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}

public sealed class GlassKillOnPostgresTests(SampleOnPostgres sample) : GlassKillTests(sample), IClassFixture<SampleOnPostgres>
{
    protected override async Task Run(string sql)
    {
        await using var connection = new NpgsqlConnection(Sample.Storage.ConnectionString("vault"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
