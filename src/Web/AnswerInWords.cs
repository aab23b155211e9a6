using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mangrove.Web;

/// <summary>
/// Gives every bare status a page and every exception a number. Exception text stays out of the answer and out of the
/// log, because it may quote what a person typed; the log gets the types and the stack.
/// </summary>
internal sealed partial class AnswerInWords(RequestDelegate next, ILogger<AnswerInWords> logger)
{
    public async Task Invoke(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (RefusedInput copy) when (copy.Code == CopyMark.RefusalCode && !http.Response.HasStarted)
        {
            // Of a copy every change is refused alike, before anything is looked at: nothing can be learnt from the answer.
            Forget(http);
            await Refusal.Write(http, StatusCodes.Status409Conflict, copy.Code, copy.Message);
            return;
        }
        catch (Refused) when (!http.Response.HasStarted)
        {
            // What may not be seen is answered like what does not exist, to the byte; the log has the reason.
            Forget(http);
            await Refusal.WriteNotFound(http);
            return;
        }
        catch (AuditUnavailable unavailable) when (!http.Response.HasStarted)
        {
            Forget(http);
            await Refusal.Write(http, StatusCodes.Status503ServiceUnavailable, unavailable.Code, unavailable.Message);
            return;
        }
        catch (RefusedInput refused) when (!http.Response.HasStarted)
        {
            Forget(http);
            await Refusal.Write(http, StatusCodes.Status400BadRequest, refused.Code, refused.Message);
            return;
        }
        catch (BadHttpRequestException bad) when (!http.Response.HasStarted)
        {
            Forget(http);
            await Refusal.Write(http, bad.StatusCode, "web.bad-request", "The server could not read what was sent. Load the page again, then repeat what you did.");
            return;
        }
        catch (Exception fault) when (!http.Response.HasStarted && StorageFault.Of(fault) is { } reason)
        {
            // Logged too: whoever runs the machine must learn of it, not only who stood before the page.
            Unstored(logger, reason.Code, Describe(fault));
            Forget(http);
            await Refusal.Write(http, StatusCodes.Status503ServiceUnavailable, reason.Code, reason.Message);
            return;
        }
        catch (Exception exception)
        {
            var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
            Broke(logger, id, Describe(exception));
            if (http.Response.HasStarted)
            {
                // Half a page is on its way: cut the connection, so that nobody takes it for the whole.
                http.Abort();
                return;
            }

            Forget(http);
            await Refusal.WriteBroken(http, id);
            return;
        }

        if (http.Response.HasStarted || http.Response.ContentType is not null || http.Response.ContentLength is > 0)
        {
            return;
        }

        switch (http.Response.StatusCode)
        {
            case StatusCodes.Status403Forbidden or StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed:
                Forget(http);
                await Refusal.WriteNotFound(http);
                break;
            case StatusCodes.Status400BadRequest or StatusCodes.Status413PayloadTooLarge or StatusCodes.Status415UnsupportedMediaType:
                await Refusal.Write(http, http.Response.StatusCode, "web.bad-request", "The server could not read what was sent. Load the page again, then repeat what you did.");
                break;
        }
    }

    /// <summary>Only headers that were set for the failed answer go; cookies set on the way, such as a renewed session, stay for the refusal of a form.</summary>
    private static void Forget(HttpContext http)
    {
        var cookies = http.Response.Headers.SetCookie;
        http.Response.Clear();
        http.Response.Headers.SetCookie = cookies;
    }

    private static string Describe(Exception exception)
    {
        var lines = new List<string>();
        for (var e = exception; e is not null; e = e.InnerException)
        {
            lines.Add(e.GetType().FullName + (e is RefusedInput refused ? $" ({refused.Code})" : ""));
            if (e.StackTrace is { } stack)
            {
                lines.Add(stack);
            }
        }

        return string.Join(Environment.NewLine, lines);
    }

    [LoggerMessage(1, LogLevel.Error, "Answer failed, id {Id}: {What}")]
    private static partial void Broke(ILogger logger, string id, string what);

    [LoggerMessage(2, LogLevel.Error, "The databases failed, {Code}: {What}")]
    private static partial void Unstored(ILogger logger, string code, string what);
}
