using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Mangrove.Cli;

/// <summary>What keeps this process's memory from others of the same account: no core dump, no attached debugger (threat K10), and no file that others may read.</summary>
internal static class Hardening
{
    // linux/prctl.h, asm-generic/resource.h
    private const int SetDumpable = 4;
    private const int CoreSize = 4;

    // 077: what this process makes is for its own account alone.
    private const uint OwnerOnly = 0x3F;

    public static void Apply()
    {
        if (OperatingSystem.IsLinux())
        {
            Linux();
        }
    }

    // These calls can only fail where the kernel lacks them; the process then is as open as any other, which the threat
    // model says of such systems.
    [SupportedOSPlatform("linux")]
    private static void Linux()
    {
        _ = Umask(OwnerOnly);
        _ = SetLimit(CoreSize, new Limit(0, 0));
        _ = ProcessControl(SetDumpable, 0, 0, 0, 0);
    }

    [DllImport("libc", EntryPoint = "prctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ProcessControl(int option, nuint two, nuint three, nuint four, nuint five);

    [DllImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetLimit(int resource, in Limit limit);

    [DllImport("libc", EntryPoint = "umask")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint Umask(uint mask);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Limit(nuint soft, nuint hard)
    {
        public readonly nuint Soft = soft;

        public readonly nuint Hard = hard;
    }
}
