using System.Collections.Frozen;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mangrove.Web;

/// <summary>
/// Refuses a form that cannot be read, or that names a field twice which has one value: what the first reader takes and
/// what a later one takes would be two things (threat P3). Lists of the pages are named here.
/// </summary>
internal sealed class PlainForm(RequestDelegate next)
{
    // A form of the page may lie in another one's request, and brings its token along.
    private static readonly FrozenSet<string> Lists = FrozenSet.Create(StringComparer.Ordinal, FormToken.FieldName, "dx", "lab", "lab-urgent", "rx", "order", "needs", "role", "scope", "officer");

    public async Task Invoke(HttpContext http)
    {
        // What takes no cookie reads its own form, and answers in its own protocol.
        var own = http.GetEndpoint()?.Metadata.GetMetadata<IAntiforgeryMetadata>() is { RequiresValidation: false };
        if (!own && HttpMethods.IsPost(http.Request.Method) && !http.Request.HasFormContentType)
        {
            if (http.Request.ContentType is { Length: > 0 })
            {
                await Refusal.Write(http, StatusCodes.Status415UnsupportedMediaType, "form.unreadable", "The server could not read what was sent. Load the page again, then repeat what you did.");
                return;
            }

            // Nothing was said: a form without fields.
            http.Features.Set<IFormFeature>(new FormFeature(FormCollection.Empty));
        }

        if (!own && http.Request.HasFormContentType)
        {
            IFormCollection form;
            try
            {
                form = await http.Request.ReadFormAsync(http.RequestAborted);
            }
            catch (InvalidDataException)
            {
                // Characters that are none, too many fields, too long ones.
                await Refusal.Write(http, StatusCodes.Status400BadRequest, "form.unreadable", "The server could not read what was sent. Load the page again, then repeat what you did.");
                return;
            }

            foreach (var (name, values) in form)
            {
                if (values.Count > 1 && !Lists.Contains(name))
                {
                    await Refusal.Write(http, StatusCodes.Status400BadRequest, "form.doubled", "A field was sent twice, with two values. Load the page again, then repeat what you did.");
                    return;
                }
            }
        }

        await next(http);
    }
}
