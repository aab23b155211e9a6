using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Cli.Serving;

/// <summary>Whether the hospital works, for a watchdog (<c>/healthz</c>, no detail) and in figures for the machine itself (<c>/metrics</c>, loopback only).</summary>
internal sealed class Health(Hospital hospital, RequestCounts counts)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", Alive).AllowAnonymous();
        routes.MapGet("/metrics", Metrics).AllowAnonymous();
    }

    private IResult Alive() => hospital.Vault.Review.Failure is null
        ? Results.Text("ok\n")
        : Results.Text("unavailable\n", statusCode: StatusCodes.Status503ServiceUnavailable);

    private IResult Metrics(HttpContext http) => http.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        ? Results.Text(Figures(), "text/plain; version=0.0.4; charset=utf-8")
        : Results.NotFound();

    private string Figures()
    {
        var text = new StringBuilder();
        void Figure(string name, string type, string help, FormattableString value) => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n{name} {value.ToString(CultureInfo.InvariantCulture)}\n");

        var review = hospital.Vault.Review;
        Figure("mangrove_audit_entries", "counter", "Entries under the newest checkpoint of the audit log.", $"{review.Newest?.Size ?? 0}");
        Figure("mangrove_audit_anchored_entries", "counter", "Entries under the newest checkpoint that is anchored outside the log.", $"{review.Anchored?.Size ?? 0}");
        Figure("mangrove_audit_writable", "gauge", "1 while entries can be made; 0 shuts the door.", $"{(review.Failure is null ? 1 : 0)}");
        Figure("mangrove_index_patients", "gauge", "Patients in the search index.", $"{hospital.Vault.IndexedPatients}");
        Figure("mangrove_index_ready", "gauge", "1 when the search index holds every patient.", $"{(hospital.Vault.IndexReady ? 1 : 0)}");
        using (var process = Process.GetCurrentProcess())
        {
            Figure("process_resident_memory_bytes", "gauge", "Resident memory.", $"{process.WorkingSet64}");
            Figure("process_cpu_seconds_total", "counter", "Processor time used.", $"{process.TotalProcessorTime.TotalSeconds}");
        }

        Figure("dotnet_gc_heap_bytes", "gauge", "Managed heap.", $"{GC.GetTotalMemory(forceFullCollection: false)}");
        counts.Write(text);
        return text.ToString();
    }
}
