using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Mangrove.Cli.Bench;

/// <summary>Says on what machine the figures were taken: without it a figure says nothing.</summary>
internal static class Machine
{
    private const int Flushes = 60;
    private const int Page = 4096;

    /// <param name="folder">Where the benches write; its disk is described and its flush timed.</param>
    /// <param name="others">How busy the machine was with other work.</param>
    public static string Describe(string folder, string others)
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} x {Processor()}, {memory:0} GiB, {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.FrameworkDescription}, {new DriveInfo(folder).DriveFormat}, flush {Flush(folder):0.00} ms{others}");
    }

    /// <summary>Runnable processes over the last minute before the benches began, where the system tells.</summary>
    public static string Load()
    {
        const string Averages = "/proc/loadavg";
        return OperatingSystem.IsLinux() && File.Exists(Averages) ? $", load before {File.ReadAllText(Averages).Split(' ')[0]}" : "";
    }

    private static string Processor()
    {
        const string Processors = "/proc/cpuinfo";
        const string Model = "model name";
        var named = OperatingSystem.IsLinux() && File.Exists(Processors)
            ? File.ReadLines(Processors).FirstOrDefault(line => line.StartsWith(Model, StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        return string.IsNullOrEmpty(named) ? RuntimeInformation.ProcessArchitecture.ToString() : named;
    }

    /// <summary>Median time of a page written and flushed to the disk, in milliseconds.</summary>
    private static double Flush(string folder)
    {
        var path = Path.Combine(folder, "flush");
        var times = new List<TimeSpan>();
        using (var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 }))
        {
            var page = new byte[Page];
            for (var at = 0; at < Flushes; at++)
            {
                var started = Stopwatch.GetTimestamp();
                file.Write(page);
                file.Flush(flushToDisk: true);
                times.Add(Stopwatch.GetElapsedTime(started));
            }
        }

        File.Delete(path);
        return Spread.Of(times).P50;
    }
}
