using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>The hospital's keys: versions, what hangs from each, when they are due, and rotation. No key material comes here.</summary>
internal static class KeyPages
{
    private const string Keys = "/admin/keys";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Keys, async (HttpContext http, string? done, KeyDesk desk, VaultRoom vault, IdentityDesk identity, Door door, TimeProvider clock, CancellationToken cancel) =>
        {
            await door.Record(http.Actor(), Rights.Administration, Look(), cancel);
            return await Show(http, desk, vault, identity, clock, done, null, null, cancel);
        });
        app.MapGet(Keys + "/table", Table);
        app.MapGet(Keys + "/patients", PatientsCard);
        app.MapGet(Keys + "/patients/rotate", AskPatients);
        app.MapGet(Keys + "/rotate", Ask);
        app.MapPost(Keys + "/rotate", Rotate);
        app.MapPost(Keys + "/schedule", Schedule);
    }

    private static async Task<IResult> Table(HttpContext http, KeyDesk desk, Door door, TimeProvider clock, CancellationToken cancel)
    {
        // The table asks for itself while a rotation runs: the look at the page is recorded, not each of these.
        if (!http.Actor().May(Rights.Administration))
        {
            await door.Record(http.Actor(), Rights.Administration, Look(), cancel);
        }

        return Page.Show<KeyTable>(new { All = await desk.Status(cancel), Now = clock.GetUtcNow() });
    }

    private static async Task<IResult> PatientsCard(HttpContext http, KeyDesk desk, VaultRoom vault, Door door, TimeProvider clock, CancellationToken cancel)
    {
        // As the table: asks for itself while the change goes on.
        if (!http.Actor().May(Rights.Administration))
        {
            await door.Record(http.Actor(), Rights.Administration, Look(), cancel);
        }

        return Page.Show<PatientKeysCard>(new { Keys = await vault.PatientKeys(cancel), Turn = await desk.PatientTurn(cancel), Now = clock.GetUtcNow() });
    }

    private static async Task<IResult> AskPatients(HttpContext http, VaultRoom vault, Door door, CancellationToken cancel)
    {
        await door.Record(http.Actor(), Rights.Administration, Look(), cancel);
        return Page.Show<RotatePatientsPage>(new { Count = (await vault.PatientKeys(cancel)).Sum(one => one.Count) });
    }

    private static async Task<IResult> Ask(HttpContext http, string? purpose, KeyDesk desk, Door door, TimeProvider clock, CancellationToken cancel)
    {
        await door.Record(http.Actor(), Rights.Administration, Look(), cancel);
        return (await desk.Status(cancel)).FirstOrDefault(one => one.Purpose == purpose) is { } key
            ? Page.Show<RotateKeyPage>(new { Key = key, Now = clock.GetUtcNow() })
            : Refusal.NotFound();
    }

    private static async Task<IResult> Rotate(HttpContext http, KeyDesk desk, VaultRoom vault, IdentityDesk identity, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var purpose = form["purpose"].ToString();
        var refused = purpose == KeyDesk.PatientsName ? (await desk.RotatePatients(http.Actor(), cancel)).Error : (await desk.Rotate(http.Actor(), purpose, cancel)).Error;
        return refused is { } error ? await Show(http, desk, vault, identity, clock, null, error, null, cancel) : Page.GoTo(http, $"{Keys}?done={purpose}");
    }

    private static async Task<IResult> Schedule(HttpContext http, KeyDesk desk, VaultRoom vault, IdentityDesk identity, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var typed = new KeyRotationDays(Number(form["usual"]), Number(form["outside"]));
        var saved = await desk.ChangeDays(http.Actor(), typed, PasskeyPages.ProofOf(http, form), cancel);
        return saved.Error is { } error ? await Show(http, desk, vault, identity, clock, null, error, form, cancel) : Page.GoTo(http, $"{Keys}?done=schedule");

        // No number is out of every range.
        static int Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
    }

    private static async Task<IResult> Show(HttpContext http, KeyDesk desk, VaultRoom vault, IdentityDesk identity, TimeProvider clock, string? done, Error? error, IFormCollection? typed, CancellationToken cancel) => Page.Show<KeysOfHospitalPage>(
        new
        {
            All = await desk.Status(cancel),
            PatientKeys = await vault.PatientKeys(cancel),
            Turn = await desk.PatientTurn(cancel),
            Days = desk.Days,
            Usual = typed?["usual"].ToString() ?? desk.Days.Usual.ToString(CultureInfo.InvariantCulture),
            Outside = typed?["outside"].ToString() ?? desk.Days.BackupAndSync.ToString(CultureInfo.InvariantCulture),
            Guard = vault.RootGuard,
            Now = clock.GetUtcNow(),
            Done = done is "schedule" or KeyDesk.PatientsName || KeyDesk.Purposes.Contains(done, StringComparer.Ordinal) ? done : null,
            Error = error,
            Offer = await PasskeyPages.OfferOf(http, identity, cancel),
        },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    private static Request Look() => new() { Action = "VIEW_KEYS", Purpose = Purpose.Administration, Resource = "keys" };
}
