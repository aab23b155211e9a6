using System.Collections.Frozen;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web;

/// <summary>
/// In a read-only copy: lets through what looks, and refuses every other act before anything is read for it. What is not named here
/// is refused, so that a page to come changes nothing in a copy either. The vault refuses once more what this lets through.
/// </summary>
internal sealed class CopyGate(RequestDelegate next, Door door)
{
    // Coming and going, how the screen looks, and searches that are sent as forms so that no name stands in an address.
    private static readonly FrozenSet<string> Looks = FrozenSet.Create(
        StringComparer.Ordinal,
        "/sign-in", "/sign-in/code", "/sign-in/passkey", "/sign-out", "/lock", "/unlock", "/screen", "/gesture", "/find", "/find/palette", "/patients/rows", "/desk/find", "/laboratory/scan");

    // Pages for writing into one patient's record. Who asks for one in a copy wants to see the patient: that is the chart.
    private static readonly FrozenSet<string> Sheets = FrozenSet.Create(StringComparer.Ordinal, "consultation", "triage", "dispense");

    public async Task Invoke(HttpContext http)
    {
        var route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern;
        if (HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method))
        {
            if (route is not null && http.Request.RouteValues.TryGetValue("patient", out var patient) && Guid.TryParse(patient as string, out var id) && route.PathSegments is [_, _, var third, ..]
                && third.Parts is [Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal] && Sheets.Contains(literal.Content))
            {
                http.Response.Redirect($"/patients/{id:N}");
                return;
            }

            await next(http);
            return;
        }

        // Without an endpoint the answer is the page that is not found.
        if (route?.RawText is not { } address || Looks.Contains(address))
        {
            await next(http);
            return;
        }

        var refusal = http.Features.Get<SignedInActor>() is { Actor: { Role: not null } actor }
            ? await door.TurnAway(actor, $"page:{address}", http.RequestAborted)
            : CopyMark.Refusal;
        await Refusal.Write(http, StatusCodes.Status409Conflict, refusal.Code, refusal.Message);
    }
}
