using Mangrove.Web.Pages;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;

namespace Mangrove.Web;

/// <summary>Writes the answers that are not a page: not found, refused input, something broke.</summary>
public static class Refusal
{
    /// <summary>
    /// The one answer for what does not exist and for what the person may not see: the same bytes, so nothing can be
    /// learnt from it. Its text takes nothing from the request.
    /// </summary>
    public static IResult NotFound() => new RazorComponentResult<NotFoundPage> { StatusCode = StatusCodes.Status404NotFound };

    /// <summary>A page with a sentence that tells the person what to do, and the stable code behind it.</summary>
    public static IResult Say(int status, string code, string message) => new RazorComponentResult<RefusedPage>(
        new Dictionary<string, object?>(StringComparer.Ordinal) { [nameof(RefusedPage.Code)] = code, [nameof(RefusedPage.Message)] = message })
    {
        StatusCode = status,
    };

    internal static Task Write(HttpContext http, int status, string code, string message) => WriteFresh(http, Say(status, code, message));

    internal static Task WriteNotFound(HttpContext http) => WriteFresh(http, NotFound());

    /// <summary>
    /// In a scope of its own: when a component failed while it was drawn, the request's renderer is spent and would
    /// write nothing at all.
    /// </summary>
    private static async Task WriteFresh(HttpContext http, IResult answer)
    {
        var own = http.RequestServices;
        await using var scope = own.CreateAsyncScope();
        http.RequestServices = scope.ServiceProvider;
        try
        {
            await answer.ExecuteAsync(http);
        }
        finally
        {
            http.RequestServices = own;
        }
    }

    internal static Task WriteBroken(HttpContext http, string id) => WriteFresh(http, new RazorComponentResult<BrokenPage>(
        new Dictionary<string, object?>(StringComparer.Ordinal) { [nameof(BrokenPage.Id)] = id })
    {
        StatusCode = StatusCodes.Status500InternalServerError,
    });
}
