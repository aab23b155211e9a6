using Mangrove.Kernel;
using Mangrove.Vault.Access;

namespace Mangrove.Tests.Cli;

/// <summary>
/// Two hospitals that differ only in what a role may not read give it the same bytes at every address, whatever it asks
/// and sends: neither order nor counts, messages or headers say anything of a hidden field (threats P2).
/// </summary>
public abstract class NonInterferenceTests(Twins twins)
{
    /// <summary>What somebody types who suspects what stands in a field: marks and other values, a name, telephones, a birth, a test.</summary>
    private static readonly string[] Guesses = ["MarkNameMark", "Another Name", "0799 111 222", "0788 555 444", "1919", "2001", "MarkContactMark", "I10"];

    private static readonly string[] Filters = ["&code=2951-2", "&code=2823-3", "&category=laboratory", "&category=vital-signs&code=99999-1"];

    public static TheoryData<Role> Roles => [.. Enum.GetValues<Role>()];

    [Theory, MemberData(nameof(Roles))]
    public async Task What_a_role_may_not_read_changes_no_byte_of_any_answer(Role role)
    {
        var reads = RoleMatrix.Of(role).Reads;
        var hidden = await twins.Arrive(category => !reads.Contains(category));
        try
        {
            await twins.SignIn(role);
            var (asked, different) = await Compare(role, hidden, withActs: true, most: int.MaxValue);
            Assert.True(asked > 100, $"Only {asked} answers were compared.");
            Assert.True(different.Count == 0, string.Join('\n', different));
        }
        finally
        {
            await twins.Forget(hidden.Select(one => one.Patient));
        }

        // The same comparison sees what the role may read: otherwise it would prove nothing.
        var readable = await twins.Arrive(reads.Contains);
        try
        {
            if (role == Role.Admin)
            {
                // It reads no field, but the log: one act more in one of the two.
                await twins.AskOther("POST", "/find", Search(readable[0].Patient.Search));
            }

            Assert.NotEmpty((await Compare(role, [readable[0]], withActs: false, most: 1)).Different);
        }
        finally
        {
            await twins.Forget(readable.Select(one => one.Patient));
        }
    }

    /// <summary>Asks at every address, those of the role for each patient, and says where the answers differ, until there are enough places.</summary>
    private async Task<(int Asked, IReadOnlyList<string> Different)> Compare(Role role, IReadOnlyList<(Marked Patient, bool InCare)> patients, bool withActs, int most)
    {
        var asked = 0;
        var different = new List<string>();
        async Task Ask(Address address, string path, Dictionary<string, string> form, bool stream = false)
        {
            asked++;
            var (one, other) = await twins.Ask(address.Method, path, form, stream);
            if (!one.Is(other))
            {
                different.Add($"{address.Method} {path} ({form.GetValueOrDefault("q")}): {Difference(one, other)}");
            }
        }

        foreach (var address in twins.Addresses.OrderBy(address => address.Method == "GET" ? 0 : 1).ThenBy(address => address.Name, StringComparer.Ordinal))
        {
            var rule = AddressBook.RuleOf(address.Name) ?? throw new InvalidOperationException($"{address.Name} is not classified.");
            if (different.Count >= most)
            {
                break;
            }

            if (rule.Open || (address.Method != "GET" && !withActs))
            {
                continue;
            }

            var allowed = rule.Roles.Contains(role);
            var about = address.NamesPatient ? patients.Select(one => one.Patient).Take(allowed ? patients.Count : 1).ToArray() : [patients.Count > 0 ? patients[0].Patient : Marked.Nobody()];
            foreach (var patient in about)
            {
                var (path, form) = address.Of(patient);
                await Ask(address, path, form, rule.Stream);
                foreach (var filter in allowed && address.Route.RawText == "/fhir/R4/Observation" ? Filters : [])
                {
                    await Ask(address, path + filter, form);
                }
            }

            foreach (var guess in allowed && address.Method == "POST" && !address.NamesPatient ? Guesses : [])
            {
                await Ask(address, address.Of(about[0]).Path, Search(guess));
            }
        }

        return (asked, different);
    }

    private static Dictionary<string, string> Search(string text) => new(StringComparer.Ordinal) { ["q"] = text };

    private static string Difference(Seen one, Seen other)
    {
        var at = one.Text.AsSpan().CommonPrefixLength(other.Text);
        static string Around(string text, int at) => text[Math.Max(0, at - 60)..Math.Min(text.Length, at + 60)].ReplaceLineEndings(" ");
        return one.Status != other.Status ? $"{one.Status} and {other.Status}"
            : one.Headers != other.Headers ? "the headers"
            : $"…{Around(one.Text, at)}… and …{Around(other.Text, at)}…";
    }
}

public sealed class NonInterferenceOnSqliteTests(Twins twins) : NonInterferenceTests(twins), IClassFixture<Twins>;

public sealed class NonInterferenceOnPostgresTests(TwinsOnPostgres twins) : NonInterferenceTests(twins), IClassFixture<TwinsOnPostgres>;
