using Microsoft.AspNetCore.Http;

namespace Mangrove.Web;

public enum Theme
{
    Auto,
    Light,
    Dark,
}

/// <summary>
/// How this browser wants its pages: theme, direction of writing, and whether single letters act on worklists
/// (WCAG 2.1.4 lets a person switch them off). Kept in a cookie that says nothing about the person; the default is
/// the system's theme, left to right, letters on.
/// </summary>
public sealed record ScreenSettings(Theme Theme, bool RightToLeft, bool LetterKeys)
{
    public const string CookieName = "__Host-mangrove-screen";

    public static ScreenSettings Default { get; } = new(Theme.Auto, RightToLeft: false, LetterKeys: true);

    /// <summary>For <c>lang</c>. Only English is written so far; the direction can be tried apart from it.</summary>
    public static string Language => "en";

    public string Dir => RightToLeft ? "rtl" : "ltr";

    /// <summary>For <c>data-bs-theme</c>; theme.js corrects <see cref="Theme.Auto"/> before the first paint.</summary>
    public string BootstrapTheme => Theme == Theme.Dark ? "dark" : "light";

    public static ScreenSettings Read(HttpContext? http) => Parse(http?.Request.Cookies[CookieName]);

    /// <summary>Anything unknown in the text falls back to its default: a cookie can be edited by anybody.</summary>
    public static ScreenSettings Parse(string? text)
    {
        var words = text?.Split('.') ?? [];
        return new ScreenSettings(
            words.Contains("dark", StringComparer.Ordinal) ? Theme.Dark : words.Contains("light", StringComparer.Ordinal) ? Theme.Light : Theme.Auto,
            words.Contains("rtl", StringComparer.Ordinal),
            !words.Contains("noletters", StringComparer.Ordinal));
    }

    public override string ToString() => string.Join('.', Theme switch { Theme.Dark => "dark", Theme.Light => "light", _ => "auto" }, Dir, LetterKeys ? "letters" : "noletters");

    internal void Write(HttpContext http) => http.Response.Cookies.Append(CookieName, ToString(), new CookieOptions
    {
        Secure = true,
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Path = "/",
        MaxAge = TimeSpan.FromDays(365),
        IsEssential = true,
    });
}
