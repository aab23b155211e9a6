using System.ComponentModel;
using System.Diagnostics;
using Mangrove.Kernel;

namespace Mangrove.Cli.Installing;

/// <summary>
/// The programs of the system that an installation needs: useradd and systemctl, by their full paths, with arguments that were
/// checked (<see cref="InstallPlan.Checked"/>) and no shell in between. Nothing of the served hospital starts a program.
/// </summary>
internal static class SystemPrograms
{
    private static readonly string[] Places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>Whether systemd runs this system (https://www.freedesktop.org/software/systemd/man/sd_booted.html).</summary>
    public static bool SystemdRuns => Directory.Exists("/run/systemd/system");

    /// <summary>Runs one to its end.</summary>
    /// <exception cref="RefusedInput"><c>install.program</c>: it is missing or failed.</exception>
    public static async Task Run(string name, string[] arguments, CancellationToken cancel)
    {
        var path = Places.Select(place => Path.Combine(place, name)).FirstOrDefault(File.Exists)
            ?? throw new RefusedInput("install.program", $"{name} is missing on this system. Install it, or do by hand what --plan shows.");
        var start = new ProcessStartInfo(path) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            using var process = Process.Start(start)!;
            var said = process.StandardOutput.ReadToEndAsync(cancel);
            var complained = await process.StandardError.ReadToEndAsync(cancel);
            await said;
            await process.WaitForExitAsync(cancel);
            if (process.ExitCode != 0)
            {
                throw new RefusedInput("install.program", $"{name} {arguments[0]} failed: {complained.Trim()}");
            }
        }
        catch (Win32Exception)
        {
            throw new RefusedInput("install.program", $"{name} could not be started. Do by hand what --plan shows.");
        }
    }
}
