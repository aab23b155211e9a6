using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Mangrove.Vault.Backups;
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

    private async Task<IResult> Metrics(HttpContext http, CancellationToken cancel) => http.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        ? Results.Text(Figures(await hospital.Vault.Backups.Runs(1_000, cancel), (await hospital.Vault.Health.Alarms.Open(cancel)).Count), "text/plain; version=0.0.4; charset=utf-8")
        : Results.NotFound();

    private string Figures(IReadOnlyList<BackupRun> runs, int alarms)
    {
        var text = new StringBuilder();
        void Figure(string name, string type, string help, FormattableString value) => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n{name} {value.ToString(CultureInfo.InvariantCulture)}\n");

        var review = hospital.Vault.Review;
        Figure("mangrove_audit_entries", "counter", "Entries under the newest checkpoint of the audit log.", $"{review.Newest?.Size ?? 0}");
        Figure("mangrove_audit_anchored_entries", "counter", "Entries under the newest checkpoint that is anchored outside the log.", $"{review.Anchored?.Size ?? 0}");
        Figure("mangrove_audit_writable", "gauge", "1 while entries can be made; 0 shuts the door.", $"{(review.Failure is null ? 1 : 0)}");
        Figure("mangrove_index_patients", "gauge", "Patients in the search index.", $"{hospital.Vault.IndexedPatients}");
        Figure("mangrove_index_ready", "gauge", "1 when the search index holds every patient.", $"{(hospital.Vault.IndexReady ? 1 : 0)}");
        var (free, size) = hospital.Vault.Space.Volume;
        Figure("mangrove_volume_free_bytes", "gauge", "Free space on the volume of the data folder.", $"{free}");
        Figure("mangrove_volume_size_bytes", "gauge", "Size of the volume of the data folder.", $"{size}");
        foreach (var (work, name, help) in new[] { (BackupWork.Backup, "backup", "Seconds since the last backup that was read back whole began."), (BackupWork.Drill, "restore", "Seconds since the last proven restore began.") })
        {
            if (runs.Where(run => run.Work == work && run.Failure is null).MaxBy(run => run.Started) is { } last)
            {
                Figure($"mangrove_{name}_age_seconds", "gauge", help, $"{(long)(hospital.Clock.GetUtcNow() - last.Started).TotalSeconds}");
            }
        }

        Figure("mangrove_alarms", "gauge", "Alarms that go on.", $"{alarms}");
        Figure("mangrove_backup_failed", "gauge", "1 when the last backup failed.", $"{(runs.FirstOrDefault(run => run.Work == BackupWork.Backup)?.Failure is null ? 0 : 1)}");
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
