using System.Text;
using System.Text.RegularExpressions;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Cli;

/// <summary>
/// Statements of SQL, typed into every field and parameter of every address that a role may use, are text like any other:
/// no answer breaks or speaks of a database, and nothing changes that was not asked for (threats P9).
/// </summary>
public abstract partial class InjectionTests(SampleHospital sample)
{
    private static readonly string[] Hostile =
    [
        "'; DELETE FROM patient; --",
        "\" OR \"1\"=\"1",
        "x') ON CONFLICT DO NOTHING; UPDATE price SET amount = '0'; --",
        "1 UNION SELECT wrapped FROM keys.patient_key; DROP TABLE visit CASCADE; $$ \\' /*",
    ];

    // What a role writes by its own right, and running numbers.
    private static readonly Type[] Moving = [typeof(Counter), typeof(LogAnchor), typeof(Draft)];

    [Fact]
    public async Task Sql_in_any_field_of_any_address_is_only_text()
    {
        await using var hosted = await HostedHospital.Open(sample, sample.Storage, TimeProvider.System, Ids.New);
        var addresses = Address.All(hosted.Endpoints);
        var planted = new HashSet<PatientId>();

        // What a role may do changes the patients of its own round; all others stay as they are.
        var before = await Rows(hosted, planted);
        var wrong = new List<string>();
        var asked = 0;
        foreach (var role in Enum.GetValues<Role>())
        {
            var arrived = await hosted.Patients.Arrive();
            var marked = arrived[1].Patient;
            planted.UnionWith(arrived.Select(one => new PatientId(Guid.ParseExact(one.Patient.Values["patient"], "N"))));
            using var browser = await hosted.SignIn(role);
            var own = addresses.Where(address => AddressBook.RuleOf(address.Name) is { Open: false, Stream: false } rule && rule.Roles.Contains(role)).ToList();
            var fields = new SortedSet<string>(StringComparer.Ordinal) { "q", "id", "text", "patient", "visit", "code", "name" };
            foreach (var address in own.Where(address => address.Method == "GET"))
            {
                fields.UnionWith(FieldName().Matches((await browser.Send("GET", address.Of(marked).Path)).Text).Select(match => match.Groups["name"].Value).Where(name => !name.StartsWith("__", StringComparison.Ordinal)));
            }

            Assert.True(fields.Count >= 8, $"{role} has only {fields.Count} fields.");
            foreach (var address in own)
            {
                foreach (var text in Hostile)
                {
                    foreach (var (path, form) in Attempts(address, marked, fields, text))
                    {
                        asked++;
                        var answer = await browser.Send(address.Method, path, form);
                        if ((int)answer.Status >= 500 || OfDatabase().IsMatch(answer.Text))
                        {
                            wrong.Add($"{role} {address.Name} with {text}: {(int)answer.Status}");
                        }
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Distinct(StringComparer.Ordinal)));
        Assert.True(asked > 500, $"Only {asked} attempts were made.");
        var after = await Rows(hosted, planted);
        Assert.DoesNotContain(before, row => !after.Contains(row));
        Assert.True(before.Count > 100);
    }

    [Fact]
    public void What_a_broken_statement_would_say_is_recognised()
    {
        Assert.Matches(OfDatabase(), "SQLite Error 1: 'near \"DELETE\": syntax error'.");
        Assert.Matches(OfDatabase(), "42601: unterminated quoted string at or near \"'\"");
        Assert.Matches(OfDatabase(), "Npgsql.PostgresException (0x80004005)");
        Assert.DoesNotMatch(OfDatabase(), string.Join(' ', Hostile));
    }

    /// <summary>The hostile text in each place that the address takes something from: its path, its query, its form with and without right numbers.</summary>
    private static IEnumerable<(string Path, Dictionary<string, string> Form)> Attempts(Address address, Marked marked, IReadOnlyCollection<string> fields, string text)
    {
        var right = address.Of(marked).Path;
        var typed = fields.ToDictionary(name => name, _ => text, StringComparer.Ordinal);
        var escaped = Uri.EscapeDataString(text);
        if (address.Method == "GET")
        {
            yield return (right + (right.Contains('?', StringComparison.Ordinal) ? "&" : "?") + string.Join('&', fields.Select(name => $"{name}={escaped}")), []);
            if (address.Route.RawText == "/fhir/R4/Observation")
            {
                yield return ($"/fhir/R4/Observation?patient={escaped}", []);
                yield return ($"{right}&category={escaped}&code={escaped}", []);
            }
        }
        else
        {
            yield return (right, typed);
            var numbered = new Dictionary<string, string>(typed, StringComparer.Ordinal);
            foreach (var (name, value) in marked.Values)
            {
                numbered[name] = value;
            }

            numbered["id"] = Ids.New().ToString("N");
            yield return (right, numbered);
        }

        foreach (var parameter in address.Route.Parameters)
        {
            var hostile = new Dictionary<string, string>(marked.Values, StringComparer.Ordinal) { [parameter.Name] = escaped };
            yield return (address.Of(marked with { Values = hostile }, plain: true).Path, typed);
        }
    }

    /// <summary>Every row that is nobody's of this test, as its columns stand.</summary>
    private static async Task<HashSet<string>> Rows(HostedHospital hosted, HashSet<PatientId> except)
    {
        await using var clinic = await hosted.Hospital.Clinics.CreateDbContextAsync();
        var rows = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entity in clinic.Model.GetEntityTypes().Where(entity => !Moving.Contains(entity.ClrType)))
        {
            var set = (IQueryable<object>)typeof(DbContext).GetMethod(nameof(DbContext.Set), [])!.MakeGenericMethod(entity.ClrType).Invoke(clinic, null)!;
            foreach (var row in await set.ToListAsync())
            {
                if (row is SealedRow one && except.Contains(one.PatientId))
                {
                    continue;
                }

                var text = new StringBuilder(entity.ClrType.Name);
                foreach (var property in entity.GetProperties())
                {
                    var value = clinic.Entry(row).Property(property.Name).CurrentValue;
                    var stored = property.GetValueConverter() is { } converter && value is not null ? converter.ConvertToProvider(value) : value;
                    text.Append('|').Append(stored is byte[] bytes ? Convert.ToHexString(bytes) : stored);
                }

                rows.Add(text.ToString());
            }
        }

        return rows;
    }

    [GeneratedRegex("""<(?:input|select|textarea|button)\b[^>]*?\bname="(?<name>[^"]+)"|data-name="(?<name>[^"]+)""", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex FieldName();

    [GeneratedRegex("SQLite Error|SqliteException|Npgsql|PostgresException|syntax error|unterminated|unrecognized token|42[0-9P]{3}:|DbUpdateException", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 5_000)]
    private static partial Regex OfDatabase();
}

public sealed class InjectionOnSqliteTests(SampleHospital sample) : InjectionTests(sample), IClassFixture<SampleHospital>;

public sealed class InjectionOnPostgresTests(SampleOnPostgres sample) : InjectionTests(sample), IClassFixture<SampleOnPostgres>;
