using System.Globalization;
using System.Text;
using Mangrove.Vault.Health;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Cli.Serving;

/// <summary>Counts answers by class of status and by duration. No address, no person, no record.</summary>
internal sealed class RequestCounts(TimeProvider clock)
{
    private static readonly double[] Bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

    private readonly long[] classes = new long[6];
    private readonly long[] buckets = new long[Bounds.Length + 1];
    private long microseconds;

    public async Task Count(HttpContext http, RequestDelegate next)
    {
        var start = clock.GetTimestamp();
        try
        {
            await next(http);
        }
        finally
        {
            var took = clock.GetElapsedTime(start);
            Interlocked.Increment(ref classes[Math.Clamp(http.Response.StatusCode / 100, 0, 5)]);
            var at = Array.FindIndex(Bounds, bound => took.TotalSeconds <= bound);
            Interlocked.Increment(ref buckets[at < 0 ? Bounds.Length : at]);
            Interlocked.Add(ref microseconds, (long)took.TotalMicroseconds);
        }
    }

    /// <summary>How many answers took how long, by the bounds, since the start.</summary>
    public long[] Durations() => [.. buckets.Select((_, at) => Interlocked.Read(ref buckets[at]))];

    /// <summary>The time within which a part of the answers came, in microseconds. Null where there was none.</summary>
    /// <param name="counted">By the bounds.</param>
    /// <param name="part">0.5 for the median.</param>
    public static long? Within(IReadOnlyList<long> counted, double part) => (long?)(Quantile.Of(Bounds, counted, part) * 1e6);

    public void Write(StringBuilder text)
    {
        text.Append("# HELP mangrove_http_answers_total Answers by class of status.\n# TYPE mangrove_http_answers_total counter\n");
        for (var one = 1; one <= 5; one++)
        {
            text.Append(CultureInfo.InvariantCulture, $"mangrove_http_answers_total{{class=\"{one}xx\"}} {Interlocked.Read(ref classes[one])}\n");
        }

        text.Append("# HELP mangrove_http_seconds Time to an answer.\n# TYPE mangrove_http_seconds histogram\n");
        var sum = 0L;
        for (var at = 0; at < Bounds.Length; at++)
        {
            sum += Interlocked.Read(ref buckets[at]);
            text.Append(CultureInfo.InvariantCulture, $"mangrove_http_seconds_bucket{{le=\"{Bounds[at]}\"}} {sum}\n");
        }

        sum += Interlocked.Read(ref buckets[Bounds.Length]);
        text.Append(CultureInfo.InvariantCulture, $"mangrove_http_seconds_bucket{{le=\"+Inf\"}} {sum}\nmangrove_http_seconds_sum {Interlocked.Read(ref microseconds) / 1e6}\nmangrove_http_seconds_count {sum}\n");
    }
}
