using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Mangrove.Tests.Cli;

/// <summary>
/// Every address of the real server, asked by every role with the numbers of a patient whose every field carries a mark.
/// An address that no line of <see cref="Rules"/> fits fails, so that nobody adds a page without saying whose it is.
/// </summary>
public sealed partial class MatrixTests(MarkedHospital hospital) : IClassFixture<MarkedHospital>
{
    private static readonly Role[] Everybody = Enum.GetValues<Role>();
    private static readonly Role[] Clinical = [Role.Nurse, Role.Doctor, Role.Pharmacist, Role.LabTech];

    /// <summary>Whose each address is: the first line that fits decides.</summary>
    private static readonly Rule[] Rules =
    [
        // Coming and going, and what the machine says of itself: nothing of a patient, for anybody. A session is ended by some of it, so it is asked without one.
        new("^(GET|POST) /(sign-in|sign-out|lock|locked|unlock|welcome|keys|screen|healthz|metrics)$", [], Open: true),
        new(@"^(GET|HEAD) /assets/\{version\}/\{\*\*name\}$", [], Open: true),
        new(@"^\* \{\*path:nonfile\}$", [], Open: true),
        new("^GET /$", Everybody),
        new("^POST /gesture$", Everybody),
        new("^GET /events$", Everybody, Stream: true),
        new("^GET /board(/rows)?$", Everybody),
        new("^(GET /me|POST /me/password)$", Everybody),
        // A search answers each role with what it reads; an administrator's by number with the number alone.
        new("^POST /find(/palette)?$", Everybody),
        new("^(GET /patients|POST /patients/rows)$", [Role.FrontDesk, Role.Cashier, .. Clinical]),
        // They work on what was sent and on the product's own lists; nothing is opened for them.
        new("^POST /desk/register/gate$", Everybody),
        new("^POST /cashier/change$", Everybody),
        new("^POST /pharmacy/stock/product(s)?$", Everybody),
        new(@"^POST /patients/\{patient\}/dispense/\{visit\}/gate$", Everybody),

        new(@"^(GET|POST) /patients/\{patient:guid\}/(details|visits|wristband|newborn)(/|$)", [Role.FrontDesk]),
        new("^(GET|POST) /(desk|drafts/registration)(/|$)", [Role.FrontDesk]),
        new(@"^(GET|POST) (/patients/\{patient\})?/triage(/|$)", [Role.Nurse, Role.Doctor]),
        new(@"^(GET|POST) (/patients/\{patient:guid\})?/(consultation|results)(/|$)", [Role.Doctor]),
        new(@"^POST /patients/\{patient:guid\}/notes/", [Role.Doctor]),
        new(@"^(GET|POST) (/patients/\{patient\})?/laboratory(/|$)", [Role.LabTech]),
        new(@"^(GET|POST) (/patients/\{patient\})?/dispense(/|$)", [Role.Pharmacist]),
        new("^(GET|POST) /pharmacy(/|$)", [Role.Pharmacist]),
        new(@"^(GET|POST) (/patients/\{patient:guid\}/invoice|/cashier)(/|$)", [Role.Cashier]),
        new("^(GET|POST) /admin(/|$)", [Role.Admin]),
        new(@"^GET /patients/\{patient:guid\}$", [Role.FrontDesk, Role.Cashier, .. Clinical]),

        new("^GET /fhir/R4/metadata$", Everybody),
        new(@"^GET /fhir/R4/Patient/\{id\}$", [Role.FrontDesk, Role.Cashier, .. Clinical]),
        new("^GET /fhir/R4/Observation$", Clinical),
        new(@"^GET /fhir/R4/\{\*\*rest\}$", []),
    ];

    public static TheoryData<Role> Roles => [.. Everybody];

    [Fact]
    public void Every_address_of_the_server_is_classified_and_no_line_is_left_over()
    {
        var addresses = Addresses().Select(address => address.Name).ToList();
        Assert.True(addresses.Count > 90, $"Only {addresses.Count} addresses were found.");
        Assert.DoesNotContain(addresses, name => RuleOf(name) is null);
        Assert.Empty(Rules.Where(rule => !addresses.Any(name => RuleOf(name) == rule)).Select(rule => rule.Pattern));
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
        foreach (var address in Addresses().OrderBy(address => address.Method == "GET" ? 0 : 1).ThenBy(address => address.Name, StringComparer.Ordinal))
        {
            var rule = RuleOf(address.Name) ?? throw new InvalidOperationException($"{address.Name} is not classified.");
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
                foreach (var category in MarkedHospital.Marks.Where(mark => mark.Value.Any(word => answer.Text.Contains(word, StringComparison.Ordinal))).Select(mark => mark.Key))
                {
                    shown.Add(category);
                    if (!inCare || !reads.Contains(category))
                    {
                        wrong.Add($"{where} shows {category}");
                    }
                }

                if ((int)answer.Status >= 500)
                {
                    wrong.Add(where);
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

                var nobody = MarkedHospital.Nobody();
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

    /// <summary>
    /// What a role reads and no page of its shows yet: kept resources without a place in the clinic leave by export only, and
    /// to a doctor the chart shows the list of medicines instead of the prescriptions and their dispensing behind it.
    /// </summary>
    private static Category[] NowhereOnPages(Role role) =>
        role == Role.Doctor ? [Category.Documents, Category.Prescriptions, Category.Dispensing] : [];

    private static Rule? RuleOf(string name) => Rules.FirstOrDefault(rule => Regex.IsMatch(name, rule.Pattern, RegexOptions.None, TimeSpan.FromSeconds(1)));

    private List<Address> Addresses() =>
    [
        .. hospital.Endpoints.OfType<RouteEndpoint>().SelectMany(endpoint => (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["*"]).Select(method => new Address(method, endpoint.RoutePattern))),
    ];

    private sealed record Rule(string Pattern, Role[] Roles, bool Open = false, bool Stream = false);

    private sealed record Address(string Method, RoutePattern Route)
    {
        public string Name => $"{Method} {Route.RawText}";

        /// <summary>Whether the answer is about one patient.</summary>
        public bool NamesPatient => Route.RawText is "/fhir/R4/Observation" or "/fhir/R4/Patient/{id}" || Route.Parameters.Any(parameter => parameter.Name == "patient");

        public (string Path, Dictionary<string, string> Form) Of(Marked one)
        {
            var path = new StringBuilder(Route.RawText);
            foreach (var parameter in Route.Parameters)
            {
                var text = Regex.Match(Route.RawText!, $@"\{{\**{parameter.Name}[^}}]*\}}", RegexOptions.None, TimeSpan.FromSeconds(1)).Value;
                path.Replace(text, one.Values.TryGetValue(parameter.Name, out var value) ? value : "0000");
            }

            if (Route.RawText == "/fhir/R4/Patient/{id}")
            {
                path.Clear().Append("/fhir/R4/Patient/").Append(Guid.ParseExact(one.Values["patient"], "N").ToString("D"));
            }
            else if (Route.RawText == "/fhir/R4/Observation")
            {
                path.Append("?patient=").Append(Guid.ParseExact(one.Values["patient"], "N").ToString("D"));
            }

            return (path.ToString(), new Dictionary<string, string>(StringComparer.Ordinal) { ["patient"] = one.Values["patient"], ["q"] = one.Search, ["specimen"] = one.Values["specimen"] });
        }
    }
}
