using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Health;
using Mangrove.Vault.Identity;
using Mangrove.Web.Parts;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>The server's health over time, its alarms, and where letters about them go. Nothing of a patient comes here.</summary>
internal static class HealthPages
{
    public const string Health = "/admin/health";
    public const string Mail = "/admin/mail";

    private const int ShownLetters = 30;
    private const int ShownAlarms = 30;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Health, async (HttpContext http, string? range, string? done, HealthDesk desk, IHealthSource source, KeyDesk keys, StaffDirectory staff, TimeProvider clock, CancellationToken cancel) =>
        {
            await desk.Look(http.Actor(), mail: false, cancel);
            return await ShowHealth(range, done, null, desk, source, keys, staff, clock, cancel);
        });
        app.MapPost(Health + "/see", See);
        app.MapGet(Mail, async (HttpContext http, string? done, HealthDesk desk, TimeProvider clock, CancellationToken cancel) =>
        {
            await desk.Look(http.Actor(), mail: true, cancel);
            return await ShowMail(desk, clock, done, null, null, cancel);
        });
        app.MapPost(Mail, Change);
        app.MapPost(Mail + "/test", Test);
    }

    private static async Task<IResult> See(HttpContext http, HealthDesk desk, IHealthSource source, KeyDesk keys, StaffDirectory staff, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var seen = await desk.Alarms.See(http.Actor(), Guid.TryParseExact(form["alarm"], "N", out var id) ? id : Guid.Empty, cancel);
        return seen.Error is { } error ? await ShowHealth(null, null, error, desk, source, keys, staff, clock, cancel) : Page.GoTo(http, Health + "?done=seen");
    }

    private static async Task<IResult> Change(HttpContext http, HealthDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var typed = MailTyped.Of(form);
        var changed = await desk.Mail.Change(
            http.Actor(),
            new MailServer(typed.Host, int.TryParse(typed.Port, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : -1, typed.Security switch { "tls" => MailSecurity.Tls, "starttls" => MailSecurity.StartTls, "none" => MailSecurity.None, _ => MailSecurity.Unchosen }, typed.Sender, typed.Login, typed.Authority),
            form["forget"] == "yes" ? "" : form["password"].ToString() is { Length: > 0 } password ? password : null,
            Lines(typed.Administrators),
            Lines(typed.Privacy),
            cancel);
        return changed.Error is { } error ? await ShowMail(desk, clock, null, error, typed, cancel) : Page.GoTo(http, Mail + "?done=saved");
    }

    private static async Task<IResult> Test(HttpContext http, HealthDesk desk, IHealthSource source, TimeProvider clock, CancellationToken cancel)
    {
        var put = await desk.Mail.Test(http.Actor(), cancel);
        if (put.Error is { } error)
        {
            return await ShowMail(desk, clock, null, error, null, cancel);
        }

        source.SendNow();
        return Page.GoTo(http, Mail + "?done=test");
    }

    private static async Task<IResult> ShowHealth(string? range, string? done, Error? error, HealthDesk desk, IHealthSource source, KeyDesk keys, StaffDirectory staff, TimeProvider clock, CancellationToken cancel)
    {
        var facts = await source.Look(cancel);
        var span = range switch { "week" => TimeSpan.FromDays(7), "months" => TimeSpan.FromDays(60), _ => TimeSpan.FromDays(1) };
        var roster = await staff.Roster(cancel);
        return Page.Show<HealthPage>(
            new
            {
                State = new HealthState(
                    facts,
                    await desk.Since(facts.At - span, cancel),
                    await desk.Alarms.Open(cancel),
                    [.. (await desk.Alarms.Newest(ShownAlarms, cancel)).Where(one => one.Ended is not null)],
                    roster.ToDictionary(one => (long)one.Staff.Number, one => one.DisplayName),
                    keys.Days.Usual,
                    facts.At - span,
                    clock.GetLocalNow()),
                Range = range is "week" or "months" ? range : "day",
                Done = done == "seen",
                Error = error,
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> ShowMail(HealthDesk desk, TimeProvider clock, string? done, Error? error, MailTyped? typed, CancellationToken cancel)
    {
        var state = await desk.Mail.State(cancel);
        return Page.Show<MailPage>(
            new
            {
                State = state,
                Typed = typed ?? MailTyped.Of(state),
                Letters = await desk.Outbox.Newest(ShownLetters, cancel),
                Now = clock.GetLocalNow(),
                Done = done is "saved" or "test" ? done : null,
                Error = error,
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static string[] Lines(string typed) => typed.Split(['\n', '\r', ',', ';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>What was typed into the form of mail. The password is never given back.</summary>
public sealed record MailTyped(string Host, string Port, string Security, string Sender, string Login, string Authority, string Administrators, string Privacy)
{
    internal static MailTyped Of(IFormCollection form) => new(
        form["host"].ToString().Trim(), form["port"].ToString().Trim(), form["security"].ToString(), form["sender"].ToString().Trim(), form["login"].ToString().Trim(), form["authority"].ToString().Trim(), form["administrators"].ToString(), form["privacy"].ToString());

    internal static MailTyped Of(MailState state) => state.Server is { } server
        ? new(server.Host, server.Port.ToString(CultureInfo.InvariantCulture), server.Security switch { MailSecurity.Tls => "tls", MailSecurity.StartTls => "starttls", _ => "none" }, server.Sender, server.Login, server.Authority, string.Join('\n', state.Administrators), string.Join('\n', state.PrivacyOfficer))
        : new("", "587", "starttls", "", "", "", "", "");
}

/// <summary>One quantity as the page shows it.</summary>
/// <param name="Key">For tests and links.</param>
/// <param name="Title">What it is.</param>
/// <param name="Now">The figure now, in words.</param>
/// <param name="State">How that is judged, in words.</param>
/// <param name="Wrong">Whether it is beyond its limit.</param>
/// <param name="Unit">Of the plot.</param>
/// <param name="Limit">Beyond it it is an alarm; null where nothing is.</param>
/// <param name="Lines">Over time.</param>
/// <param name="Most">What it can be at most; null where there is no such figure.</param>
public sealed record HealthQuantity(string Key, string Title, string Now, string State, bool Wrong, string Unit, double? Limit, IReadOnlyList<PlotLine> Lines, double? Most = null);

/// <summary>What the page of health shows.</summary>
public sealed record HealthState(
    HealthFacts Facts,
    IReadOnlyDictionary<string, IReadOnlyList<HealthSample>> Series,
    IReadOnlyList<Alarm> Open,
    IReadOnlyList<Alarm> Earlier,
    IReadOnlyDictionary<long, string> Names,
    int KeyDays,
    DateTimeOffset From,
    DateTimeOffset Now)
{
    public IReadOnlyList<HealthQuantity> Quantities()
    {
        var days = Facts.Certificates.Count == 0 ? (int?)null : (int)(Facts.Certificates.Min(one => one.Ends) - Facts.At).TotalDays;
        return
        [
            new("space", "Free space", Text($"{Facts.FreePart:P0} of {TrustState.Gigabytes(Facts.Size)}"), Judged("space", "20 %, below it is an alarm"), Wrong("space"), "%", AlarmRules.LeastFree * 100, [Line("", HealthDesk.Space, 10)], 100),
            new("latency", "Time to an answer", Facts.Median is { } half && Facts.Slowest is { } slow ? Text($"half within {half / 1000.0:0.#} ms, 95 of 100 within {slow / 1000.0:0.#} ms") : "no answer since the last sample", "half of the answers (p50), and 95 of 100 (p95); no alarm", false, "ms", null, [Line("p50", HealthDesk.Median, 1000), Line("p95", HealthDesk.Slowest, 1000)]),
            new("log", "Audit log", Text($"{Facts.LogEntries:#,##0} entries"), Facts.LogFailure is null ? "entries can be made · every act is one" : "cannot be written", Facts.LogFailure is not null, "entries", null, [Line("", HealthDesk.LogEntries, 1)]),
            new("backup", "Age of the backup", Facts.BackupAge is { } backup ? AlarmRules.Age(backup) : "none yet", Judged("backup", "twice the time of its target"), Wrong("backup"), "hours", null, [Line("", HealthDesk.Backup, 60)]),
            new("drill", "Age of the last proven restore", Facts.DrillAge is { } drill ? AlarmRules.Age(drill) : "none yet", Facts.BackupAge is null ? "waits for the first backup · limit 8 days" : Judged("drill", "8 days"), Wrong("drill"), "days", AlarmRules.DrillLimit.TotalDays, [Line("", HealthDesk.Drill, 24)]),
            new("key", "Age of the oldest key", TrustState.Days(Facts.OldestKeyDays), Judged("keys", Text($"{KeyDays} days, then it is rotated")), Wrong("keys"), "days", KeyDays, [Line("", HealthDesk.Key, 1)]),
            new("certificate", "First certificate to end", days is { } left ? Text($"in {left} days, {ClinicalTime.Day(Facts.Certificates.Min(one => one.Ends))}") : "none", Judged("certificates", "14 days; the authority a year"), Wrong("certificates"), "days left", 14, [Line("", HealthDesk.Certificate, 1)]),
        ];
    }

    public string Verdict => Open.Count == 0 ? AlarmRules.All.Any(rule => rule.Judge(Facts) is not null) ? "Something is beyond its limit." : "The server is well." : Open.Count == 1 ? "One alarm." : Text($"{Open.Count} alarms.");

    public static AlarmRule? RuleOf(Alarm alarm) => AlarmRules.All.FirstOrDefault(rule => rule.Id == alarm.Rule);

    public string When(DateTimeOffset at) => at.ToLocalTime().Date == Now.Date ? $"today {ClinicalTime.Minute(at.ToLocalTime())}" : $"{ClinicalTime.Day(at.ToLocalTime())} {ClinicalTime.Minute(at.ToLocalTime())}";

    private bool Wrong(string rule) => AlarmRules.All.First(one => one.Id == rule).Judge(Facts) is not null;

    private string Judged(string rule, string limit) => AlarmRules.All.First(one => one.Id == rule).Judge(Facts) is { } wrong ? $"beyond its limit: {wrong} · limit {limit}" : $"well · limit {limit}";

    private PlotLine Line(string name, string series, double part)
    {
        const int Most = 300;
        var all = Series.GetValueOrDefault(series) ?? [];
        var step = Math.Max(1, (all.Count + Most - 1) / Most);

        // The newest stays whatever is left out.
        return new PlotLine(name, [.. all.Where((_, at) => (all.Count - 1 - at) % step == 0).Select(one => new TimedValue(one.At, one.Value / part))]);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
