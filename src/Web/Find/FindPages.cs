using Mangrove.Clinic;
using Mangrove.Clinic.Find;
using Mangrove.Vault.Access;
using Mangrove.Vault.Holds;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Mangrove.Web.Shell;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Find;

/// <summary>
/// Searching from anywhere: the field of the station bar, the palette, and the page of patients. What is typed travels in
/// a post, because a name in an address would stay in the browser's history.
/// </summary>
internal static class FindPages
{
    private const int MostOnPage = 25;
    private const int MostInPalette = 6;
    private const int LongestQuery = 100;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/patients", (HttpContext http) => SearchesByName(http.Actor()) ? Page.Show<PatientsPage>(new { Query = "", Hits = Array.Empty<FoundLine>(), Enough = false }) : Refusal.NotFound());
        app.MapPost("/patients/rows", Rows);
        app.MapPost("/find", Find);
        app.MapPost("/find/palette", Palette);
    }

    /// <summary>Administrators see no name; everybody else may search by one.</summary>
    private static bool SearchesByName(Actor actor) => actor.Reads(Category.Name);

    private static async Task<IResult> Rows(HttpContext http, FindPatients find, TimeProvider clock, CancellationToken cancel)
    {
        if (!SearchesByName(http.Actor()))
        {
            return Refusal.NotFound();
        }

        var typed = await Typed(http, cancel);
        return Answer<FoundPatients>(http, typed, await find.Run(typed, MostOnPage, http.Actor(), cancel), clock);
    }

    private static async Task<IResult> Find(HttpContext http, FindPatients find, FindByNumber byNumber, HoldDesk holds, TimeProvider clock, CancellationToken cancel)
    {
        var typed = await Typed(http, cancel);
        var actor = http.Actor();
        if (SearchesByName(actor))
        {
            return Answer<PatientsPage>(http, typed, await find.Run(typed, MostOnPage, actor, cancel), clock);
        }

        var found = await byNumber.Run(typed, actor, cancel);
        var patient = found.Ok ? found.Value : null;
        return Page.Show<NumberPage>(new { Typed = typed, Number = patient?.Mrn, Held = patient is { } one && (await holds.Held(cancel)).Holds(one.Id), Error = found.Error?.Message });
    }

    private static async Task<IResult> Palette(HttpContext http, FindPatients find, TimeProvider clock, CancellationToken cancel)
    {
        var typed = await Typed(http, cancel);
        var actor = http.Actor();
        var hits = SearchesByName(actor) ? await find.Run(typed, MostInPalette, actor, cancel) : [];
        var places = actor.Role is { } role
            ? Stations.For(role).Where(station => typed.Length == 0 || station.Label.Contains(typed, StringComparison.OrdinalIgnoreCase)).ToArray()
            : [];
        return Page.Show<PaletteFound>(new { Query = typed, Hits = Shown(hits, actor, clock), Enough = FindPatients.IsEnough(typed), Named = SearchesByName(actor), Places = places });
    }

    private static async Task<string> Typed(HttpContext http, CancellationToken cancel)
    {
        var typed = (await http.Request.ReadFormAsync(cancel))["q"].ToString().Trim();
        return typed.Length <= LongestQuery ? typed : typed[..LongestQuery];
    }

    private static IResult Answer<T>(HttpContext http, string typed, IReadOnlyList<FindPatients.Found> hits, TimeProvider clock)
        where T : Microsoft.AspNetCore.Components.IComponent =>
        Page.Show<T>(new { Query = typed, Hits = Shown(hits, http.Actor(), clock), Enough = FindPatients.IsEnough(typed) });

    private static FoundLine[] Shown(IReadOnlyList<FindPatients.Found> hits, Actor actor, TimeProvider clock) =>
        [.. hits.Select(found => FoundLine.Of(found, actor, clock.LocalToday()))];
}
