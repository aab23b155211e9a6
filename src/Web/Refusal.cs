using Mangrove.Web.Pages;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web;

/// <summary>Writes the answers that are not a page: not found, refused input, something broke.</summary>
public static class Refusal
{
    /// <summary>
    /// The one answer for what does not exist and for what the person may not see: the same bytes, so nothing can be
    /// learnt from it. Its text takes nothing from the request.
    /// </summary>
    public static IResult NotFound() => Page.Show<NotFoundPage>(status: StatusCodes.Status404NotFound);

    /// <summary>A page with a sentence that tells the person what to do, and the stable code behind it.</summary>
    public static IResult Say(int status, string code, string message) => Page.Show<RefusedPage>(new { Code = code, Message = message }, status);

    internal static Task Write(HttpContext http, int status, string code, string message) => Say(status, code, message).ExecuteAsync(http);

    internal static Task WriteNotFound(HttpContext http) => NotFound().ExecuteAsync(http);

    internal static Task WriteBroken(HttpContext http, string id) => Page.Show<BrokenPage>(new { Id = id }, StatusCodes.Status500InternalServerError).ExecuteAsync(http);
}
