using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>Issue-level proof: a patient's day by the pages, and what the log says of it.</summary>
public abstract class DayTests(DayHospital hospital)
{
    [Fact]
    public async Task One_imported_patient_goes_through_all_seven_roles_by_the_pages_and_every_worklist_shows_them_by_itself()
    {
        var day = await hospital.Day;
        Assert.NotEmpty(day.Receipt);
    }

    [Fact]
    public async Task The_administrators_page_says_who_looked_at_this_patient_and_which_fields()
    {
        var day = await hospital.Day;
        foreach (var (who, role) in Who)
        {
            Assert.Contains(day.Acts, act => act.Contains(who, StringComparison.Ordinal) && act.Contains(role.Title(), StringComparison.Ordinal));
        }

        Assert.Contains(day.Acts, act => act.Contains("Dispensed", StringComparison.Ordinal));
        Assert.Contains(day.Acts, act => act.Contains("Took a payment", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Afterwards_the_whole_log_verifies_and_answers_who_when_and_which_fields()
    {
        var day = await hospital.Day;
        var verified = await hospital.Run("audit", "verify");
        Assert.True(verified.GetProperty("ok").GetBoolean(), verified.GetRawText());

        var (admin, password) = hospital.Account(Role.Admin);
        var entries = (await hospital.Run("audit", "list", "--patient", day.Number, "--as", admin, "--password-file", password)).EnumerateArray().ToArray();
        Assert.All(entries, entry => Assert.True(DateTimeOffset.TryParse(Text(entry, "timestamp"), System.Globalization.CultureInfo.InvariantCulture, out _)));
        foreach (var role in (Role[])[Role.FrontDesk, Role.Nurse, Role.Doctor, Role.LabTech, Role.Pharmacist, Role.Cashier])
        {
            var user = hospital.Account(role).User;
            Assert.Contains(entries, entry => Text(entry, "actor") == user && Text(entry, "staff_id").Length > 0 && entry.GetProperty("fields_accessed").GetArrayLength() > 0);
        }

        // One act, one entry: the nurse opened the sheet once, and the score that followed the typing opened nothing.
        var nurse = entries.Where(entry => Text(entry, "actor") == hospital.Account(Role.Nurse).User).Select(entry => Text(entry, "action")).ToArray();
        Assert.Single(nurse, "OPEN_TRIAGE");
        Assert.Single(nurse, "RECORD_TRIAGE");

        // The cashier never opened a clinical field, nor the desk.
        var clinical = entries.Where(entry => Text(entry, "actor") is { } actor && (actor == hospital.Account(Role.Cashier).User || actor == hospital.Account(Role.FrontDesk).User))
            .SelectMany(entry => entry.GetProperty("fields_accessed").EnumerateArray().Select(field => field.GetString()!));
        Assert.DoesNotContain(clinical, field => field.StartsWith("Note.", StringComparison.Ordinal) || field.StartsWith("Diagnos", StringComparison.Ordinal) || field.StartsWith("Observation.", StringComparison.Ordinal) || field.StartsWith("Allergy.", StringComparison.Ordinal));
    }

    private static readonly (string Who, Role Role)[] Who =
    [
        ("Faith Mwende", Role.FrontDesk), ("Grace Wanjiru", Role.Nurse), ("Dr Yusuf Ahmed", Role.Doctor), ("Ruth Chebet", Role.LabTech), ("Khadija Salim", Role.Pharmacist), ("Daniel Otieno", Role.Cashier),
    ];

    private static string Text(JsonElement entry, string name) => entry.GetProperty(name).GetString() ?? "";
}

public sealed class DayOnSqliteTests(DayHospital hospital) : DayTests(hospital);

public sealed class DayOnPostgresTests(DayOnPostgres hospital) : DayTests(hospital), IClassFixture<DayOnPostgres>;
