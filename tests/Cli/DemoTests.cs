using Mangrove.Kernel;
using System.Text.Json;

namespace Mangrove.Tests.Cli;

public sealed class DemoTests(FreshSample hospital) : IClassFixture<FreshSample>
{
    [Fact]
    public void The_answer_is_one_object_and_progress_goes_elsewhere()
    {
        Assert.Equal(0, hospital.Made.Exit);
        Assert.Equal(hospital.Data, hospital.Made.Json.GetProperty("data").GetString());
        Assert.Equal(Path.Combine(hospital.Data, "demo-accounts.json"), hospital.Made.Json.GetProperty("accounts").GetString());
        Assert.Equal(20, hospital.Made.Json.GetProperty("patients").GetInt32());
        Assert.Contains("never put real patients into it", hospital.Made.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void There_is_one_account_for_each_role_in_a_file_for_its_owner_alone()
    {
        var file = Path.Combine(hospital.Data, "demo-accounts.json");
        Assert.True(Folder.IsForItsOwnerAlone(file));
        var accounts = hospital.Accounts();
        Assert.Equal(
            ["admin", "cashier", "doctor", "front-desk", "lab-tech", "nurse", "pharmacist"],
            accounts.Select(account => account.GetProperty("role").GetString()).Order(StringComparer.Ordinal));
        foreach (var account in accounts)
        {
            Assert.Equal(["role", "user", "password", "pin", "totpSecret", "staffId", "recoveryCodes"], account.EnumerateObject().Select(property => property.Name));
            Assert.True(account.GetProperty("password").GetString()!.Length >= 15);
            Assert.Matches("^[0-9]{6}$", account.GetProperty("pin").GetString());

            // Administrators always have a second factor; the other roles go without until one asks for it.
            var administers = account.GetProperty("role").GetString() == "admin";
            Assert.Equal(administers ? JsonValueKind.String : JsonValueKind.Null, account.GetProperty("totpSecret").ValueKind);
            Assert.Equal(administers ? 10 : 0, account.GetProperty("recoveryCodes").GetArrayLength());
            Assert.Matches("^S-[0-9]{4}$", account.GetProperty("staffId").GetString());
        }

        Assert.Equal(7, accounts.Select(account => account.GetProperty("password").GetString()).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task The_log_is_whole_without_a_server_and_with_one()
    {
        var alone = await Executable.Run("audit", "verify", "--data", hospital.Data, "--json");
        Assert.Equal(0, alone.Exit);
        Assert.True(alone.Json.GetProperty("ok").GetBoolean());
        await using var server = await Served.Start(hospital.Data);
        var served = await Executable.Run("audit", "verify", "--data", hospital.Data, "--json");
        Assert.Equal(0, served.Exit);
        Assert.Equal(
            ["ok", "entries", "head", "size", "root", "checkpoints", "anchors", "seconds", "problems"],
            served.Json.EnumerateObject().Select(property => property.Name));
        Assert.True(served.Json.GetProperty("ok").GetBoolean());
        Assert.True(served.Json.GetProperty("entries").GetInt64() > alone.Json.GetProperty("entries").GetInt64());
        Assert.Equal(0, served.Json.GetProperty("problems").GetArrayLength());
        Assert.Equal(0, await server.Stop());
    }

    [Fact]
    public async Task The_administrator_lists_the_log_and_nobody_else_does()
    {
        var (admin, password) = hospital.Account("admin");
        var listed = await Executable.Run("audit", "list", "--data", hospital.Data, "--as", admin, "--password-file", password, "--json");
        Assert.Equal(0, listed.Exit);
        var entries = listed.Json.EnumerateArray().ToArray();
        string[] names = ["timestamp", "actor", "staff_id", "action", "resource", "fields_accessed", "device", "session_id", "purpose", "reason", "outcome", "prev_hash", "entry_hash", "seq", "department"];
        Assert.All(entries, entry => Assert.Equal(names, entry.EnumerateObject().Select(property => property.Name)));
        Assert.Contains(entries, entry => entry.GetProperty("action").GetString() == "WRITE_SAMPLE_PATIENTS" && entry.GetProperty("resource").GetString() == "patients:all");
        Assert.Contains(entries, entry => entry.GetProperty("reason").GetString()!.Contains("risk accepted", StringComparison.Ordinal));
        for (var at = 1; at < entries.Length; at++)
        {
            Assert.Equal(entries[at - 1].GetProperty("entry_hash").GetString(), entries[at].GetProperty("prev_hash").GetString());
            Assert.Equal(entries[at - 1].GetProperty("seq").GetInt64() + 1, entries[at].GetProperty("seq").GetInt64());
        }

        var (doctor, theirs) = hospital.Account("doctor");
        var refused = await Executable.Run("audit", "list", "--data", hospital.Data, "--as", doctor, "--password-file", theirs, "--json");
        Assert.Equal((2, "access.role"), (refused.Exit, refused.Code));
        var looks = await Executable.Run("audit", "list", "--data", hospital.Data, "--as", admin, "--password-file", password, "--actor", doctor, "--action", "VIEW_AUDIT_LOG", "--json");
        Assert.Equal("refused", looks.Json.EnumerateArray().Last().GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task A_wrong_password_opens_nothing_and_is_in_the_log()
    {
        var (admin, password) = hospital.Account("admin");
        var wrong = await Executable.Run("audit", "list", "--data", hospital.Data, "--as", admin, "--password-file", hospital.Secret("wrong", "not the password"), "--json");
        Assert.Equal((2, "signin.refused"), (wrong.Exit, wrong.Code));
        var log = await Executable.Run("audit", "list", "--data", hospital.Data, "--as", admin, "--password-file", password, "--action", "SIGN_IN_REFUSED", "--json");
        Assert.Equal("command-line", log.Json.EnumerateArray().Last().GetProperty("device").GetString());
    }

    [Fact]
    public async Task A_command_does_not_end_the_session_in_the_persons_browser()
    {
        await using var server = await Served.Start(hospital.Data);
        var (admin, password) = hospital.Account("admin");
        using var browser = await Browser.SignIn(server.Address, admin, (await File.ReadAllTextAsync(password)).Trim(), () => hospital.Code(Role.Admin));

        var listed = await Executable.Run("audit", "list", "--data", hospital.Data, "--as", admin, "--password-file", password, "--most", "1", "--json");
        Assert.Equal(0, listed.Exit);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await browser.Send("GET", "/admin")).Status);
    }

    [Fact]
    public async Task The_policy_explains_itself()
    {
        var (admin, password) = hospital.Account("admin");
        var (nurse, theirs) = hospital.Account("nurse");
        var entries = (await Executable.Run("audit", "list", "--data", hospital.Data, "--as", admin, "--password-file", password, "--action", "POST_CHARGES", "--json")).Json.EnumerateArray().ToArray();
        var mrn = entries[0].GetProperty("resource").GetString()!["patient:".Length..];
        var vitals = await Executable.Run("policy", "explain", "--data", hospital.Data, "--as", nurse, "--password-file", theirs, "--patient", mrn, "--field", "allergies", "--json");
        Assert.True(vitals.Json.GetProperty("allowed").GetBoolean(), vitals.Out);
        Assert.NotEqual(0, vitals.Json.GetProperty("reasons").GetArrayLength());
        var note = await Executable.Run("policy", "explain", "--data", hospital.Data, "--as", nurse, "--password-file", theirs, "--patient", mrn, "--field", "note", "--json");
        Assert.False(note.Json.GetProperty("allowed").GetBoolean());
        Assert.Equal(1, note.Exit);
        Assert.Contains("access.role", note.Json.GetProperty("reasons")[0].GetString(), StringComparison.Ordinal);
        var nonsense = await Executable.Run("policy", "explain", "--data", hospital.Data, "--as", nurse, "--password-file", theirs, "--patient", mrn, "--field", "shoe-size", "--json");
        Assert.Equal((2, "policy.field"), (nonsense.Exit, nonsense.Code));
    }

    [Fact]
    public async Task An_administrator_loads_a_list_of_diagnoses_and_nobody_else()
    {
        var (admin, password) = hospital.Account("admin");
        var (doctor, theirs) = hospital.Account("doctor");
        var release = hospital.Secret("release", "Code,Description\nA00,Cholera\nJ18.9,\"Pneumonia, unspecified organism\"\n");
        var refused = await Executable.Run("terminology", "load", release, "--data", hospital.Data, "--as", doctor, "--password-file", theirs, "--json");
        Assert.Equal(2, refused.Exit);
        Assert.False(Directory.Exists(Path.Combine(hospital.Data, "terminology")));
        var bad = await Executable.Run("terminology", "load", password, "--data", hospital.Data, "--as", admin, "--password-file", password, "--json");
        Assert.Equal(2, bad.Exit);
        Assert.StartsWith("icd10.", bad.Code, StringComparison.Ordinal);
        var loaded = await Executable.Run("terminology", "load", release, "--data", hospital.Data, "--as", admin, "--password-file", password, "--json");
        Assert.Equal((0, 2), (loaded.Exit, loaded.Json.GetProperty("codes").GetInt32()));
        var entries = await Executable.Run("audit", "list", "--data", hospital.Data, "--as", admin, "--password-file", password, "--action", "LOAD_TERMINOLOGY", "--json");
        Assert.Equal(3, entries.Json.GetArrayLength());
    }

    [Fact]
    public async Task Keys_and_installation_report_in_the_shape_of_the_contract()
    {
        var keys = await Executable.Run("keys", "status", "--data", hospital.Data, "--json");
        var data = keys.Json.GetProperty("purposes").EnumerateArray().Single(one => one.GetProperty("name").GetString() == "data");
        Assert.Equal(20, data.GetProperty("ciphertexts").GetInt64());
        var purposes = keys.Json.GetProperty("purposes").EnumerateArray().ToArray();
        Assert.Equal(["audit", "backup", "data", "index", "pepper", "ring", "sync"], purposes.Select(one => one.GetProperty("name").GetString()!).Order(StringComparer.Ordinal));
        Assert.Equal(purposes.Length, purposes.Select(one => Guid.ParseExact(one.GetProperty("id").GetString()!, "N")).Distinct().Count());
        Assert.All(purposes, one => Assert.Equal((1, "in-use", 0), (one.GetProperty("version").GetInt32(), one.GetProperty("state").GetString(), one.GetProperty("days").GetInt32())));
        Assert.Equal(20, keys.Json.GetProperty("patientKeys").GetProperty("count").GetInt64());
        var version = Assert.Single(keys.Json.GetProperty("patientKeys").GetProperty("versions").EnumerateArray());
        Assert.True(version.GetProperty("oldest").GetDateTimeOffset() <= version.GetProperty("newest").GetDateTimeOffset());
        var words = await Executable.Run("keys", "status", "--data", hospital.Data);
        Assert.All(purposes, one => Assert.Contains(one.GetProperty("id").GetString()!, words.Out, StringComparison.Ordinal));
        Assert.Contains("20 keys of their own", words.Out, StringComparison.Ordinal);
        var doctor = await Executable.Run("doctor", "--data", hospital.Data, "--json");
        Assert.True(doctor.Exit is 0 or 1);
        Assert.Equal(doctor.Exit == 0, doctor.Json.GetProperty("ok").GetBoolean());
        var root = doctor.Json.GetProperty("checks").EnumerateArray().Single(check => check.GetProperty("name").GetString() == "root-key");
        Assert.Equal("warn", root.GetProperty("status").GetString());
        Assert.Equal(["name", "status", "advice"], root.EnumerateObject().Select(property => property.Name));
    }

    [Fact]
    public async Task No_name_of_a_patient_stands_in_any_file_in_the_clear()
    {
        // One name of each alphabet that the generator surely gives in twenty patients is not known beforehand, so the names are drawn again.
        var people = new Mangrove.Cli.Demo.PatientGenerator(7, DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime)).People(20).ToArray();
        var words = people.SelectMany(person => new[] { person.Contact.Address, person.Name.Other, person.Contact.NextOfKin }).OfType<string>().Where(word => word.Length > 5).ToArray();
        Assert.NotEmpty(words);
        foreach (var file in Directory.EnumerateFiles(hospital.Data).Where(file => !file.EndsWith("lock", StringComparison.Ordinal) && !file.EndsWith(".sock", StringComparison.Ordinal)))
        {
            var bytes = await File.ReadAllBytesAsync(file);
            Assert.DoesNotContain(words, word => bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(word)) >= 0);
        }
    }
}
