using Mangrove.Cli;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Keys;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Cli.Faults;

/// <summary>What is looked at when the faults are over and nobody has the folder open.</summary>
internal static class Aftermath
{
    /// <summary>
    /// Every database is sound, the log is whole, every sealed row names an entry that is there, everybody's name opens, and who
    /// was registered is there under their name. Who was refused may be there, but never as somebody else. Gives the log.
    /// </summary>
    public static async Task<IReadOnlyList<AuditEntry>> Whole(SampleHospital hospital, string when, IReadOnlyDictionary<Guid, string> registered, IReadOnlyDictionary<Guid, string> refused)
    {
        foreach (var database in Directory.GetFiles(hospital.Data, "*.db"))
        {
            await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = database, Pooling = false }.ToString());
            await connection.OpenAsync();
            await using var check = new SqliteCommand("PRAGMA integrity_check", connection);
            Assert.True(await check.ExecuteScalarAsync() is "ok", $"{when}: {Path.GetFileName(database)} is damaged");
        }

        await using var left = await Hospital.Open(hospital.Storage, new RootSecret { KeyFile = Path.Combine(hospital.Data, "demo.key") }, TimeProvider.System, default);
        var log = await left.Vault.Review.Verify(null, default);
        Assert.True(log.Ok, $"{when}: {string.Join(", ", log.Problems.Select(problem => problem.Code))}");

        var (user, password) = hospital.Login(Role.Admin);
        var admin = (await left.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
        await using var clinic = await left.Clinics.CreateDbContextAsync();
        var people = await clinic.Patients.AsNoTracking().ToDictionaryAsync(row => row.Id);
        Assert.DoesNotContain(registered.Keys, id => !people.ContainsKey(id));
        var request = new Request { Action = "FAULT_TEST", Purpose = Purpose.Portability, Everyone = true, Reads = [Patient.NameField] };
        using (var opening = await left.Vault.Door.Open(admin, request, default))
        {
            await opening.Turn([.. people.Keys.Select(id => new PatientId(id))], create: false, default);
            Assert.All(people, one =>
            {
                var family = opening.Read(one.Value, Patient.NameField)?.Family;
                Assert.False(string.IsNullOrEmpty(family), when);
                if (registered.TryGetValue(one.Key, out var name) || refused.TryGetValue(one.Key, out name))
                {
                    Assert.Equal(name, family);
                }
            });
        }

        await KillTests.Entries(left, admin);
        return await left.Vault.Review.List(admin, new AuditFilter { NewestFirst = false }, null, default);
    }
}
