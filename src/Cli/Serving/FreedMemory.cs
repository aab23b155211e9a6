using System.Runtime.InteropServices;

namespace Mangrove.Cli.Serving;

/// <summary>
/// Memory outside the runtime's care, such as what the library of TLS deciphers into, is left by its users as it was.
/// The C library of Debian and its kin can be told to write over what is freed.
/// </summary>
internal static class FreedMemory
{
    // M_PERTURB of mallopt(3): the lowest byte's complement is written on taking, the byte on freeing.
    private const int Perturb = -6;
    private const int Filler = 0xA5;

    /// <summary>True when freed memory is written over from now on; false where the C library knows no such thing.</summary>
    public static bool WriteOver()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            return MallOpt(Perturb, Filler) != 0;
        }
        catch (EntryPointNotFoundException)
        {
            // musl clears nothing on request.
            return false;
        }
    }

    // Not LibraryImport, whose generated code needs unsafe blocks.
    [DllImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MallOpt(int parameter, int value);
}
