using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web;

/// <summary>Answers a request with a component: a whole page, or the piece that htmx puts into one.</summary>
public static class Page
{
    // Asking a type for its properties took longer than reading them.
    private static readonly ConcurrentDictionary<Type, PropertyInfo[]> Properties = new();

    /// <summary>
    /// Renders <typeparamref name="T"/> with the properties of <paramref name="parameters"/>, such as
    /// <c>new { Queue = queue }</c>; a name that the component does not have is a mistake and throws.
    /// </summary>
    public static IResult Show<T>(object? parameters = null, int status = StatusCodes.Status200OK)
        where T : IComponent
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var property in parameters is null ? [] : Properties.GetOrAdd(parameters.GetType(), static type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance)))
        {
            values.Add(property.Name, property.GetValue(parameters));
        }

        return new RenderedComponent<T>(values, status);
    }

    /// <summary>The same form or fragment again with its errors: htmx swaps a 422 in, a browser shows it.</summary>
    public static IResult Again<T>(object? parameters = null)
        where T : IComponent => Show<T>(parameters, StatusCodes.Status422UnprocessableEntity);

    /// <summary>Whether a piece of the page is asked for; what send.js posts wants the whole page, as a browser would.</summary>
    public static bool IsPiece(HttpContext http) =>
        http.Request.Headers.ContainsKey("HX-Request") && !http.Request.Headers.ContainsKey("X-Whole-Page");

    /// <summary>After a saved act: htmx goes to the address by itself, a browser is redirected (303, so reload repeats nothing).</summary>
    public static IResult GoTo(HttpContext http, string address)
    {
        if (http.Request.Headers.ContainsKey("HX-Request"))
        {
            http.Response.Headers["HX-Redirect"] = address;
            return Results.NoContent();
        }

        http.Response.Headers.Location = address;
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }
}
