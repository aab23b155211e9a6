using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>
/// Sheets of paper that recover the hospital's keys: made and printed, read back, tried. The answer that shows them is the
/// only place where they ever are; it is not stored, and nothing of them comes back into an address.
/// </summary>
internal static class SharesPages
{
    public const string Home = "/admin/keys/shares";

    /// <summary>Sheets that were not tried for this long are to be tried: twice a year somebody looks where they are.</summary>
    public const int DrillDays = 182;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Home, (HttpContext http, RecoveryRecipients recovery, IdentityDesk desk, TimeProvider clock, string? done, CancellationToken cancel) =>
            Show(http, recovery, desk, clock, new SharesForm(), null, done, cancel));
        app.MapPost(Home, Make);
        app.MapPost(Home + "/read-back", ReadBack);
        app.MapPost(Home + "/verify", Verify);
    }

    private static async Task<IResult> Make(HttpContext http, RecoveryRecipients recovery, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var typed = new SharesForm { Needed = Number(form["needed"]), Holders = Number(form["holders"]) };
        var made = await recovery.BeginShares(http.Actor(), typed.Needed, typed.Holders, PasskeyPages.ProofOf(http, form), cancel);
        return made.Error is { } error
            ? await Show(http, recovery, desk, clock, typed, error, null, cancel)
            : Page.Show<SheetsPage>(new { Made = made.Value, Hospital = desk.Hospital });

        // No number is out of every range.
        static int Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
    }

    private static async Task<IResult> ReadBack(HttpContext http, RecoveryRecipients recovery, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var groups = Fields(form, "group");
        var read = await recovery.ConfirmShares(http.Actor(), groups, cancel);
        return read.Error is { } error
            ? await Show(http, recovery, desk, clock, new SharesForm { Groups = groups }, error, null, cancel)
            : Page.GoTo(http, $"{Home}?done={(read.Value.InForce ? "in-force" : "read")}");
    }

    private static async Task<IResult> Verify(HttpContext http, RecoveryRecipients recovery, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var sheets = Fields(form, "sheet");
        var tried = await recovery.VerifyShares(http.Actor(), sheets, cancel);

        // What was typed stands there again: of five lines one is to be mended.
        return tried.Error is { } error
            ? await Show(http, recovery, desk, clock, new SharesForm { Sheets = sheets }, error, null, cancel)
            : Page.GoTo(http, $"{Home}?done={(tried.Value.InForce ? "tried" : "half")}");
    }

    private static string[] Fields(IFormCollection form, string name) =>
        [.. Enumerable.Range(1, RecoveryRecipients.MostHolders).Select(number => form[string.Create(CultureInfo.InvariantCulture, $"{name}-{number}")].ToString())];

    private static async Task<IResult> Show(HttpContext http, RecoveryRecipients recovery, IdentityDesk desk, TimeProvider clock, SharesForm typed, Error? error, string? done, CancellationToken cancel) => Page.Show<SharesPage>(
        new
        {
            State = await recovery.Look(http.Actor(), cancel),
            Typed = typed,
            Error = error,
            Done = done switch
            {
                "read" => "Every sheet was read back. Now try them: type as many whole sheets as are needed.",
                "in-force" or "tried" => "The sheets give the key. They are in force, and what was typed is forgotten.",
                "half" => "The sheets give the key. The set counts when every sheet was read back as well.",
                _ => null,
            },
            Now = clock.GetLocalNow(),
            Offer = await PasskeyPages.OfferOf(http, desk, cancel),
        },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
}

/// <summary>What was typed on the page of the sheets.</summary>
public sealed record SharesForm
{
    public int Needed { get; init; } = 3;

    public int Holders { get; init; } = 5;

    public IReadOnlyList<string> Groups { get; init; } = [];

    public IReadOnlyList<string> Sheets { get; init; } = [];

    /// <summary>Without the sheets.</summary>
    public override string ToString() => nameof(SharesForm);
}
