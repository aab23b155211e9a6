using System.Net;
using Mangrove.Kernel;
using Mangrove.Vault.Access;

namespace Mangrove.Tests.Cli;

/// <summary>
/// Every address of the real server, asked by every role with the numbers of a patient whose every field carries a mark.
/// An address that no line of <see cref="AddressBook"/> fits fails, so that nobody adds a page without saying whose it is.
/// </summary>
public abstract class MatrixTests(MarkedHospital hospital)
{
    public static TheoryData<Role> Roles => [.. Enum.GetValues<Role>()];

    [Fact]
    public void Every_address_of_the_server_is_classified_and_no_line_is_left_over()
    {
        var addresses = Address.All(hospital.Endpoints).Select(address => address.Name).ToList();
        Assert.True(addresses.Count > 90, $"Only {addresses.Count} addresses were found.");
        Assert.DoesNotContain(addresses, name => AddressBook.RuleOf(name) is null);
        Assert.Empty(AddressBook.Rules.Where(rule => !addresses.Any(name => AddressBook.RuleOf(name) == rule)).Select(rule => rule.Pattern));
    }

    [Theory, MemberData(nameof(Roles))]
    public async Task What_a_role_may_not_read_is_answered_like_nothing_and_shown_nowhere(Role role)
    {
        var reads = RoleMatrix.Of(role).Reads;
        var shown = new HashSet<Category>();
        var wrong = new List<string>();
        var patients = await hospital.Arrive();
        using var browser = await hospital.SignIn(role);
        var absent = await browser.Send("GET", "/there-is-no-such-page");
        Assert.Equal(HttpStatusCode.NotFound, absent.Status);
        foreach (var address in Address.All(hospital.Endpoints).OrderBy(address => address.Method == "GET" ? 0 : 1).ThenBy(address => address.Name, StringComparer.Ordinal))
        {
            var rule = AddressBook.RuleOf(address.Name) ?? throw new InvalidOperationException($"{address.Name} is not classified.");
            if (rule.Open)
            {
                continue;
            }

            var allowed = rule.Roles.Contains(role);
            foreach (var (patient, inCare) in patients)
            {
                if (!inCare && !(allowed && RoleMatrix.Of(role).NeedsCareRelationship))
                {
                    // Whom the care rule binds learns nothing of somebody who is not in care; the others are not bound by it.
                    continue;
                }

                var named = address.Of(patient);
                var answer = rule.Stream ? await browser.Begin(named.Path) : await browser.Send(address.Method, named.Path, named.Form);
                var where = $"{address.Name} for {role}, {(inCare ? "in care" : "not in care")}: {(int)answer.Status}";
                foreach (var category in MarkedPatients.Marks.Where(mark => mark.Value.Any(word => answer.Text.Contains(word, StringComparison.Ordinal))).Select(mark => mark.Key))
                {
                    shown.Add(category);
                    if (!reads.Contains(category) || (!inCare && !(rule.Closed && AsSearched.Contains(category))))
                    {
                        wrong.Add($"{where} shows {category}");
                    }
                }

                if ((int)answer.Status >= 500)
                {
                    wrong.Add(where);
                }

                if (allowed && rule.Closed)
                {
                    // Who the patient is must be unmistakable before a closed record is opened; GlassWebTests asks the rest.
                    continue;
                }

                if (!address.NamesPatient)
                {
                    if (!allowed && address.Method == "GET" && !answer.Is(address.Name.Contains("/fhir/", StringComparison.Ordinal) ? await browser.Send("GET", "/fhir/R4/Nothing") : absent))
                    {
                        wrong.Add($"{where}, unlike an address that does not exist");
                    }

                    break;
                }

                if (allowed && inCare)
                {
                    if (address.Method == "GET" && answer.Status is not (HttpStatusCode.OK or HttpStatusCode.SeeOther))
                    {
                        wrong.Add($"{where}, though it is this role's work");
                    }

                    continue;
                }

                var nobody = Marked.Nobody();
                var nothing = address.Of(nobody);
                if (!answer.Without(patient).Is((await browser.Send(address.Method, nothing.Path, nothing.Form)).Without(nobody)))
                {
                    wrong.Add($"{where}, unlike a patient who does not exist");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        // What a role may read it does read somewhere: otherwise a mark that is never shown would prove nothing.
        Assert.Empty(reads.Except(shown).Except(NowhereOnPages(role)).Order());
    }

    /// <summary>What a search shows to these roles, of everybody who is registered.</summary>
    private static readonly Category[] AsSearched = [Category.Name, Category.BirthAndSex, Category.Contact];

    /// <summary>
    /// What a role reads and no page of its shows yet: kept resources without a place in the clinic leave by export only, and
    /// to a doctor the chart shows the list of medicines instead of the prescriptions and their dispensing behind it.
    /// </summary>
    private static Category[] NowhereOnPages(Role role) =>
        role == Role.Doctor ? [Category.Documents, Category.Prescriptions, Category.Dispensing] : [];
}

public sealed class MatrixOnSqliteTests(MarkedHospital hospital) : MatrixTests(hospital), IClassFixture<MarkedHospital>;

public sealed class MatrixOnPostgresTests(MarkedOnPostgres hospital) : MatrixTests(hospital), IClassFixture<MarkedOnPostgres>;
