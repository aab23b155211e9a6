using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mangrove.Web;

/// <summary>
/// A component as an answer: rendered whole, then written. The framework's own result keeps every piece of text of a page
/// in a list in case it has to stream, which was two fifths of all that a page allocated; no page here streams.
/// </summary>
internal sealed class RenderedComponent<T>(IDictionary<string, object?> parameters, int status) : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
    where T : IComponent
{
    public int? StatusCode => status;

    public string ContentType => "text/html; charset=utf-8";

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var services = httpContext.RequestServices;
        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var page = await renderer.RenderComponentAsync<T>(ParameterView.FromDictionary(parameters));

            // Not before: a page that breaks while it is rendered is answered with another one.
            httpContext.Response.StatusCode = status;
            httpContext.Response.ContentType = ContentType;
            using var writer = new Utf8(httpContext.Response.BodyWriter);
            page.WriteHtmlTo(writer);
        });
        await httpContext.Response.BodyWriter.FlushAsync(httpContext.RequestAborted);
    }

    /// <summary>Gathers the small pieces of a page and encodes them into the answer's own memory.</summary>
    private sealed class Utf8(PipeWriter answer) : TextWriter
    {
        private const int Characters = 8 * 1024;

        // Keeps the first half of a surrogate pair whose second half comes with the next piece.
        private readonly Encoder encoder = Encoding.UTF8.GetEncoder();
        private char[] gathered = ArrayPool<char>.Shared.Rent(Characters);
        private int count;

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            if (count == gathered.Length)
            {
                Encode(end: false);
            }

            gathered[count++] = value;
        }

        public override void Write(string? value) => Write(value.AsSpan());

        public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

        public override void Write(ReadOnlySpan<char> buffer)
        {
            while (buffer.Length > gathered.Length - count)
            {
                var part = gathered.Length - count;
                buffer[..part].CopyTo(gathered.AsSpan(count));
                count += part;
                buffer = buffer[part..];
                Encode(end: false);
            }

            buffer.CopyTo(gathered.AsSpan(count));
            count += buffer.Length;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && gathered.Length > 0)
            {
                Encode(end: true);

                // Names and findings stood in it.
                ArrayPool<char>.Shared.Return(gathered, clearArray: true);
                gathered = [];
            }

            base.Dispose(disposing);
        }

        private void Encode(bool end)
        {
            encoder.Convert(gathered.AsSpan(0, count), answer, end, out _, out _);
            count = 0;
        }
    }
}
