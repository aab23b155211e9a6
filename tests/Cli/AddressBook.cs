using System.Text;
using System.Text.RegularExpressions;
using Mangrove.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Mangrove.Tests.Cli;

/// <summary>Whose each address of the server is: the first line that fits decides.</summary>
internal static class AddressBook
{
    private static readonly Role[] Everybody = Enum.GetValues<Role>();
    private static readonly Role[] Clinical = [Role.Nurse, Role.Doctor, Role.Pharmacist, Role.LabTech];

    public static readonly Rule[] Rules =
    [
        // Coming and going, and what the machine says of itself: nothing of a patient, for anybody. A session is ended by some of it, so it is asked without one.
        new("^(GET|POST) /(sign-in(/code|/phone|/passkey|/first-passkey)?|device(/challenge)?|authority(\\.crt)?|sign-out|lock|locked|unlock|welcome|keys|screen|healthz|metrics)$", [], Open: true),
        new("^POST /auth/token$|^GET (/fhir/R4)?/\\.well-known/smart-configuration$|^GET /fhir/R4/metadata$", [], Open: true),
        new(@"^(GET|HEAD) /assets/\{version\}/\{\*\*name\}$", [], Open: true),
        new(@"^\* \{\*path:nonfile\}$", [], Open: true),
        new("^GET /$", Everybody),
        new("^POST /gesture$", Everybody),
        new("^GET /events$", Everybody, Stream: true),
        new("^GET /board(/rows)?$", Everybody),
        new("^(GET /me|POST /me/(password|pin)|(GET|POST) /me/(second-factor(/confirm)?|recovery-codes|passkeys(/new|/shown)?))$", Everybody),
        // A search answers each role with what it reads; an administrator's by number with the number alone.
        new("^POST /find(/palette)?$", Everybody),
        new("^(GET /patients|POST /patients/rows)$", [Role.FrontDesk, Role.Cashier, .. Clinical]),
        // They work on what was sent and on the product's own lists; nothing is opened for them.
        new("^POST /desk/register/gate$", Everybody),
        new("^POST /cashier/change$", Everybody),
        new("^POST /pharmacy/stock/product(s)?$", Everybody),
        new(@"^POST /patients/\{patient\}/dispense/\{visit\}/gate$", Everybody),

        // In an emergency: before it is opened, what a search shows of a patient who is not in care.
        new(@"^(GET|POST) /patients/\{patient:guid\}/glass$", [Role.Nurse, Role.Doctor], Closed: true),
        new(@"^(POST /patients/\{patient:guid\}/glass/close|GET /patients/\{patient:guid\}/glass/state)$", [Role.Nurse, Role.Doctor], Closed: true),
        new(@"^(GET /glass|POST /glass/\{access:guid\})$", [Role.Nurse, Role.Doctor]),
        // Also of whoever is named as privacy officer, who is none of these accounts.
        new("^(GET|POST) /privacy(/|$)", [Role.Admin]),
        new(@"^(GET|POST) /patients/\{patient:guid\}/(details|visits|wristband|newborn)(/|$)", [Role.FrontDesk]),
        // Lists for paper, of those who care for patients or register them.
        new(@"^GET /downtime(/\{lists\})?$", [Role.FrontDesk, .. Clinical]),
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

        new(@"^GET /fhir/R4/Patient/\{id\}$", [Role.FrontDesk, Role.Cashier, .. Clinical]),
        new("^GET /fhir/R4/Observation$", Clinical),
        new(@"^GET /fhir/R4/\{\*\*rest\}$", []),
    ];

    public static Rule? RuleOf(string name) => Rules.FirstOrDefault(rule => Regex.IsMatch(name, rule.Pattern, RegexOptions.None, TimeSpan.FromSeconds(1)));
}

/// <summary>One line of the book.</summary>
internal sealed record Rule(string Pattern, Role[] Roles, bool Open = false, bool Stream = false, bool Closed = false);

/// <summary>One address of the running server.</summary>
internal sealed record Address(string Method, RoutePattern Route)
{
    public string Name => $"{Method} {Route.RawText}";

    public static List<Address> All(IEnumerable<Endpoint> endpoints) =>
    [
        .. endpoints.OfType<RouteEndpoint>().SelectMany(endpoint => (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["*"]).Select(method => new Address(method, endpoint.RoutePattern))),
    ];

    /// <summary>Whether the answer is about one patient.</summary>
    public bool NamesPatient => Route.RawText is "/fhir/R4/Observation" or "/fhir/R4/Patient/{id}" || Route.Parameters.Any(parameter => parameter.Name == "patient");

    /// <param name="one">Whose numbers it names.</param>
    /// <param name="plain">Whether the values stand in the path as they are, also where FHIR writes them otherwise.</param>
    public (string Path, Dictionary<string, string> Form) Of(Marked one, bool plain = false)
    {
        var path = new StringBuilder(Route.RawText);
        foreach (var parameter in Route.Parameters)
        {
            var text = Regex.Match(Route.RawText!, $@"\{{\**{parameter.Name}[^}}]*\}}", RegexOptions.None, TimeSpan.FromSeconds(1)).Value;
            path.Replace(text, one.Values.TryGetValue(parameter.Name, out var value) ? value : "0000");
        }

        if (plain)
        {
            return (path.ToString(), []);
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
